"""Frames: pictures in camera memory, the clock they carry, and the lease that keeps them alive."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class PixelFormat(Enum):
    """How the bytes of an Image are laid out."""

    BGR = "bgr"
    """(height, width, 3) uint8, blue first: OpenCV's order."""
    RGB = "rgb"
    """(height, width, 3) uint8, red first."""
    RGBA = "rgba"
    """(height, width, 4) uint8, red first; alpha 0 = transparent, 255 = opaque, colours not
    multiplied by it.  Only for overlays: no camera gives it."""
    YUV420 = "yuv420"
    """(height * 3 / 2, stride) uint8, planar I420: the Y plane, then U, then V, each chroma plane
    with half the width, height and stride.  BT.601 limited range ("video levels")."""


@dataclass(frozen=True, slots=True)
class Image:
    """A view of picture memory that somebody else owns.

    data: uint8, laid out as `format` says.
    width_px, height_px: the visible size; rows may be longer (`stride_bytes`).
    Raises ValueError when shape, dtype or stride do not fit the size.
    """

    data: NDArray[np.uint8]
    format: PixelFormat
    width_px: int
    height_px: int
    stride_bytes: int

    def __post_init__(self) -> None:
        width, height, stride = self.width_px, self.height_px, self.stride_bytes
        if width < 1 or height < 1:
            raise ValueError(f"an image of {width}x{height} pixels; expected at least 1x1")
        if self.data.dtype != np.uint8:
            raise ValueError(f"image data of dtype {self.data.dtype}; expected uint8")
        if self.format is PixelFormat.YUV420:
            if width % 2 or height % 2 or stride % 2:
                raise ValueError(f"YUV420 of {width}x{height}, stride {stride}; expected even")
            expected: tuple[int, ...] = (height * 3 // 2, stride)
            least = width
        else:
            channels = 4 if self.format is PixelFormat.RGBA else 3
            expected, least = (height, width, channels), width * channels
        if self.data.shape != expected:
            raise ValueError(
                f"{self.format.name} data of shape {self.data.shape}; expected {expected}"
            )
        if stride < least:
            raise ValueError(f"a stride of {stride} bytes; expected at least {least}")
        inner = (stride, expected[2], 1) if len(expected) == 3 else (stride, 1)
        strides = zip(self.data.strides, inner, self.data.shape, strict=True)
        if any(found != wanted for found, wanted, count in strides if count > 1):
            raise ValueError(f"image data with strides {self.data.strides}; expected {inner}")

    @classmethod
    def from_array(cls, array: NDArray[np.uint8], format: PixelFormat = PixelFormat.BGR) -> "Image":
        """Wrap an array without copying.

        (H, W, 3) for BGR and RGB, (H, W, 4) for RGBA, (H * 3 / 2, W) for YUV420.
        """
        if format is PixelFormat.YUV420:
            if array.ndim != 2:
                raise ValueError(f"YUV420 data of shape {array.shape}; expected (H * 3 / 2, W)")
            return cls(array, format, array.shape[1], array.shape[0] * 2 // 3, array.shape[1])
        channels = 4 if format is PixelFormat.RGBA else 3
        if array.ndim != 3 or array.shape[2] != channels:
            raise ValueError(f"image data of shape {array.shape}; expected (H, W, {channels})")
        return cls(array, format, array.shape[1], array.shape[0], array.strides[0])


@dataclass(slots=True)
class Stamps:
    """When a frame reached each stage: int ns of `time.monotonic_ns`, 0 = not reached.

    Each field is written once, by the stage it is named after.
    """

    exposed: int = 0
    arrived: int = 0
    taken: int = 0
    prepared: int = 0
    inferred: int = 0
    tracked: int = 0
    registered: int = 0
    drawn: int = 0
    encoded: int = 0
    sent: int = 0
    exposed_is_estimate: bool = True

    @classmethod
    def stages(cls) -> tuple[str, ...]:
        """Names of the time fields, in the order in which a frame passes them."""
        return tuple(field.name for field in fields(cls) if field.type is int)


class Frame:
    """A picture with its clock, and a counted lease on the memory that holds it.

    seq: number given by the camera, from 0; a gap is a frame lost at the camera.
    lores: a smaller picture for the detector, where a camera makes one.  main: what is shown.
    media_ns: position on the source's own timeline, from 0 (a clip read fast keeps its own time;
    for a live camera it is the exposure time since the first frame).

    A new frame has one lease, held by the camera worker.  `acquire()` before handing the frame to
    another thread, `release()` when done; the last release calls `recycle` once.
    """

    __slots__ = ("_leases", "_lock", "_recycle", "lores", "main", "media_ns", "seq", "stamps")

    def __init__(
        self,
        seq: int,
        main: Image,
        stamps: Stamps,
        *,
        media_ns: int = 0,
        lores: Image | None = None,
        recycle: Callable[[], None] | None = None,
    ) -> None:
        self.seq = seq
        self.main = main
        self.lores = lores
        self.stamps = stamps
        self.media_ns = media_ns
        self._recycle = recycle
        self._leases = 1
        self._lock = threading.Lock()

    def acquire(self) -> "Frame":
        """Add a lease; RuntimeError when the frame was already given back."""
        with self._lock:
            if self._leases < 1:
                raise RuntimeError(f"frame {self.seq} acquired after its last release")
            self._leases += 1
        return self

    def release(self) -> None:
        """Give one lease back; RuntimeError when there is none."""
        with self._lock:
            if self._leases < 1:
                raise RuntimeError(f"frame {self.seq} released more often than acquired")
            self._leases -= 1
            last = self._leases == 0
        if last and self._recycle is not None:
            self._recycle()

    @property
    def leases(self) -> int:
        """Leases that are out now."""
        return self._leases
