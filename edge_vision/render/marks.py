"""The marks of objects: frames, corners, underlines, reticles, made of straight bars."""

from dataclasses import dataclass

import cv2
import numpy as np

from edge_vision.render.style import BLACK, Colour, Sizes
from edge_vision.render.surface import Patch, Rect, Surface
from edge_vision.render.text import PictureCache, premultiplied

_RETICLE_BYTES = 1 << 18
_FAINT_SHARE, _FAINT_RIM_SHARE = 0.6, 0.3
_OVERSAMPLING = 4
_RETICLE_RIM = 0.75


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws bars with a dark rim; faint: translucent, for what is not seen now."""

    surface: Surface
    colour: Colour
    line_px: int
    rim_px: int
    faint: bool

    def bars(self, *lines: Rect) -> None:
        """Rectangles of the colour, each in its rim; a rim never lies over another's line."""
        rim, surface = self.rim_px, self.surface
        rims = [(x0 - rim, y0 - rim, x1 + rim, y1 + rim) for x0, y0, x1, y1 in lines]
        if self.faint:
            for rect in rims:
                surface.tint(rect, BLACK, _FAINT_RIM_SHARE)
            for rect in lines:
                surface.tint(rect, self.colour, _FAINT_SHARE)
        else:
            for rect in rims:
                surface.fill_rect(rect, BLACK)
            for rect in lines:
                surface.fill_rect(rect, self.colour)


def pen_for(surface: Surface, outer: Rect, colour: Colour, sizes: Sizes, *, faint: bool) -> Pen:
    """A pen whose line does not cover a small object: an eighth of it at most."""
    x0, y0, x1, y1 = outer
    line = max(1, min(sizes.line_px, min(x1 - x0, y1 - y0) // 8))
    return Pen(surface, colour, line, sizes.outline_px, faint)


def outer_rect(
    box: tuple[float, float, float, float], sizes: Sizes, width_px: int, height_px: int
) -> Rect | None:
    """The outer edge of an object's frame, or None where the object is out of the picture.

    box: x0 y0 x1 y1, finite, normalised.  The line lies centred on the box.  A side just over the
    border is drawn at the border, whole; one farther out is not seen, as the object goes on there.
    """
    x0, y0, x1, y1 = (min(max(value, -8.0), 9.0) for value in box)
    if x1 < 0 or y1 < 0 or x0 > 1 or y0 > 1:
        return None
    out = sizes.line_px // 2 + sizes.outline_px
    slack = 4 * (sizes.line_px + 2 * sizes.outline_px)
    left = _drawn_in(round(x0 * width_px) - out, slack)
    top = _drawn_in(round(y0 * height_px) - out, slack)
    right = width_px - _drawn_in(width_px - round(x1 * width_px) - out, slack)
    low = height_px - _drawn_in(height_px - round(y1 * height_px) - out, slack)
    left, top = min(left, width_px - 1), min(top, height_px - 1)
    return left, top, max(left + 1, right), max(top + 1, low)


def _drawn_in(place_px: int, slack_px: int) -> int:
    """Places up to slack_px outside become 0; those beyond move with the object, without a jump."""
    return place_px if place_px > 0 else min(0, place_px + slack_px)


def frame(pen: Pen, outer: Rect) -> None:
    """The four sides of the box."""
    rim, line = pen.rim_px, pen.line_px
    x0, y0, x1, y1 = _shrunk(outer, rim)
    top, low = min(y0 + line, y1), max(y1 - line, y0)
    pen.bars(
        (x0, y0, x1, top), (x0, low, x1, y1), (x0, top, x0 + line, low), (x1 - line, top, x1, low)
    )


def corners(pen: Pen, outer: Rect, share: float) -> None:
    """The four corners of the box; share: length of each arm, of the shorter side."""
    rim, line = pen.rim_px, pen.line_px
    x0, y0, x1, y1 = _shrunk(outer, rim)
    arm = max(line + 1, round(min(x1 - x0, y1 - y0) * share))
    across, down = min(arm, (x1 - x0) // 2), min(arm, (y1 - y0) // 2)
    pen.bars(
        *(
            (a, y, b, y + line)
            for y in (y0, y1 - line)
            for a, b in ((x0, x0 + across), (x1 - across, x1))
        ),
        *((x, y0 + line, x + line, y0 + down) for x in (x0, x1 - line)),
        *((x, y1 - down, x + line, y1 - line) for x in (x0, x1 - line)),
    )


def underline(pen: Pen, outer: Rect) -> None:
    """A line along the lower side of the box."""
    x0, _, x1, y1 = _shrunk(outer, pen.rim_px)
    pen.bars((x0, y1 - pen.line_px, x1, y1))


def leader(surface: Surface, points: list[tuple[int, int]], colour: Colour, faint: bool) -> None:
    """A thin line from a box to its label."""
    line = np.array(points, np.float64)
    if not faint:
        surface.polyline(line, BLACK, 3)
    surface.polyline(line, colour, 1)


class Reticles:
    """A ring with four ticks for the middle of an object; kept by size and colour."""

    def __init__(self) -> None:
        self._kept: PictureCache[Patch] = PictureCache(_RETICLE_BYTES)

    def draw(self, surface: Surface, outer: Rect, colour: Colour, radius_px: int) -> None:
        """Draw it in the middle of a box."""
        key = (surface.format, colour, radius_px)
        patch = self._kept.get(key, lambda: _reticle(surface, colour, radius_px))
        x0, y0, x1, y1 = outer
        surface.blend(patch, (x0 + x1 - patch.width_px) // 2, (y0 + y1 - patch.height_px) // 2)


def _reticle(surface: Surface, colour: Colour, radius_px: int) -> Patch:
    side = 2 * (radius_px + radius_px // 2 + 2) + 1
    big, middle = side * _OVERSAMPLING, side * _OVERSAMPLING // 2
    inks = []
    for width in (3.0, 1.2):
        ink = np.zeros((big, big), np.uint8)
        thick = round(width * _OVERSAMPLING)
        cv2.circle(ink, (middle, middle), radius_px * _OVERSAMPLING, 255, thick)
        near, far = radius_px * _OVERSAMPLING, radius_px * _OVERSAMPLING * 3 // 2
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            begin = middle + dx * near, middle + dy * near
            cv2.line(ink, begin, (middle + dx * far, middle + dy * far), 255, thick)
        cv2.circle(ink, (middle, middle), thick // 2, 255, cv2.FILLED)
        inks.append(cv2.resize(ink, (side, side), interpolation=cv2.INTER_AREA))
    rim, line = inks
    alpha = np.maximum(line, np.round(rim * _RETICLE_RIM).astype(np.uint8))
    bgr = np.full((side, side, 3), BLACK, np.uint8)
    share = line[:, :, None] / 255
    bgr = np.round(bgr * (1 - share) + np.array(colour) * share).astype(np.uint8)
    return surface.patch(premultiplied(bgr, alpha), alpha)


def _shrunk(rect: Rect, by: int) -> Rect:
    x0, y0, x1, y1 = rect
    return x0 + by, y0 + by, max(x0 + by + 1, x1 - by), max(y0 + by + 1, y1 - by)
