"""What counts as a run that goes on: /healthz and the watchdog both ask this."""

import pytest

from edge_vision.config import Config
from edge_vision.config_load import parse_config
from edge_vision.control import CameraStatus
from edge_vision.health import ailing, longest_pause_s
from edge_vision.telemetry import Telemetry

S = 1_000_000_000
START = 100 * S


def camera(up: bool = True, reason: str = "") -> CameraStatus:
    return CameraStatus(up, START, reason, "made up", 640, 480, 30.0)


def after(frame_s: float | None, result_s: float | None, invoke_ms: float = 0.0) -> Telemetry:
    """Telemetry whose newest frame and result came so long after the camera was opened."""
    telemetry = Telemetry()
    for rate, at_s in ((telemetry.captured, frame_s), (telemetry.analysed, result_s)):
        if at_s is not None:
            rate.tick(START + round(at_s * S))
    telemetry.last_invoke_ms = invoke_ms
    return telemetry


def said(telemetry: Telemetry, now_s: float, config: Config | None = None) -> str:
    return ailing(camera(), telemetry, config or Config(), START + round(now_s * S))


def test_both_advance() -> None:
    assert said(after(10, 10), 10.1) == ""


def test_before_the_first() -> None:
    assert said(after(None, None), 0.1) == "no frame yet"
    assert said(after(0.1, None), 0.2) == "no result yet"


def test_frames_stop() -> None:
    """camera.timeout_s is 5: then the camera's own thread tells why, if it still can."""
    telemetry = after(10, 15)
    assert said(telemetry, 15.9) == ""
    assert said(telemetry, 16.1) == "no frame for 6 s"


def test_results_stop() -> None:
    telemetry = after(20, 10)
    assert said(telemetry, 15.1) == ""
    assert said(telemetry, 20) == "no result for 10 s"


def test_what_came_before_the_camera_was_lost_does_not_count_after_its_return() -> None:
    assert said(after(-10, -10), 0.1) == "no frame yet"
    assert said(after(0.1, -10), 0.2) == "no result yet"


def test_no_camera() -> None:
    lost = camera(False, "it was unplugged")
    assert ailing(lost, after(10, 10), Config(), START + 10 * S) == "no camera: it was unplugged"


@pytest.mark.parametrize(
    ("sections", "pause_s"),
    [
        ({}, 1 / 5),
        ({"governor": {"detect_fps": 0.1}}, 10),
        ({"governor": {"enabled": False}}, 1 / 30),
        ({"power": {"idle_after_s": 10, "idle_fps": 0.1}}, 10),
        ({"power": {"idle_after_s": 0, "idle_fps": 0.1}}, 1 / 5),
        ({"camera": {"fps": 0.5}}, 2),
    ],
)
def test_wanted_pauses_are_no_stop(sections: dict[str, object], pause_s: float) -> None:
    config = parse_config(sections)
    assert longest_pause_s(config) == pytest.approx(pause_s)
    assert said(after(50, 50 - 5 - pause_s + 0.1), 50, config) == ""
    assert said(after(50, 50 - 5 - pause_s - 0.1), 50, config).startswith("no result for")


def test_a_slow_network_may_take_its_time() -> None:
    assert said(after(20, 12, invoke_ms=3000), 20) == ""
    assert said(after(20, 12, invoke_ms=300), 20) != ""
