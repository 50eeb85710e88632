"""The pipeline with the real model on the demo scene, and with parts that fail."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edge_vision.camera.base import CameraInfo, EndOfStream
from edge_vision.camera.demo import DemoCamera
from edge_vision.config import CameraConfig, Config, ModelConfig
from edge_vision.config_overlay import OverlayConfig
from edge_vision.detect.base import InvokeTime
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.errors import CameraLost, CameraUnavailable, EdgeVisionError, ShutdownError
from edge_vision.frame import Frame, Image, Stamps
from edge_vision.outputs.null import NullOutput
from edge_vision.pipeline import Pipeline
from edge_vision.results import Detections, Scene
from edge_vision.stages.drawing import Drawing

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return build_detector(ModelConfig(size="small", threads=1))


class Recording:
    """A camera that remembers the frames it gave."""

    waits_outside = False

    def __init__(self, camera: DemoCamera) -> None:
        self._camera = camera
        self.frames: list[Frame] = []
        self.closed = False

    def open(self) -> CameraInfo:
        return self._camera.open()

    def read(self, timeout_s: float) -> Frame | None:
        frame = self._camera.read(timeout_s)
        if frame is not None:
            self.frames.append(frame)
        return frame

    def close(self) -> None:
        self.closed = True
        self._camera.close()

    def faults(self) -> list[EdgeVisionError]:
        return []


def demo(pace: Any = "fast") -> Recording:
    return Recording(DemoCamera((320, 240), 60.0, 1, pace))


def pipeline(camera: Any, detector: Any, timing: Any = "exact", **more: Any) -> Pipeline:
    pace = more.pop("pace", "fast")
    config = Config(
        camera=CameraConfig(kind="demo", pace=pace, timeout_s=1.0, retry_max_s=1.0),
        overlay=OverlayConfig(timing=timing),
    )
    return Pipeline(camera, detector, more.pop("outputs", [NullOutput()]), config=config, **more)


def finish(running: Pipeline, timeout_s: float = 30.0) -> None:
    running.start()
    ended = running.ended.wait(timeout_s)
    running.close()
    assert ended


@pytest.mark.parametrize("timing", ["exact", "live"])
def test_fast_pace_analyses_and_shows_every_frame_once(detector: SsdDetector, timing: str) -> None:
    camera, scenes = demo(), list[Scene]()
    running = pipeline(camera, detector, timing, frames=40, on_scene=scenes.append)
    finish(running)
    telemetry = running.telemetry
    assert [scene.seq for scene in scenes] == list(range(40))
    assert (telemetry.captured.count, telemetry.analysed.count, telemetry.shown.count) == (40,) * 3
    assert telemetry.drops() == {}
    assert all(frame.leases == 0 for frame in camera.frames)
    assert camera.closed


@pytest.mark.parametrize("timing", ["exact", "live"])
def test_realtime_accounts_for_every_frame(detector: SsdDetector, timing: str) -> None:
    camera = demo("realtime")
    running = pipeline(camera, detector, timing, pace="realtime", frames=30)
    finish(running)
    telemetry = running.telemetry
    drops = telemetry.drops()
    assert telemetry.analysed.count == 30
    assert telemetry.captured.count == len(camera.frames)
    lost = drops.get("detector busy", 0) + drops.get("stopping", 0)
    assert telemetry.captured.count <= 30 + lost
    assert all(frame.leases == 0 for frame in camera.frames)


def test_stamps_follow_the_stages_in_order(detector: SsdDetector) -> None:
    camera = demo()
    finish(pipeline(camera, detector, frames=5))
    for frame in camera.frames[:5]:
        stamps = [getattr(frame.stamps, stage) for stage in Stamps.stages()]
        passed = [stamp for stamp in stamps if stamp]
        assert len(passed) == len(stamps) - 2, "all stages but encoded and sent"
        assert passed == sorted(passed)


def test_the_objects_of_the_demo_scene_are_found_where_they_are() -> None:
    """Every fully visible object, against the scene's own truth, in most frames."""
    source, scenes = DemoCamera((1280, 720), 2.0, 0, "fast"), list[Scene]()
    finish(pipeline(source, build_detector(ModelConfig()), frames=40, on_scene=scenes.append))
    wanted = found = 0
    for scene in scenes:
        for true in source.truth(scene.seq).objects:
            if true.visibility < 0.99:
                continue
            wanted += 1
            same = scene.detections.class_ids == true.class_id
            found += any(iou(box, true.box) > 0.7 for box in scene.detections.boxes[same])
    assert wanted > 60
    assert found / wanted > 0.85


def iou(a: Any, b: Any) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0.0) * max(high, 0.0)
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


@pytest.mark.parametrize("outputs", [[NullOutput()], []])
def test_frames_wait_for_warm_drawing(detector: Any, outputs: Any, monkeypatch: Any) -> None:
    """The camera opens meanwhile, and waits; where nobody watches nothing is warmed up."""
    camera, read = demo(), list[int]()
    running = pipeline(camera, detector, "live", frames=3, outputs=outputs)

    def warm_up(_: Drawing, size_px: tuple[int, int]) -> None:
        while running.camera_beat == 0:
            running.ended.wait(0.01)
        read.append(len(camera.frames))

    monkeypatch.setattr(Drawing, "warm_up", warm_up)
    finish(running)
    assert read == [0] * len(outputs)
    assert running.telemetry.shown.count == 3 * len(outputs)


@pytest.mark.parametrize("after", [0, 1, 2, 7, 23])
@pytest.mark.parametrize("timing", ["exact", "live"])
def test_stop_under_load_leaves_nothing(detector: SsdDetector, after: int, timing: str) -> None:
    camera, reached = demo("realtime"), threading.Event()

    def count(scene: Scene) -> None:
        if scene.seq >= after:
            reached.set()

    running = pipeline(camera, detector, timing, pace="realtime", on_scene=count)
    running.start()
    assert after == 0 or reached.wait(30)
    running.close()
    assert running.ended.is_set()
    assert camera.closed
    assert all(frame.leases == 0 for frame in camera.frames)


class Scripted:
    """A detector that does what a test tells it to."""

    description = "scripted 8x8"
    engine = "a script, 1 thread"
    labels: dict[int, str] = {1: "person"}  # noqa: RUF012
    nonfinite = 0

    def __init__(self, infer: Callable[[int], None], result: Detections | None = None) -> None:
        self._infer = infer
        self._result = result
        self.runs = 0

    def new_input(self) -> Any:
        return np.empty((8, 8, 3), np.uint8)

    def new_output(self) -> Any:
        return (np.empty(1),)

    def prepare(self, image: Image, out: Any) -> None:
        out.fill(0)

    def load(self, prepared: Any) -> None:
        pass

    def infer(self, raw: Any) -> InvokeTime:
        self.runs += 1
        self._infer(self.runs)
        return InvokeTime(1, 1)

    def decode(self, raw: Any) -> Detections:
        return self._result or Detections.empty()


@pytest.mark.parametrize("pace", ["fast", "realtime"])
@pytest.mark.parametrize("timing", ["exact", "live"])
def test_a_detector_that_fails_ends_the_run(pace: str, timing: str) -> None:
    def fail_at_third(run: int) -> None:
        if run == 3:
            raise RuntimeError("the delegate is gone")

    camera = demo(pace)
    running = pipeline(camera, Scripted(fail_at_third), timing, pace=pace)
    running.start()
    assert running.ended.wait(10)
    with pytest.raises(RuntimeError, match="the delegate is gone"):
        running.close()
    assert camera.closed


def test_a_callback_that_fails_ends_the_run() -> None:
    def refuse(scene: Scene) -> None:
        raise KeyError("mine")

    running = pipeline(demo(), Scripted(lambda run: None), on_scene=refuse)
    running.start()
    assert running.ended.wait(10)
    with pytest.raises(KeyError, match="mine"):
        running.close()


def test_a_hung_detector_is_named_in_bounded_time(caplog: pytest.LogCaptureFixture) -> None:
    let_go, hung = threading.Event(), threading.Event()

    def hang(run: int) -> None:
        hung.set()
        let_go.wait(60)

    running = pipeline(demo("realtime"), Scripted(hang), pace="realtime")
    running.start()
    assert hung.wait(10)
    with pytest.raises(ShutdownError, match="infer"):
        running.close(timeout_s=1.0)
    assert "let_go.wait" in caplog.text, "the log shows where the thread stands"
    let_go.set()
    assert running.ended.wait(10)


class Flaky:
    """A camera whose openings follow a script: an error, or a number of frames and its end."""

    waits_outside = False

    def __init__(self, script: list[Any]) -> None:
        self._script = script
        self._left = 0
        self._end: Exception = EndOfStream()
        self.seq = 0

    def open(self) -> CameraInfo:
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        self._left, self._end = step
        return CameraInfo("fake", "fake", 16, 16, 30.0, True, ("asked for 60 fps, granted 30",))

    def read(self, timeout_s: float) -> Frame | None:
        if self._left == 0:
            raise self._end
        self._left -= 1
        self.seq += 1
        picture = Image.from_array(np.zeros((16, 16, 3), np.uint8))
        return Frame(self.seq - 1, picture, Stamps(exposed=1, arrived=2))

    def close(self) -> None:
        pass

    def faults(self) -> list[EdgeVisionError]:
        return []


def test_a_lost_camera_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    script = [(3, CameraLost("unplugged")), CameraUnavailable("no such device"), (4, EndOfStream())]
    running = pipeline(Flaky(script), Scripted(lambda run: None))
    with caplog.at_level(logging.INFO):
        finish(running)
    assert running.telemetry.analysed.count == 7
    assert caplog.text.count("granted 30") == 2
    assert "no camera: unplugged" in caplog.text
    assert "no camera: no such device" in caplog.text


def test_a_camera_that_never_opens_ends_the_run() -> None:
    running = pipeline(Flaky([CameraUnavailable("no such device")]), Scripted(lambda run: None))
    running.start()
    assert running.ended.wait(10)
    with pytest.raises(CameraUnavailable, match="no such device"):
        running.close()
