"""What holds for every output in the table."""

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.config_load import parse_config
from edge_vision.config_net import HookConfig, MqttConfig, WebhookConfig
from edge_vision.config_outputs import (
    JsonlConfig,
    NullConfig,
    OutputsConfig,
    PreviewConfig,
    VideoConfig,
    WindowConfig,
)
from edge_vision.config_web import WebConfig
from edge_vision.control import CameraStatus
from edge_vision.errors import ConfigError
from edge_vision.outputs import OUTPUTS, make_outputs
from edge_vision.outputs.base import Output, Picture
from edge_vision.registry import load
from edge_vision.results import Analysed
from edge_vision.slot import Bulletin
from edge_vision.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("no_thread_left")

MakeOutput = Callable[..., Any]
# The window, and what takes events alone, have tests of their own.
WRITERS = [name for name in OUTPUTS if name not in ("window", "mqtt", "webhook", "hook")]


class Screen:
    """A display that takes everything."""

    def start(self) -> None:
        pass

    def show(self, overlay: Any) -> bool:
        return True

    def fault(self) -> None:
        return None


def run() -> Any:
    """As much of a Control as an output needs that nobody asks anything."""
    return SimpleNamespace(
        telemetry=Telemetry(),
        analysed=Bulletin(None),
        started_ns=0,
        config=parse_config({}),
        camera=lambda: CameraStatus(True, 0, "", "made up", 320, 240, 25.0),
    )


@pytest.fixture
def make(tmp_path: Path) -> MakeOutput:
    """make(name, patient=...): an output of the table, writing into a fresh folder."""
    configs = {
        "web": WebConfig(enabled=True, port=0),
        "window": WindowConfig(),
        "preview": PreviewConfig(enabled=True),
        "video": VideoConfig(path=str(tmp_path / "out.mp4")),
        "jsonl": JsonlConfig(path=str(tmp_path / "out.jsonl")),
        "null": NullConfig(enabled=True),
        "events": EventsConfig(enabled=True, folder=str(tmp_path / "events")),
        "mqtt": MqttConfig(broker="mqtt://127.0.0.1:9"),
        "webhook": WebhookConfig(url="http://127.0.0.1:9"),
        "hook": HookConfig(command=["/bin/true"]),
    }

    def build(name: str, *, patient: bool = False) -> Any:
        more = {"preview": {"screen": Screen()}, "events": {"recorder": RecorderConfig()}}
        given = more.get(name, {})
        output = load(OUTPUTS, name, "output")(configs[name], patient=patient, **given)
        if name == "web":
            output.attach(run())
        return output

    return build


@pytest.fixture
def item(
    picture: Callable[..., Picture], analysed: Callable[..., Analysed]
) -> Callable[[Output, int], Any]:
    """item(output, number): what the output wants."""

    def build(output: Output, number: int = 0) -> Any:
        if output.wants == "scenes":
            return analysed(number)
        made = picture(number)
        made.overlay = np.zeros((240, 320, 4), np.uint8)
        return made

    return build


@contextmanager
def wanted(output: Any) -> Iterator[None]:
    """Somebody watches, where an output works only then."""
    if output.name != "web":
        yield
        return
    assert not output.active()
    watching = HTTPConnection("127.0.0.1", output._server.port, timeout=10)
    watching.request("GET", "/stream.mjpg")
    response = watching.getresponse()
    yield
    response.close()
    watching.close()


@pytest.mark.parametrize("name", OUTPUTS)
def test_it_has_the_protocols_parts(make: MakeOutput, name: str) -> None:
    output = make(name)
    assert output.name == name
    assert output.wants in ("scenes", "pictures", "overlays")
    assert isinstance(output.shows_status, bool)
    for method in ("start", "active", "offer", "close", "fault"):
        expected = inspect.signature(getattr(Output, method)).parameters
        assert list(inspect.signature(getattr(type(output), method)).parameters) == list(expected)


@pytest.mark.parametrize("name", OUTPUTS)
def test_before_the_start_it_takes_nothing(make: MakeOutput, item: Any, name: str) -> None:
    output = make(name)
    assert not output.active()
    assert output.offer(item(output)) is False
    assert output.fault() is None
    output.close(1)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("patient", [False, True])
def test_a_run(make: MakeOutput, item: Any, name: str, patient: bool) -> None:
    output = make(name, patient=patient)
    output.start()
    with wanted(output):
        assert output.active()
        taken = [output.offer(item(output, number)) for number in range(40)]
        assert taken[0] is True
        assert all(taken) or not patient
        output.close(10)
    assert output.fault() is None
    assert not output.active()
    assert output.offer(item(output)) is False
    output.close(1)  # again: nothing happens


@pytest.mark.parametrize("name", WRITERS)
def test_closed_with_nothing_taken(make: MakeOutput, name: str) -> None:
    output = make(name)
    output.start()
    begin = time.monotonic()
    output.close(5)
    assert time.monotonic() - begin < 4
    assert output.fault() is None


def test_make_outputs_gives_what_is_asked_for(tmp_path: Path) -> None:
    off = WindowConfig(enabled=False)
    assert make_outputs(OutputsConfig(window=off)) == []
    config = OutputsConfig(
        web=WebConfig(enabled=True),
        window=off,
        preview=PreviewConfig(enabled=True),
        video=VideoConfig(path=str(tmp_path / "a.mp4")),
        jsonl=JsonlConfig(path="-"),
        null=NullConfig(enabled=True),
    )
    made = make_outputs(config, patient=True, screen=Screen())
    assert [output.name for output in made] == ["web", "preview", "video", "jsonl", "null"]
    assert list(tmp_path.iterdir()) == []  # nothing is opened before start


def test_every_section_has_an_output_and_the_other_way_round() -> None:
    assert set(OUTPUTS) == set(OutputsConfig.model_fields) | {"events"}  # a section of its own
    with pytest.raises(ConfigError, match=r"there are: events, .*video, web, .*window"):
        load(OUTPUTS, "vidoe", "output")
