"""The section `watch`: places in the picture, and the rules that tell when something happens."""

import difflib
import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from edge_vision.config_base import Section
from edge_vision.schedule import parse_schedule

Point = tuple[float, float]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_MOST_PLACES, _MOST_POINTS, _MOST_RULES = 64, 64, 64
_LEAST_AREA = 1e-4
"""A hundredth of the picture's width and height each: less is a slip of the mouse."""
_LEAST_LENGTH = 0.01
_SAME_SPOT = 1e-4


class RuleConfig(Section):
    """When to tell: of objects in a zone, over a line, or anywhere in the picture."""

    name: str = Field(description="its name in events; each once")
    zone: str | None = Field(default=None, description="a name of watch.zones")
    line: str | None = Field(
        default=None, description="a name of watch.lines; neither zone nor line: the whole picture"
    )
    classes: list[str] = Field(default=[], description="only these labels; empty means all")
    min_score: float = Field(
        default=0.0, ge=0, le=1, description="only objects whose best score reached this"
    )
    dwell_s: float = Field(
        default=0.0, ge=0, le=86_400, description="only when it has stayed for so long"
    )
    count: int = Field(default=1, ge=1, le=100, description="only when so many are there at once")
    direction: Literal["both", "in", "out"] = Field(
        default="both", description="of a crossing; in: to the right hand, see watch.lines"
    )
    cooldown_s: float = Field(
        default=0.0,
        ge=0,
        le=86_400,
        description="least time from one event of this rule to the next",
    )
    schedule: str = Field(
        default="",
        max_length=200,
        description="local times at which it holds, such as 22:00-06:00; empty: always",
    )

    @field_validator("name")
    @classmethod
    def _name_fits(cls, value: str) -> str:
        return checked_name(value)

    @field_validator("schedule")
    @classmethod
    def _schedule_fits(cls, value: str) -> str:
        parse_schedule(value)
        return value

    @model_validator(mode="after")
    def _fits_its_place(self) -> "RuleConfig":
        if self.zone is not None and self.line is not None:
            raise ValueError(
                f"the rule {self.name} has both a zone ({self.zone}) and a line ({self.line}); "
                "expected one of them, make two rules of it"
            )
        if self.line is not None and (self.dwell_s > 0 or self.count > 1):
            raise ValueError(
                f"the rule {self.name} is about a line, on which nothing dwells; dwell_s and count "
                "are for zones and the whole picture"
            )
        if self.line is None and self.direction != "both":
            raise ValueError(
                f"the rule {self.name} has direction {self.direction}, which is for lines; "
                "name a line"
            )
        return self


class WatchConfig(Section):
    """Places in the picture and rules about what happens there."""

    zones: dict[str, list[Point]] = Field(
        default={},
        description="polygons by name, each 3 to 64 points [x, y], 0..1 of width and height",
    )
    lines: dict[str, tuple[Point, Point]] = Field(
        default={},
        description="lines by name, [[x, y], [x, y]]; looking from the first point to the second, "
        "who goes from the left hand to the right hand goes in",
    )
    rules: list[RuleConfig] = Field(
        default=[], max_length=_MOST_RULES, description="what makes an event"
    )

    @field_validator("zones")
    @classmethod
    def _zones_fit(cls, zones: dict[str, list[Point]]) -> dict[str, list[Point]]:
        _check_names("watch.zones", zones)
        for name, points in zones.items():
            wrong = wrong_polygon(points)
            if wrong:
                raise ValueError(f"watch.zones.{name} {wrong}")
        return zones

    @field_validator("lines")
    @classmethod
    def _lines_fit(cls, lines: dict[str, tuple[Point, Point]]) -> dict[str, tuple[Point, Point]]:
        _check_names("watch.lines", lines)
        for name, (begin, end) in lines.items():
            wrong = _outside((begin, end))
            if not wrong and max(abs(end[0] - begin[0]), abs(end[1] - begin[1])) < _LEAST_LENGTH:
                wrong = (
                    f"goes from {_show(begin)} to {_show(end)}: it has no length; expected two "
                    "points apart from each other"
                )
            if wrong:
                raise ValueError(f"watch.lines.{name} {wrong}")
        return lines

    @model_validator(mode="after")
    def _names_fit(self) -> "WatchConfig":
        both = sorted(self.zones.keys() & self.lines.keys())
        if both:
            raise ValueError(
                f"watch.lines.{both[0]} has the name of a zone; expected another name for one of "
                "the two"
            )
        places: dict[str, Any] = {"zone": self.zones, "line": self.lines}
        first: dict[str, int] = {}
        for at, rule in enumerate(self.rules):
            where = f"watch.rules.{at} ({rule.name})"
            if rule.name in first:
                raise ValueError(
                    f"{where} has the name of watch.rules.{first[rule.name]}; expected each name "
                    "once"
                )
            first[rule.name] = at
            for kind, known in places.items():
                name = getattr(rule, kind)
                if name is not None and name not in known:
                    raise ValueError(
                        f"{where} names the {kind} {name!r}, {_not_among(name, known)}"
                    )
        return self


def checked_name(name: str) -> str:
    """The name of a place or a rule; raises ValueError for one that is none."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(
            f"{name[:60]!r} is no name; expected 1 to 40 letters (a-z), digits, - and _, the first "
            "a letter or digit"
        )
    return name


def wrong_polygon(points: Sequence[Point]) -> str:
    """What is wrong with a zone, as the end of a sentence; empty where nothing is."""
    if len(points) < 3:
        count = {0: "no points", 1: "one point", 2: "two points"}[len(points)]
        return f"has {count}; expected a polygon of three or more"
    if len(points) > _MOST_POINTS:
        return f"has {len(points)} points; expected {_MOST_POINTS} at most"
    wrong = _outside(points)
    if wrong:
        return wrong
    edges = list(zip(points, [*points[1:], points[0]], strict=True))
    for begin, end in edges:
        if max(abs(end[0] - begin[0]), abs(end[1] - begin[1])) < _SAME_SPOT:
            return f"has the point {_show(begin)} twice in a row; expected it once"
    for (i, one), (j, other) in combinations(enumerate(edges), 2) if len(edges) > 3 else ():
        neighbours = j - i in (1, len(edges) - 1)
        if _turns_back(one, other) if neighbours else _touch(one, other):
            return (
                f"crosses itself: the side from {_show(one[0])} to {_show(one[1])} meets the one "
                f"from {_show(other[0])} to {_show(other[1])}; expected the corners in order"
            )
    area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in edges)) / 2
    if area < _LEAST_AREA:
        return "has no area: its points lie on a line, or on one spot; expected a polygon"
    return ""


def _outside(points: Sequence[Point]) -> str:
    for point in points:
        if not all(0 <= value <= 1 for value in point):
            return (
                f"has the point {_show(point)}, which is outside the picture; expected x and y in "
                "0..1, as shares of its width and height"
            )
    return ""


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _touch(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Two segments have a point in common."""
    (a, b), (c, d) = one, other
    abc, abd, cda, cdb = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if abc * abd < 0 and cda * cdb < 0:
        return True
    ends = ((abc, one, c), (abd, one, d), (cda, other, a), (cdb, other, b))
    return any(turn == 0 and _between(line, point) for turn, line, point in ends)


def _between(line: tuple[Point, Point], point: Point) -> bool:
    return all(
        min(line[0][axis], line[1][axis]) <= point[axis] <= max(line[0][axis], line[1][axis])
        for axis in (0, 1)
    )


def _turns_back(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """A side that runs back over its neighbour, instead of only meeting it in a corner."""
    (a, b), (c, d) = (one, other) if one[1] == other[0] else (other, one)
    ahead = (b[0] - a[0]) * (d[0] - c[0]) + (b[1] - a[1]) * (d[1] - c[1])
    return _turn(a, b, d) == 0 and ahead < 0


def _check_names(key: str, places: dict[str, Any]) -> None:
    if len(places) > _MOST_PLACES:
        raise ValueError(f"{key} has {len(places)} entries; expected {_MOST_PLACES} at most")
    for name in places:
        try:
            checked_name(name)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None


def _not_among(name: str, known: dict[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    listed = f"there are: {', '.join(known)}" if known else "there is none"
    return "which is not there; " + (f"did you mean {near[0]}?" if near else listed)


def _show(point: Point) -> str:
    return f"[{point[0]:g}, {point[1]:g}]"
