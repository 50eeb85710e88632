"""The demo camera: a built-in scene that knows what is in it, for a first look and for tests."""

import threading
from collections import deque
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_vision.camera.base import CameraInfo
from edge_vision.camera.demo_scene import DemoScene, SceneTruth, TrueObject
from edge_vision.camera.pace import Pacer
from edge_vision.config import CameraConfig
from edge_vision.errors import CameraLost, ConfigError, EdgeVisionError
from edge_vision.frame import Frame, Image, Stamps

__all__ = ["DemoCamera", "SceneTruth", "TrueObject"]

_SIDES_PX = (16, 8192)
_SPARE = 3


class _Buffers:
    """Frame memory: goes round, a few are kept for the next; given back from any thread."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        self._shape = (size_px[1], size_px[0], 3)
        self._free: deque[NDArray[np.uint8]] = deque(maxlen=_SPARE)
        self._lock = threading.Lock()

    def take(self) -> NDArray[np.uint8]:
        with self._lock:
            return self._free.pop() if self._free else np.empty(self._shape, np.uint8)

    def give(self, buffer: NDArray[np.uint8]) -> None:
        with self._lock:
            self._free.append(buffer)


class DemoCamera:
    """A camera that draws its frames.

    Frame n is a pure function of (seed, size_px, fps, n).  With `pace` "realtime" a frame is due
    at n / fps after the first `read`, and one whose successor is due already is skipped, as a real
    camera would lose it; with "fast" every frame is made when asked for.  It never ends.
    Raises ConfigError when size, rate or seed cannot be used.
    """

    waits_outside = False

    def __init__(
        self,
        size_px: tuple[int, int] = (1280, 720),
        fps: float = 30.0,
        seed: int = 0,
        pace: Literal["realtime", "fast"] = "realtime",
        pacer: Pacer | None = None,
    ) -> None:
        least, most = _SIDES_PX
        if not all(least <= side <= most for side in size_px):
            raise ConfigError(
                f"a demo scene of {size_px[0]}x{size_px[1]} pixels; "
                f"each side must be {least} to {most}"
            )
        if not 0 < fps <= 1000:
            raise ConfigError(f"a demo scene at {fps} frames a second; expected 0 < fps <= 1000")
        if seed < 0:
            raise ConfigError(f"a demo scene with seed {seed}; expected 0 or more")
        self._scene = DemoScene(size_px, fps, seed)
        self._realtime = pace == "realtime"
        self._pacer = pacer or Pacer()
        self._buffers: _Buffers | None = None
        self._drawn: tuple[int, NDArray[np.uint8]] | None = None
        self._next = 0

    @classmethod
    def from_config(cls, config: CameraConfig) -> "DemoCamera":
        """The demo camera that a `camera` section describes."""
        return cls(config.size_px, config.fps, config.seed, config.pace)

    def open(self) -> CameraInfo:
        """Load and scale the pictures, and start again at frame 0.

        Raises SourceMissing or SourceBroken when the pictures are not in the installation.
        """
        self._scene.prepare()
        width, height = self._scene.size_px
        self._buffers = _Buffers(self._scene.size_px)
        self._drawn = None
        self._next = 0
        return CameraInfo("demo", "demo scene", width, height, self._scene.fps, reconnects=False)

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, BGR; None when it is not due within `timeout_s`.

        Stamps: exposed = when the frame was due ("realtime") or begun ("fast"), exactly known.
        A frame is drawn before it is due: the drawing is no part of the latency it stands for.
        Raises CameraLost when the camera is not open.
        """
        buffers, pacer = self._buffers, self._pacer
        if buffers is None:
            raise CameraLost("the demo camera was read while closed; open it first")
        exposed_ns = pacer.now_ns()
        if self._drawn is None:
            seq = self._next
            if self._realtime and seq > 0:
                seq = max(seq, self._scene.seq_at(pacer.media_ns()))
            self._drawn = (seq, self._scene.render(seq, buffers.take()))
        seq, buffer = self._drawn
        media_ns = self._scene.media_ns(seq)
        if self._realtime:
            if seq == 0:
                pacer.start()
            exposed_ns = pacer.due_ns(media_ns)
            if not pacer.wait_until(exposed_ns, timeout_s):
                return None
        self._drawn = None
        self._next = seq + 1
        return Frame(
            seq,
            Image.from_array(buffer),
            Stamps(exposed=exposed_ns, arrived=pacer.now_ns(), exposed_is_estimate=False),
            media_ns=media_ns,
            recycle=lambda: buffers.give(buffer),
        )

    def close(self) -> None:
        """Forget the frame memory; frames that are still out stay valid."""
        self._buffers = None

    def faults(self) -> list[EdgeVisionError]:
        """Nothing goes wrong here."""
        return []

    def render(self, seq: int, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Frame `seq` as uint8 (H, W, 3) BGR, drawn into `out` if given.

        Needs no open camera; not while another thread reads from this one.
        Raises ValueError when `out` has another shape or dtype.
        """
        return self._scene.render(seq, out)

    def truth(self, seq: int) -> SceneTruth:
        """What is in frame `seq`.  Needs no open camera; any thread, any time."""
        return self._scene.truth(seq)
