"""picamera2's completed requests: lent out as frames, and what is in them."""

import time
from collections import deque
from typing import Any

import cv2

from edge_vision.frame import Image, PixelFormat, Stamps

BUFFERS = 8
"""Asked for, of each stream."""
KEPT = 3
"""Buffers never out as frames: for the sensor, the ISP and the picture on its way."""
OLDEST_STAMP_NS = 2_000_000_000
"""A sensor's stamp older than this, or from the future, is of an unknown clock."""

ASKED = {"yuv420": "YUV420", "rgb": "RGB888"}
"""camera.pi.format -> picamera2's name; see LENT_AS."""
LENT_AS = {
    "YUV420": PixelFormat.YUV420,
    "RGB888": PixelFormat.BGR,
    "BGR888": PixelFormat.RGB,
}
"""picamera2's formats that are lent out as they are.  Its names tell the bytes from the highest of
a word on, so that RGB888 lies in memory as B, G, R: OpenCV's order."""
COPIED = ("NV12",)
"""Formats that become BGR in memory of their own: those of cameras that are no Raspberry Pi's."""


class Requests:
    """The requests of one opening: the newest completed one, and those lent out as frames.

    Only the camera's thread calls picamera2.  `give_back` may be called by any thread, also when
    the camera is closed or hangs: it only leaves a note.
    buffers: how many the camera has granted.  on_screen: how many of them a screen keeps.
    """

    def __init__(self, buffers: int, on_screen: int = 0) -> None:
        self._lent_most = max(1, buffers - on_screen - KEPT)
        self.completed = 0
        """Pictures the camera has delivered, also those that found no free place here."""
        self._newest: Any = None
        self._lent = 0
        self._back: deque[Any] = deque()

    def complete(self, request: Any) -> None:
        """picamera2's callback for each picture; a request not kept goes back to the camera."""
        self.completed += 1
        if self._lent >= self._lent_most:
            return  # a gap in Frame.seq tells
        request.acquire()
        older, self._newest = self._newest, request
        if older is not None:
            older.release()

    def lend(self) -> Any:
        """The newest request, to be given back, or None."""
        request, self._newest = self._newest, None
        self._lent += request is not None
        return request

    def give_back(self, request: Any) -> None:
        """The last user of a lent request is done with it."""
        self._back.append(request)

    def release_returned(self) -> None:
        """Hand to the camera what has come back."""
        while self._back:
            self._lent -= 1
            self._back.popleft().release()


def image_of(request: Any, name: str, stream: dict[str, Any], picamera2: Any) -> Image:
    """A stream's picture.  name: "main" or "lores".  stream: its format, size and stride.

    For the formats in LENT_AS a view of the camera's memory, valid until the request is released.
    """
    # Never left: the request itself keeps its memory readable until it is released, and leaving
    # would close a mapping that this picture still shows.
    mapped = picamera2.MappedArray(request, name, write=False).__enter__()
    width, height = stream["size"]
    if stream["format"] in COPIED:
        return Image.from_array(cv2.cvtColor(mapped.array, cv2.COLOR_YUV2BGR_NV12))
    format = LENT_AS[stream["format"]]
    return Image(mapped.array, format, width, height, mapped.array.strides[0])


def stamps_of(request: Any, arrived_ns: int) -> Stamps:
    """The times of a request that has just arrived, at arrived_ns of `time.monotonic_ns`."""
    stamp_ns = request.get_metadata().get("SensorTimestamp")
    exposed = exposed_ns(stamp_ns, arrived_ns, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
    if exposed is None:
        return Stamps(exposed=arrived_ns, arrived=arrived_ns)
    return Stamps(exposed=exposed, arrived=arrived_ns, exposed_is_estimate=False)


def exposed_ns(stamp_ns: int | None, monotonic_ns: int, boottime_ns: int) -> int | None:
    """libcamera's SensorTimestamp as time of `time.monotonic_ns`; None when it is of no use.

    monotonic_ns, boottime_ns: those clocks now.  libcamera documents the stamp as CLOCK_BOOTTIME,
    while the kernel's capture drivers, whose stamps it hands on, use CLOCK_MONOTONIC.  They differ
    by the time spent in suspend, so after one the wrong reading lies in the future or is older.
    The moment meant is when the first row of the picture was read out, the end of its exposure.
    """
    if stamp_ns is None:
        return None
    suspended_ns = boottime_ns - monotonic_ns
    age_ns = min(
        (
            age
            for age in (monotonic_ns - stamp_ns, monotonic_ns - stamp_ns + suspended_ns)
            if age >= 0
        ),
        default=OLDEST_STAMP_NS,
    )
    return monotonic_ns - age_ns if age_ns < OLDEST_STAMP_NS else None
