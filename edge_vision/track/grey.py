"""A small grey picture of a frame: all that following image motion needs, and cheap to keep."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat

LONGEST_PX = 640
"""Longest side of a grey picture.  At half of it boxes of the demo scene come out as exactly, and
following costs a quarter less; but small things have texture here that they would not have there.
"""

_TO_GREY = {PixelFormat.BGR: cv2.COLOR_BGR2GRAY, PixelFormat.RGB: cv2.COLOR_RGB2GRAY}


@dataclass(frozen=True, slots=True, eq=False)
class Grey:
    """A grey picture that owns its memory.

    pixels: uint8 (height, width), rows without gaps.
    scale: float64 (2,), grey pixels per picture width and per picture height: the centre of grey
    pixel (i, j) stands at ((i + 0.5) / scale[0], (j + 0.5) / scale[1]) of the picture, 0..1.
    """

    pixels: NDArray[np.uint8]
    scale: NDArray[np.float64]

    def fits(self, other: "Grey") -> bool:
        """Whether the two show pictures of one size, so that one can be compared with the other."""
        same = self.pixels.shape == other.pixels.shape
        return same and bool((self.scale == other.scale).all())

    def halved(self) -> "Grey":
        """The same picture with half the width and height; each must have two pixels at least."""
        rows, columns = self.pixels.shape[0] // 2, self.pixels.shape[1] // 2
        even = self.pixels[: rows * 2, : columns * 2]
        small = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
        return Grey(small.astype(np.uint8, copy=False), self.scale / 2)

    def to_px(self, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """Places x, y (..., 2) of the picture, 0..1, as grey pixels from the first one's centre."""
        return places * self.scale - 0.5


def small_grey(image: Image) -> Grey:
    """The grey picture of an image of any format, at most 640 pixels long.

    Each side is halved until it is short enough (a last odd row or column is left out): averaging
    squares of 2 x 2 is many times cheaper than any other way of making a picture smaller without
    false patterns, and with a grey picture it is half as dear as with a coloured one.  A YUV
    picture's Y plane is taken as it is.
    """
    width, height = image.width_px, image.height_px
    pixels: cv2.typing.MatLike = image.data[:height, :width]
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, _TO_GREY[image.format])
    elif max(width, height) <= LONGEST_PX:
        pixels = pixels.copy()  # the picture's memory goes back to the camera
    shrink = 1
    while max(pixels.shape[:2]) > LONGEST_PX and min(pixels.shape[:2]) > 1:
        rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
        even = pixels[: rows * 2, : columns * 2]
        pixels = cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA)
        shrink *= 2
    return Grey(pixels.astype(np.uint8, copy=False), np.array([width / shrink, height / shrink]))
