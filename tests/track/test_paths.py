"""What the registrar tells and the tracker asks."""

import pytest

from edge_vision.track.paths import Paths, Shift

FRAME_NS = 33_000_000


def walked(paths: Paths, frames: range, step: float = 0.01, track_id: int = 1) -> None:
    for k in frames:
        paths.add(k * FRAME_NS, {track_id: Shift(step * k, -step * k, 0.001 * k, 1e-6 * k)})


def test_between_two_frames() -> None:
    paths = Paths()
    walked(paths, range(10))
    shift = paths.between(1, 2 * FRAME_NS, 7 * FRAME_NS)
    assert shift == pytest.approx((0.05, -0.05, 0.005, 5e-6))
    assert paths.between(1, 3 * FRAME_NS, 3 * FRAME_NS) == pytest.approx((0, 0, 0, 0))


def test_times_between_frames_are_interpolated() -> None:
    paths = Paths()
    walked(paths, range(10))
    shift = paths.between(1, round(2.25 * FRAME_NS), round(4.75 * FRAME_NS))
    assert shift is not None
    assert shift.dx == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("track_id", "begin", "end"),
    [(2, 2, 5), (1, -1, 5), (1, 2, 10), (1, 9.5, 9.6)],
    ids=["another track", "before the first frame", "after the last frame", "both after it"],
)
def test_what_nobody_saw_is_none(track_id: int, begin: float, end: float) -> None:
    paths = Paths()
    walked(paths, range(10))
    assert paths.between(track_id, round(begin * FRAME_NS), round(end * FRAME_NS)) is None


def test_nothing_told_yet() -> None:
    assert Paths().between(1, 0, 1) is None


def test_a_track_is_known_from_the_frame_in_which_it_was_first_carried() -> None:
    paths = Paths()
    for k in range(10):
        paths.add(k * FRAME_NS, {1: Shift(k, k, 0, 0)} if k >= 4 else {})
    assert paths.between(1, 3 * FRAME_NS, 8 * FRAME_NS) is None
    assert paths.between(1, round(3.5 * FRAME_NS), 8 * FRAME_NS) is None
    assert paths.between(1, 4 * FRAME_NS, 8 * FRAME_NS) == pytest.approx((4, 4, 0, 0))


def test_amended_afterwards() -> None:
    paths = Paths()
    for k in range(5):
        paths.add(k * FRAME_NS, {})
    paths.amend(7, {k * FRAME_NS: Shift(0.1 * k, 0, 0, 0) for k in range(1, 9)})
    assert paths.between(7, FRAME_NS, 4 * FRAME_NS) == pytest.approx((0.3, 0, 0, 0))
    assert paths.between(7, 0, 4 * FRAME_NS) is None
    assert paths.between(7, FRAME_NS, 5 * FRAME_NS) is None


def test_what_was_told_may_be_changed_by_its_owner() -> None:
    paths, sums = Paths(), {1: Shift(0, 0, 0, 0)}
    paths.add(0, sums)
    sums[1] = Shift(1, 1, 1, 1)
    paths.add(FRAME_NS, sums)
    assert paths.between(1, 0, FRAME_NS) == pytest.approx((1, 1, 1, 1))


def test_time_that_jumps_back_forgets() -> None:
    paths = Paths()
    walked(paths, range(10))
    walked(paths, range(3, 6), step=0.5)
    assert paths.newest_ns == 5 * FRAME_NS
    assert paths.between(1, 2 * FRAME_NS, 5 * FRAME_NS) is None
    assert paths.between(1, 3 * FRAME_NS, 5 * FRAME_NS) == pytest.approx((1, -1, 0.002, 2e-6))


def test_the_past_is_let_go() -> None:
    paths = Paths()
    walked(paths, range(2000))
    assert paths.between(1, 1907 * FRAME_NS, 1990 * FRAME_NS) is None  # 3 s are 91 frames
    assert paths.between(1, 1909 * FRAME_NS, 1990 * FRAME_NS) is not None
