"""The camera worker's own counting."""

import threading
from itertools import count

import numpy as np
import pytest

from edge_vision.camera.base import CameraInfo, EndOfStream
from edge_vision.errors import CameraLost, CameraUnavailable
from edge_vision.frame import Frame, Image, Stamps
from edge_vision.stages import capture
from edge_vision.stages.capture import CaptureStage
from edge_vision.telemetry import Telemetry
from edge_vision.worker import Worker

PICTURE = Image.from_array(np.zeros((4, 4, 3), np.uint8))


class Gappy:
    """A camera with gaps in its numbers, which is lost once and then counts from 0 again."""

    waits_outside = False

    def __init__(self):
        self.streams = [[3, 4, 7, 8, 10], [0, 1, 2]]

    def open(self):
        self.numbers = self.streams.pop(0)
        return CameraInfo("fake", "fake", 4, 4, 30.0, True)

    def read(self, timeout_s):
        if not self.numbers:
            raise CameraLost("gone") if self.streams else EndOfStream
        return Frame(self.numbers.pop(0), PICTURE, Stamps(exposed=1, arrived=2))

    def close(self):
        pass


def test_gaps_in_a_camera_s_numbers_are_counted_as_lost_there():
    telemetry = Telemetry()
    seen = []

    def give(frame):
        seen.append(frame.seq)
        frame.release()

    ready = threading.Event()
    ready.set()
    stage = CaptureStage(
        Gappy(),
        give,
        telemetry,
        size_px=(64, 48),
        ready=ready,
        timeout_s=5.0,
        retry_max_s=1.0,
        retry_first=False,
    )
    stage.run(threading.Event())
    assert seen == [3, 4, 7, 8, 10, 0, 1, 2]
    assert telemetry.drops() == {"lost at the camera": 3}


class Late(Gappy):
    """A camera that is there at the third attempt; keeps what was said before each."""

    def __init__(self):
        self.streams = [[0]]
        self.states = []

    def open(self):
        self.states.append(self.stage.state.read()[0])
        if len(self.states) < 3:
            raise CameraUnavailable(f"no camera, attempt {len(self.states)}")
        return super().open()


def test_a_camera_that_never_was_there_is_missing_since_the_start_and_has_the_size_asked_for():
    camera = Late()
    ready = threading.Event()
    ready.set()
    camera.stage = CaptureStage(
        camera,
        Frame.release,
        Telemetry(),
        size_px=(64, 48),
        ready=ready,
        timeout_s=5.0,
        retry_max_s=0.01,
        retry_first=True,
    )
    camera.stage.run(threading.Event())
    opening, first, second = camera.states
    assert (opening.reason, opening.info) == ("opening", None)
    assert [state.reason[-1] for state in (first, second)] == ["1", "2"]
    assert opening.since_ns == first.since_ns == second.since_ns
    assert (second.info.width_px, second.info.height_px) == (64, 48)
    assert camera.stage.state.read()[0].info.name == "fake"


def test_no_frame_is_read_before_all_is_ready(no_thread_left: None) -> None:
    """The camera opens meanwhile; and who waits can still be stopped."""
    camera, ready, telemetry = Gappy(), threading.Event(), Telemetry()
    stage = CaptureStage(
        camera, Frame.release, telemetry, size_px=(64, 48), ready=ready, timeout_s=5.0,
        retry_max_s=1.0, retry_first=False,
    )  # fmt: skip
    worker = Worker("camera", stage.run)
    worker.start()
    state, _ = stage.state.wait_newer(0, 5.0)
    assert state.up
    assert telemetry.captured.count == 0
    worker.stop()
    assert worker.join(5.0)
    assert worker.failure is None
    assert telemetry.captured.count == 0


def test_a_device_that_is_plugged_in_is_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the pause would have been: nine attempts would take over two minutes."""
    devices = count()
    monkeypatch.setattr(capture, "plugged", lambda: next(devices))

    class Absent(Gappy):
        attempts = 0

        def open(self):
            self.attempts += 1
            if self.attempts < 9:
                raise CameraUnavailable("not there")
            self.streams = [[0]]
            return super().open()

    class Stop(threading.Event):
        waited_s = 0.0

        def wait(self, timeout=None):
            self.waited_s += timeout
            return False

    ready, stop, camera = threading.Event(), Stop(), Absent()
    ready.set()
    stage = CaptureStage(
        camera, Frame.release, Telemetry(), size_px=(64, 48), ready=ready, timeout_s=5.0,
        retry_max_s=30.0, retry_first=True,
    )  # fmt: skip
    stage.run(stop)
    assert camera.attempts == 9
    assert stop.waited_s <= 8 * 0.25
