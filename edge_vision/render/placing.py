"""Where labels go: beside their objects, clear of each other, and not jumping about."""

from collections.abc import Callable, Sequence

from edge_vision.render.surface import Rect

Places = Callable[[Rect, int, int, int, int], Sequence[tuple[int, int]]]
"""(outer, wide, high, width_px, height_px) -> upper left corners, the best first: where a label of
wide x high may go for a box in a picture of width x height."""

_STAY_NS = 500_000_000
"""So long a label keeps its place where it can, so that it does not flicker between two."""


class Placing:
    """Places the labels of one picture after another; used by one thread."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._last: dict[int, tuple[int, int]] = {}
        self._next: dict[int, tuple[int, int]] = {}
        self._taken: list[Rect] = []
        self._now_ns = 0

    def begin(self, taken: Sequence[Rect], now_ns: int) -> None:
        """A new picture; taken: where no label may lie."""
        self._last, self._next = self._next, {}
        self._taken = list(taken)
        self._now_ns = now_ns

    def place(
        self, track_id: int, outer: Rect, wide: int, high: int, width_px: int, height_px: int
    ) -> Rect:
        """Where the label of an object goes, x0 y0 x1 y1 inside the picture.

        The first place that is free; where none is, the first inside the picture.  A label that is
        larger than the picture is cut.
        """
        wide, high = min(wide, width_px), min(high, height_px)
        places = self._places(outer, wide, high, width_px, height_px)
        numbers = list(range(len(places)))
        last, since_ns = self._last.get(track_id, (-1, 0))
        if last >= 0 and 0 <= self._now_ns - since_ns < _STAY_NS:
            numbers.sort(key=lambda number: number != last)
        inside: tuple[int, Rect] | None = None
        for number in numbers:
            x, y = places[number]
            if x < 0 or y < 0 or x + wide > width_px or y + high > height_px:
                continue
            rect = (x, y, x + wide, y + high)
            inside = inside or (number, rect)
            if not any(x < t[2] and t[0] < x + wide and y < t[3] and t[1] < y + high
                       for t in self._taken):  # fmt: skip
                inside = number, rect
                break
        if inside is None:
            left, top = (
                min(max(0, outer[0]), width_px - wide),
                min(max(0, outer[1]), height_px - high),
            )
            inside = -1, (left, top, left + wide, top + high)
        number, rect = inside
        self._taken.append(rect)
        if track_id:
            self._next[track_id] = (number, since_ns if number == last else self._now_ns)
        return rect
