"""A camera picture into the network's input: one resize, one colour step, no allocation."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat


class Preprocessor:
    """Fills an input of (height, width, 3) uint8 RGB from an Image of any size and format.

    The picture is stretched to the input (as SSD-MobileNet was trained: fixed_shape_resizer with
    bilinear interpolation), so normalised boxes need no further correction.
    One thread at a time: the scratch memory is shared between calls.
    """

    def __init__(self, input_hw_px: tuple[int, int]) -> None:
        self.input_hw_px = input_hw_px
        height, width = input_hw_px
        self._bgr = np.empty((height, width, 3), np.uint8)
        # I420 needs even sides; an odd input is resized once more after the colour step.
        even = (height + height % 2, width + width % 2)
        self._i420 = np.empty((even[0] * 3 // 2, even[1]), np.uint8)
        self._even_rgb = None if even == input_hw_px else np.empty((*even, 3), np.uint8)

    def fill(self, image: Image, out: NDArray[np.uint8]) -> None:
        """Write the picture into `out`, (height, width, 3) uint8 RGB, contiguous."""
        if image.format is PixelFormat.YUV420:
            self._fill_yuv(image, out)
        elif image.format is PixelFormat.RGB:
            self._resize(image.data, out)
        else:
            self._resize(image.data, self._bgr)
            cv2.cvtColor(self._bgr, cv2.COLOR_BGR2RGB, dst=out)

    @staticmethod
    def _resize(source: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        if source.shape[:2] == out.shape[:2]:
            np.copyto(out, source)
        else:
            cv2.resize(source, (out.shape[1], out.shape[0]), dst=out)

    def _fill_yuv(self, image: Image, out: NDArray[np.uint8]) -> None:
        # Each plane is resized by itself, so the colour step runs on the small picture only.
        for source, small in zip(
            yuv_planes(image.data, image.width_px, image.height_px),
            yuv_planes(self._i420, self._i420.shape[1], self._i420.shape[0] * 2 // 3),
            strict=True,
        ):
            self._resize(source, small)
        if self._even_rgb is None:
            cv2.cvtColor(self._i420, cv2.COLOR_YUV2RGB_I420, dst=out)
        else:
            cv2.cvtColor(self._i420, cv2.COLOR_YUV2RGB_I420, dst=self._even_rgb)
            self._resize(self._even_rgb, out)


def yuv_planes(
    data: NDArray[np.uint8], width_px: int, height_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Views of the Y (H, W), U and V (H/2, W/2) planes of I420 data (H * 3 / 2, stride)."""
    stride = data.shape[1]
    chroma = data[height_px:].reshape(2, height_px // 2, stride // 2)
    half = width_px // 2
    return data[:height_px, :width_px], chroma[0, :, :half], chroma[1, :, :half]
