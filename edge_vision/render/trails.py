"""The way each object came: a fading line through the middles of its past boxes' lower sides."""

from collections import deque
from collections.abc import Sequence

import numpy as np

from edge_vision.render.style import Colour
from edge_vision.render.surface import Surface
from edge_vision.results import Track

_MOST_POINTS = 48


class Trails:
    """Remembers where tracks were, at most 48 points each; used by one thread.

    length_s: how far back the lines reach, in seconds of exposure time.
    """

    def __init__(self, length_s: float) -> None:
        self._length_ns = round(length_s * 1e9)
        self._points: dict[int, deque[tuple[int, float, float]]] = {}
        self._newest_ns = 0

    def draw(
        self,
        surface: Surface,
        tracks: Sequence[tuple[Track, Colour]],
        media_ns: int,
        thickness_px: int,
    ) -> None:
        """Draw the lines of these tracks, oldest end faintest, and forget all other tracks.

        media_ns: of the picture; one earlier than the last (a clip that starts again) forgets
        everything.  What nobody follows (id 0) has no line.
        """
        if media_ns < self._newest_ns:
            self._points.clear()
        self._newest_ns = media_ns
        old, self._points = self._points, {}
        for track, colour in tracks:
            if track.id == 0:
                continue
            points = self._points[track.id] = old.get(track.id, deque())
            x0, _, x1, y1 = track.box.tolist()
            now = (media_ns, (x0 + x1) / 2, y1)
            while points and points[0][0] < media_ns - self._length_ns:
                points.popleft()
            if points and points[-1][0] == media_ns:  # the same frame once more
                points.pop()
            places = np.array([*points, now])[:, 1:] * (surface.width_px, surface.height_px)
            surface.polyline(places - 0.5, colour, thickness_px, fade=True)
            if not points or media_ns - points[-1][0] >= self._length_ns // _MOST_POINTS:
                points.append(now)
