"""Zones, lines and rules in a replay: seen and counted, and nobody else is told."""

import hashlib
import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge_vision.camera.demo import DemoCamera
from edge_vision.cli.replay import replay
from edge_vision.config_load import parse_config
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.events import Event
from edge_vision.outputs.base import Picture
from edge_vision.replay import Replay

pytestmark = pytest.mark.usefixtures("no_thread_left")

PLACES = {
    "lines": {"middle": [[0.5, 1.0], [0.5, 0.0]]},
    "zones": {"left": [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]},
}
RULES = [{"name": "through", "line": "middle"}, {"name": "here", "zone": "left"}]
WATCH = {**PLACES, "rules": RULES}


@pytest.fixture
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a board that has counted a hundred."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    counts = {"since_s": 5.0, "lines": {"middle": {"in": {"cup": 100}}}, "zones": {}}
    (tmp_path / "counts.json").write_text(json.dumps(counts))
    return tmp_path


def demo(**sections: Any) -> Any:
    return parse_config(
        {
            "camera": {"kind": "demo", "fps": 10.0, "size_px": [640, 360]},
            "model": {"size": "medium"},
            **sections,
        }
    )


def told(config: Any, **more: Any) -> tuple[list[Event], Any]:
    events: list[Event] = []
    stop = threading.Event()
    _, counts = replay(config, 100, stop, duration_s=10.0, on_event=events.append, **more)
    return events, counts


def test_events_and_counts_are_of_the_replay_alone(state_folder: Path) -> None:
    outputs = {"window": {"enabled": False}}
    before = (state_folder / "counts.json").read_bytes()
    events, counts = told(demo(watch=WATCH, outputs=outputs), begin_s=1000.0)
    ended = [event for event in events if event.end_s is not None]
    assert {event.rule for event in ended} == {"through", "here"}
    assert {event.id for event in events} == {event.id for event in ended}
    assert all(1000.0 <= event.start_s <= event.end_s <= 1010.0 for event in ended)
    crossed = [event for event in ended if event.rule == "through"]
    for way in ("in", "out"):
        found = sum(counts.lines["middle"][way].values())
        assert 1 <= found == len([event for event in crossed if event.direction == way]) < 50
    assert {file.name for file in state_folder.iterdir()} == {"counts.json"}
    assert (state_folder / "counts.json").read_bytes() == before

    again, same = told(demo(watch=WATCH, outputs=outputs), begin_s=1000.0)
    assert [(e.rule, e.track_id, e.start_s, e.end_s) for e in again] == [
        (e.rule, e.track_id, e.start_s, e.end_s) for e in events
    ]
    assert same == counts


def test_a_schedule_goes_by_the_time_of_the_recording(state_folder: Path) -> None:
    rules = [{"name": "through", "line": "middle", "schedule": "22:00-06:00"}]
    config = demo(watch={**PLACES, "rules": rules}, outputs={"window": {"enabled": False}})
    night, noon = (datetime.fromisoformat(f"2026-11-21T{hour}:00").timestamp() for hour in (23, 12))
    assert told(config, begin_s=night)[0]
    events, counts = told(config, begin_s=noon)
    assert events == []
    assert sum(counts.lines["middle"]["in"].values()) > 0


def test_the_network_and_the_page_hear_nothing(
    state_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A board's own configuration: a broker that would be connected to, a page, a hook."""
    caplog.set_level("INFO")
    gone = state_folder / "hook-ran"
    outputs = {
        "window": {"enabled": False},
        "web": {"enabled": True, "port": 0},
        "mqtt": {"broker": "mqtt://127.0.0.1:1"},
        "webhook": {"url": "http://127.0.0.1:1/"},
        "hook": {"command": ["/usr/bin/touch", str(gone)]},
    }
    events, _ = told(demo(watch=WATCH, outputs=outputs))
    assert events
    assert not gone.exists()
    for name in ("web", "mqtt", "webhook", "hook"):
        assert f"{name}: " in caplog.text
    assert caplog.text.count("as this is no live run") == 4


class Digests:
    """An output that keeps what pictures look like."""

    name, wants, shows_status = "digests", "pictures", False

    def __init__(self) -> None:
        self.found: list[str] = []

    def start(self) -> None: ...

    def active(self) -> bool:
        return True

    def offer(self, item: Picture) -> bool:
        self.found.append(hashlib.sha256(item.image.data.tobytes()).hexdigest())
        return True

    def on_event(self, event: Event) -> None:
        raise AssertionError("an output was told of what happened long ago")

    def close(self, timeout_s: float) -> None: ...

    def fault(self) -> None:
        return None


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return build_detector(parse_config({"model": {"size": "small", "threads": 1}}).model)


@pytest.mark.parametrize("sections", [{}, {"overlay": {"places": False}}])
def test_places_are_drawn_unless_they_are_not_wanted(
    detector: SsdDetector, sections: dict[str, Any]
) -> None:
    drawn = []
    for watch in ({}, WATCH):
        shown: Any = Digests()
        config = demo(watch=watch, **sections)
        camera = DemoCamera((320, 240), 10.0, 1, "fast")
        Replay(camera, detector, [shown], config, inference_ms=100).run(threading.Event(), frames=5)
        drawn.append(shown.found)
    assert len(drawn[0]) == len(drawn[1]) >= 5
    assert (drawn[0] == drawn[1]) == bool(sections)
