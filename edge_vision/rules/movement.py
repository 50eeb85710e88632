"""What objects do with places: they enter and leave zones and cross lines.

Boxes tremble, most when they are small or half hidden.  So an object enters a zone when it is seen
well inside or inside twice, and has left it when it was seen outside for a while; it crosses a line
when it was seen clearly on one side and then clearly on the other, by a way through the line.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from edge_vision.rules.geometry import ON_THE_EDGE, Places
from edge_vision.rules.watched import Moment, Point, Side, Stay, Watched, ground, overlap

_ZONE_BAND = 0.1
"""In box sizes: well inside, or outside, is farther from the edge than this."""
_LINE_BAND = 0.12
"""Likewise: clearly on one side of a line."""
_LEAVE_NS = 500_000_000
"""Seen outside for so long, it has left."""
_SLACK = 0.02
"""By which share of its length a line may be missed at its ends."""
_TWICE_NS = 3_000_000_000
"""Two boxes on one object cross within so long of each other: a tracker keeps for so long one that
is not seen."""
_SAME_OBJECT, _SAME_PLACE = 0.5, 0.7
"""Overlap from which on two boxes are one object: of one class, and of two (a rider and a bicycle
overlap by less)."""
_UNSEEN_NS = 1_500_000_000
"""A way that nobody saw for longer is no crossing: what is there now may be something else."""
_MOST_RECENT = 32

Way = Literal["in", "out"]


class Crossing(NamedTuple):
    """An object went over a line."""

    line: str
    direction: Way
    one: Watched


class Movement:
    """Keeps each object's stays and sides up to date; used by one thread.

    on_enter, on_cross: called with what happened.
    """

    def __init__(
        self,
        places: Places,
        on_enter: Callable[[Watched, str], None],
        on_cross: Callable[[Crossing], None],
    ) -> None:
        self.places = places
        self._on_enter, self._on_cross = on_enter, on_cross
        self._recent: deque[tuple[int, Crossing]] = deque(maxlen=_MOST_RECENT)

    def look(
        self,
        one: Watched,
        before: tuple[Point, Moment] | None,
        depths: list[float],
        aways: list[float],
        rights: list[bool],
    ) -> None:
        """Take in where an object is seen now, `one.here` at `one.seen`.

        before: where and when it was seen last, None if never.  depths, aways: see Places; rights:
        which of `aways` are to the right.
        """
        stays, inside = one.stays, one.inside
        for zone, depth in zip(self.places.zones, depths, strict=True):
            if depth > -_ZONE_BAND or zone in stays:
                self._zone(one, zone, depth, one.seen)
            elif zone in inside:
                inside.remove(zone)
        if rights != one.rights:  # else, and that is nearly always, nothing has changed
            self._lines(one, before, rights, aways)

    def _lines(
        self,
        one: Watched,
        before: tuple[Point, Moment] | None,
        rights: list[bool],
        aways: list[float],
    ) -> None:
        settled = True
        for at, (line, right) in enumerate(zip(self.places.lines, rights, strict=True)):
            side = 1 if right else -1
            known = one.sides.get(line)
            if known is not None and known.right == right and known.side == side:
                continue
            if known is None:
                known = one.sides[line] = Side(right=right)
            elif right != known.right:
                known.right = right
                if before is not None:
                    point, then = before
                    known.through = one.seen.media_ns - then.media_ns <= _UNSEEN_NS and (
                        self.places.passed(at, point, ground(one.here), _SLACK)
                    )
            if side != known.side and abs(aways[at]) > _LINE_BAND:
                self._clear_of(one, line, known, side)
            settled = settled and side == known.side
        one.rights = rights if settled else []

    def _zone(self, one: Watched, zone: str, depth: float, now: Moment) -> None:
        stay = one.stays.get(zone)
        if depth >= -ON_THE_EDGE:
            if stay is not None:
                stay.outside = None
            elif one.confirmed and (zone in one.inside or depth > _ZONE_BAND):
                one.stays[zone] = Stay(now)
                one.zones = (*(name for name in one.zones if name != zone), zone)
                self._on_enter(one, zone)
            one.inside.add(zone)
            return
        one.inside.discard(zone)
        if stay is None or depth > -_ZONE_BAND:
            return
        if stay.outside is None:
            stay.outside = now
        elif now.media_ns - stay.outside.media_ns >= _LEAVE_NS:
            del one.stays[zone]

    def _clear_of(self, one: Watched, line: str, known: Side, side: int) -> None:
        """An object is seen clearly on another side of a line than before."""
        if known.side == 0:
            known.side = side
        elif one.confirmed:
            known.side = side
            crossing = Crossing(line, "in" if side > 0 else "out", one)
            if known.through and not self._told(crossing):
                self._recent.append((one.seen.media_ns, crossing))
                self._on_cross(crossing)

    def _told(self, crossing: Crossing) -> bool:
        """Another box on the same object has just crossed the line."""
        line, direction, one = crossing
        return any(
            (other.line, other.direction) == (line, direction)
            and other.one is not one
            and 0 <= one.seen.media_ns - at_ns <= _TWICE_NS
            and overlap(other.one.here, one.here)
            > (_SAME_OBJECT if other.one.class_id == one.class_id else _SAME_PLACE)
            for at_ns, other in self._recent
        )
