"""One rule: whom it is about, when it may tell, and the events that it has going."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from edge_vision.config_watch import RuleConfig
from edge_vision.events import Event
from edge_vision.rules.watched import Box, Moment, Stay, Watched
from edge_vision.schedule import parse_schedule

_BETTER = 0.05
"""By how much a score must grow to be told."""


class EventIds:
    """Ids of events: Unix time in ms, a counter, and chance; text that sorts by time."""

    def __init__(self) -> None:
        self._count = 0
        self._run = secrets.token_hex(3)
        """Drawn once: within a run the counter tells ids apart."""

    def next(self, unix_s: float) -> str:
        """One that was never given before, by this run or another."""
        self._count = (self._count + 1) % 10_000
        return f"{max(0, round(unix_s * 1000)):013d}-{self._count:04d}-{self._run}"


class Rule:
    """One rule; belongs to one thread.  node: the board's name."""

    def __init__(self, config: RuleConfig, node: str, ids: EventIds) -> None:
        self.config = config
        self.line = config.line
        self.place = config.zone or config.line or ""
        self._node, self._ids = node, ids
        self._schedule = parse_schedule(config.schedule)
        self._classes = frozenset(config.classes)
        self._dwell_ns = round(config.dwell_s * 1e9)
        self._each: dict[Watched, tuple[Event, Stay]] = {}
        self._together: Event | None = None
        self._free_ns: int | None = None

    def crossing(self, one: Watched, direction: Literal["in", "out"]) -> Event | None:
        """The event of an object that goes over this rule's line, if it is to be one."""
        wanted = self.config.direction in ("both", direction)
        if not wanted or not self._is_about(one) or not self._may_begin(one.seen):
            return None
        return _ended(self._begin([one], one.seen, direction), one.seen)

    def step(self, there: Sequence[Watched], now: Moment) -> list[Event]:
        """The events that begin, get better, or end, by who is in this rule's place now."""
        about = [one for one in there if self._is_about(one)]
        if self._dwell_ns:
            latest_ns = now.media_ns - self._dwell_ns
            about = [one for one in about if one.stays[self.place].since.media_ns <= latest_ns]
        if self.config.count > 1:
            return self._step_together(about, now)
        told = self._end_left()
        for one in about:
            going = self._each.get(one)
            if going is None:
                if self._may_begin(now):
                    event = self._begin([one], now)
                    self._each[one] = event, one.stays[self.place]
                    told.append(event)
            elif _is_better(going[0], one):
                event = _updated(going[0], one, one.here)
                self._each[one] = event, going[1]
                told.append(event)
        return told

    def forget(self, now: Moment) -> list[Event]:
        """End everything that goes on, and begin anew; the events that end by it."""
        told = [_left(event, one, stay) for one, (event, stay) in self._each.items()]
        if self._together is not None:
            told.append(_ended(self._together, now))
        self._each.clear()
        self._together = self._free_ns = None
        return told

    def _is_about(self, one: Watched) -> bool:
        return (
            one.confirmed
            and one.score >= self.config.min_score
            and (not self._classes or one.label in self._classes)
        )

    def _may_begin(self, now: Moment) -> bool:
        if self._free_ns is not None and now.media_ns < self._free_ns:
            return False
        if not self._schedule.spans:
            return True
        return self._schedule.holds(datetime.fromtimestamp(now.unix_s, UTC).astimezone())

    def _end_left(self) -> list[Event]:
        left = [
            one for one, (_, stay) in self._each.items() if one.stays.get(self.place) is not stay
        ]
        told = []
        for one in left:
            event, stay = self._each.pop(one)
            told.append(_left(event, one, stay))
        return told

    def _step_together(self, about: Sequence[Watched], now: Moment) -> list[Event]:
        event = self._together
        if len(about) < self.config.count:
            self._together = None
            return [] if event is None else [_ended(event, now)]
        if event is None:
            if not self._may_begin(now):
                return []
            event = self._begin(about, now)
        elif len(about) > event.count:
            best = max(event.score, *(one.score for one in about))
            event = replace(event, count=len(about), score=best, box=_around(about))
        else:
            return []
        self._together = event
        return [event]

    def _begin(
        self, about: Sequence[Watched], now: Moment, direction: Literal["", "in", "out"] = ""
    ) -> Event:
        self._free_ns = now.media_ns + round(self.config.cooldown_s * 1e9)
        config, first = self.config, about[0]
        many = config.count > 1
        if config.line is not None:
            kind = "cross"
        else:
            kind = "occupancy" if many else "dwell" if config.dwell_s > 0 else "enter"
        return Event(
            id=self._ids.next(now.unix_s),
            node=self._node,
            kind=kind,  # type: ignore[arg-type]
            rule=config.name,
            place=self.place,
            direction=direction,
            track_id=0 if many else first.id,
            label=first.label,
            score=max(one.score for one in about),
            box=_around(about),
            count=len(about),
            zones=((self.place,) if self.place else ()) if many else first.zones,
            start_s=now.unix_s,
            start_ns=now.exposed_ns,
        )


def _around(some: Sequence[Watched]) -> Box:
    lefts, tops, rights, lows = zip(*(one.here for one in some), strict=True)
    return min(lefts), min(tops), max(rights), max(lows)


def _is_better(event: Event, one: Watched) -> bool:
    return (
        one.score >= event.score + _BETTER
        or one.id != event.track_id
        or one.zones != event.zones
        or one.label != event.label
    )


def _updated(event: Event, one: Watched, box: Box, **more: Any) -> Event:
    return replace(
        event, score=one.score, zones=one.zones, label=one.label, track_id=one.id, box=box, **more
    )


def _left(event: Event, one: Watched, stay: Stay) -> Event:
    return _updated(event, one, event.box, **_end(event, stay.outside or one.seen))


def _ended(event: Event, at: Moment) -> Event:
    return replace(event, **_end(event, at))


def _end(event: Event, at: Moment) -> dict[str, Any]:
    return {
        "end_s": max(at.unix_s, event.start_s),
        "end_ns": max(at.exposed_ns, event.start_ns),
    }
