"""The renderer's own picture memory, so that camera memory goes back at once."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat
from edge_vision.render.surface import BgrSurface, Surface
from edge_vision.render.surface_yuv import Yuv420Surface


class Canvas:
    """One picture to draw on, reused while size and format stay; used by one thread.

    bgr: always BGR, as a user's own renderer wants it; else YUV420 stays as it is.
    """

    def __init__(self, *, bgr: bool = False) -> None:
        self._always_bgr = bgr
        self._surface: Surface = BgrSurface(np.empty((1, 1, 3), np.uint8))
        self._packed = np.empty((0, 0), np.uint8)

    def fill(self, image: Image) -> Surface:
        """Copy an image: YUV420 stays YUV420 (unless `bgr`), everything else becomes BGR.

        What is returned is the canvas itself, C-contiguous: the next `fill` overwrites it.
        """
        if image.format is PixelFormat.YUV420 and not self._always_bgr:
            _copy_planes(image, self._own(image, PixelFormat.YUV420))
            return self._surface
        bgr = self._own(image, PixelFormat.BGR)
        if image.format is PixelFormat.BGR:
            np.copyto(bgr, image.data)
        elif image.format is PixelFormat.RGB:
            cv2.cvtColor(image.data, cv2.COLOR_RGB2BGR, dst=bgr)
        else:
            cv2.cvtColor(self._without_padding(image), cv2.COLOR_YUV2BGR_I420, dst=bgr)
        return self._surface

    def _own(self, image: Image, format: PixelFormat) -> NDArray[np.uint8]:
        """Memory for a picture of this size, with a surface on it."""
        width, height, surface = image.width_px, image.height_px, self._surface
        if (surface.format, surface.width_px, surface.height_px) != (format, width, height):
            if format is PixelFormat.YUV420:
                surface = Yuv420Surface(np.empty((height * 3 // 2, width), np.uint8))
            else:
                surface = BgrSurface(np.empty((height, width, 3), np.uint8))
            self._surface = surface
        return surface.image.data

    def _without_padding(self, image: Image) -> NDArray[np.uint8]:
        """The I420 planes as (H * 3 / 2, W): the data itself, or a copy where rows are longer."""
        if image.stride_bytes == image.width_px:
            return image.data
        shape = (image.height_px * 3 // 2, image.width_px)
        if self._packed.shape != shape:
            self._packed = np.empty(shape, np.uint8)
        _copy_planes(image, self._packed)
        return self._packed


def _copy_planes(image: Image, packed: NDArray[np.uint8]) -> None:
    """An I420 image into rows without padding, (H * 3 / 2, W)."""
    width, height, stride = image.width_px, image.height_px, image.stride_bytes
    packed[:height] = image.data[:height, :width]
    # Two chroma rows lie in each row of the array; seen as (H, ...) each has its own row.
    chroma_from = image.data[height:].reshape(height, stride // 2)
    packed[height:].reshape(height, width // 2)[:] = chroma_from[:, : width // 2]
