"""Drawing on YUV420 without converting the frame.

Brightness has every pixel, colour one sample for two by two: a sample is changed as far as what is
drawn covers its four pixels.  So edges are as sharp as in BGR where the eye looks for them, and
colour ends within one pixel of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

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
    halved,
    lay_over,
    merged,
    scaled,
    within_reach,
)
from edge_vision.render.style import Colour
from edge_vision.render.surface import Patch, check_patch

_BLACK_Y, _DARK_Y = 16, 60
"""Brightness: of black; up to which colour is hardly seen."""
_WEIGHTLESS_Y = 12
"""Where a pixel would not count at all for the colour it shares."""
_WEIGHT = 240
"""What weights are multiplied by; 16 bits hold them."""
_BLACK = (0, 128, 128, 0)
_UNKNOWN = ((128 - _WEIGHTLESS_Y) * _WEIGHT, 0, 0, 0)
"""What is around a patch: nothing; a ground of which neither colour nor brightness is known."""

# OpenCV's YCrCb has whole levels, the picture video levels (Rec. ITU-R BT.601, 8 bit: 16..240).
# With premultiplied values U = _RANGE * Cb + share * alpha + offset.
_RANGE = 224 / 255
_PREMULTIPLIED = 128 / 255, -128 * _RANGE
"""Share and offset, where black (Cb = 128) stands around."""
_OPAQUE = 128 * (1 - _RANGE) / 255, 0.0
"""Likewise, where nothing does."""


@lru_cache(maxsize=1024)
def _yuv(colour: Colour) -> tuple[int, Pixels]:
    """Y, and U and V as (2, 1, 1), by the conversion with which BGR pictures are recorded."""
    square = np.full((2, 2, 3), colour, np.uint8)
    planes = np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2YUV_I420), np.uint8)
    return int(planes[0, 0]), np.array(planes[2, :2]).reshape(2, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class _YuvPatch(Patch):
    """Premultiplied, as what it was made from.

    colour: (h, w, 4), of which the chroma samples are means: any, Cr, Cb and alpha, uint8; of an
    opaque patch 1, Cr, Cb and alpha, weighted by brightness, uint16.
    """

    y: Pixels
    keep_y: Pixels | None
    """255 - alpha; None for an opaque patch."""
    colour: NDArray[np.uint8] | NDArray[np.uint16]
    chroma: dict[tuple[int, int], tuple[Pixels, Pixels, Pixels]] = field(default_factory=dict)
    """By the place's remainders x % 2, y % 2: U, V and 255 - alpha, each (h, w)."""

    def chroma_at(self, left: int, top: int) -> tuple[Pixels, Pixels, Pixels]:
        """U, V and 255 - alpha for the colour samples that it touches, each (h, w)."""
        odd = left % 2, top % 2
        found = self.chroma.get(odd)
        if found is None:
            found = self.chroma[odd] = self._make_chroma(*odd)
        return found

    def _make_chroma(self, odd_x: int, odd_y: int) -> tuple[Pixels, Pixels, Pixels]:
        weight, *means = _means(self.colour, odd_x, odd_y)
        share, offset = _PREMULTIPLIED
        if self.keep_y is None:
            share, offset = _OPAQUE
            scales = (_WEIGHT, _WEIGHT, 255)
            means = [
                cv2.divide(part, weight, scale=scale, dtype=cv2.CV_8U)
                for part, scale in zip(means, scales, strict=True)
            ]
        cr, cb, alpha = means
        v, u = (cv2.addWeighted(part, _RANGE, alpha, share, offset) for part in (cr, cb))
        return np.asarray(u, np.uint8), np.asarray(v, np.uint8), 255 - np.asarray(alpha, np.uint8)


class Yuv420Surface:
    """Draws on uint8 (height * 3 / 2, width), I420, BT.601 video levels; implements Surface.

    Raises ValueError for an array that is no such picture.
    """

    format = PixelFormat.YUV420

    def __init__(self, planes: Pixels) -> None:
        self.image = Image.from_array(planes, self.format)
        """The picture itself; not a copy."""
        self.width_px, self.height_px = self.image.width_px, self.image.height_px
        self._y = planes[: self.height_px]
        self._uv = planes[self.height_px :].reshape(2, self.height_px // 2, self.width_px // 2)

    def patch(self, bgr: Pixels, alpha: Pixels | None = None) -> Patch:
        """See Surface.patch."""
        check_patch(bgr, alpha)
        height, width = bgr.shape[:2]
        even = cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        y = np.array(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420)[:height, :width], np.uint8)
        ycrcb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb), np.uint8)
        keep = None if alpha is None else 255 - alpha
        if keep is not None:
            # The offset of black belongs to what is covered only.
            cv2.subtract(y, scaled(keep, _BLACK_Y / 255), dst=y)
        colour = _weighted(ycrcb, y) if alpha is None else merged([ycrcb, alpha])
        # Of the chroma all four places, as if they had been asked for already.
        size = 5 * height * width + colour.nbytes
        return _YuvPatch(self.format, width, height, size, y, keep, colour)

    def fill_rect(self, rect: Rect, colour: Colour) -> None:
        """See Surface.fill_rect."""
        shown = clipped(rect, self.width_px, self.height_px)
        if shown is None:
            return
        x0, y0, x1, y1 = shown
        y, uv = _yuv(colour)
        self._y[y0:y1, x0:x1] = y
        x0, y0, x1, y1 = _samples(shown, y)
        self._uv[:, y0:y1, x0:x1] = uv

    def paste(self, patch: Patch, left: int, top: int) -> None:
        """See Surface.paste."""
        self.blend(patch, left, top)

    def blend(self, patch: Patch, left: int, top: int) -> None:
        """See Surface.blend."""
        assert isinstance(patch, _YuvPatch)
        shown = clipped(patch.rect_at(left, top), self.width_px, self.height_px)
        if shown is None:
            return
        x0, y0, x1, y1 = shown
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        if patch.keep_y is None:
            self._y[y0:y1, x0:x1] = patch.y[part]
        else:
            lay_over(self._y[y0:y1, x0:x1], patch.y[part], patch.keep_y[part])
        right, down = left >> 1, top >> 1
        x0, y0, x1, y1 = _touched(shown)
        chroma = patch.chroma_at(left, top)
        part = np.s_[y0 - down : y1 - down, x0 - right : x1 - right]
        keep = chroma[2][part]
        for plane, new in zip(self._uv, chroma[:2], strict=True):
            lay_over(plane[y0:y1, x0:x1], new[part], keep)

    def tint(self, rect: Rect, colour: Colour, share: float) -> None:
        """See Surface.tint."""
        shown = clipped(rect, self.width_px, self.height_px)
        if shown is None:
            return
        y, uv = _yuv(colour)
        _tint(self._y, shown, y, share)
        for plane, value in zip(self._uv, uv.ravel().tolist(), strict=True):
            _tint(plane, _samples(shown, y), value, share)

    def blur(self, rect: Rect) -> None:
        """See Surface.blur."""
        shown = clipped(rect, self.width_px, self.height_px)
        if shown is None:
            return
        cells = blur_cells(rect, shown)
        x0, y0, x1, y1 = shown
        blurred(self._y[y0:y1, x0:x1], cells)
        x0, y0, x1, y1 = _touched(shown)
        for plane in self._uv:
            blurred(plane[y0:y1, x0:x1], cells)

    def fill_polygon(self, points_px: NDArray[np.int_], colour: Colour) -> None:
        """See Surface.fill_polygon."""
        y, uv = _yuv(colour)
        points = within_reach(points_px).astype(np.int32)
        cv2.fillPoly(self._y, [points], (y,))
        for plane, value in zip(self._uv, uv.ravel().tolist(), strict=True):
            cv2.fillPoly(plane, [points >> 1], (value,))

    def polyline(self, points: NDArray[np.floating], colour: Colour, thickness_px: int) -> None:
        """See Surface.polyline."""
        if len(points) < 2:
            return
        y, uv = _yuv(colour)
        fixed = fixed_points(points)
        draw_line(self._y, fixed, (y,), thickness_px)
        # OpenCV draws smooth lines wider than it is told to by a pixel on each side, but for 1 px.
        fixed, thickness_px = halved(fixed), max(1 + (thickness_px > 1), (thickness_px - 1) // 2)
        for plane, value in zip(self._uv, uv.ravel().tolist(), strict=True):
            draw_line(plane, fixed, (value,), thickness_px)

    def cover(self, rect: Rect, mask: Pixels, colour: Colour) -> None:
        """See Surface.cover."""
        x0, y0, x1, y1 = rect
        y, uv = _yuv(colour)
        lay_over(self._y[y0:y1, x0:x1], scaled(mask, y / 255), 255 - mask)
        x0, y0, x1, y1 = _touched(rect)
        small = cv2.resize(mask, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        mask = np.asarray(small, np.uint8).reshape(y1 - y0, x1 - x0)
        keep = 255 - mask
        for plane, value in zip(self._uv, uv.ravel().tolist(), strict=True):
            lay_over(plane[y0:y1, x0:x1], scaled(mask, value / 255), keep)


def _touched(rect: Rect) -> Rect:
    """The colour samples that a rectangle covers, wholly or in part."""
    x0, y0, x1, y1 = rect
    return x0 >> 1, y0 >> 1, x1 + 1 >> 1, y1 + 1 >> 1


def _samples(rect: Rect, y: int) -> Rect:
    """The colour samples that take the colour of a rectangle filled with brightness `y`.

    A sample at its edge has one colour for it and for its neighbour, and on the darker of both it
    is hardly seen: so a bright line between dark rims keeps its whole colour.
    """
    x0, y0, x1, y1 = rect
    return _touched(rect) if y > _DARK_Y else (x0 + 1 >> 1, y0 + 1 >> 1, x1 >> 1, y1 >> 1)


def _means(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], odd_x: int, odd_y: int
) -> Sequence[cv2.typing.MatLike]:
    """Means over two by two, by channel, of a `colour` at an odd or even place, and around it."""
    height, width = pixels.shape[:2]
    more_x, more_y = (odd_x + width) % 2, (odd_y + height) % 2
    around = _BLACK if pixels.dtype == np.uint8 else _UNKNOWN
    even = cv2.copyMakeBorder(
        pixels, odd_y, more_y, odd_x, more_x, cv2.BORDER_CONSTANT, value=around
    )
    size = even.shape[1] // 2, even.shape[0] // 2
    return cv2.split(cv2.resize(even, size, interpolation=cv2.INTER_AREA))


def _weighted(ycrcb: Pixels, y: Pixels) -> NDArray[np.uint16]:
    """1, Cr, Cb and alpha of an opaque picture, in which bright pixels count for more.

    So letters do not take the colour out of their plate; see `_samples`.
    """
    light = y - np.uint8(_WEIGHTLESS_Y)
    whole = np.multiply(light, _WEIGHT, dtype=np.uint16)
    cr, cb = (np.multiply(ycrcb[:, :, place], light, dtype=np.uint16) for place in (1, 2))
    return np.asarray(cv2.merge([whole, cr, cb, whole]), np.uint16)


def _tint(plane: Pixels, rect: Rect, value: int, share: float) -> None:
    x0, y0, x1, y1 = rect
    ground = plane[y0:y1, x0:x1]
    cv2.convertScaleAbs(ground, dst=ground, alpha=1 - share, beta=value * share)
