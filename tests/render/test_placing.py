"""Places of labels: free, inside the picture, and kept for a while."""

import itertools

from edge_vision.render.placing import Placing
from edge_vision.render.surface import Rect

OUTER = (100, 100, 200, 200)


def _above_or_below(
    outer: Rect, wide: int, high: int, width_px: int, height_px: int
) -> list[tuple[int, int]]:
    return [(outer[0], outer[1] - high), (outer[0], outer[3])]


def _place(placing: Placing, outer: Rect = OUTER, track_id: int = 1, wide: int = 50) -> Rect:
    return placing.place(track_id, outer, wide, 20, 640, 480)


def test_the_first_place_that_is_free() -> None:
    placing = Placing(_above_or_below)
    placing.begin([], 0)
    assert _place(placing) == (100, 80, 150, 100)
    assert _place(placing, track_id=2) == (100, 200, 150, 220)
    # Nothing is free any more: the first.
    assert _place(placing, track_id=3) == (100, 80, 150, 100)


def test_a_place_outside_the_picture_is_none() -> None:
    placing = Placing(_above_or_below)
    placing.begin([], 0)
    assert _place(placing, (100, 10, 200, 60)) == (100, 60, 150, 80)
    # None at all: as near as the picture allows, cut to it.
    assert _place(placing, (600, 10, 700, 470)) == (590, 10, 640, 30)
    assert _place(placing, (-30, 475, 700, 480), wide=5000) == (0, 460, 640, 480)


def test_a_label_keeps_clear_of_what_is_taken() -> None:
    placing = Placing(_above_or_below)
    placing.begin([(0, 0, 640, 81)], 0)
    assert _place(placing) == (100, 200, 150, 220)


def test_a_label_does_not_flicker_between_two_places() -> None:
    """Every other frame something lies on the first place: the label moves once and stays."""
    placing = Placing(_above_or_below)
    tops = []
    for frame in range(15):
        placing.begin([(100, 80, 150, 100)] if frame % 2 else [], frame * 33_333_333)
        tops.append(_place(placing)[1])
    assert tops[0] == 80
    assert tops[1:] == [200] * 14


def test_it_goes_back_when_the_better_place_stays_free() -> None:
    placing = Placing(_above_or_below)
    tops = []
    for frame in range(40):
        placing.begin([(100, 80, 150, 100)] if frame == 3 else [], frame * 33_333_333)
        tops.append(_place(placing)[1])
    assert tops[2:5] == [80, 200, 200]
    assert tops[-1] == 80
    assert sum(a != b for a, b in itertools.pairwise(tops)) == 2


def test_time_that_jumps_back_harms_nothing() -> None:
    placing = Placing(_above_or_below)
    for now_ns in (10**12, 0, 10**9):
        placing.begin([], now_ns)
        assert _place(placing) == (100, 80, 150, 100)


def test_only_those_drawn_last_are_remembered() -> None:
    placing = Placing(_above_or_below)
    for number in range(1, 500):
        placing.begin([], number)
        _place(placing, track_id=number)
    placing.begin([], 500)
    assert len(placing._last) == 1
    placing.begin([], 501)
    assert not placing._last
