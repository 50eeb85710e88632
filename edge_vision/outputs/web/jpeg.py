"""A picture to JPEG, in the size and quality that are wanted."""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat

Plane = NDArray[np.uint8]

_BLACK = np.array([16.0, 0, 0, 0])
"""Level of black in BT.601 limited range; ITU-R BT.601-7, table 3: Y 16..235, Cb and Cr 16..240."""
_STRETCH = ((255 / 219, 0.0), (255 / 224, 0.5), (255 / 224, 0.5))
"""From limited to JPEG's full range (JFIF 1.02): factor and offset after black was taken off, for
Y, Cb and Cr; 0.5 keeps grey, 128, where it is."""


def scaled_px(width_px: int, height_px: int, scale: float) -> tuple[int, int]:
    """Width and height at `scale` (0..1 of both): even, as 4:2:0 wants it, and at least 2."""
    if scale >= 1:
        return width_px, height_px
    return max(2, round(width_px * scale / 2) * 2), max(2, round(height_px * scale / 2) * 2)


class JpegEncoder:
    """Pictures to JPEG (baseline, 4:2:0) at one scale; used by one thread, its memory is reused.

    quality: 1..100.  scale: 0.1..1 of width and height.
    """

    def __init__(self, quality: int, scale: float) -> None:
        self._quality = quality
        self._scale = scale
        self._simplejpeg = _find_simplejpeg()
        self._memory: dict[int, Plane] = {}

    def encode(self, image: Image) -> bytes:
        """BGR, or YUV420 without padding: see Picture."""
        size_px = scaled_px(image.width_px, image.height_px, self._scale)
        if image.format is PixelFormat.BGR:
            return self._encode_bgr(image.data, size_px)
        if self._simplejpeg is None:
            bgr = self._own(1, (image.height_px, image.width_px, 3))
            cv2.cvtColor(image.data, cv2.COLOR_YUV2BGR_I420, dst=bgr)
            return self._encode_bgr(bgr, size_px)
        full = [self._full_range(n, plane, size_px) for n, plane in enumerate(_planes(image))]
        encoded: bytes = self._simplejpeg.encode_jpeg_yuv_planes(*full, self._quality, True)
        return encoded

    def _encode_bgr(self, bgr: Plane, size_px: tuple[int, int]) -> bytes:
        width, height = size_px
        if bgr.shape[:2] != (height, width):
            small = self._own(0, (height, width, 3))
            cv2.resize(bgr, size_px, dst=small, interpolation=cv2.INTER_AREA)
            bgr = small
        if self._simplejpeg is None:
            return _encode_by_opencv(bgr, self._quality)
        encoded: bytes = self._simplejpeg.encode_jpeg(bgr, self._quality, "BGR", "420", True)
        return encoded

    def _full_range(self, number: int, plane: Plane, size_px: tuple[int, int]) -> Plane:
        """Plane `number` (Y, U, V) of a picture, scaled to its share of `size_px`, for JPEG."""
        width, height = (side if number == 0 else side // 2 for side in size_px)
        full = self._own(number, (height, width))
        if plane.shape != full.shape:
            cv2.resize(plane, (width, height), dst=full, interpolation=cv2.INTER_AREA)
            plane = full
        factor, offset = _STRETCH[number]
        # Saturates: there are levels below black, and the scaling takes what is negative for
        # positive.
        cv2.subtract(plane, _BLACK, dst=full)
        cv2.convertScaleAbs(full, dst=full, alpha=factor, beta=offset)
        return full

    def _own(self, number: int, shape: tuple[int, ...]) -> Plane:
        memory = self._memory.get(number)
        if memory is None or memory.shape != shape:
            self._memory[number] = memory = np.empty(shape, np.uint8)
        return memory


def _planes(image: Image) -> Sequence[Plane]:
    """Y, U and V as (rows, columns) each; views."""
    width, height = image.width_px, image.height_px
    flat, luma = image.data.reshape(-1), width * height
    halves = flat[luma:].reshape(2, height // 2, width // 2)
    return flat[:luma].reshape(height, width), halves[0], halves[1]


def _encode_by_opencv(bgr: Plane, quality: int) -> bytes:
    # 4:2:0 is what OpenCV does by itself.
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "OpenCV cannot write JPEG"
    encoded: bytes = data.tobytes()
    return encoded


def _find_simplejpeg() -> ModuleType | None:
    try:
        found = import_module("simplejpeg")
    except ImportError:  # no wheel for 32-bit ARM; OpenCV does it, too
        return None
    # The system's package may be older than 1.8, the first that takes planes.
    return found if hasattr(found, "encode_jpeg_yuv_planes") else None
