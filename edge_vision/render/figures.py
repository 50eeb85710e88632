"""Labels whose figures change a few times a second: what changes faster cannot be read."""

from collections.abc import Callable

from edge_vision.render.label import Part

_EVERY_NS = 200_000_000
_APART_NS = 77_000_000
"""Objects take turns, so that no picture has many new labels to make."""


class SteadyLabels:
    """Keeps each object's label for a fifth of a second; used by one thread."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[object, tuple[Part, ...]]] = {}
        self._now: dict[int, tuple[object, tuple[Part, ...]]] = {}

    def begin(self) -> None:
        """A new picture; objects that were not in the last one are forgotten."""
        self._before, self._now = self._now, {}

    def of(
        self, track_id: int, label: str, media_ns: int, make: Callable[[], tuple[Part, ...]]
    ) -> tuple[Part, ...]:
        """The pieces of an object's label: those of before, or where it is their time, `make()`.

        label: the class's name; another one is told at once.  What nobody follows (id 0) always
        has new ones.
        """
        if not track_id:
            return make()
        turn = (label, (media_ns + track_id * _APART_NS) // _EVERY_NS)
        kept = self._before.get(track_id)
        if kept is None or kept[0] != turn:
            kept = turn, make()
        self._now[track_id] = kept
        return kept[1]
