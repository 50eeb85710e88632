"""The tracker's rules, one by one: who is believed, who keeps a number, and what time does."""

from collections.abc import Sequence

import numpy as np
import pytest

from edge_vision.config_overlay import TrackingConfig
from edge_vision.results import Detections, Track
from edge_vision.track.found import MOST
from edge_vision.track.paths import Paths, Shift
from edge_vision.track.tracker import Tracker

Seen = tuple[Sequence[float], float, int]
S = 1_000_000_000
BOX = (0.4, 0.4, 0.6, 0.7)
PERSON, CAT, DOG = 1, 17, 18


def found(*seen: Seen) -> Detections:
    """Detections of (box, score, class id)."""
    if not seen:
        return Detections.empty()
    boxes, scores, classes = zip(*sorted(seen, key=lambda one: -one[1]), strict=True)
    return Detections(
        np.array(boxes, np.float32), np.array(scores, np.float32), np.array(classes, np.int32)
    )


def tracker(paths: Paths | None = None, **limits: float) -> Tracker:
    return Tracker(TrackingConfig(**limits), 0.4, paths)


def ids(tracks: tuple[Track, ...]) -> list[int]:
    return [track.id for track in tracks]


def states(tracks: tuple[Track, ...]) -> list[str]:
    return [track.state for track in tracks]


def moved(box: Sequence[float], dx: float, dy: float = 0.0) -> list[float]:
    return np.clip(np.add(box, (dx, dy, dx, dy)), 0, 1).tolist()


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((0.61,), "confirmed"),
        ((0.5,), "tentative"),
        ((0.5, 0.45), "confirmed"),
        ((0.5, 0.3), "tentative"),
        ((0.5, 0.3, 0.45), "confirmed"),
        ((0.5, 0.0, 0.45), "confirmed"),
        ((0.5, 0.0), "tentative"),
        ((0.39,), None),
    ],
)
def test_who_is_believed(scores: tuple[float, ...], said: str | None) -> None:
    one = tracker()
    for k, score in enumerate(scores):
        tracks = one.update(found((BOX, score, CAT)) if score else found(), k * S // 5)
    assert states(tracks) == ([said] if said else [])


def test_one_that_is_not_seen_again_was_none() -> None:
    one = tracker(confirm_s=0.5)
    one.update(found((BOX, 0.5, CAT)), 0)
    assert states(one.update(found(), S // 2)) == ["tentative"]
    assert one.update(found(), S // 2 + 1) == ()
    assert ids(one.update(found((BOX, 0.9, CAT)), S)) == [2]


def test_ids_count_from_one_best_first() -> None:
    boxes = [moved(BOX, dx) for dx in (-0.3, 0.0, 0.3)]
    tracks = tracker().update(found(*zip(boxes, (0.7, 0.9, 0.8), (1, 1, 1), strict=True)), 0)
    assert [(track.id, round(track.score, 1)) for track in tracks] == [(1, 0.9), (2, 0.8), (3, 0.7)]


def test_not_seen_it_coasts_on_its_way_and_then_ends() -> None:
    one = tracker(coast_s=1.0)
    for k in range(11):
        tracks = one.update(found((moved(BOX, -0.3 + 0.02 * k), 0.9, CAT)), k * S // 10)
    assert tracks[0].velocity == pytest.approx([0.2, 0, 0.2, 0], abs=0.02)
    before, last_ns = tracks[0], S
    for k in range(11, 21):
        (track,) = one.update(found(), k * S // 10)
        assert (track.id, track.state, track.last_seen_ns) == (1, "coasting", last_ns)
    assert track.box == pytest.approx(np.add(before.box, [0.2, 0, 0.2, 0]), abs=0.02)
    assert track.sigma > before.sigma
    assert one.update(found(), 2 * S + 1) == ()


def test_a_weak_detection_keeps_it_alive() -> None:
    one = tracker(coast_s=0.3)
    one.update(found((BOX, 0.9, CAT)), 0)
    for k in range(1, 20):
        tracks = one.update(found((BOX, 0.25, CAT)), k * S // 10)
        assert (ids(tracks), states(tracks)) == ([1], ["confirmed"])
    assert 0.25 < tracks[0].score < 0.35  # and its score tells


def test_the_strong_choose_first() -> None:
    one = tracker()
    one.update(found((BOX, 0.9, CAT)), 0)
    # The weak one lies better, but the strong one is near enough to be the cat.
    weak, strong = moved(BOX, 0.0), moved(BOX, 0.02)
    (track,) = one.update(found((weak, 0.3, CAT), (strong, 0.9, CAT)), S // 10)
    assert track.box[0] > BOX[0] + 0.001


def test_two_boxes_of_one_object_are_one_track() -> None:
    one = tracker()
    wider = (0.4, 0.4, 0.65, 0.75)
    for k in range(5):
        tracks = one.update(found((BOX, 0.9, CAT), (wider, 0.8, CAT)), k * S // 10)
        assert ids(tracks) == [1]


def test_one_object_is_not_two_classes() -> None:
    one = tracker()
    for k in range(5):
        tracks = one.update(found((BOX, 0.9, CAT), (moved(BOX, 0.01), 0.7, DOG)), k * S // 10)
        assert [(track.id, track.class_id) for track in tracks] == [(1, CAT)]


def test_a_detector_that_wavers() -> None:
    one = tracker()
    for k in range(40):
        class_id = DOG if k % 4 == 3 else CAT
        (track,) = one.update(found((BOX, 0.8, class_id)), k * S // 10)
        assert (track.id, track.class_id, track.state) == (1, CAT, "confirmed")


def test_a_detector_that_was_wrong_at_first() -> None:
    one = tracker()
    for k in range(40):
        (track,) = one.update(found((BOX, 0.8, DOG if k < 5 else CAT)), k * S // 10)
        assert track.id == 1
    assert track.class_id == CAT


def test_another_class_needs_the_very_place() -> None:
    one = tracker()
    one.update(found((BOX, 0.9, CAT)), 0)
    tracks = one.update(found((moved(BOX, 0.08), 0.9, DOG)), S // 10)
    assert [(track.id, track.class_id) for track in tracks] == [(1, CAT), (2, DOG)]


def test_leaving_the_picture_and_coming_back() -> None:
    one = tracker(coast_s=2.0)
    cup = (0.7, 0.4, 0.8, 0.6)
    for k in range(7):
        one.update(found((moved(cup, 0.05 * k), 0.9, 47)), k * S // 10)
    gone = [one.update(found(), k * S // 10) for k in range(7, 12)]
    assert gone[-1] == ()
    back = one.update(found(((0.93, 0.42, 1.0, 0.62), 0.9, 47)), 12 * S // 10)
    assert [(track.id, track.first_seen_ns) for track in back] == [(1, 0)]
    assert np.abs(back[0].velocity).max() < 1e-6  # it is not on its way out any more


@pytest.mark.parametrize(
    ("box", "class_id", "after_s"),
    [((0.0, 0.42, 0.07, 0.62), 47, 1.2), ((0.93, 0.42, 1.0, 0.62), 1, 1.2),
     ((0.93, 0.42, 1.0, 0.62), 47, 3.0), ((0.6, 0.0, 1.0, 1.0), 47, 1.2)],
    ids=["other side", "other class", "too late", "other size"],
)  # fmt: skip
def test_who_comes_back_as_somebody_else(
    box: tuple[float, ...], class_id: int, after_s: float
) -> None:
    one = tracker(coast_s=2.0)
    for k in range(7):
        one.update(found((moved((0.7, 0.4, 0.8, 0.6), 0.05 * k), 0.9, 47)), k * S // 10)
    for k in range(7, round(after_s * 10)):
        one.update(found(), k * S // 10)
    assert ids(one.update(found((box, 0.9, class_id)), round(after_s * S))) == [2]


def test_half_out_of_the_picture_it_keeps_its_size_and_velocity() -> None:
    one = tracker()
    person = np.array([0.3, 0.3, 0.5, 0.9])
    for k in range(19):
        true = person - [0.02 * k, 0, 0.02 * k, 0]
        (track,) = one.update(found((np.clip(true, 0, 1).tolist(), 0.9, PERSON)), k * S // 10)
        assert track.box == pytest.approx(true, abs=0.02), k
    assert track.box[0] < -0.05
    assert track.velocity == pytest.approx([-0.2, 0, -0.2, 0], abs=0.04)


def test_coming_in_it_is_no_faster_than_its_free_edge() -> None:
    one = tracker()
    for k in range(1, 10):
        box = (0.0, 0.3, 0.02 * k, 0.9)
        (track,) = one.update(found((box, 0.9, PERSON)), k * S // 10)
    assert track.velocity[2] == pytest.approx(0.2, abs=0.05)
    assert np.clip(track.box, 0, 1) == pytest.approx(box, abs=0.02)


def test_the_path_that_was_seen_is_believed() -> None:
    """Nobody detects it for a second, in which it turns round; the picture told where it went."""
    paths = Paths()
    one = tracker(paths)
    for k in range(31):
        dx = 0.2 * np.sin(k / 10)
        paths.add(k * S // 10, {1: Shift(dx, dx / 2, 0.01 * k, 1e-7 * k)})
        seen = found((moved(BOX, dx, dx / 2), 0.9, CAT)) if k < 10 else found()
        (track,) = one.update(seen, k * S // 10)
    assert track.state == "coasting"
    assert (track.box[:2] + track.box[2:]) / 2 == pytest.approx(
        [0.5 + 0.2 * np.sin(3), 0.55 + 0.1 * np.sin(3)], abs=0.01
    )
    assert track.velocity[[0, 2]].mean() == pytest.approx(0.2 * np.cos(2.95), abs=0.02)
    assert track.sigma < 0.03


@pytest.mark.parametrize("bad", [(np.nan, 0, 0, 0), (0, 0, np.inf, 0), (0, 0, 0, np.nan)])
def test_a_path_that_is_no_number_is_not(bad: tuple[float, float, float, float]) -> None:
    paths = Paths()
    one = tracker(paths)
    for k in range(5):
        paths.add(k * S // 10, {1: Shift(*bad) if k == 2 else Shift(0, 0, 0, 0)})
        (track,) = one.update(found((BOX, 0.9, CAT)), k * S // 10)
        assert np.isfinite([*track.box, *track.velocity, track.sigma]).all()
    assert track.box == pytest.approx(BOX, abs=0.01)


def test_a_camera_that_moves() -> None:
    """Nobody sees the object while the camera turns; `motion` carries it along."""
    one = tracker()
    for k in range(5):
        one.update(found((BOX, 0.9, CAT)), k * S // 10, np.eye(2, 3))
    pan = np.array([[1, 0, -0.04], [0, 1, 0.01]])
    for k in range(5, 10):
        (track,) = one.update(found(), k * S // 10, pan)
    assert track.box == pytest.approx(np.add(BOX, [-0.2, 0.05, -0.2, 0.05]), abs=0.01)
    # A new object moves with the picture until more is known of it.
    other = one.update(found((moved(BOX, 0.3), 0.9, DOG)), S, pan)[-1]
    assert other.velocity == pytest.approx([-0.4, 0.1, -0.4, 0.1], abs=1e-5)
    # A motion that is none does no harm.
    tracks = one.update(found((BOX, 0.9, CAT)), 11 * S // 10, np.full((2, 3), np.nan))
    assert all(np.isfinite(track.box).all() for track in tracks)


def test_the_same_time_twice() -> None:
    one = tracker()
    first = one.update(found((BOX, 0.9, CAT)), S)
    again = one.update(found((moved(BOX, 0.01), 0.9, CAT)), S)
    assert ids(first) == ids(again) == [1]
    assert np.isfinite(again[0].box).all()


@pytest.mark.parametrize("step_ns", [-1, -10 * S, 3 * S + 1, 10**18])
def test_time_that_jumps_starts_over_with_new_ids(step_ns: int) -> None:
    one = tracker()
    for k in range(3):
        one.update(found((BOX, 0.9, CAT)), 10**12 + k)
    tracks = one.update(found((BOX, 0.9, CAT)), 10**12 + 2 + step_ns)
    assert ids(tracks) == [2]
    assert tracks[0].first_seen_ns == 10**12 + 2 + step_ns


def test_a_cut_starts_over_with_new_ids() -> None:
    """The registrar saw it between two detections; a later result of before it changes nothing."""
    paths = Paths()
    one = tracker(paths)
    assert ids(one.update(found((BOX, 0.9, CAT)), 0)) == [1]
    paths.cut_ns = S // 4
    assert ids(one.update(found((BOX, 0.9, CAT)), S // 10)) == [1]
    assert ids(one.update(found((BOX, 0.9, CAT)), S // 3)) == [2]
    assert ids(one.update(found((BOX, 0.9, CAT)), S // 2)) == [2]


def test_without_coasting_what_is_seen_is_still_followed() -> None:
    one = tracker(coast_s=0.0)
    for k in range(5):
        assert ids(one.update(found((BOX, 0.9, CAT)), k * S // 5)) == [1]
    assert one.update(found(), S) == ()


def test_hundreds_at_once() -> None:
    rng = np.random.default_rng(0)
    one = tracker()
    for k in range(12):
        corner, size = rng.uniform(0, 0.9, (300, 2)), rng.uniform(0, 0.3, (300, 2))
        size[::50] = 0  # boxes without area
        boxes = np.clip(np.hstack((corner, corner + size)), 0, 1).astype(np.float32)
        scores = np.sort(rng.uniform(0.2, 1, 300))[::-1].astype(np.float32)
        tracks = one.update(Detections(boxes, scores, np.full(300, 1, np.int32)), k * S // 10)
        assert len(set(ids(tracks))) == len(tracks) <= MOST
        assert all(np.isfinite(track.box).all() for track in tracks)
    assert len(tracks) > 50


def test_another_threshold_ends_whoever_is_below_it() -> None:
    one, seen = tracker(), found((BOX, 0.9, CAT), ((0.0, 0.0, 0.2, 0.2), 0.7, CAT))
    one.update(seen, S)
    for at, (least, left) in enumerate(((0.3, [1, 2]), (0.8, [1]), (0.5, [1, 3])), 2):
        one.demand(least)
        assert ids(one.update(seen, S + at * S // 30)) == left
