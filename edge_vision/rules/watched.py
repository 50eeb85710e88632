"""One object as rules see it: where it was, on which side of each line, in which zones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from edge_vision.results import Track, label_of

LEAST_SIZE, MOST_SIZE = 0.03, 0.4
"""Boxes count as neither smaller nor larger than this share of the picture, for hysteresis."""
_FARTHEST = 0.6
"""In box sizes: how far from where a lost object should be by now another one may be it..."""
FARTHER_PER_S = 0.8
"""...and how much farther for each second for which it was not seen."""
_FASTEST_PER_S = 5.0
"""Likewise where nobody knows how it moves: as fast as people run, in widths of their boxes."""
_MOST_GROWTH = math.log(2.0)

Box = tuple[float, float, float, float]
Point = tuple[float, float]

UNKNOWN: Point = (0.0, 0.0)
"""Velocity of what a tracker has seen only once."""


class Sighting(NamedTuple):
    """A track that is seen now, its box cut at the picture's border, and how its ground moves.

    jumped: its number was another object's until now.
    """

    track: Track
    box: Box
    velocity: Point
    jumped: bool = False


class Moment(NamedTuple):
    """One instant on three clocks: of the source, time.monotonic_ns, Unix time."""

    media_ns: int
    exposed_ns: int
    unix_s: float


@dataclass(slots=True, eq=False)
class Stay:
    """An object in a zone: since when, and since when it was seen outside of it, if it was."""

    since: Moment
    outside: Moment | None = None


@dataclass(slots=True, eq=False)
class Side:
    """On which side of a line an object is: -1 left, 1 right, 0 not known yet.

    right: where it was seen last, however near the line.  through: whether its last way from side
    to side went through the line.
    """

    side: int = 0
    right: bool = False
    through: bool = False


@dataclass(slots=True, eq=False)
class Watched:
    """One object, also when its number changes.

    score: best so far.  here: its box when seen last, at `seen`.  votes: class id -> scores of all
    sightings as it; class_id, label: of most votes.  zones: those it was in, in the order of
    entering.  velocity: of its ground, per second, calmed.  rights: on which side it is of each
    line, while it is clearly there of all of them.
    """

    id: int
    here: Box
    seen: Moment
    score: float = 0.0
    velocity: Point = UNKNOWN
    confirmed: bool = False
    class_id: int = -1
    label: str = ""
    votes: dict[int, float] = field(default_factory=dict)
    stays: dict[str, Stay] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)
    sides: dict[str, Side] = field(default_factory=dict)
    rights: list[bool] = field(default_factory=list)
    zones: tuple[str, ...] = ()

    def see(self, sighting: Sighting, now: Moment, labels: Mapping[int, str]) -> None:
        """Take in a sighting; labels: class id -> label."""
        track, self.here, velocity, _ = sighting
        if self.velocity != UNKNOWN and velocity != UNKNOWN:  # one box may be far off
            velocity = (self.velocity[0] + velocity[0]) / 2, (self.velocity[1] + velocity[1]) / 2
        self.velocity = velocity
        self.id, self.seen = track.id, now
        if track.state == "confirmed":
            self.confirmed = True
        if track.score > self.score:
            self.score = min(track.score, 1.0)
        votes = self.votes.get(track.class_id, 0.0) + track.score
        self.votes[track.class_id] = votes
        if track.class_id != self.class_id and votes >= self.votes.get(self.class_id, 0.0):
            self.class_id = track.class_id
            self.label = label_of(labels, self.class_id)

    def off(self, box: Box, media_ns: int, per_s: float) -> float | None:
        """How far, in box sizes, a box is from the way this object should have gone by now.

        It may have stopped anywhere on it.  None where the box is too far to be the same object;
        per_s: how much farther it may be for each second for which the object was not seen.
        """
        dt_s = (media_ns - self.seen.media_ns) / 1e9
        wide, high = size_of(self.here)
        x, y = ground(self.here)
        at_x, at_y = ground(box)
        x, y = (at_x - x) / wide, (at_y - y) / high
        way_x, way_y = dt_s * self.velocity[0] / wide, dt_s * self.velocity[1] / high
        length = way_x * way_x + way_y * way_y
        share = min(max((x * way_x + y * way_y) / length, 0.0), 1.0) if length > 0 else 0.0
        near = math.hypot(x - share * way_x, y - share * way_y)
        return near if near <= _FARTHEST + per_s * dt_s else None

    def is_elsewhere(self, box: Box, media_ns: int) -> bool:
        """Whether the box that has this object's number is not this object."""
        here = self.here
        aside = abs(box[0] + box[2] - here[0] - here[2]) / 2
        if aside + abs(box[3] - here[3]) < _FARTHEST * LEAST_SIZE:
            return False  # near even for the smallest, and that is nearly always so
        farther = _FASTEST_PER_S if self.velocity == UNKNOWN else FARTHER_PER_S
        return self.off(box, media_ns, farther) is None

    def like(self, box: Box) -> bool:
        """Whether a box is of a size that this object may have by now."""
        return all(
            abs(math.log(a / b)) <= _MOST_GROWTH
            for a, b in zip(size_of(self.here), size_of(box), strict=True)
        )


def ground(box: Box) -> Point:
    """Where an object stands: the middle of its box's lower edge."""
    return (box[0] + box[2]) / 2, box[3]


def size_of(box: Box) -> Point:
    """Width and height by which distances are measured, see geometry."""
    wide, high = box[2] - box[0], box[3] - box[1]
    return min(max(wide, LEAST_SIZE), MOST_SIZE), min(max(high, LEAST_SIZE), MOST_SIZE)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (sum(areas) - both)
