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


def counted(engine: RuleEngine) -> tuple[int, int]:
    ways = engine.counts.lines["door"]
    return sum(ways["in"].values()), sum(ways["out"].values())


def true_counts(people: Sequence[Walker]) -> tuple[int, int]:
    """The line goes up: who goes to the right goes in."""
    rightwards = sum(one.speed > 0 for one in people)
    return rightwards, len(people) - rightwards


@pytest.mark.parametrize("seed", range(2))
def test_exact_at_ten_scenes_a_second(seed: int) -> None:
    engine, people, told = run(10, seed)
    assert counted(engine) == true_counts(people)
    assert len([event for event in told if event.rule == "through"]) == len(people)


@pytest.mark.parametrize("seed", range(2))
def test_nearly_all_at_four_scenes_a_second(seed: int) -> None:
    """And none twice: no direction has more than there were."""
    engine, people, _ = run(4, seed)
    right = 0
    for count, true in zip(counted(engine), true_counts(people), strict=True):
        assert count <= true
        right += count
    assert right >= 0.97 * len(people)
