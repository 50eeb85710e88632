"""A camera picture into the network's input: one resize, one colour step, no allocation."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat

PixelTable = NDArray[np.int8] | NDArray[np.float32]
"""(256,): what a network wants for each pixel value."""


def _bt601_to_rgb() -> NDArray[np.float32]:
    """(3, 4) matrix from (Y, U, V, 1), video levels, to R, G, B 0..255 (ITU-R BT.601-7, 2.5.3)."""
    red, blue = 0.299, 0.114
    green = 1 - red - blue
    luma, chroma = 255 / 219, 255 / 224  # from 16..235 and 16..240
    to_red, to_blue = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    matrix = np.array(
        [
            [luma, 0, to_red],
            [luma, -to_blue * blue / green, -to_red * red / green],
            [luma, to_blue, 0],
        ]
    )
    return np.column_stack([matrix, -matrix @ (16, 128, 128)]).astype(np.float32)


class Preprocessor:
    """Fills an input of (height, width, 3) uint8 RGB from an Image of any size and format.

    The picture is stretched to the input (as SSD-MobileNet was trained: fixed_shape_resizer with
    bilinear interpolation), so normalised boxes need no further correction.
    One thread at a time: the scratch memory is shared between calls.
    table: (256,), what the network wants for each value; the input then has its dtype.
    """

    def __init__(self, input_hw_px: tuple[int, int], table: PixelTable | None = None) -> None:
        self._table = table
        self._looked_up = np.empty((*input_hw_px, 3), np.uint8) if table is not None else None
        self._size = (input_hw_px[1], input_hw_px[0])
        self._scratch = np.empty((*input_hw_px, 3), np.uint8)
        self._planes = np.empty((3, *input_hw_px), np.uint8)
        self._to_rgb = _bt601_to_rgb()

    def fill(self, image: Image, out: NDArray[Any]) -> None:
        """Write the picture into `out`, contiguous (height, width, 3) RGB of the table's dtype.

        Raises ValueError for RGBA, which is for overlays.
        """
        if self._table is None or self._looked_up is None:
            self._fill(image, out)
        else:
            self._fill(image, self._looked_up)
            cv2.LUT(self._looked_up, self._table, dst=out)

    def _fill(self, image: Image, out: NDArray[np.uint8]) -> None:
        if image.format is PixelFormat.YUV420:
            # Each plane is resized by itself, the halved colour planes to full size, so that the
            # colour step runs on the small picture and colour keeps its sharpness.
            planes = yuv_planes(image.data, image.width_px, image.height_px)
            for plane, small in zip(planes, self._planes, strict=True):
                cv2.resize(plane, self._size, dst=small)
            cv2.merge(tuple(self._planes), dst=self._scratch)
            cv2.transform(self._scratch, self._to_rgb, dst=out)
        elif image.format is PixelFormat.RGB:
            cv2.resize(image.data, self._size, dst=out)
        elif image.format is PixelFormat.BGR:
            cv2.resize(image.data, self._size, dst=self._scratch)
            cv2.cvtColor(self._scratch, cv2.COLOR_BGR2RGB, dst=out)
        else:
            raise ValueError(f"a picture of {image.format.name}; expected BGR, RGB or YUV420")


def yuv_planes(
    data: NDArray[np.uint8], width_px: int, height_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Views of the Y (H, W), U and V (H/2, W/2) planes of I420 data (H * 3 / 2, stride)."""
    stride = data.shape[1]
    chroma = data[height_px:].reshape(2, height_px // 2, stride // 2)
    half = width_px // 2
    return data[:height_px, :width_px], chroma[0, :, :half], chroma[1, :, :half]
