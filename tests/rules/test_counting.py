"""Crossings counted through the real tracker, with a detector's faults: none twice, none lost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from edge_vision.config_overlay import TrackingConfig
from edge_vision.config_watch import RuleConfig, WatchConfig
from edge_vision.events import Event
from edge_vision.results import Detections, Scene, Track
from edge_vision.rules.engine import RuleEngine
from edge_vision.rules.tally import empty_counts
from edge_vision.track.tracker import Tracker

S = 1_000_000_000
PERSON = 1
LABELS = {PERSON: "person"}
WATCH = WatchConfig(
    lines={"door": ((0.5, 1.0), (0.5, 0.0))},
    rules=[RuleConfig(name="through", line="door", classes=["person"])],
)


class Walker(NamedTuple):
    """Crosses the middle at second `at_s`; breaks: the id changes there; hidden_s: unseen then."""

    at_s: float
    lane: float
    speed: float
    high: float
    breaks: bool
    hidden_s: float

    def box(self, t_s: float) -> tuple[float, float, float, float]:
        x, wide = 0.5 + self.speed * (t_s - self.at_s), 0.35 * self.high
        return x - wide / 2, self.lane - self.high, x + wide / 2, self.lane


def walkers(count: int, rng: np.random.Generator) -> list[Walker]:
    made = []
    at_s = 5.0
    for _ in range(count):
        at_s += rng.uniform(0.8, 2.0)
        speed = rng.uniform(0.12, 0.35) * rng.choice([-1, 1])
        made.append(
            Walker(
                at_s, rng.uniform(0.55, 0.95), speed, rng.uniform(0.2, 0.45),
                rng.random() < 0.15, rng.uniform(0.4, 0.9) if rng.random() < 0.1 else 0.0,
            )
        )  # fmt: skip
    return made


def detect(boxes: Sequence[Sequence[float]], rng: np.random.Generator) -> Detections:
    """5 % jitter of every side, 10 % not seen, some weak."""
    rows = []
    for true in boxes:
        box, luck = np.array(true), rng.random()
        if luck < 0.1 or box[0] > 0.97 or box[2] < 0.03:
            continue
        noise = rng.normal(0, 0.05, 4) * np.tile(box[2:] - box[:2], 2)
        score = rng.uniform(0.25, 0.4) if luck < 0.2 else rng.uniform(0.45, 0.98)
        rows.append((score, np.clip(box + noise, 0, 1)))
    rows.sort(key=lambda row: -row[0])
    return Detections(
        np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[0] for row in rows], np.float32),
        np.full(len(rows), PERSON, np.int32),
    )


def broken_ids(
    tracks: Sequence[Track], breaking: Sequence[float], given: dict[int, int]
) -> list[Track]:
    """Tracks near the places `breaking` (x) get another number from now on."""
    made = []
    for track in tracks:
        middle = float(track.box[0] + track.box[2]) / 2
        if any(abs(middle - x) < 0.05 for x in breaking):
            given[track.id] = given.get(track.id, track.id) + 10_000
        made.append(replace(track, id=given.get(track.id, track.id)))
    return made


def run(per_s: float, seed: int, count: int = 200) -> tuple[RuleEngine, list[Walker], list[Event]]:
    rng = np.random.default_rng(seed)
    people = walkers(count, rng)
    tracker = Tracker(TrackingConfig(), 0.4, None)
    engine = RuleEngine(WATCH, "board", empty_counts(0.0))
    given: dict[int, int] = {}
    broken: set[int] = set()
    told: list[Event] = []
    for k in range(round((people[-1].at_s + 10) * per_s)):
        t_s = (k + rng.uniform(-0.2, 0.2)) / per_s
        near = [(i, one) for i, one in enumerate(people) if abs(t_s - one.at_s) < 6]
        seen = [one.box(t_s) for _, one in near if abs(t_s - one.at_s) >= one.hidden_s / 2]
        now_ns = round((t_s + 1) * S)
        tracks = tracker.update(detect(seen, rng), now_ns)
        breaking = []
        for i, one in near:
            if one.breaks and i not in broken and abs(t_s - one.at_s) < 0.3:
                broken.add(i)
                x0, _, x1, _ = one.box(t_s)
                breaking.append((x0 + x1) / 2)
        shown = tuple(broken_ids(tracks, breaking, given))
        scene = Scene(k, now_ns, now_ns, Detections.empty(), "m", LABELS, shown)
        told += engine.step(scene, t_s)
    told += engine.end()
    return engine, people, told


def crossers(
    people: Sequence[Walker], told: Sequence[Event]
) -> tuple[dict[int, Event], list[Event]]:
    """Who made which crossing, and the crossings that nobody made or that were told before.

    A crossing is that of the nearest one who goes that way, truly stands there (half a box off at
    most) and has made none yet.
    """
    made: dict[int, Event] = {}
    wrong = []
    for event in told:
        far = [
            (off, i)
            for i, one in enumerate(people)
            if i not in made and (one.speed > 0) == (event.direction == "in")
            if (off := off_by(one, event)) <= 0.5
        ]
        if far:
            made[min(far)[1]] = event
        else:
            wrong.append(event)
    return made, wrong


def off_by(one: Walker, event: Event) -> float:
    """How far an event is from where a walker then truly stood, in sizes of the walker's box."""
    x0, _, x1, y1 = np.clip(one.box(event.start_s), 0, 1)
    wide, high = 0.35 * one.high, one.high
    x, y = (event.box[0] + event.box[2]) / 2, event.box[3]
    return float(np.hypot((x - (x0 + x1) / 2) / wide, (y - y1) / high))


@pytest.mark.parametrize(
    ("per_s", "seed", "least"),
    [(4, 1, 0.97), (4, 3, 0.97), (6, 17, 0.97), (10, 0, 1.0), (10, 20, 1.0), (15, 0, 1.0)],
)
def test_each_crosses_once(per_s: float, seed: int, least: float) -> None:
    """None twice, neither the same way again nor back; and (nearly) all."""
    engine, people, told = run(per_s, seed)
    made, wrong = crossers(people, told)
    assert wrong == []
    assert len(made) >= least * len(people)
    ways = engine.counts.lines["door"]
    assert sum(ways["in"].values()) + sum(ways["out"].values()) == len(made)
