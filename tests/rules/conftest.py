"""Tracks that go where a test wants, through the engine."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from edge_vision.config_watch import WatchConfig
from edge_vision.events import Event
from edge_vision.results import Detections, Scene, Track
from edge_vision.rules.engine import RuleEngine
from edge_vision.rules.tally import empty_counts

S = 1_000_000_000
LABELS = {1: "person", 17: "cat", 18: "dog"}


class Place:
    """An engine, and a clock that goes on by `step_s` with each scene; Unix time is 1000 s more."""

    def __init__(self, watch: WatchConfig, step_s: float) -> None:
        self.engine = RuleEngine(watch, "board", empty_counts(1000.0))
        self.told: list[Event] = []
        """All of them, in order."""
        self._step_s = step_s
        self.now_s = 0.0

    def see(self, *tracks: Track) -> list[Event]:
        """One scene; what it tells."""
        now_ns = round(self.now_s * S)
        scene = Scene(0, now_ns, now_ns, Detections.empty(), "m", LABELS, tracks)
        told = self.engine.step(scene, 1000 + self.now_s)
        self.told += told
        self.now_s = round(self.now_s + self._step_s, 6)
        return told

    def walk(self, xs: Sequence[float], y: float = 0.8, **more: Any) -> list[Event]:
        """One object through these places, one scene each; what they tell.

        Its speed, unless given, is that by which it came, as a tracker says.
        """
        told = []
        before = xs[0]
        for x in xs:
            told += self.see(at(x, y, **{"speed": (x - before) / self._step_s, **more}))
            before = x
        return told

    def kinds(self) -> list[tuple[str, bool]]:
        """Rule and whether it is the end, of every event told."""
        return [(event.rule, event.end_s is not None) for event in self.told]


def at(
    x: float, y: float = 0.8, *, id: int = 1, state: Any = "confirmed", score: float = 0.9,
    class_id: int = 1, size: tuple[float, float] = (0.1, 0.3), speed: float = 0.0,
) -> Track:  # fmt: skip
    """A track that stands at x, y: the middle of its lower edge."""
    wide, high = size
    box = np.array([x - wide / 2, y - high, x + wide / 2, y], np.float32)
    velocity = np.array([speed, 0, speed, 0], np.float32)
    return Track(id, box, velocity, score, class_id, state, 0, 0)


@pytest.fixture
def make_place() -> Callable[..., Place]:
    """make_place(zones=..., lines=..., rules=[{...}], step_s=0.1)."""

    def make(step_s: float = 0.1, **watch: Any) -> Place:
        config = WatchConfig.model_validate_json(json.dumps(watch))
        return Place(config, step_s)

    return make


@pytest.fixture
def track() -> Callable[..., Track]:
    """track(x, y, id=, state=, score=, class_id=, size=, speed=): see `at`."""
    return at
