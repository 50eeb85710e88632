"""Whatever tracks come: events begin once and end once, and counts are what was told."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_vision.config_watch import RuleConfig, WatchConfig
from edge_vision.events import Event
from edge_vision.results import Detections, Scene, Track
from edge_vision.rules.engine import RuleEngine
from edge_vision.rules.tally import empty_counts

S = 1_000_000_000
WATCH = WatchConfig(
    zones={"left": [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0)], "low": [(0.0, 0.6), (1.0, 0.6), (0.9, 1)]},
    lines={"door": ((0.5, 1.0), (0.5, 0.0)), "slant": ((0.0, 0.0), (1.0, 1.0))},
    rules=[
        RuleConfig(name="any"),
        RuleConfig(name="enter", zone="left", cooldown_s=0.5),
        RuleConfig(name="dwell", zone="low", dwell_s=0.5, classes=["person"]),
        RuleConfig(name="many", count=2, schedule="mon-fri 08:00-18:00"),
        RuleConfig(name="cross", line="door"),
        RuleConfig(name="slant", line="slant", min_score=0.5, direction="in"),
    ],
)
OTHER = WatchConfig(zones={"left": WATCH.zones["left"]}, rules=WATCH.rules[:2])

number = st.floats(-1, 2, width=32) | st.sampled_from([0.0, 0.5, 1.0, 1e30, -1e30])
tracks = st.builds(
    lambda id, box, velocity, score, class_id, state: Track(
        id, np.array(box, np.float32), np.array(velocity, np.float32), score, class_id, state, 0, 0
    ),
    st.integers(-1, 4),
    st.lists(number, min_size=4, max_size=4),
    st.lists(number, min_size=4, max_size=4),
    st.floats(0, 2),
    st.sampled_from([1, 17, 999]),
    st.sampled_from(["tentative", "confirmed", "coasting"]),
)
scenes = st.tuples(
    st.lists(tracks, max_size=5),
    st.sampled_from([0, 1, S // 15, S // 2, 3 * S, 10 * S, -1, -S]),
    st.booleans(),
)


@settings(max_examples=200)
@given(st.lists(scenes, max_size=25))
def test_every_event_begins_once_and_ends_once(history: list) -> None:
    engine = RuleEngine(WATCH, "n", empty_counts(0.0))
    told: list[Event] = []
    now_ns = 5 * S
    for some, dt_ns, change in history:
        now_ns += dt_ns
        scene = Scene(0, now_ns, now_ns, Detections.empty(), "m", {1: "person"}, tuple(some))
        told += engine.step(scene, now_ns / 1e9)
        if change:
            told += engine.use(OTHER if engine.counts.lines else WATCH)
        here = engine.counts.now[""]
        assert sum(here.values()) <= len(engine._objects)
    told += engine.end()
    ends = Counter(event.id for event in told if event.end_s is not None)
    assert set(ends) == {event.id for event in told}
    assert set(ends.values()) <= {1}
    over = set()
    for event in told:
        assert event.id not in over, "told of after its end"
        if event.end_s is not None:
            over.add(event.id)
            assert event.end_s >= event.start_s
            assert event.end_ns is not None
            assert event.end_ns >= event.start_ns
        assert 0 <= event.score <= 1
        assert all(0 <= value <= 1 for value in event.box)
        assert event.box[0] < event.box[2]
        assert event.box[1] < event.box[3]
    assert engine.counts.now[""] == {}


@settings(max_examples=100)
@given(st.lists(scenes, max_size=25))
def test_counts_are_what_was_told(history: list) -> None:
    watch = WatchConfig(lines=WATCH.lines, rules=[RuleConfig(name="cross", line="door")])
    engine = RuleEngine(watch, "n", empty_counts(0.0))
    told: list[Event] = []
    now_ns = 5 * S
    for some, dt_ns, _ in history:
        now_ns += dt_ns
        scene = Scene(0, now_ns, now_ns, Detections.empty(), "m", {1: "person"}, tuple(some))
        told += engine.step(scene, now_ns / 1e9)
    counted = engine.counts.lines["door"]
    for way in ("in", "out"):
        assert counted[way] == Counter(event.label for event in told if event.direction == way)
