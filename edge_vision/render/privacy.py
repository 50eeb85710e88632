"""What must not be seen: classes that are blurred and areas that are blacked out.

Burned into the picture before the overlay is drawn and any output sees it.  With `overlay.timing:
live` an object that is new in the picture is blurred from its first detection on, so one inference
late; with `exact` no picture is shown before it was analysed.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from edge_vision.config_overlay import OverlayConfig
from edge_vision.render.class_names import class_ids
from edge_vision.render.surface import Rect, Surface
from edge_vision.results import Track

_MARGIN = 0.1
"""Share of a box's width and height by which its blur reaches over each side: a detector's boxes
are that uncertain."""
_SIGMAS = 2.0
_FARTHEST_PX = 1 << 20
_BLACK = (0, 0, 0)


class Privacy:
    """Burns `overlay.blur` and `overlay.masks` into pictures; used by one thread.

    labels: class id -> label.  Raises ConfigError when a class to blur is not among them.
    """

    def __init__(self, config: OverlayConfig, labels: Mapping[int, str]) -> None:
        self._blurred = frozenset[int]().union(
            *(class_ids("overlay.blur", name, labels) for name in config.blur)
        )
        self._masks = [np.array(mask, np.float64) for mask in config.masks]

    def apply(self, surface: Surface, tracks: Iterable[Track]) -> None:
        """Black out the masks, and blur every track of the classes named, whatever its state.

        tracks: all there are at the time of this picture, also tentative and coasting ones.
        Where a blurred track stands cannot be known if its box is not finite: then the whole
        picture is blurred.
        """
        # First, so that no blur draws what a mask hides out of it; and again on top.
        self._mask(surface)
        blurred = [track for track in tracks if track.class_id in self._blurred]
        for track in blurred:
            surface.blur(_blur_rect(track, surface.width_px, surface.height_px))
        if blurred:
            self._mask(surface)

    def _mask(self, surface: Surface) -> None:
        size = (surface.width_px, surface.height_px)
        for mask in self._masks:
            surface.fill_polygon(np.rint(mask * size).astype(np.int_), _BLACK)


def _blur_rect(track: Track, width_px: int, height_px: int) -> Rect:
    """A track's box in pixels with its margins."""
    size = np.array([width_px, height_px], np.float64)
    if not (np.isfinite(track.box).all() and math.isfinite(track.sigma)):
        return 0, 0, width_px, height_px
    low, high = track.box[:2] * size, track.box[2:] * size
    margin = _MARGIN * (high - low) + _SIGMAS * track.sigma * width_px
    sides = np.concatenate([np.floor(low - margin), np.ceil(high + margin)])
    # Far outside nothing is to be seen, and whole numbers end somewhere.
    x0, y0, x1, y1 = np.clip(sides, -_FARTHEST_PX, _FARTHEST_PX).astype(int).tolist()
    return x0, y0, x1, y1
