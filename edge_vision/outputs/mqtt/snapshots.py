"""Pictures of events: asked of the renderer when one is due, made small enough to send."""

import threading

import numpy as np
from numpy.typing import NDArray

from edge_vision.events import Event
from edge_vision.outputs.base import Picture

_QUALITY = 80
_BETTER = 0.1
"""A picture of the same event is sent again when its score grew by so much."""
_MOST_OPEN = 100


class Snapshots:
    """The next displayed picture after somebody wanted one.

    `saw` and `want` from any thread, `offer` from the renderer's, `take` from the one that sends.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._scores: dict[str, float] = {}
        self._picture: NDArray[np.uint8] | None = None
        self._lock = threading.Lock()
        self.wanted = False

    def saw(self, event: Event) -> None:
        """An event that goes on: its beginning and each better view are worth a picture."""
        with self._lock:
            before = self._scores.get(event.id, 0.0)
            if event.end_s is not None:
                self._scores.pop(event.id, None)
                self.wanted = self.wanted or event.end_s == event.start_s
            elif event.score >= before + _BETTER:
                self._scores[event.id] = event.score
                if len(self._scores) > _MOST_OPEN:
                    del self._scores[next(iter(self._scores))]
                self.wanted = True

    def want(self) -> None:
        """The next picture, whatever it shows."""
        self.wanted = True

    def offer(self, picture: Picture) -> None:
        """Keep a copy if one is wanted."""
        if self.wanted:
            copy = picture.bgr().copy()
            with self._lock:
                self._picture, self.wanted = copy, False

    def take(self) -> bytes | None:
        """JPEG of what was kept, of half the size, a quarter, ... until it is small enough."""
        with self._lock:
            picture, self._picture = self._picture, None
        if picture is None:
            return None
        import cv2  # a board that sends no picture need not load it for this

        while True:
            coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
            if coded.size <= self._most_bytes:
                return coded.tobytes()
            height, width = picture.shape[:2]
            if min(height, width) < 32:
                return None
            size = (width // 2, height // 2)
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
