"""Lets picamera2 use libcamera's `virtual` cameras, which are no sensors and have no raw modes.

Imported at the end of picamera2's own __init__, in the emulated machine only: there it stands for
what a Raspberry Pi's camera has and the virtual one lacks.
"""

import mmap

import libcamera
from picamera2 import picamera2 as inner
from picamera2.allocators.libcameraallocator import LibcameraAllocator


class WholeBuffer:
    """Maps all planes of a buffer; they lie one after the other in one file."""

    def __init__(self, _allocator, buffer, _write):
        self._planes = buffer.planes

    def __enter__(self):
        length = sum(plane.length for plane in self._planes)
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        self._map = mmap.mmap(self._planes[0].fd, length, mmap.MAP_SHARED, protection)
        return self._map

    def __exit__(self, *_):
        self._map.close()


class Allocator(LibcameraAllocator):
    """libcamera's own buffers: picamera2's come from a Raspberry Pi's DMA heap."""

    def __init__(self, camera=None):
        super().__init__(camera)
        self.sync = WholeBuffer


def _open(self, *arguments, **options):
    options.setdefault("allocator", Allocator())
    _original_open(self, *arguments, **options)
    self.allocator.camera = self.camera


def _raw_modes(self):
    viewfinder = self.camera.generate_configuration([libcamera.StreamRole.Viewfinder]).at(0)
    size = (viewfinder.size.width, viewfinder.size.height)
    return [{"format": str(viewfinder.pixel_format), "size": size}]


_original_open = inner.Picamera2.__init__
inner.Picamera2.__init__ = _open
inner.Picamera2._get_raw_modes = _raw_modes
inner.DmaAllocator = Allocator
