"""The rule engine: the tracks of each scene in, events and counts out."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count

import numpy as np

from edge_vision.config_watch import WatchConfig
from edge_vision.events import Counts, Event
from edge_vision.results import Scene, Track
from edge_vision.rules import tally
from edge_vision.rules.geometry import Places
from edge_vision.rules.movement import Crossing, Movement
from edge_vision.rules.rule import EventIds, Rule
from edge_vision.rules.watched import (
    FARTHER_PER_S,
    LEAST_SIZE,
    MOST_SIZE,
    UNKNOWN,
    Moment,
    Point,
    Sighting,
    Stay,
    Watched,
    ground,
)

_LOST_NS = 2_000_000_000
"""An object not seen for so long is not taken for one that is new any more..."""
_GONE_NS = 1_000_000_000
"""...and one that nobody follows any more is gone after so long."""

Sightings = dict[int, Sighting]


class RuleEngine:
    """Follows what objects do with places, counts it, and makes the events that rules ask for.

    node: the board's name, for events.  counts: what was counted before.  Belongs to one thread;
    `counts` may be read by any.
    """

    def __init__(self, watch: WatchConfig, node: str, counts: Counts) -> None:
        self._node = node
        self._ids = EventIds()
        self._objects: dict[int, Watched] = {}
        """By the number of the newest track of each; below 0 where another has that by now."""
        self._strays = count(-1, -1)
        self._now = Moment(0, 0, counts.since_s)
        self._told: list[Event] = []
        self.counts = tally.fitted(counts, watch)
        """Replaced whole."""
        self._watch = watch
        self._rules = [Rule(config, node, self._ids) for config in watch.rules]
        self._movement = self._make_movement()

    def use(self, watch: WatchConfig) -> list[Event]:
        """Go on with other places and rules; the events that end by it.

        Objects stay where they are in places that keep their names, and those keep their counts; a
        line that was moved and a rule that was changed begin anew.
        """
        lines, self._watch = self._watch.lines, watch
        kept = {name for name, points in watch.lines.items() if lines.get(name) == points}
        for one in self._objects.values():
            one.sides = {name: side for name, side in one.sides.items() if name in kept}
            one.rights = []
            for zone in one.stays.keys() - watch.zones.keys() - {tally.PICTURE}:
                one.stays.pop(zone).outside = one.seen
            one.inside &= watch.zones.keys()
        same = {rule.config.name: rule for rule in self._rules if rule.config in watch.rules}
        told = [event for rule in self._rules if rule not in same.values()
                for event in rule.forget(self._now)]  # fmt: skip
        self._rules = [
            same.get(config.name) or Rule(config, self._node, self._ids) for config in watch.rules
        ]
        self.counts = tally.fitted(self.counts, watch)
        self._movement = self._make_movement()
        return told

    def step(self, scene: Scene, unix_s: float) -> list[Event]:
        """What begins, gets better and ends in this scene.

        unix_s: Unix time of its exposure.  Time that jumps back, as of a clip that starts again,
        ends everything that went on.
        """
        told: list[Event] = []
        if scene.media_ns < self._now.media_ns:
            told = self.end()
        self._now = now = Moment(scene.media_ns, scene.exposed_ns, unix_s)
        if not scene.tracks and not self._objects:
            return told
        self._told = told
        seen = _sightings(scene.tracks)
        if seen:
            self._look(seen, now, scene.labels)
        self._let_go({track.id for track in scene.tracks}, now)
        there: defaultdict[str, list[Watched]] = defaultdict(list)
        for one in self._objects.values():
            for place in one.stays:
                there[place].append(one)
        for rule in self._rules:
            if rule.line is None:
                told += rule.step(there[rule.place], now)
        labels = {place: [one.label for one in ones] for place, ones in there.items()}
        self.counts = tally.here_now(self.counts, labels)
        return told

    def end(self) -> list[Event]:
        """Nobody is there any more: the events that end by it."""
        told = [event for rule in self._rules for event in rule.forget(self._now)]
        self._objects.clear()
        self._movement = self._make_movement()
        self.counts = tally.here_now(self.counts, {})
        return told

    def _make_movement(self) -> Movement:
        places = Places(self._watch.zones, self._watch.lines)
        return Movement(places, self._on_enter, self._on_cross)

    def _look(self, seen: Sightings, now: Moment, labels: Mapping[int, str]) -> None:
        boxes = np.array([sighting.box for sighting in seen.values()])
        points = boxes[:, 2:].copy()
        points[:, 0] = (boxes[:, 0] + boxes[:, 2]) / 2
        sizes = np.minimum(np.maximum(boxes[:, 2:] - boxes[:, :2], LEAST_SIZE), MOST_SIZE)
        places = self._movement.places
        depths, aways = places.depths(points, sizes), places.sides(points, sizes)
        self._set_aside(seen, now)
        # All first: what one does may depend on where the others are now.
        seen_now = [self._see(sighting, seen, now, labels) for sighting in seen.values()]
        rights: list[list[bool]] = (aways > 0).tolist()
        rows = zip(seen_now, depths.tolist(), aways.tolist(), rights, strict=True)
        for (one, before), deep, away, right in rows:
            self._movement.look(one, before, deep, away, right)

    def _set_aside(self, seen: Sightings, now: Moment) -> None:
        """Take numbers away from objects if they have gone to others, which are elsewhere.

        Where two meet, or one hides, a tracker may give one's number to the other; and it gives
        an object that left the picture its number again when one like it comes in.
        """
        for id_, sighting in seen.items():
            one = self._objects.get(id_)
            if one is not None and one.is_elsewhere(sighting.box, now.media_ns):
                self._objects[next(self._strays)] = self._objects.pop(id_)
                # The track's velocity is of two objects.
                seen[id_] = sighting._replace(velocity=UNKNOWN, jumped=True)

    def _see(
        self, sighting: Sighting, seen: Sightings, now: Moment, labels: Mapping[int, str]
    ) -> tuple[Watched, tuple[Point, Moment] | None]:
        """The object of a sighting, and where and when it was seen before, if it was."""
        track = sighting.track
        one = self._objects.get(track.id)
        if track.state == "confirmed" and (one is None or not one.confirmed):
            one = self._lost(sighting, seen, now) or one
        before = (ground(one.here), one.seen) if one is not None else None
        if one is None:
            one = Watched(track.id, sighting.box, now)
        one.see(sighting, now, labels)
        self._objects[track.id] = one
        if one.confirmed and tally.PICTURE not in one.stays:
            one.stays[tally.PICTURE] = Stay(now)
        return one, before

    def _lost(self, sighting: Sighting, seen: Sightings, now: Moment) -> Watched | None:
        """The object that had another number until it was lost near there, taken out."""
        track, box, _, jumped = sighting
        # A number that jumped went to what was right there, or to something new.
        farther = 0.0 if jumped else FARTHER_PER_S
        near = [
            (off, id_)
            for id_, one in self._objects.items()
            if id_ not in seen
            and one.confirmed
            and one.class_id == track.class_id
            and now.media_ns - one.seen.media_ns <= _LOST_NS
            and one.like(box)
            and (off := one.off(box, now.media_ns, farther)) is not None
        ]
        return self._objects.pop(min(near)[1]) if near else None

    def _let_go(self, followed: set[int], now: Moment) -> None:
        """Objects that nobody follows any more leave the places they were in."""
        gone = [
            id_
            for id_, one in self._objects.items()
            if id_ not in followed and now.media_ns - one.seen.media_ns >= _GONE_NS
        ]
        for id_ in gone:
            self._part(id_)

    def _part(self, id_: int) -> None:
        """An object leaves all places it was in."""
        one = self._objects.pop(id_)
        for stay in one.stays.values():
            stay.outside = stay.outside or one.seen
        one.stays.clear()

    def _on_enter(self, one: Watched, zone: str) -> None:
        self.counts = tally.entered(self.counts, zone, one.label)

    def _on_cross(self, crossing: Crossing) -> None:
        line, direction, one = crossing
        self.counts = tally.crossed(self.counts, line, direction, one.label)
        for rule in self._rules:
            if rule.line == line:
                event = rule.crossing(one, direction)
                if event is not None:
                    self._told.append(event)


def _sightings(tracks: Sequence[Track]) -> Sightings:
    """The tracks that are seen now and can be used, by number."""
    found: dict[int, Track] = {}
    for track in tracks:
        if track.state != "coasting" and track.id > 0:
            found.setdefault(track.id, track)
    if not found:
        return {}
    both = [array for track in found.values() for array in (track.box, track.velocity)]
    values = np.concatenate(both, dtype=np.float64).reshape(-1, 2, 4)
    # Where the picture ends nobody knows how it goes on.
    boxes = np.minimum(np.maximum(values[:, 0], 0), 1)
    usable = np.logical_and(np.isfinite(values).all(axis=(1, 2)),
                            (boxes[:, :2] < boxes[:, 2:]).all(axis=1))  # fmt: skip
    walks = values[:, 1, 2:].copy()
    walks[:, 0] = (values[:, 1, 0] + values[:, 1, 2]) / 2
    rows = zip(found.items(), boxes.tolist(), walks.tolist(), usable.tolist(), strict=True)
    return {
        id_: Sighting(track, (box[0], box[1], box[2], box[3]), (walk[0], walk[1]))
        for (id_, track), box, walk, use in rows
        if use and math.isfinite(track.score)
    }
