"""The tracker in worlds whose truth is known: noise, misses, crossings, a camera that pans."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_vision.camera.demo import DemoCamera
from edge_vision.config_overlay import TrackingConfig
from edge_vision.results import Detections, Track
from edge_vision.track.match import overlaps
from edge_vision.track.paths import Paths, Shift
from edge_vision.track.tracker import Tracker

Array = NDArray[np.float64]
S = 1_000_000_000
RATES = [2, 4, 10, 15]
PERSON, CAT, CUP = 1, 17, 47


class Thing(NamedTuple):
    """One object: where it is at a time (x0 y0 x1 y1), and when nobody can see it."""

    class_id: int
    box: Callable[[float], Sequence[float]]
    hidden: Callable[[float], bool] = lambda _: False


def straight(
    x: float, y: float, vx: float, vy: float, w: float = 0.15, h: float = 0.3
) -> Callable[[float], Array]:
    """At x, y (its centre) at second 5, going straight on."""

    def box(t: float) -> Array:
        cx, cy = x + vx * (t - 5), y + vy * (t - 5)
        return np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])

    return box


def detect(
    boxes: Sequence[tuple[int, Sequence[float]]], rng: np.random.Generator
) -> tuple[Detections, list[Array]]:
    """What a detector says of true boxes: 4 % noise, 10 % not seen, 15 % only weakly."""
    rows = []
    for class_id, true in boxes:
        box, luck = np.array(true), rng.random()
        if luck < 0.1 or not ((box[:2] < 0.97).all() and (box[2:] > 0.03).all()):
            continue
        score = rng.uniform(0.2, 0.4) if luck < 0.25 else rng.uniform(0.45, 0.98)
        noise = rng.normal(0, 0.04, 4) * np.tile(box[2:] - box[:2], 2)
        rows.append((float(score), class_id, np.clip(box + noise, 0, 1)))
    rows.sort(key=lambda row: -row[0])
    found = Detections(
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[0] for row in rows], np.float32),
        np.array([row[1] for row in rows], np.int32),
    )
    return found, [row[2] for row in rows]


def whose(tracks: Sequence[Track], class_id: int, true: Sequence[float]) -> Track | None:
    """The track that is seen on an object, if one is."""
    ours = [track for track in tracks if track.class_id == class_id and track.state == "confirmed"]
    if not ours:
        return None
    shared = overlaps(np.array([true]), np.array([track.box for track in ours], np.float64))[0]
    return ours[shared.argmax()] if shared.max() >= 0.5 else None


def ids_of(things: Sequence[Thing], rate: float, seed: int, seconds: float = 10) -> list[list[int]]:
    """The ids that each object had, in order, without repetitions in a row."""
    rng = np.random.default_rng(seed)
    tracker = Tracker(TrackingConfig(), 0.4, None)
    ids: list[list[int]] = [[] for _ in things]
    for k in range(round(seconds * rate)):
        # Frames are lost and come when they can.
        t = (k + rng.uniform(-0.2, 0.2)) / rate
        seen = [(one.class_id, one.box(t)) for one in things if not one.hidden(t)]
        tracks = tracker.update(detect(seen, rng)[0], round((t + 1) * S))
        for thing, had in zip(things, ids, strict=True):
            track = None if thing.hidden(t) else whose(tracks, thing.class_id, thing.box(t))
            if track is not None and had[-1:] != [track.id]:
                had.append(track.id)
    return ids


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_everybody_keeps_a_number_of_its_own(rate: int, seed: int) -> None:
    things = [
        Thing(PERSON, straight(0.5, 0.2, 0.05, 0.0)),
        Thing(PERSON, straight(0.5, 0.6, -0.04, 0.02)),
        Thing(CAT, straight(0.3, 0.8, 0.03, -0.02, 0.2, 0.2)),
        Thing(CUP, straight(0.8, 0.5, 0.0, 0.04, 0.08, 0.12)),
    ]
    ids = ids_of(things, rate, seed)
    assert [len(had) for had in ids] == [1, 1, 1, 1]
    assert len({had[0] for had in ids}) == 4


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_classes_that_cross_are_not_mixed_up(rate: int, seed: int) -> None:
    """One in front of the other, of the same size, at any rate: no id changes hands."""
    things = [
        Thing(PERSON, straight(0.5, 0.5, 0.1, 0.0), lambda t: abs(t - 5) < 0.5),
        Thing(CAT, straight(0.5, 0.5, -0.1, 0.0)),
    ]
    assert all(len(had) == 1 for had in ids_of(things, rate, seed))


@pytest.mark.parametrize(("rate", "least"), [(4, 30), (10, 38), (15, 38)])
def test_two_of_a_class_cross(rate: int, least: int) -> None:
    """Two persons pass each other; the one behind is not seen for 0.8 s.  At 4 looks a second one
    that is missed just then may leave too little to tell them apart."""
    things = [
        Thing(PERSON, straight(0.5, 0.5, 0.1, 0.0), lambda t: abs(t - 5) < 0.4),
        Thing(PERSON, straight(0.5, 0.5, -0.1, 0.0)),
    ]
    held = [all(len(had) == 1 for had in ids_of(things, rate, seed)) for seed in range(40)]
    assert sum(held) >= least


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_hidden_for_a_second(rate: int, seed: int) -> None:
    things = [Thing(PERSON, straight(0.5, 0.5, 0.08, 0.02), lambda t: 4 <= t < 5)]
    assert [len(had) for had in ids_of(things, rate, seed)] == [1]


def errors(paths: bool, motion: bool, seed: int = 0) -> tuple[float, float]:
    """Mean error of detected and of tracked centres, of three things that turn to and fro under a
    panning camera, in box sizes; 10 detections a second."""
    rng = np.random.default_rng(seed)
    told = Paths() if paths else None
    tracker = Tracker(TrackingConfig(), 0.4, told)
    raw, tracked, before = [], [], (0.0, 0.0)
    tracks: tuple[Track, ...] = ()
    for k in range(300):
        t = k / 10
        pan = (0.12 * np.sin(t * 0.9), 0.05 * np.sin(t * 1.3))
        boxes = []
        for i, class_id in enumerate((PERSON, CAT, CUP)):
            x = 0.25 + 0.25 * i + 0.08 * np.sin(t * 1.2 + i) - pan[0]
            boxes.append((class_id, (x - 0.05, 0.3 - pan[1], x + 0.05, 0.6 - pan[1])))
        if told is not None:  # ids go by class here: the objects are met in the first frames
            told.add(k * S // 10, {
                track.id: Shift(box[0], box[1], 0, 1e-7 * k)
                for track in tracks for class_id, box in boxes
                if class_id == track.class_id
            })  # fmt: skip
        moved = np.array([[1, 0, before[0] - pan[0]], [0, 1, before[1] - pan[1]]])
        before = pan
        found, _ = detect(boxes, rng)
        tracks = tracker.update(found, k * S // 10, moved if motion else None)
        for class_id, box in boxes:
            track = whose(tracks, class_id, box)
            strong = (found.class_ids == class_id) & (found.scores >= 0.4)
            if track is None or not strong.any():
                continue
            for errs, other in ((tracked, track.box), (raw, found.boxes[strong][0])):
                off = (np.array(other, np.float64) - box).reshape(2, 2).mean(axis=0)
                errs.append(np.abs(off / (0.1, 0.3)).mean())
    return float(np.mean(raw)), float(np.mean(tracked))


def test_smoothing_beats_the_detector() -> None:
    raw, alone = errors(paths=False, motion=False)
    _, camera = errors(paths=False, motion=True)
    _, seen = errors(paths=True, motion=False)
    assert alone < raw
    assert camera < alone
    assert seen < 0.6 * raw
    assert seen < camera


@pytest.mark.parametrize(("step", "most_switches"), [(3, 0), (10, 0)])
def test_the_demo_scene(step: int, most_switches: int) -> None:
    """Its truth with noise, 10 and 3 detections a second: four objects, one of which leaves."""
    camera, rng = DemoCamera((640, 360), 30.0, 0), np.random.default_rng(0)
    tracker = Tracker(TrackingConfig(), 0.4, None)
    last: dict[int, int] = {}
    together: defaultdict[tuple[int, int], int] = defaultdict(int)
    objects = drawn = switches = 0
    for seq in range(0, 900, step):
        truth = [thing for thing in camera.truth(seq).objects if thing.visibility >= 0.5]
        found, _ = detect([(thing.class_id, thing.box) for thing in truth], rng)
        tracks = tracker.update(found, seq * S // 30)
        objects += len(truth)
        drawn += sum(track.state == "confirmed" for track in tracks)
        for thing in truth:
            track = whose(tracks, thing.class_id, thing.box)
            if track is not None:
                switches += last.get(thing.object_id, track.id) != track.id
                last[thing.object_id] = track.id
                together[thing.object_id, track.id] += 1
    assert switches <= most_switches
    identified = sum(max(n for (who, _), n in together.items() if who == i) for i in range(4))
    # The tenth that the detector misses cannot be drawn as seen.
    assert 2 * identified / (objects + drawn) > 0.92


unit = st.floats(0, 1, width=32)
seen = st.tuples(unit, unit, unit, unit, unit, st.sampled_from([1, 2]))
frames = st.tuples(
    st.lists(seen, max_size=6),
    st.sampled_from([0, 1, S // 15, S // 2, 3 * S, 10 * S, -1, -S]),
    st.lists(st.floats(-2, 2), min_size=6, max_size=6) | st.none(),
    st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 4) | st.none(),
)


@settings(max_examples=100)
@given(st.lists(frames, max_size=25))
def test_whatever_comes_no_nan_and_no_id_twice(history: list) -> None:
    paths = Paths()
    tracker = Tracker(TrackingConfig(), 0.4, paths)
    now_ns, born = 0, {}
    for rows, dt_ns, motion, shift in history:
        now_ns += dt_ns
        if shift is not None:
            paths.add(now_ns, {i: Shift(*shift) for i in range(10)})
        rows = sorted(rows, key=lambda row: -row[4])
        corners = np.array([row[:4] for row in rows], np.float32).reshape(-1, 2, 2)
        found = Detections(
            np.sort(corners, axis=1).reshape(-1, 4),
            np.array([row[4] for row in rows], np.float32),
            np.array([row[5] for row in rows], np.int32),
        )
        camera = None if motion is None else np.array(motion).reshape(2, 3)
        tracks = tracker.update(found, now_ns, camera)
        ids = [track.id for track in tracks]
        assert len(set(ids)) == len(ids)
        for track in tracks:
            assert np.isfinite([*track.box, *track.velocity, track.score, track.sigma]).all()
            assert (track.box[:2] < track.box[2:]).all()
            assert born.setdefault(track.id, track.first_seen_ns) == track.first_seen_ns
