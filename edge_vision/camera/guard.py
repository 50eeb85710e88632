"""Keeps a camera that may block for ever (a network, a driver) away from the caller's thread."""

import logging
import threading
import time

from edge_vision.camera.base import Camera, CameraInfo
from edge_vision.errors import CameraLost, CameraUnavailable, EdgeVisionError, ShutdownError
from edge_vision.frame import Frame
from edge_vision.slot import LatestSlot
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

POLL_S = 0.1
"""How long the inner camera is asked to wait; the delay until its thread sees a stop."""
MOMENT_S = 0.5
"""How long close() waits for the thread, if not told otherwise, before it leaves it behind."""
HOPELESS_S = 30.0
"""A thread left behind for so long does not come back: the camera needs a new process."""


class Guard:
    """A Camera around one whose open() and read() may block: that one lives in its own thread.

    The thread posts frames to a slot, newest wins (or every frame, with `every_frame`).  `open()`
    and `read()` give up after `timeout_s` without a sign of life.  A thread that does not end is
    left behind: it closes its camera itself when it comes back, and until then the camera cannot
    be opened again.  `close()` may be called by any thread, and ends an `open()` that waits.
    """

    def __init__(
        self,
        inner: Camera,
        name: str,
        timeout_s: float,
        *,
        every_frame: bool = False,
        closes_within_s: float = MOMENT_S,
    ) -> None:
        self._inner = inner
        self._name = name
        self._timeout_s = timeout_s
        self._every_frame = every_frame
        self._closes_within_s = closes_within_s
        self._run: _Run | None = None

    def open(self) -> CameraInfo:
        """See Camera.  CameraUnavailable also when the camera takes too long.

        ShutdownError when an earlier attempt hangs for good.
        """
        self.close()
        if self._run is not None and self._run.worker.alive:
            self._give_up_for_good(self._run)
            raise CameraUnavailable(
                f"{self._name} cannot be opened again: an earlier attempt still hangs in it"
            )
        run = self._run = _Run(self._inner, self._name, self._every_frame)
        run.worker.start()
        if not run.opened.wait(self._timeout_s):
            self.close()
            raise CameraUnavailable(f"{self._name} did not open within {self._timeout_s:g} s")
        if run.info is None:
            raise run.worker.failure or CameraUnavailable(
                f"{self._name} was closed while it was being opened"
            )
        return run.info

    def read(self, timeout_s: float) -> Frame | None:
        """See Camera."""
        run = self._run
        if run is None:
            raise CameraLost(f"{self._name} is not open")
        left_s = run.seen_alive_s + self._timeout_s - time.monotonic()
        frame = run.slot.take(max(0.0, min(timeout_s, left_s)))
        if frame is not None:
            # In step with the caller, the thread shows no life while the caller is busy.
            run.seen_alive_s = max(run.seen_alive_s, time.monotonic())
            return frame
        if run.slot.closed:
            raise run.worker.failure or CameraLost(f"{self._name} was closed")
        if time.monotonic() - run.seen_alive_s >= self._timeout_s:
            raise CameraLost(f"{self._name} delivered nothing for {self._timeout_s:g} s")
        return None

    def close(self) -> None:
        """See Camera."""
        run = self._run
        if run is None or run.stopped:
            return
        run.stopped = True
        run.stopped_s = time.monotonic()
        run.worker.stop()
        run.slot.close()
        run.opened.set()
        if not run.worker.join(self._closes_within_s):
            log.warning("the thread %s hangs and is left behind", run.worker.name)
            log.debug("it stands at:\n%s", run.worker.stack())

    def faults(self) -> list[EdgeVisionError]:
        """See Camera."""
        return self._inner.faults()

    def _give_up_for_good(self, run: "_Run") -> None:
        """Raises ShutdownError, which ends the program, when waiting has no sense any more."""
        hung_s = time.monotonic() - run.stopped_s
        if hung_s > HOPELESS_S:  # the camera worker tries again after a CameraError, not after this
            raise ShutdownError(
                f"{self._name} has been hanging in its driver for {hung_s:.0f} s; only an end of "
                "the program frees it: start it again (a service restarts by itself)"
            )


class GuardedCamera:
    """A Camera whose every call goes through a Guard, which subclasses make as `_guard`."""

    waits_outside = True
    _guard: Guard

    def open(self) -> CameraInfo:
        """See Camera.  What opens also delivers, where the camera inside reads a picture first."""
        return self._guard.open()

    def read(self, timeout_s: float) -> Frame | None:
        """See Camera."""
        return self._guard.read(timeout_s)

    def close(self) -> None:
        """See Camera; any thread may call it, also while `open()` waits."""
        self._guard.close()

    def faults(self) -> list[EdgeVisionError]:
        """See Camera."""
        return self._guard.faults()


class _Run:
    """One thread from open to close, and what it tells."""

    def __init__(self, inner: Camera, name: str, every_frame: bool) -> None:
        self.info: CameraInfo | None = None
        self.opened = threading.Event()
        self.stopped = False
        self.stopped_s = 0.0
        self.seen_alive_s = time.monotonic()
        self.slot: LatestSlot[Frame] = LatestSlot(Frame.release, wait=every_frame)
        self.worker = Worker(f"camera {name}", self._body, self._ended)
        self._inner = inner

    def _body(self, stop: threading.Event) -> None:
        try:
            self.info = self._inner.open()
            self.seen_alive_s = time.monotonic()
            self.opened.set()
            while not stop.is_set():
                frame = self._inner.read(POLL_S)
                self.seen_alive_s = time.monotonic()
                if frame is not None:
                    self.slot.put(frame)
        finally:
            self._inner.close()

    def _ended(self, worker: Worker) -> None:
        self.slot.close(drain=True)
        self.opened.set()
