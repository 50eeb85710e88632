"""Scores on cases that can be worked out by hand."""

import itertools

import numpy as np
import pytest

from edge_vision.measure.metrics import GATE_WIDTHS, Scores, Tally, TrueBox, pairs
from edge_vision.results import Track

CAT, CUP = 17, 47


def box(x: float, y: float, w: float = 0.2, h: float = 0.2) -> np.ndarray:
    """A box by its centre and size."""
    return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2], np.float32)


def true(id: int, x: float, y: float, class_id: int = CAT, counts: bool = True) -> TrueBox:
    return TrueBox(id, class_id, box(x, y), counts)


def drawn(id: int, x: float, y: float, class_id: int = CAT, w: float = 0.2) -> Track:
    return Track(id, box(x, y, w), np.zeros(4, np.float32), 0.9, class_id, "confirmed", 0, 0)


def scores(*frames: tuple[list[TrueBox], list[Track]], size_px: tuple[int, int] = (100, 100)):
    tally = Tally()
    for truth, tracks in frames:
        tally.add(truth, tracks, *size_px)
    return tally.scores()


# Overlap and distance


def test_a_box_that_fits_is_perfect() -> None:
    reached = scores(([true(1, 0.5, 0.5)], [drawn(7, 0.5, 0.5)]))
    assert reached == Scores(1.0, 1.0, 0.0, 1.0, 0, 0.0, 0.0)


def test_overlap_and_distance_in_pixels_of_each_axis() -> None:
    reached = scores(
        ([true(1, 0.5, 0.5)], [drawn(1, 0.6, 0.5)]),  # half of each box is common
        ([true(1, 0.5, 0.5)], [drawn(1, 0.5, 0.6)]),
        size_px=(200, 100),
    )
    assert reached.iou_mean == pytest.approx(1 / 3)
    assert reached.centre_px == pytest.approx((20 + 10) / 2)
    # 1/3 is below one half: right number, but not on its object.
    assert reached.idf1 == 0.0


def test_the_fifth_percentile_is_that_of_all_pairs() -> None:
    frames = [([true(1, 0.5, 0.5)], [drawn(1, 0.5, 0.5)]) for _ in range(20)]
    frames.append(([true(1, 0.5, 0.5)], [drawn(1, 0.6, 0.5)]))
    assert scores(*frames).iou_p5 == pytest.approx(1.0)
    assert scores(*frames[10:]).iou_p5 == pytest.approx(1 / 3 + (1 - 1 / 3) / 2)  # 0.5 of a step


def test_boxes_end_at_the_border_as_on_the_screen() -> None:
    cut = TrueBox(1, CAT, np.array([0.9, 0.4, 1.0, 0.6], np.float32))
    reached = scores(([cut], [drawn(1, 1.0, 0.5)]))
    assert reached.iou_mean == pytest.approx(1.0)
    assert reached.centre_px == pytest.approx(0.0, abs=1e-4)


def test_a_box_outside_the_picture_is_not_drawn() -> None:
    reached = scores(([true(1, 0.5, 0.5)], [drawn(1, 0.5, 0.5), drawn(2, 1.2, 0.5)]))
    assert reached.ghosts == 0.0


def test_errors_are_kept_frame_by_frame() -> None:
    tally = Tally()
    tally.add([true(1, 0.5, 0.5), true(2, 0.5, 0.2)], [drawn(1, 0.5, 0.52)], 100, 100)
    tally.add([true(1, 0.5, 0.5)], [], 100, 100)
    both = [drawn(1, 0.5, 0.5), drawn(2, 0.3, 0.2)]
    tally.add([true(1, 0.5, 0.5), true(2, 0.2, 0.2)], both, 100, 100)
    assert tally.errors_px == [pytest.approx(2.0, abs=1e-4), None, pytest.approx(5.0, abs=1e-4)]


# Pairs


def test_a_trailing_box_is_an_error_and_not_a_miss() -> None:
    reached = scores(([true(1, 0.2, 0.5)], [drawn(1, 0.65, 0.5)]))
    assert reached.centre_px == pytest.approx(45.0)
    assert (reached.missed, reached.ghosts, reached.iou_mean) == (0.0, 0.0, 0.0)


def test_a_box_beyond_the_gate_is_a_miss_and_a_ghost() -> None:
    reached = scores(([true(1, 0.2, 0.5)], [drawn(1, 0.2 + GATE_WIDTHS + 0.01, 0.5)]))
    assert (reached.missed, reached.ghosts) == (1.0, 1.0)
    assert reached.iou_mean is reached.iou_p5 is reached.centre_px is None
    assert reached.idf1 == 0.0


def test_the_gate_is_in_picture_widths_on_both_axes() -> None:
    truth, tracks = [true(1, 0.5, 0.1)], [drawn(1, 0.5, 0.9)]
    assert pairs(truth, tracks, 0.5) == [0]  # 0.8 heights are 0.4 widths
    assert pairs(truth, tracks, 1.0) == [-1]


def test_classes_are_never_mixed() -> None:
    reached = scores(([true(1, 0.5, 0.5, CAT)], [drawn(1, 0.5, 0.5, CUP)]))
    assert (reached.missed, reached.ghosts) == (1.0, 1.0)


def test_the_total_distance_is_least() -> None:
    """The greedy pair (0.30 with 0.32) would leave 0.1 with 0.5."""
    truth = [true(1, 0.1, 0.5), true(2, 0.32, 0.5)]
    tracks = [drawn(1, 0.30, 0.5), drawn(2, 0.50, 0.5)]
    assert pairs(truth, tracks, 1.0) == [0, 1]


def test_pairs_against_all_possibilities() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        truth = [true(i + 1, *rng.random(2)) for i in range(rng.integers(1, 5))]
        tracks = [drawn(i + 1, *rng.random(2)) for i in range(rng.integers(1, 5))]

        def total(chosen: tuple[int, ...], truth=truth, tracks=tracks) -> float:
            made = [(t, j) for t, j in zip(tracks, chosen, strict=True) if j >= 0]
            away = [t.box[:2] - truth[j].box[:2] for t, j in made]
            far = [float(np.hypot(*step)) for step in away]
            alone = max(len(tracks), len(truth)) - len(far)
            return sum(far) + GATE_WIDTHS * alone if max(far, default=0) < GATE_WIDTHS else 99.0

        choices = itertools.product(range(-1, len(truth)), repeat=len(tracks))
        free = [c for c in choices if len({j for j in c if j >= 0}) == sum(j >= 0 for j in c)]
        assert total(tuple(pairs(truth, tracks, 1.0))) == pytest.approx(min(map(total, free)))


# Objects that do not count


def test_what_does_not_count_is_neither_missed_nor_a_ghost() -> None:
    hidden = true(2, 0.8, 0.5, counts=False)
    assert scores(([true(1, 0.2, 0.5), hidden], [drawn(1, 0.2, 0.5)])).missed == 0.0
    reached = scores(([true(1, 0.2, 0.5), hidden], [drawn(1, 0.2, 0.5), drawn(2, 0.75, 0.5)]))
    assert (reached.ghosts, reached.centre_px, reached.idf1) == (0.0, 0.0, 1.0)


def test_a_second_box_on_what_does_not_count_is_a_ghost() -> None:
    reached = scores(([true(1, 0.5, 0.5, counts=False)], [drawn(1, 0.5, 0.5), drawn(2, 0.5, 0.5)]))
    assert (reached.missed, reached.ghosts) == (None, 1.0)


# Identity


def test_idf1_of_a_number_that_changes() -> None:
    """Of 10 frames 7 have number 1 and 3 have number 2: IDTP 7, so 2 * 7 / (10 + 10)."""
    frames = [([true(1, 0.5, 0.5)], [drawn(1 if n < 7 else 2, 0.5, 0.5)]) for n in range(10)]
    reached = scores(*frames)
    assert reached.idf1 == pytest.approx(0.7)
    assert reached.id_switches == 1


def test_idf1_matches_numbers_once_for_the_whole_run() -> None:
    """Two objects swap numbers after 6 of 10 frames: IDTP 6 + 6 of 20, whatever comes later."""
    frames = []
    for n in range(10):
        a, b = (1, 2) if n < 6 else (2, 1)
        truth = [true(1, 0.2, 0.5), true(2, 0.8, 0.5)]
        frames.append((truth, [drawn(a, 0.2, 0.5), drawn(b, 0.8, 0.5)]))
    reached = scores(*frames)
    assert reached.idf1 == pytest.approx(12 / 20)
    assert reached.id_switches == 2


def test_idf1_gives_a_number_to_one_object_alone() -> None:
    """Number 1 is seen 3 times on each of two objects, number 2 twice on the second: 3 + 2 of 8."""
    frames = [([true(1, 0.2, 0.5)], [drawn(1, 0.2, 0.5)]) for _ in range(3)]
    frames += [([true(2, 0.2, 0.5)], [drawn(1, 0.2, 0.5)]) for _ in range(3)]
    frames += [([true(2, 0.2, 0.5)], [drawn(2, 0.2, 0.5)]) for _ in range(2)]
    assert scores(*frames).idf1 == pytest.approx(2 * 5 / 16)


def test_misses_and_ghosts_count_in_idf1() -> None:
    """Ristani's IDFN and IDFP: IDTP 1, 2 objects, 3 boxes."""
    reached = scores(
        ([true(1, 0.5, 0.5)], [drawn(1, 0.5, 0.5), drawn(2, 0.5, 0.9), drawn(3, 0.1, 0.1)]),
        ([true(1, 0.5, 0.5)], []),
    )
    assert reached.idf1 == pytest.approx(2 / 5)
    assert (reached.missed, reached.ghosts) == (0.5, pytest.approx(2 / 3))


def test_a_number_that_comes_back_after_a_gap_is_no_switch() -> None:
    one = ([true(1, 0.5, 0.5)], [drawn(4, 0.5, 0.5)])
    gap: tuple[list[TrueBox], list[Track]] = ([true(1, 0.5, 0.5)], [])
    assert scores(one, gap, one).id_switches == 0
    assert scores(one, gap, ([true(1, 0.5, 0.5)], [drawn(5, 0.5, 0.5)])).id_switches == 1


def test_boxes_without_a_number_have_no_identity() -> None:
    frame = ([true(1, 0.5, 0.5)], [drawn(0, 0.5, 0.5)])
    reached = scores(frame, frame)
    assert (reached.iou_mean, reached.idf1, reached.id_switches) == (1.0, 0.0, 0)


# Nothing


def test_nothing_to_measure_is_none_and_not_zero() -> None:
    assert scores(([], [])) == Scores(None, None, None, None, 0, None, None)
    assert scores() == Scores(None, None, None, None, 0, None, None)
    nothing_drawn = scores(([true(1, 0.5, 0.5)], []))
    assert nothing_drawn == Scores(None, None, None, 0.0, 0, 1.0, None)
