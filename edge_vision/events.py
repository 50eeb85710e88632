"""What happened in front of the camera: the words that rules, log, recorder and network share."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["enter", "dwell", "occupancy", "cross"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a rule saw begin; replaced whole when more is known, under the same id.

    id: text that sorts by time.  node: the board's name.  kind: enter (an object came into a zone
    or the picture), dwell (it stayed), occupancy (so many at once), cross (over a line).
    rule, place: names of the configuration; place "" is the whole picture.
    direction: of a crossing, "in" or "out", else "".
    track_id: 0 where it is about several objects.  label: of the object, or of the first of them.
    score: the best so far, 0..1.  box: x0 y0 x1 y1 then, 0..1 of the picture.
    count: objects at once, at most.  zones: those the object was in, in the order of entering.
    start_s, end_s: Unix time, UTC; end_s None while it goes on.
    start_ns, end_ns: the same as the frames' `exposed` (time.monotonic_ns), to find frames by.
    """

    id: str
    node: str
    kind: Kind
    rule: str
    place: str
    direction: Literal["", "in", "out"]
    track_id: int
    label: str
    score: float
    box: tuple[float, float, float, float]
    count: int
    zones: tuple[str, ...]
    start_s: float
    start_ns: int
    end_s: float | None = None
    end_ns: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; times in Unix seconds only."""
        values = asdict(self)
        del values["start_ns"], values["end_ns"]
        return values


@dataclass(frozen=True, slots=True)
class Counts:
    """How often, since `since_s` (Unix time).

    lines: line -> direction -> label -> crossings.  zones: zone -> label -> objects that entered.
    now: zone ("" = the whole picture) -> label -> objects there now.
    """

    since_s: float
    lines: Mapping[str, Mapping[str, Mapping[str, int]]]
    zones: Mapping[str, Mapping[str, int]]
    now: Mapping[str, Mapping[str, int]]


OnEvent = Callable[[Event], None]
"""Called when an event begins, gets better (score, count, zones) or ends; it must not wait."""
