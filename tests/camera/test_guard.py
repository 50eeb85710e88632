"""The guard: whatever hangs inside, the caller comes back in time."""

import logging
import threading
import time

import numpy as np
import pytest

from edge_vision.camera import guard as guard_module
from edge_vision.camera.base import CameraInfo, EndOfStream
from edge_vision.camera.guard import Guard
from edge_vision.errors import CameraLost, CameraUnavailable, ShutdownError
from edge_vision.frame import Frame, Image, Stamps


class Inner:
    """A camera that does what it is told, and hangs where it is told until `let_go`."""

    def __init__(self, frames=10, hang_in="", failure=None, info_only=False):
        self.frames = frames
        self.hang_in = hang_in
        self.failure = failure
        self.quiet = info_only
        self.let_go = threading.Event()
        self.hangs = threading.Event()
        self.closed = threading.Event()
        self.third = threading.Event()
        self.recycled = []
        self.seq = 0

    def _hang(self, where):
        if self.hang_in == where:
            self.hangs.set()
            self.let_go.wait(10)

    def open(self):
        self.seq = 0
        self._hang("open")
        if isinstance(self.failure, CameraUnavailable):
            raise self.failure
        return CameraInfo("fake", "fake", 4, 4, 30.0, True)

    def read(self, timeout_s):
        self._hang("read")
        if self.quiet:
            threading.Event().wait(min(timeout_s, 0.005))
            return None
        if self.seq == self.frames:
            raise self.failure or EndOfStream
        seq, self.seq = self.seq, self.seq + 1
        if seq == 2:
            self.third.set()
            self._hang("third read")
        image = Image.from_array(np.zeros((4, 4, 3), np.uint8))
        return Frame(seq, image, Stamps(), recycle=lambda: self.recycled.append(seq))

    def close(self):
        self._hang("close")
        self.closed.set()

    def faults(self):
        return []


def drain(guard, seen=None):
    while True:
        frame = guard.read(1.0)
        if frame is not None:
            if seen is not None:
                seen.append(frame.seq)
            frame.release()


@pytest.mark.usefixtures("no_thread_left")
class TestOrderly:
    def test_every_frame_comes_in_step(self):
        inner = Inner(frames=50)
        guard = Guard(inner, "x", 5.0, every_frame=True)
        assert guard.open().name == "fake"
        seen = []
        with pytest.raises(EndOfStream):
            drain(guard, seen)
        assert seen == list(range(50))
        guard.close()
        assert inner.closed.is_set()

    def test_newest_wins_and_what_was_not_taken_goes_back(self):
        inner = Inner(frames=50)
        guard = Guard(inner, "x", 5.0)
        guard.open()
        assert inner.closed.wait(5)  # all 50 were read before we look
        frame = guard.read(1.0)
        assert frame.seq == 49
        assert inner.recycled == list(range(49))
        frame.release()
        with pytest.raises(EndOfStream):
            guard.read(1.0)
        guard.close()

    def test_a_loss_comes_after_the_last_frame(self):
        guard = Guard(Inner(frames=1, failure=CameraLost("cable out")), "x", 5.0)
        guard.open()
        assert guard.read(1.0).seq == 0
        for _ in range(2):
            with pytest.raises(CameraLost, match="cable out"):
                guard.read(1.0)
        guard.close()

    def test_it_opens_again_after_close(self):
        inner = Inner(frames=3, hang_in="third read")
        guard = Guard(inner, "x", 5.0, every_frame=True)
        for _ in range(3):
            guard.open()
            assert guard.read(1.0).seq == 0
            guard.close()
            guard.close()
        with pytest.raises(CameraLost, match="closed"):
            guard.read(1.0)

    def test_a_failed_open_says_why(self):
        guard = Guard(Inner(failure=CameraUnavailable("nobody there")), "x", 5.0)
        with pytest.raises(CameraUnavailable, match="nobody there"):
            guard.open()
        guard.close()

    def test_silence_that_is_alive_is_no_loss(self):
        guard = Guard(Inner(info_only=True), "x", 0.1)
        guard.open()
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            assert guard.read(0.02) is None
        guard.close()

    def test_a_slow_taker_is_no_loss(self, monkeypatch):
        inner = Inner(frames=3, hang_in="third read")
        guard = Guard(inner, "x", 5.0, every_frame=True)
        guard.open()
        guard.read(1.0).release()
        assert inner.third.wait(5)  # so the second lies ready, and stays there
        now = time.monotonic()
        monkeypatch.setattr(guard_module.time, "monotonic", lambda: now + 3600)
        assert guard.read(1.0).seq == 1
        assert guard.read(0) is None
        monkeypatch.undo()
        inner.let_go.set()
        guard.close()


def test_an_open_that_hangs_is_given_up_and_not_tried_again(caplog, monkeypatch):
    inner = Inner(hang_in="open")
    guard = Guard(inner, "the camera x", 0.05)
    start = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(CameraUnavailable, match=r"not open .* s"):
        guard.open()
    assert time.monotonic() - start < 3
    assert "camera the camera x hangs and is left behind" in caplog.text
    assert "let_go.wait" in caplog.text
    with pytest.raises(CameraUnavailable, match="still hangs"):
        guard.open()
    now = time.monotonic()
    monkeypatch.setattr(guard_module.time, "monotonic", lambda: now + 40)
    with pytest.raises(ShutdownError, match=r"hanging in its driver for 4\d s; only an end"):
        guard.open()
    monkeypatch.undo()
    inner.let_go.set()
    assert inner.closed.wait(5)  # it gives the device back when it wakes
    inner.hang_in = ""
    guard._run.worker.join(5)
    guard.open()
    guard.close()


def test_a_read_that_hangs_is_a_loss_after_the_time_out():
    inner = Inner(hang_in="read")
    guard = Guard(inner, "the camera x", 0.2)
    guard.open()
    assert guard.read(0.01) is None
    with pytest.raises(CameraLost, match=r"the camera x delivered nothing for 0\.2 s"):
        drain(guard)
    inner.let_go.set()
    guard.close()


@pytest.mark.parametrize("where", ["open", "read", "close"])
def test_close_takes_a_moment_whatever_hangs(where):
    inner = Inner(hang_in=where, frames=1)
    guard = Guard(inner, "x", 30.0)
    failures = []

    def use():
        try:
            guard.open()
            drain(guard)
        except (CameraUnavailable, CameraLost, EndOfStream) as error:
            failures.append(error)

    user = threading.Thread(target=use)
    user.start()
    assert inner.hangs.wait(5)
    start = time.monotonic()
    guard.close()  # from another thread than the one that waits
    user.join(5)
    assert not user.is_alive()
    assert time.monotonic() - start < 2
    assert failures
    inner.let_go.set()
    assert inner.closed.wait(5)
