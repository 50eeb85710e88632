"""The camera worker's own counting."""

import threading

import numpy as np

from edge_vision.camera.base import CameraInfo, EndOfStream
from edge_vision.errors import CameraLost
from edge_vision.frame import Frame, Image, Stamps
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
        Gappy(), give, telemetry, ready=ready, timeout_s=5.0, retry_max_s=1.0, retry_first=False
    )
    stage.run(threading.Event())
    assert seen == [3, 4, 7, 8, 10, 0, 1, 2]
    assert telemetry.drops() == {"lost at the camera": 3}


def test_no_frame_is_read_before_all_is_ready(no_thread_left: None) -> None:
    """The camera opens meanwhile; and who waits can still be stopped."""
    camera, ready, telemetry = Gappy(), threading.Event(), Telemetry()
    stage = CaptureStage(
        camera, lambda frame: frame.release(), telemetry, ready=ready, timeout_s=5.0,
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
