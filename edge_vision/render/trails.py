"""The way each object came: a fading line through the middles of its past boxes' lower sides.

Its points stay where they are until the next one is added, so what they cover is kept; only the
last piece, up to the object, is new in every picture.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from edge_vision.render.shapes import Pixels, Rect, line_mask
from edge_vision.render.style import Colour
from edge_vision.render.surface import Surface
from edge_vision.results import Track

_MOST_POINTS, _LEAST_POINTS = 48, 16
_EVERY_NS = 125_000_000
"""Between two points where that gives neither too many nor too few."""
_APART_NS = 77_000_000
"""Objects take turns, so that no picture has many lines to make."""
_LEVELS = 12
"""Steps in which a line fades."""
_PART_PX = 1 << 14
"""A line is cut where its rectangle becomes larger: it fills little of it."""


class Trails:
    """Remembers where tracks were, at most some 50 points each; used by one thread.

    length_s: how far back the lines reach, in seconds of exposure time.
    """

    def __init__(self, length_s: float) -> None:
        self._length_ns = round(length_s * 1e9)
        shortest_ns = min(self._length_ns // _LEAST_POINTS, _EVERY_NS)
        self._every_ns = max(1, shortest_ns, self._length_ns // _MOST_POINTS)
        self._keep_ns = max(0, self._length_ns - self._every_ns)
        self._trails: dict[int, _Trail] = {}
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
            self._trails.clear()
        self._newest_ns = media_ns
        old, self._trails = self._trails, {}
        for track, colour in tracks:
            if track.id == 0:
                continue
            trail = self._trails[track.id] = old.get(track.id) or _Trail()
            x0, _, x1, y1 = track.box.tolist()
            here = ((x0 + x1) / 2, y1)
            trail.take_back(media_ns)
            trail.draw(surface, here, colour, thickness_px)
            if trail.is_due(media_ns, self._every_ns, track.id * _APART_NS):
                trail.keep(media_ns, here, self._keep_ns)


class _Trail:
    """The line of one track."""

    def __init__(self) -> None:
        self._points: deque[tuple[int, float, float]] = deque()
        """media_ns, x, y."""
        self._made_of: object = None
        """What the masks were made for; None where the points are others by now."""
        self._masks: list[tuple[Rect, Pixels]] = []

    def draw(
        self, surface: Surface, here: tuple[float, float], colour: Colour, thickness_px: int
    ) -> None:
        """Draw the line up to where the object is now."""
        if not self._points:
            return
        width, height = surface.width_px, surface.height_px
        made_of = (width, height, thickness_px)
        if made_of != self._made_of:
            places = [(x * width - 0.5, y * height - 0.5) for _, x, y in self._points]
            self._masks = _fading(places, thickness_px, width, height)
            self._made_of = made_of
        for rect, mask in self._masks:
            surface.cover(rect, mask, colour)
        _, x, y = self._points[-1]
        last = np.array([(x, y), here]) * (width, height) - 0.5
        surface.polyline(last, colour, thickness_px)

    def is_due(self, media_ns: int, every_ns: int, ahead_ns: int) -> bool:
        """Whether to remember a place of this time; ahead_ns: not at the same times as others."""
        if not self._points:
            return True
        before_ns = self._points[-1][0]
        return (media_ns + ahead_ns) // every_ns != (before_ns + ahead_ns) // every_ns

    def keep(self, media_ns: int, here: tuple[float, float], length_ns: int) -> None:
        """Remember where the object is, and forget what was more than `length_ns` ago."""
        points = self._points
        points.append((media_ns, *here))
        while points[0][0] < media_ns - length_ns:
            points.popleft()
        self._made_of = None

    def take_back(self, media_ns: int) -> None:
        """Forget a place that was kept of this very frame."""
        if self._points and self._points[-1][0] == media_ns:
            self._points.pop()
            self._made_of = None


def _fading(
    places: Sequence[tuple[float, float]], thickness_px: int, width_px: int, height_px: int
) -> list[tuple[Rect, Pixels]]:
    """A line through places, x y in pixels, that comes up from nothing: masks of its parts."""
    count = len(places) - 1
    steps = [max(1, round(_LEVELS * place / (count + 1))) for place in range(1, count + 1)]
    levels = [255 * step // _LEVELS for step in steps]
    masks = []
    begin = 0
    while begin < count:
        end = _cut(places, begin)
        # What the next part draws is cut out of this one: nothing may be laid over twice.
        drawn = line_mask(
            np.array(places[begin : end + 2]),
            [*levels[begin:end], 0][: count - begin],
            thickness_px,
            width_px,
            height_px,
        )
        if drawn is not None:
            masks.append(drawn)
        begin = end
    return masks


def _cut(places: Sequence[tuple[float, float]], begin: int) -> int:
    """The end of the part that begins at a place: where its rectangle becomes too large."""
    left, top = right, low = places[begin]
    for end in range(begin + 1, len(places)):
        x, y = places[end]
        left, top, right, low = min(left, x), min(top, y), max(right, x), max(low, y)
        if end > begin + 1 and (right - left) * (low - top) > _PART_PX:
            return end - 1
    return len(places) - 1
