"""The renderer's own picture memory, so that camera memory goes back at once."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat


class Canvas:
    """One BGR buffer, reused while the picture size stays; used by one thread."""

    def __init__(self) -> None:
        self._bgr = np.empty((0, 0, 3), np.uint8)
        self._packed = np.empty((0, 0), np.uint8)

    def fill(self, image: Image) -> NDArray[np.uint8]:
        """Copy an image, converted to BGR: uint8 (height, width, 3), C-contiguous.

        What is returned is the buffer itself: the next `fill` overwrites it.  YUV420 is read as
        BT.601 limited range, as Image defines it.
        """
        shape = (image.height_px, image.width_px, 3)
        if self._bgr.shape != shape:
            self._bgr = np.empty(shape, np.uint8)
        if image.format is PixelFormat.BGR:
            np.copyto(self._bgr, image.data)
        elif image.format is PixelFormat.RGB:
            cv2.cvtColor(image.data, cv2.COLOR_RGB2BGR, dst=self._bgr)
        else:
            cv2.cvtColor(self._without_padding(image), cv2.COLOR_YUV2BGR_I420, dst=self._bgr)
        return self._bgr

    def _without_padding(self, image: Image) -> NDArray[np.uint8]:
        """The I420 planes as (H * 3 / 2, W): the data itself, or a copy where rows are longer."""
        width, height, stride = image.width_px, image.height_px, image.stride_bytes
        if stride == width:
            return image.data
        if self._packed.shape != (height * 3 // 2, width):
            self._packed = np.empty((height * 3 // 2, width), np.uint8)
        self._packed[:height] = image.data[:height, :width]
        # Two chroma rows lie in each row of the array; seen as (H, ...) each has its own row.
        chroma_from = image.data[height:].reshape(height, stride // 2)
        self._packed[height:].reshape(height, width // 2)[:] = chroma_from[:, : width // 2]
        return self._packed
