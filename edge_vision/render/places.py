"""Zones and lines in the picture: outlines, names, arrows, counts.

All but the counts stays as it is, so it is drawn once and kept, in strips without their empty ends.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.config_watch import WatchConfig
from edge_vision.render.label import Part
from edge_vision.render.plates import Plates, Wanted
from edge_vision.render.shapes import Pixels
from edge_vision.render.style import BLACK, Colour, Sizes, sizes_for
from edge_vision.render.surface import Patch, Surface
from edge_vision.render.text import premultiplied

Crossings = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Line -> direction -> label -> how often."""
Points = NDArray[np.float64]

_ZONE: Colour = (255, 196, 64)
_LINE: Colour = (64, 224, 255)
_FILL = 28
"""Of 255: what a zone hides of the picture."""
_RIM = 150
_STRIP_PX = 64
_KEPT = 2
"""The picture and the overlay by itself."""


class _Made(NamedTuple):
    """For one kind of surface: strips and names with their places, and each line's arrow."""

    patches: list[tuple[Patch, int, int]]
    counts: dict[str, tuple[float, float, float, float]]


class PlaceMarks:
    """Draws the places of a configuration; used by one thread.

    plates: make the texts.  crossings: asked at each picture.  thickness_px: 0 fits the picture.
    """

    def __init__(
        self,
        watch: WatchConfig,
        plates: Plates,
        crossings: Callable[[], Crossings],
        thickness_px: int,
    ) -> None:
        self._watch = watch
        self._plates = plates
        self._crossings = crossings
        self._thickness_px = thickness_px
        self._made: dict[tuple[object, int, int], _Made] = {}

    def draw(self, surface: Surface) -> None:
        """Draw onto a surface of any size from 1x1."""
        width, height = surface.width_px, surface.height_px
        sizes = sizes_for(width, height, self._thickness_px)
        key = (surface.format, width, height)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            made = self._made[key] = self._make(surface, sizes)
        for patch, left, top in made.patches:
            surface.blend(patch, left, top)
        crossings = self._crossings()
        for name, (x, y, right, down) in made.counts.items():
            ways = crossings.get(name, {})
            into, out = (sum(ways.get(way, {}).values()) for way in ("in", "out"))
            text = (Part(f"{name} ", "text"), Part(f"in {into} out {out}", "figure"))
            patch = self._plates.bare(surface, Wanted(text, _LINE, sizes, faint=False))
            # Behind the arrow, clear of the line.
            off = (abs(right) * patch.width_px + abs(down) * patch.height_px) / 2 + sizes.cap_px
            place = _within(patch, x - right * off, y - down * off, width, height)
            surface.blend(patch, *place)

    def _make(self, surface: Surface, sizes: Sizes) -> _Made:
        width, height = surface.width_px, surface.height_px
        layer = _Layer(width, height, sizes)
        scale = np.array([width, height], np.float64)
        names = []
        for name, points in self._watch.zones.items():
            x, y = layer.zone(np.array(points) * scale)
            text = (Part(name, "text"),)
            patch = self._plates.bare(surface, Wanted(text, _ZONE, sizes, faint=False))
            names.append((patch, *_within(patch, x, y, width, height)))
        counts = {
            name: layer.line(np.array(ends) * scale) for name, ends in self._watch.lines.items()
        }
        return _Made([*layer.strips(surface), *names], counts)


class _Layer:
    """A picture of everything that stays, with how much it hides."""

    def __init__(self, width_px: int, height_px: int, sizes: Sizes) -> None:
        self._bgr = np.zeros((height_px, width_px, 3), np.uint8)
        self._alpha = np.zeros((height_px, width_px), np.uint8)
        self._sizes = sizes

    def zone(self, points: Points) -> tuple[float, float]:
        """Draw a zone; the middle of its name: where the edges are farthest."""
        corners = np.rint(points).astype(np.int32)
        mask = np.zeros(self._alpha.shape, np.uint8)
        cv2.fillPoly(mask, [corners], 255)
        # The picture's border is an edge, too.
        framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        _, _, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(framed, cv2.DIST_L2, 3))
        inside = mask > 0
        self._bgr[inside] = _ZONE
        self._alpha[inside] = np.maximum(self._alpha[inside], _FILL)
        self._stroke([[*points, points[0]]], _ZONE)
        return float(x), float(y)

    def line(self, ends: Points) -> tuple[float, float, float, float]:
        """Draw a line and the arrow that points in; its middle, and which way that is."""
        begin, end = ends
        along = (end - begin) / max(float(np.hypot(*(end - begin))), 1e-9)
        into = np.array([-along[1], along[0]])  # the right hand, as y points down
        middle, reach = (begin + end) / 2, 2.2 * self._sizes.cap_px
        tip, barb = middle + reach * into, 0.4 * reach
        head = [tip - barb * (into + along), tip, tip - barb * (into - along)]
        self._stroke([[begin, end], [middle, tip], head], _LINE)
        return float(middle[0]), float(middle[1]), float(into[0]), float(into[1])

    def strips(self, surface: Surface) -> list[tuple[Patch, int, int]]:
        """Ready for a surface: what is not empty, with its upper left corner."""
        found = []
        for top in range(0, len(self._alpha), _STRIP_PX):
            alpha = self._alpha[top : top + _STRIP_PX]
            columns = np.flatnonzero(alpha.any(axis=0))
            if columns.size:
                left, right = int(columns[0]) & ~1, int(columns[-1]) + 1
                part = np.ascontiguousarray(alpha[:, left:right])
                bgr = np.ascontiguousarray(self._bgr[top : top + _STRIP_PX, left:right])
                found.append((surface.patch(premultiplied(bgr, part), part), left, top))
        return found

    def _stroke(self, paths: Sequence[Sequence[NDArray[np.float64]]], colour: Colour) -> None:
        """Smooth lines with a dark rim around all of them."""
        line, rim = self._sizes.line_px, self._sizes.outline_px
        height, width = self._alpha.shape
        # OpenCV's own smoothing leaves steps; drawn at twice the size, and halved, they are gone.
        fixed = [np.rint((np.array(path) * 2 - 0.5) * 16).astype(np.int32) for path in paths]
        for ink, share, thick in ((BLACK, _RIM, line + 2 * rim), (colour, 255, line)):
            large = np.zeros((2 * height, 2 * width), np.uint8)
            cv2.polylines(large, fixed, False, 255, 2 * thick - 1, cv2.LINE_AA, 4)
            small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
            mask = np.asarray(small, np.uint8)
            _mix(self._bgr, mask, ink)
            np.maximum(self._alpha, (mask * (share / 255)).astype(np.uint8), out=self._alpha)


def _mix(bgr: Pixels, mask: Pixels, ink: Colour) -> None:
    """Take over a colour as far as a mask says, in place."""
    touched = mask > 0
    share = mask[touched][:, None] / 255
    bgr[touched] = np.rint(bgr[touched] * (1 - share) + np.array(ink) * share).astype(np.uint8)


def _within(patch: Patch, x: float, y: float, width_px: int, height_px: int) -> tuple[int, int]:
    """The upper left corner of a patch around a point, moved into the picture where it can be."""
    left, top = round(x - patch.width_px / 2), round(y - patch.height_px / 2)
    return (
        max(0, min(left, width_px - patch.width_px)),
        max(0, min(top, height_px - patch.height_px)),
    )
