"""Hard cuts: where a film or a stream goes on with another shot."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat
from edge_vision.track.paths import Paths

_SIDE_PX = (32, 18)
"""Width and height of the pictures that are compared: no motion of an object matters in them."""
_ALIKE = 0.3
"""Correlation of two pictures below which they show different things.  In a street clip with five
cuts it is -0.26 to 0.23 at these, and 0.55 and more elsewhere; 0.34 and more over 0.12 s while the
camera swings round."""
_LONGEST_NS = 150_000_000
"""Pictures farther apart say nothing: a camera that swings may show something else by then."""
_LEAST_CONTRAST = 2.0
"""Standard deviation of grey levels below which a picture shows nothing, as in the dark."""


class CutWatch:
    """Compares each picture with the one before, and tells cuts to `paths`."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._before: NDArray[np.float32] | None = None
        self._before_ns = 0

    def is_cut(self, image: Image, now_ns: int) -> bool:
        """Whether this picture shows something else than the last one did.

        Then `paths.cut_ns` is now, unless it is known to lie between the two.

        Told by the normalised cross-correlation of two tiny grey pictures, which a change of light
        leaves alone.  now_ns: the frame's `media_ns`.
        """
        before, gap_ns = self._before, now_ns - self._before_ns
        self._before, self._before_ns = _tiny(image), now_ns
        after = self._before
        if before is None or after is None or not 0 < gap_ns <= _LONGEST_NS:
            return False
        cut = float((before * after).mean()) < _ALIKE
        if cut and not now_ns - gap_ns < self._paths.cut_ns <= now_ns:
            self._paths.cut_ns = now_ns
        return cut


def _tiny(image: Image) -> NDArray[np.float32] | None:
    """Grey levels with mean 0 and standard deviation 1, float32 (18, 32); None without contrast."""
    height, width = image.height_px, image.width_px
    # Every so-manieth pixel, averaged in fours at least: enough for a comparison, next to no work.
    every = max(1, min(width // (2 * _SIDE_PX[0]), height // (2 * _SIDE_PX[1])))
    pixels = image.data if image.format is PixelFormat.YUV420 else image.data[:, :, 1]  # green
    pixels = np.ascontiguousarray(pixels[:height:every, :width:every])
    small = cv2.resize(pixels, _SIDE_PX, interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    deviation = float(small.std())
    return small / np.float32(deviation) if deviation >= _LEAST_CONTRAST else None
