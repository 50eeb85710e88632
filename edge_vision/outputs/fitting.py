"""Pictures brought to the one size a video has."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat
from edge_vision.outputs.base import Picture

_MOST_PIXELS = 3840 * 2160
"""Larger pictures are scaled down: hardware players end at H.264 level 5.1."""


def bgr_of(image: Image) -> NDArray[np.uint8]:
    """uint8 (height, width, 3) BGR of an image of BGR or YUV420; of BGR the same memory."""
    if image.format is PixelFormat.YUV420:
        return np.asarray(cv2.cvtColor(image.data, cv2.COLOR_YUV2BGR_I420), np.uint8)
    return image.data


class Fitter:
    """Brings pictures of any size to the first one's size, an odd side less its last pixel.

    width_px, height_px: of the first picture.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        scale = min(1.0, math.sqrt(_MOST_PIXELS / (width_px * height_px)))
        # 4:2:0 has one colour sample for two by two pixels; encoders refuse a few pixels.
        self._width, self._height = (
            max(16, int(side * scale) // 2 * 2) for side in (width_px, height_px)
        )
        self.i420_shape = (self._height * 3 // 2, self._width)
        self._board: NDArray[np.uint8] | None = None

    def fill(self, i420: NDArray[np.uint8], picture: Picture, image: Image) -> None:
        """Write a picture into uint8 `i420_shape`; image: picture.image or picture.plain."""
        if image.format is PixelFormat.YUV420 and image.data.shape == i420.shape:
            np.copyto(i420, image.data)
        else:
            bgr = picture.bgr() if image is picture.image else bgr_of(image)
            cv2.cvtColor(self.fit(bgr), cv2.COLOR_BGR2YUV_I420, dst=i420)

    def fit(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture, uint8 (h, w, 3), as it is, less one pixel, or scaled with black bars."""
        height, width = bgr.shape[:2]
        if height - self._height in (0, 1) and width - self._width in (0, 1):
            return bgr[: self._height, : self._width]
        if self._board is None:
            self._board = np.empty((self._height, self._width, 3), np.uint8)
        self._board[:] = 0
        scale = min(self._width / width, self._height / height)
        wide = max(1, min(self._width, round(width * scale)))
        high = max(1, min(self._height, round(height * scale)))
        left, top = (self._width - wide) // 2, (self._height - high) // 2
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        target = self._board[top : top + high, left : left + wide]
        cv2.resize(bgr, (wide, high), dst=target, interpolation=how)
        return self._board
