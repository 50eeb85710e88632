"""A transparent surface: the overlay by itself, for a display that lays it over the picture.

Colours are not multiplied by alpha: what DRM calls coverage, and what picamera2 asks of the plane.
"""

import sys
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat
from edge_vision.render.shapes import Pixels, Rect, clipped, line_mask, merged, within_reach
from edge_vision.render.style import Colour
from edge_vision.render.surface import Patch, check_patch


@dataclass(frozen=True, slots=True, eq=False)
class _RgbaPatch(Patch):
    rgba: Pixels
    opaque: bool


class RgbaSurface:
    """Draws on uint8 (height, width, 4) RGBA; implements Surface.

    Starts and is cleared to fully transparent; `clear` takes away what was drawn, and nothing else.
    """

    format = PixelFormat.RGBA

    def __init__(self, width_px: int, height_px: int) -> None:
        self._pixels = np.zeros((height_px, width_px, 4), np.uint8)
        self.image = Image.from_array(self._pixels, PixelFormat.RGBA)
        """The picture itself; not a copy."""
        self.width_px, self.height_px = width_px, height_px
        # numpy fills, copies and looks through whole pixels several times faster than their bytes.
        self._words = _words(self._pixels)
        self._drawn: list[Rect] = []

    def clear(self) -> None:
        """Make everything transparent again."""
        for x0, y0, x1, y1 in self._drawn:
            self._words[y0:y1, x0:x1] = 0
        self._drawn.clear()

    def patch(self, bgr: Pixels, alpha: Pixels | None = None) -> Patch:
        """See Surface.patch."""
        check_patch(bgr, alpha)
        if alpha is not None:
            bgr = np.asarray(cv2.divide(bgr, merged([alpha] * 3), scale=255), np.uint8)
        rgba = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGBA), np.uint8)
        if alpha is not None:
            rgba[:, :, 3] = alpha
        height, width = bgr.shape[:2]
        return _RgbaPatch(self.format, width, height, rgba.nbytes, rgba, alpha is None)

    def fill_rect(self, rect: Rect, colour: Colour) -> None:
        """See Surface.fill_rect."""
        ground = self._part(rect)
        if ground is not None:
            _words(ground)[:] = _word(colour)

    def paste(self, patch: Patch, left: int, top: int) -> None:
        """See Surface.paste."""
        assert isinstance(patch, _RgbaPatch)
        ground = self._part(patch.rect_at(left, top))
        if ground is not None:
            _words(ground)[:] = _words(self._shown(patch, left, top))

    def blend(self, patch: Patch, left: int, top: int) -> None:
        """See Surface.blend."""
        assert isinstance(patch, _RgbaPatch)
        if patch.opaque:
            self.paste(patch, left, top)
            return
        ground = self._part(patch.rect_at(left, top))
        if ground is not None:
            _lay_over(ground, self._shown(patch, left, top))

    def tint(self, rect: Rect, colour: Colour, share: float) -> None:
        """See Surface.tint."""
        ground = self._part(rect)
        if ground is not None:
            over = np.empty(ground.shape, np.uint8)
            _words(over)[:] = _word(colour, round(255 * share))
            _lay_over(ground, over)

    def blur(self, rect: Rect) -> None:
        """Raises ValueError: there is no picture here to blur."""
        raise ValueError("a blur on a transparent surface; expected one with a picture")

    def fill_polygon(self, points_px: NDArray[np.int_], colour: Colour) -> None:
        """See Surface.fill_polygon."""
        points = within_reach(points_px).astype(np.int32)
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        if self._part((int(x0), int(y0), int(x1) + 1, int(y1) + 1)) is not None:
            cv2.fillPoly(self._pixels, [points], _rgba(colour))

    def polyline(self, points: NDArray[np.floating], colour: Colour, thickness_px: int) -> None:
        """See Surface.polyline."""
        if len(points) < 2:
            return
        whole = [255] * (len(points) - 1)
        drawn = line_mask(points, whole, thickness_px, self.width_px, self.height_px)
        if drawn is not None:
            self.cover(*drawn, colour)

    def cover(self, rect: Rect, mask: Pixels, colour: Colour) -> None:
        """See Surface.cover."""
        ground = self._part(rect)
        if ground is not None:
            over = np.empty(ground.shape, np.uint8)
            _words(over)[:] = _word(colour)
            over[:, :, 3] = mask
            _lay_over(ground, over)

    def _part(self, rect: Rect) -> Pixels | None:
        """What of a rectangle lies in the picture, noted as drawn on; None where nothing does."""
        shown = clipped(rect, self.width_px, self.height_px)
        if shown is None:
            return None
        self._drawn.append(shown)
        x0, y0, x1, y1 = shown
        return self._pixels[y0:y1, x0:x1]

    def _shown(self, patch: _RgbaPatch, left: int, top: int) -> Pixels:
        """The part of a patch that lies in the picture."""
        shown = clipped(patch.rect_at(left, top), self.width_px, self.height_px)
        assert shown is not None
        x0, y0, x1, y1 = shown
        return patch.rgba[y0 - top : y1 - top, x0 - left : x1 - left]


def _rgba(colour: Colour, alpha: int = 255) -> tuple[int, int, int, int]:
    blue, green, red = colour
    return red, green, blue, alpha


def _word(colour: Colour, alpha: int = 255) -> int:
    """A pixel as one number, in the byte order of this computer."""
    return int.from_bytes(_rgba(colour, alpha), sys.byteorder)


def _words(pixels: Pixels) -> NDArray[np.uint32]:
    """RGBA as uint32 (height, width): the same memory."""
    return pixels.view(np.uint32)[:, :, 0]


def _lay_over(ground: Pixels, over: Pixels) -> None:
    """In place: one picture over another, both straight RGBA of one shape.

    T. Porter and T. Duff, Compositing Digital Images (1984): the operator over.
    """
    if not _words(ground).any():
        _words(ground)[:] = _words(over)  # most of the time: nothing is there yet
        return
    above = over[:, :, 3:].astype(np.float32) / 255
    below = ground[:, :, 3:].astype(np.float32) / 255 * (1 - above)
    alpha = above + below
    colour = over[:, :, :3] * above + ground[:, :, :3] * below
    ground[:, :, :3] = np.rint(colour / np.maximum(alpha, 1 / 255))
    ground[:, :, 3:] = np.rint(alpha * 255)
