"""What can be drawn on: a picture in the renderer's own memory, BGR or YUV420, drawn on in place.

A surface knows nothing of objects or labels: it fills, pastes, blends, tints, blurs.  Everything is
cut at the picture's border, and what lies outside altogether is left out.  Coordinates are whole
pixels, x to the right and y down from the upper left corner; a rectangle may be empty or inverted,
and then nothing is drawn.  Used by one thread.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat
from edge_vision.render.shapes import (
    Pixels,
    Rect,
    blur_cells,
    blurred,
    clipped,
    draw_line,
    fixed_points,
    lay_over,
    merged,
    scaled,
    within_reach,
)
from edge_vision.render.style import Colour

__all__ = ["BgrSurface", "Colour", "Patch", "Rect", "Surface", "check_patch"]

_MOST_COLOURS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A small picture made ready for one kind of surface by its `patch`; keep it, it is reusable.

    nbytes: memory it holds, for caches.
    """

    format: PixelFormat
    width_px: int
    height_px: int
    nbytes: int

    def rect_at(self, left: int, top: int) -> Rect:
        """What it covers with its upper left corner at left, top."""
        return left, top, left + self.width_px, top + self.height_px


class Surface(Protocol):
    """What the renderer draws on.  Colours are (blue, green, red), 0..255, whatever the format."""

    width_px: int
    height_px: int
    format: PixelFormat
    """BGR or YUV420: part of the key where patches are cached, for they fit one format only."""

    image: Image
    """The picture itself; not a copy."""

    def patch(self, bgr: Pixels, alpha: Pixels | None = None) -> Patch:
        """Make a picture ready for `paste` (no alpha) or `blend`; converts once, so keep it.

        bgr: uint8 (h, w, 3).  alpha: uint8 (h, w), 0 = the ground shows, 255 = the patch hides it;
        bgr is then premultiplied (bgr * alpha / 255), as every picture must be that is scaled or
        turned.  The patch may keep bgr itself: do not write to it afterwards.  Raises ValueError
        when the shapes do not fit.
        """
        ...

    def fill_rect(self, rect: Rect, colour: Colour) -> None:
        """Fill a rectangle."""
        ...

    def paste(self, patch: Patch, left: int, top: int) -> None:
        """Put an opaque patch (made without alpha) with its upper left corner at left, top."""
        ...

    def blend(self, patch: Patch, left: int, top: int) -> None:
        """Lay a patch over the picture: ground * (1 - alpha) + patch.  One without alpha hides."""
        ...

    def tint(self, rect: Rect, colour: Colour, share: float) -> None:
        """Mix a colour into a rectangle: ground * (1 - share) + colour * share, share 0..1."""
        ...

    def blur(self, rect: Rect) -> None:
        """Make what is in a rectangle unrecognisable for good: at most 4 x 4 means are left of it.

        The areas that they are taken of grow with the rectangle, parts outside the picture
        included, and are never smaller than 8 px.  In YUV420 colour is blurred up to the next even
        pixel outwards.
        """
        ...

    def fill_polygon(self, points_px: NDArray[np.int_], colour: Colour) -> None:
        """Fill a polygon, its outline included; points_px: whole numbers (N, 2), x y, N >= 3."""
        ...

    def polyline(self, points: NDArray[np.floating], colour: Colour, thickness_px: int) -> None:
        """A smooth line through points, float (N, 2), x y in pixels, 0 = centre of the first pixel.

        Points that are not finite raise ValueError; fewer than two draw nothing.
        """
        ...

    def cover(self, rect: Rect, mask: Pixels, colour: Colour) -> None:
        """Lay a colour over a rectangle as far as a mask says: uint8 (h, w), 255 = altogether.

        The rectangle lies in the picture, begins at even places, and ends at ones in YUV420.
        """
        ...


def check_patch(bgr: Pixels, alpha: Pixels | None) -> None:
    """Raises ValueError for arrays that are no patch."""
    if bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3 or 0 in bgr.shape:
        raise ValueError(f"a patch of {bgr.dtype}{bgr.shape}; expected uint8 (h, w, 3)")
    if alpha is not None and (alpha.dtype != np.uint8 or alpha.shape != bgr.shape[:2]):
        raise ValueError(f"alpha of {alpha.dtype}{alpha.shape}; expected uint8 {bgr.shape[:2]}")


@dataclass(frozen=True, slots=True, eq=False)
class _BgrPatch(Patch):
    bgr: Pixels
    keep: Pixels | None
    """255 - alpha, for each of the three channels."""


class BgrSurface:
    """Draws on uint8 (height, width, 3) BGR; implements Surface.

    ValueError for an array whose rows do not lie in one piece.
    """

    format = PixelFormat.BGR

    def __init__(self, pixels: Pixels) -> None:
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise ValueError(f"a surface of {pixels.dtype}{pixels.shape}; expected uint8 (h, w, 3)")
        if pixels.strides[1:] != (3, 1):
            raise ValueError(f"a surface with strides {pixels.strides}; expected (any, 3, 1)")
        self.image = Image.from_array(pixels)
        """The picture itself; not a copy."""
        self._pixels = pixels
        self.height_px, self.width_px = pixels.shape[:2]
        # numpy copies long rows several times faster than pixels of three.
        self._flat = pixels.reshape(self.height_px, self.width_px * 3)
        self._rows: dict[Colour, Pixels] = {}

    def patch(self, bgr: Pixels, alpha: Pixels | None = None) -> Patch:
        """See Surface.patch."""
        check_patch(bgr, alpha)
        keep = None if alpha is None else merged([255 - alpha] * 3)
        size = bgr.nbytes * (1 if alpha is None else 2)
        return _BgrPatch(self.format, bgr.shape[1], bgr.shape[0], size, bgr, keep)

    def fill_rect(self, rect: Rect, colour: Colour) -> None:
        """See Surface.fill_rect."""
        shown = clipped(rect, self.width_px, self.height_px)
        if shown is None:
            return
        x0, y0, x1, y1 = shown
        self._flat[y0:y1, 3 * x0 : 3 * x1] = self._row(colour)[: 3 * (x1 - x0)]

    def paste(self, patch: Patch, left: int, top: int) -> None:
        """See Surface.paste."""
        assert isinstance(patch, _BgrPatch)
        shown = clipped(patch.rect_at(left, top), self.width_px, self.height_px)
        if shown is None:
            return
        x0, y0, x1, y1 = shown
        self._pixels[y0:y1, x0:x1] = patch.bgr[y0 - top : y1 - top, x0 - left : x1 - left]

    def blend(self, patch: Patch, left: int, top: int) -> None:
        """See Surface.blend."""
        assert isinstance(patch, _BgrPatch)
        if patch.keep is None:
            self.paste(patch, left, top)
            return
        shown = clipped(patch.rect_at(left, top), self.width_px, self.height_px)
        if shown is None:
            return
        x0, y0, x1, y1 = shown
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        lay_over(self._pixels[y0:y1, x0:x1], patch.bgr[part], patch.keep[part])

    def tint(self, rect: Rect, colour: Colour, share: float) -> None:
        """See Surface.tint."""
        shown = clipped(rect, self.width_px, self.height_px)
        if shown is None:
            return
        x0, y0, x1, y1 = shown
        ground = self._pixels[y0:y1, x0:x1]
        cv2.convertScaleAbs(ground, dst=ground, alpha=1 - share)
        cv2.add(ground, np.array([*colour, 0]) * share, dst=ground)

    def blur(self, rect: Rect) -> None:
        """See Surface.blur."""
        shown = clipped(rect, self.width_px, self.height_px)
        if shown is not None:
            x0, y0, x1, y1 = shown
            blurred(self._pixels[y0:y1, x0:x1], blur_cells(rect, shown))

    def fill_polygon(self, points_px: NDArray[np.int_], colour: Colour) -> None:
        """See Surface.fill_polygon."""
        cv2.fillPoly(self._pixels, [within_reach(points_px).astype(np.int32)], colour)

    def polyline(self, points: NDArray[np.floating], colour: Colour, thickness_px: int) -> None:
        """See Surface.polyline."""
        if len(points) > 1:
            draw_line(self._pixels, fixed_points(points), colour, thickness_px)

    def cover(self, rect: Rect, mask: Pixels, colour: Colour) -> None:
        """See Surface.cover."""
        x0, y0, x1, y1 = rect
        over = merged([scaled(mask, value / 255) for value in colour])
        lay_over(self._pixels[y0:y1, x0:x1], over, merged([255 - mask] * 3))

    def _row(self, colour: Colour) -> Pixels:
        row = self._rows.get(colour)
        if row is None:
            if len(self._rows) >= _MOST_COLOURS:
                self._rows.clear()
            row = np.tile(np.array(colour, np.uint8), self.width_px)
            self._rows[colour] = row
        return row
