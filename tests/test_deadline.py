"""An inference that never ends: the pipeline notices, ends in order, and says what hung."""

import threading
from typing import Any

import pytest

from edge_vision.app import App
from edge_vision.camera.demo import DemoCamera
from edge_vision.config import CameraConfig, Config, ModelConfig
from edge_vision.config_load import parse_config
from edge_vision.config_overlay import OverlayConfig
from edge_vision.detect.base import InvokeTime, RawOutput
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.errors import DetectorError
from edge_vision.outputs.null import NullOutput
from edge_vision.pipeline import Pipeline

pytestmark = pytest.mark.usefixtures("no_thread_left")
SECOND_NS = 10**9


class Hanging:
    """The real detector, whose third inference waits until it is let go."""

    def __init__(self, detector: SsdDetector) -> None:
        self._detector = detector
        self.hung, self.let_go = threading.Event(), threading.Event()
        self._runs = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._detector, name)

    def infer(self, raw: RawOutput) -> InvokeTime:
        self._runs += 1
        if self._runs == 3:
            self.hung.set()
            assert self.let_go.wait(60)
        return self._detector.infer(raw)


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return build_detector(ModelConfig(size="small", threads=1))


def pipeline(detector: Any, timing: Any, pace: Any) -> Pipeline:
    return Pipeline(
        DemoCamera((320, 240), 60.0, 1, pace),
        detector,
        [NullOutput()],
        config=Config(
            camera=CameraConfig(kind="demo", pace=pace), overlay=OverlayConfig(timing=timing)
        ),
    )


@pytest.mark.parametrize("pace", ["fast", "realtime"])
@pytest.mark.parametrize("timing", ["exact", "live"])
def test_a_stuck_inference_ends_the_run(detector: SsdDetector, timing: str, pace: str) -> None:
    hanging = Hanging(detector)
    running = pipeline(hanging, timing, pace)
    running.start()
    assert hanging.hung.wait(10)
    # In between the whole process was stopped for a quarter of an hour: that counts as 1 s.
    for now_ns in (50 * SECOND_NS, 50 * SECOND_NS + 1, 1000 * SECOND_NS):
        running.check_detector(now_ns, 2.0)
    assert not running.ended.is_set()
    for now_ns in (1001 * SECOND_NS, 1002 * SECOND_NS):
        running.check_detector(now_ns, 2.0)
    assert running.ended.wait(10), "all but the stuck thread have ended"
    with pytest.raises(DetectorError, match=r"inference 3 is stuck: .* within 2 s .* from XNNPACK"):
        running.close(timeout_s=1.0)
    hanging.let_go.set()


def test_only_one_inference_at_a_time_is_counted(detector: SsdDetector) -> None:
    checked = pipeline(detector, "exact", "fast")
    for number in range(1, 100):
        checked._detect.running = number if number % 10 else 0
        checked.check_detector(number * SECOND_NS, 1.5)
    assert not checked._chain[1].worker.failure, "99 s of inferences that took 1 s each"
    checked.check_detector(100 * SECOND_NS, 1.5)
    assert not checked._chain[1].worker.failure
    checked.check_detector(101 * SECOND_NS, 1.5)
    assert isinstance(checked._chain[1].worker.failure, DetectorError)


def test_a_run_looks_at_the_deadline_of_its_configuration(detector: SsdDetector) -> None:
    hanging = Hanging(detector)
    config = parse_config(
        {
            "camera": {"kind": "demo", "size_px": [320, 240]},
            "model": {"deadline_s": 0.3},
            "outputs": {"window": {"enabled": False}},
        }
    )
    with pytest.raises(DetectorError, match=r"within 0\.3 s \(model\.deadline_s\)"):
        App(config, detector=hanging).run()  # type: ignore[arg-type]
    hanging.let_go.set()
