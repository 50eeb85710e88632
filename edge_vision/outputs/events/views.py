"""The best view of each event's object, taken from the pictures while they pass."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.events import Event
from edge_vision.frame import Image, PixelFormat
from edge_vision.results import Track

Box = tuple[float, float, float, float]

_LOOK_NS = 250_000_000
"""How often pictures are looked at: four times a second."""
_LATE_NS = 500_000_000
"""An object not found for so long is taken where its event says it was."""
_BETTER = 1.15
_MARGIN = 0.15
"""Around a box, as a share of its sides."""
_LEAST_PX = 64
_THUMBNAIL_PX = 320
_MOST_EVENTS = 32
"""Events that wait for a view, and views that wait to be written."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """thumbnail, snapshot: uint8 (height, width, 3) BGR, not shared with the camera."""

    thumbnail: NDArray[np.uint8]
    snapshot: NDArray[np.uint8] | None


@dataclass(slots=True)
class _Sought:
    event: Event
    best: float = 0.0


class Views:
    """Looks for the objects of events in each picture; `look` is called by the render thread.

    A view is as good as its score times its area.
    """

    def __init__(self, snapshot: Literal["none", "crop", "whole"]) -> None:
        self._snapshot = snapshot
        self._sought: OrderedDict[str, _Sought] = OrderedDict()
        self._found: dict[str, View] = {}
        self._lock = threading.Lock()
        self._looked_ns = 0

    def seek(self, event: Event) -> None:
        """Look for an event's object, until the event has ended and a view was found."""
        with self._lock:
            sought = self._sought.get(event.id)
            if sought is None:
                if event.end_s is None or len(self._sought) < _MOST_EVENTS:
                    self._sought[event.id] = _Sought(event)
                while len(self._sought) > _MOST_EVENTS:
                    self._sought.popitem(last=False)
            elif event.end_s is not None and sought.best > 0:
                del self._sought[event.id]
            else:
                sought.event = event

    @property
    def wanted(self) -> bool:
        """Some event waits for a view."""
        return bool(self._sought)

    def look(self, image: Image, tracks: tuple[Track, ...], now_ns: int) -> None:
        """image: valid only now; tracks: in this picture.  now_ns: when it was exposed."""
        if not self._sought or now_ns - self._looked_ns < _LOOK_NS:
            return
        self._looked_ns = now_ns
        boxes = {track.id: track for track in tracks if track.id}
        with self._lock:
            sought = list(self._sought.values())
            room = _MOST_EVENTS - len(self._found)
        whole: list[NDArray[np.uint8]] = []
        for one in sought[:room]:
            box, value = _placed(one.event, boxes.get(one.event.track_id), now_ns)
            if value > one.best * _BETTER:
                self._keep(one, value, self._view(image, box, whole))

    def take(self) -> dict[str, View]:
        """Event id -> a view better than those before, each once."""
        with self._lock:
            found, self._found = self._found, {}
            return found

    def _keep(self, one: _Sought, value: float, view: View) -> None:
        with self._lock:
            one.best = value
            self._found[one.event.id] = view
            if one.event.end_s is not None:
                self._sought.pop(one.event.id, None)

    def _view(self, image: Image, box: Box, whole: list[NDArray[np.uint8]]) -> View:
        """whole: the whole picture, once it was made for another event."""
        crop = cropped(image, _around(box, image.width_px, image.height_px))
        height, width = crop.shape[:2]
        scale = min(1.0, _THUMBNAIL_PX / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
        if self._snapshot == "none":
            return View(small, None)
        if self._snapshot == "crop":
            return View(small, crop)
        if not whole:
            whole.append(cropped(image, (0, 0, image.width_px, image.height_px)))
        return View(small, whole[0])


def _placed(event: Event, track: Track | None, now_ns: int) -> tuple[Box, float]:
    """Where the object is, and how good a view of it is; 0: not to be had now."""
    if track is not None:
        x0, y0, x1, y1 = (min(1.0, max(0.0, float(side))) for side in track.box)
        return (x0, y0, x1, y1), track.score * max(1e-6, (x1 - x0) * (y1 - y0))
    if event.track_id and now_ns - event.start_ns < _LATE_NS and event.end_s is None:
        return event.box, 0.0
    return event.box, 1e-9 * max(1, event.count)


def _around(box: Box, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """The box with a margin, in even pixels within the picture."""
    sides = []
    for low, high, size in ((box[0], box[2], width_px), (box[1], box[3], height_px)):
        middle = (low + high) / 2 * size
        reach = max((high - low) * size * (0.5 + _MARGIN), _LEAST_PX / 2)
        begin = min(max(0, int(middle - reach)), max(0, size - _LEAST_PX)) // 2 * 2
        sides.append((begin, min(size, max(begin + _LEAST_PX, int(middle + reach) // 2 * 2))))
    (x0, x1), (y0, y1) = sides
    return x0, y0, x1, y1


def cropped(image: Image, box_px: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """A part of a picture as uint8 (height, width, 3) BGR of its own.

    box_px: x0 y0 x1 y1; even, where the picture is YUV420.
    """
    x0, y0, x1, y1 = box_px
    if image.format is not PixelFormat.YUV420:
        return image.data[y0:y1, x0:x1].copy()
    high, stride = image.height_px, image.stride_bytes
    chroma = image.data[high:].reshape(2, high // 2, stride // 2)
    part = chroma[:, y0 // 2 : y1 // 2, x0 // 2 : x1 // 2]
    i420 = np.concatenate((image.data[y0:y1, x0:x1].ravel(), part.ravel()))
    packed = i420.reshape((y1 - y0) * 3 // 2, x1 - x0)
    return np.asarray(cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420), np.uint8)
