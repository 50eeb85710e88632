"""The camera worker: frames out, and a camera that goes away and comes back."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_vision.camera.base import Camera, CameraInfo, EndOfStream
from edge_vision.errors import CameraLost, CameraUnavailable
from edge_vision.frame import Frame
from edge_vision.slot import Bulletin
from edge_vision.telemetry import Telemetry
from edge_vision.videodev import plugged

log = logging.getLogger(__name__)

_TICK_S = 0.25
"""How long one read waits at most: how soon a wish to stop is noticed without a frame."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """Whether frames come, and since when; reason: why none comes.

    info: the last camera opened; before the first one, of the size that is asked for; None while
    the first is being opened.
    """

    up: bool
    reason: str
    since_ns: int
    info: CameraInfo | None = None


class CaptureStage:
    """Opens the camera, passes frames on, and opens it again when it was lost.

    give: takes over the frame's lease.  size_px: width and height of a picture that says why there
    is no camera, as long as there never was one.  ready: no frame is read before it is set.
    retry_first: keep trying even if it never opened.
    most: frames after which the stream ends, None = no limit.
    """

    def __init__(
        self,
        camera: Camera,
        give: Callable[[Frame], None],
        telemetry: Telemetry,
        *,
        size_px: tuple[int, int],
        ready: threading.Event,
        timeout_s: float,
        retry_max_s: float,
        retry_first: bool,
        most: int | None = None,
    ) -> None:
        self._camera = camera
        self._give = give
        self._telemetry = telemetry
        self._size_px = size_px
        self._ready = ready
        self._timeout_ns = int(timeout_s * 1e9)
        self._retry_max_s = retry_max_s
        self._retry = retry_first
        self._most = most
        self.beat = 0
        """Grows as long as this thread gets its turn, a camera or none."""
        self.state = Bulletin(CameraState(False, "opening", time.monotonic_ns()))

    def run(self, stop: threading.Event) -> None:
        """Until the stream ends, the camera cannot be had, or `stop` is set."""
        delay_s, told = 0.5, ""
        info: CameraInfo | None = None
        try:
            while not stop.is_set():
                before = self._telemetry.captured.count
                try:
                    info = self._camera.open()
                    self._retry = self._retry or info.reconnects
                    log.info("camera: %s%s", info.name, "".join(f"; {n}" for n in info.notes))
                    self.state.post(CameraState(True, "", time.monotonic_ns(), info))
                    self._await_ready(stop)
                    self._read(stop)
                except (CameraUnavailable, CameraLost) as error:
                    self._camera.close()
                    if stop.is_set():
                        return  # it was closed under us to end a wait
                    if not self._retry:
                        raise
                    if self._telemetry.captured.count > before:
                        delay_s, told = 0.5, ""  # it had worked: try again soon
                    # A camera that is away for a month is no reason for a line every half minute.
                    level = logging.DEBUG if str(error) == told else logging.WARNING
                    told = str(error)
                    log.log(level, "no camera: %s; trying again in %.1f s", error, delay_s)
                    info = info or CameraInfo("none", "no camera", *self._size_px, 0.0, True)
                    self._post_lost(str(error), info)
                    news = self._rest(stop, delay_s)
                    delay_s = 0.5 if news else min(delay_s * 2, self._retry_max_s)
        except EndOfStream:
            pass
        finally:
            self._camera.close()

    def _post_lost(self, reason: str, info: CameraInfo) -> None:
        """No camera, since it was lost or first looked for: not since the last attempt."""
        last = self.state.read()[0]
        since_ns = time.monotonic_ns() if last.up else last.since_ns
        self.state.post(CameraState(False, reason, since_ns, info))

    def _rest(self, stop: threading.Event, delay_s: float) -> bool:
        """Wait before the next attempt; True when a device came or went, which ends the wait."""
        until, known = time.monotonic() + delay_s, plugged()
        while (left_s := until - time.monotonic()) > 0 and not stop.wait(min(left_s, _TICK_S)):
            self.beat += 1
            if plugged() != known:
                return True
        return False

    def _await_ready(self, stop: threading.Event) -> None:
        while not self._ready.wait(_TICK_S) and not stop.is_set():
            self.beat += 1

    def _read(self, stop: threading.Event) -> None:
        telemetry = self._telemetry
        last_ns = time.monotonic_ns()
        next_seq: int | None = None
        while not stop.is_set():
            frame = self._camera.read(_TICK_S)
            self.beat += 1
            if frame is None:
                if time.monotonic_ns() - last_ns > self._timeout_ns:
                    raise CameraLost(f"no frame for {self._timeout_ns / 1e9:g} s")
                continue
            last_ns = time.monotonic_ns()
            telemetry.captured.tick(frame.stamps.arrived)
            if next_seq is not None and frame.seq > next_seq:
                telemetry.drop("lost at the camera", frame.seq - next_seq)
            next_seq = frame.seq + 1
            self._give(frame)
            if self._most is not None and telemetry.captured.count >= self._most:
                raise EndOfStream
