"""One run, from configuration to summary."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_vision import app as app_module
from edge_vision.app import App
from edge_vision.config import Config
from edge_vision.config_load import parse_config
from edge_vision.errors import CameraUnavailable, EdgeVisionError, OutputError
from edge_vision.governor import Readings
from edge_vision.outputs.base import Picture
from edge_vision.outputs.null import NullOutput
from edge_vision.results import Analysed

pytestmark = pytest.mark.usefixtures("no_thread_left")


def config(**sections: object) -> Config:
    defaults = {
        "camera": {"kind": "demo", "size_px": [320, 240], "pace": "fast"},
        "model": {"size": "small", "threads": 1},
        "outputs": {"window": {"enabled": False}},
    }
    return parse_config({**defaults, **sections})


def test_the_summary_adds_up() -> None:
    summary = App(config(), frames=12).run()
    assert (summary.captured, summary.analysed, summary.drops) == (12, 12, {})
    assert summary.analysed_per_s > 1
    assert 0 < summary.invoke_ms.p50 <= summary.latency_ms.p50 <= summary.latency_ms.p99
    assert summary.faults == []


def test_a_run_of_some_seconds_ends() -> None:
    ticks: list[int] = []
    summary = App(config(), duration_s=0.5, on_tick=lambda app, now_ns: ticks.append(now_ns)).run()
    assert summary.analysed > 0
    assert ticks


def test_a_stop_from_elsewhere_ends_the_run() -> None:
    app = App(config(), on_scene=lambda scene: app.stop.set())
    assert App.run(app).analysed >= 1


def test_frames_that_never_come_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "_GIVE_UP_S", 0.5)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/x.mjpg"
        with pytest.raises(CameraUnavailable, match="gave up after"):
            App(config(camera={"kind": "clip", "source": url}), frames=3).run()


def test_a_silent_network_does_not_delay_the_end() -> None:
    """A server that accepts and says nothing: the open would wait for camera.timeout_s."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.mjpg"
        camera = {"kind": "clip", "source": url, "timeout_s": 3}
        app = App(config(camera=camera))
        ended = threading.Event()
        runner = threading.Thread(target=lambda: (app.run(), ended.set()))
        runner.start()
        connection, _ = silent.accept()
        app.stop.set()
        assert ended.wait(2.5)
        connection.close()
        runner.join()


class Screen(NullOutput):
    """Takes pictures, also those that only say what is wrong, and ends the run with the first."""

    shows_status = True
    app: App
    picture: Picture | None = None

    def offer(self, item: Analysed | Picture) -> bool:
        assert isinstance(item, Picture)
        self.picture = item
        self.app.stop.set()
        return True


def test_a_service_that_never_had_a_camera_shows_why(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(app_module, "make_outputs", lambda *_, **__: [screen])
    camera = {"kind": "usb", "source": "/dev/video99", "size_px": [320, 240]}
    screen.app = App(config(camera=camera), duration_s=30, unattended=True)
    summary = screen.app.run()
    assert summary.captured == 0
    assert screen.picture is not None
    assert (screen.picture.image.width_px, screen.picture.image.height_px) == (320, 240)


def test_an_output_that_cannot_start_stops_the_others(tmp_path: Path) -> None:
    outputs = {
        "window": {"enabled": False},
        "jsonl": {"path": str(tmp_path / "x.jsonl")},
        "video": {"path": str(tmp_path / "missing" / "x.mp4")},
    }
    with pytest.raises(OutputError, match="missing"):
        App(config(outputs=outputs), frames=1).run()


def test_the_run_goes_on_while_one_output_works(tmp_path: Path) -> None:
    """/dev/full takes no byte; the lines still go to the file."""
    lines = tmp_path / "x.jsonl"
    full = {"window": {"enabled": False}, "jsonl": {"path": "/dev/full"}, "null": {"enabled": True}}
    summary = App(config(outputs=full), frames=10).run()
    assert summary.analysed == 10
    (fault,) = summary.faults
    assert isinstance(fault, EdgeVisionError)
    assert fault.exit_code == 74
    outputs = {"window": {"enabled": False}, "jsonl": {"path": str(lines)}}
    App(config(outputs=outputs), frames=10).run()
    assert len(lines.read_text().splitlines()) == 10


def test_a_hot_board_gets_less_work_and_a_cool_one_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = App(config(camera={"kind": "demo"}, model={"threads": 1}))
    heat_c = 90.0
    monkeypatch.setattr("edge_vision.app.read_board", lambda: Readings(heat_c))
    seconds = iter(range(10, 10_000))

    def pass_s(count: int) -> None:
        for _ in range(count):
            app._govern(next(seconds) * 10**9)

    pass_s(12)
    assert app.held_back.startswith("90 C, limit 80"), "within ten seconds and the first look"
    pass_s(60)
    assert app.detector.input_hw_px == (172, 172)
    assert "model size medium -> small" in app.held_back
    heat_c = 50.0
    pass_s(1000)
    assert app.detector.input_hw_px == (300, 300)
    assert app.held_back == ""


FREED = """
import os, sys
from edge_vision.app import prepare_process
import numpy as np

def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

if sys.argv[1] == "prepared":
    prepare_process()
np.ones(4 << 20, np.uint8)  # freed: from here on glibc alone keeps blocks of up to 4 MB
before = resident_mb()
pictures, small = [], []
for _ in range(50):
    pictures.append(np.ones(1280 * 720 * 3 // 2, np.uint8))
    small.append(b"x" * 60_000)  # lies between them
pictures.clear()
print(resident_mb() - before)
"""


def test_freed_pictures_go_back_to_the_system() -> None:
    def kept_mb(how: str) -> float:
        command = [sys.executable, "-c", FREED, how]
        return float(subprocess.run(command, capture_output=True, check=True).stdout)

    if kept_mb("as it is") < 10:
        pytest.skip("this C library gives freed blocks back by itself")
    assert kept_mb("prepared") < 10
