"""Picture memory that is used again, but never while somebody holds the frame in it."""

import threading
from math import prod

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 256 * 2**20
LEAST_FRAMES = 3
"""Detector, renderer and camera may hold one frame each, however large: fewer would stall them."""


class FramePool:
    """Hands out uint8 buffers, and bounds how much of them is out at once.

    A new buffer is given while fewer than LEAST_FRAMES are out, or fewer than `most_bytes` bytes.
    Any thread may call any method.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._changed = threading.Condition()
        self._free: list[NDArray[np.uint8]] = []
        self._out: dict[int, int] = {}

    def take(self, shape: tuple[int, ...], timeout_s: float = 0.0) -> NDArray[np.uint8] | None:
        """A contiguous buffer of `shape`, contents undefined; None when there is no room."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, max(0.0, timeout_s)):
                return None
            # Buffers of another shape are of a stream that has changed: let them go.
            self._free = [buffer for buffer in self._free if buffer.shape == shape]
            buffer = self._free.pop() if self._free else np.empty(shape, np.uint8)
            self._out[id(buffer)] = prod(shape)
            return buffer

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until a buffer could be taken or adopted; False when there is no room."""
        with self._changed:
            return self._changed.wait_for(self._has_room, max(0.0, timeout_s))

    def adopt(self, buffer: NDArray[np.uint8]) -> None:
        """Count a buffer made elsewhere as given out."""
        with self._changed:
            self._out[id(buffer)] = buffer.nbytes

    def give_back(self, buffer: NDArray[np.uint8], *, keep: bool = True) -> None:
        """Take a buffer back: to hand it out again, or with `keep` False to let it go.

        Raises RuntimeError for a buffer that is not out.
        """
        with self._changed:
            if self._out.pop(id(buffer), None) is None:
                raise RuntimeError("a buffer was given back that the pool had not handed out")
            if keep and sum(free.nbytes for free in self._free) < self._most_bytes:
                self._free.append(buffer)
            self._changed.notify_all()

    def clear(self) -> None:
        """Let the free buffers go; those that are out stay valid."""
        with self._changed:
            self._free.clear()

    def _has_room(self) -> bool:
        return len(self._out) < LEAST_FRAMES or sum(self._out.values()) < self._most_bytes
