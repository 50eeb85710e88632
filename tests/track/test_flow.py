"""Points followed from picture to picture, and what a box's points say together."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.track.flow import LEAST_SIDE_PX, common_motion, corners, follow
from edge_vision.track.grey import Grey

Array = NDArray[np.float64]
NOTHING_BARRED = np.empty((0, 4))


def _grey(pixels: NDArray[np.uint8]) -> Grey:
    return Grey(np.ascontiguousarray(pixels), np.array(pixels.shape[::-1], np.float64))


@pytest.fixture(scope="module")
def cat(pictures: Path) -> NDArray[np.uint8]:
    """A photograph, grey, 320 pixels wide."""
    picture = cv2.imread(str(pictures / "cat.jpg"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    height = picture.shape[0] * 320 // picture.shape[1]
    small = cv2.resize(picture, (320, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8)


def _shifted(picture: NDArray[np.uint8], dx: float, dy: float) -> NDArray[np.uint8]:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=1)
    return moved.astype(np.uint8)


def _area(picture: NDArray[np.uint8]) -> Array:
    height, width = picture.shape
    return np.array([60.0, 60.0, width - 60.0, height - 60.0])


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (0.4, -1.3), (6.5, 3.25), (-14.0, 9.0)])
def test_a_shift_is_measured_in_parts_of_a_pixel(
    cat: NDArray[np.uint8], dx: float, dy: float
) -> None:
    points = corners(_grey(cat), _area(cat), 16, NOTHING_BARRED)
    assert len(points) == 16
    moved, found = follow(_grey(cat), _grey(_shifted(cat, dx, dy)), points, points)
    assert found.mean() > 0.8
    error = np.abs(moved[found] - points[found] - (dx, dy)).max(axis=1)
    assert np.median(error) < 0.1


def test_a_long_way_is_found_from_a_guess(cat: NDArray[np.uint8]) -> None:
    points = corners(_grey(cat), np.array([60.0, 60.0, 160.0, 160.0]), 16, NOTHING_BARRED)
    after = _grey(_shifted(cat, 70, 0))
    guess = points + np.array([64, 3], np.float32)
    moved, found = follow(_grey(cat), after, points, guess)
    assert found.mean() > 0.8
    assert np.median(np.abs(moved[found] - points[found] - (70, 0)).max(axis=1)) < 0.1


def test_what_cannot_be_found_is_not_called_found(cat: NDArray[np.uint8]) -> None:
    points = corners(_grey(cat), _area(cat), 16, NOTHING_BARRED)
    for other in (np.zeros_like(cat), np.full_like(cat, 255), cat[::-1, ::-1]):
        _, found = follow(_grey(cat), _grey(other), points, points)
        assert found.mean() < 0.2


def test_points_that_leave_the_picture_are_lost(cat: NDArray[np.uint8]) -> None:
    points = np.array([[4.0, 100.0], [160.0, 100.0]], np.float32)
    guess = points - np.array([20, 0], np.float32)
    _, found = follow(_grey(cat), _grey(_shifted(cat, -20, 0)), points, guess)
    assert not found[0]


def test_no_points_and_tiny_pictures() -> None:
    none = np.empty((0, 2), np.float32)
    moved, found = follow(*(_grey(np.zeros((40, 40), np.uint8)),) * 2, none, none)
    assert moved.shape == (0, 2)
    assert found.shape == (0,)
    one = np.zeros((1, 2), np.float32)
    for shape in ((1, 1), (LEAST_SIDE_PX - 1, 300)):
        tiny = _grey(np.zeros(shape, np.uint8))
        assert not follow(tiny, tiny, one, one)[1].any()


def test_corners_lie_where_they_may(cat: NDArray[np.uint8]) -> None:
    barred = np.array([[100.0, 0.0, 200.0, 400.0]])
    area = np.array([60.0, 60.0, 260.0, 160.0])
    points = corners(_grey(cat), area, 16, barred)
    assert len(points) >= 6
    assert (points >= area[:2] - 2).all()
    assert (points <= area[2:] + 2).all()
    assert ((points[:, 0] < 103) | (points[:, 0] > 197)).all()
    apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(len(points)) * 99
    assert apart.min() > 1


@pytest.mark.parametrize(
    "area",
    [
        (-500.0, -500.0, -100.0, -100.0),
        (100.0, 100.0, 100.0, 100.0),
        (100.0, 100.0, 102.0, 180.0),
        (9e9, 9e9, 9.1e9, 9.1e9),
    ],
)
def test_no_corners_outside_and_in_areas_too_small(
    cat: NDArray[np.uint8], area: tuple[float, float, float, float]
) -> None:
    assert corners(_grey(cat), np.array(area), 16, NOTHING_BARRED).shape == (0, 2)


def test_no_corners_without_texture() -> None:
    grey = _grey(np.full((100, 100), 7, np.uint8))
    assert len(corners(grey, np.array([0.0, 0.0, 100.0, 100.0]), 16, NOTHING_BARRED)) == 0


def _points() -> Array:
    """Sixteen places (1, 16, 2) about the middle of one box."""
    x, y = np.meshgrid([-30.0, -10.0, 10.0, 30.0], [-30.0, -10.0, 10.0, 30.0])
    return np.stack((x.ravel(), y.ravel()), axis=1)[None]


def test_shift_and_growth() -> None:
    held = _points()
    moved = held * 1.02 + (3.0, -2.0)
    everything = np.ones((1, 16), np.bool_)
    motion = common_motion(moved - held, held, moved, everything, np.zeros((1, 2)), np.array([9.0]))
    assert motion.shift[0] == pytest.approx((3.0, -2.0), abs=0.01)
    assert motion.growth[0] == pytest.approx(0.02, abs=0.002)
    assert motion.agree.all()


@pytest.mark.parametrize("others", [3, 6, 11])
def test_points_on_what_passes_are_dropped(others: int) -> None:
    """Even when they are most: the box goes on as it did."""
    held = _points()
    moved = held + np.array([1.0, 0.5])
    moved[0, :others] += (12.0, 0.0)
    everything = np.ones((1, 16), np.bool_)
    motion = common_motion(
        moved - held, held, moved, everything, np.array([[0.8, 0.5]]), np.array([3.0])
    )
    assert motion.shift[0] == pytest.approx((1.0, 0.5), abs=0.01)
    assert motion.agree[0].tolist() == [False] * others + [True] * (16 - others)


@pytest.mark.parametrize(("surprise_px", "agree"), [(14.0, 0), (16.0, 16)])
def test_a_sudden_move_of_all_points_is_believed_if_it_can_be(
    surprise_px: float, agree: int
) -> None:
    held = _points()
    moved = held + np.array([15.0, 0.0])
    everything = np.ones((1, 16), np.bool_)
    surprise = np.array([surprise_px])
    motion = common_motion(moved - held, held, moved, everything, np.zeros((1, 2)), surprise)
    assert motion.agree.sum() == agree


def test_points_that_slide_away_slowly_are_found_out() -> None:
    """Each step is within the noise, but they are no longer where the object would have them."""
    held = _points()
    steps = np.full((1, 16, 2), (0.5, 0.0))
    moved = held + steps
    moved[0, :4] += (0.0, 3.0)
    motion = common_motion(
        steps, held, moved, np.ones((1, 16), np.bool_), np.array([[0.5, 0.0]]), np.array([2.0])
    )
    assert not motion.agree[0, :4].any()
    assert motion.agree[0, 4:].all()
    assert motion.shift[0] == pytest.approx((0.5, 0.0), abs=0.01)


def test_no_points_say_nothing_and_no_nan() -> None:
    held = np.zeros((2, 16, 2))
    nothing = np.zeros((2, 16), np.bool_)
    motion = common_motion(held, held, held, nothing, np.ones((2, 2)), np.full(2, 2.0))
    assert not motion.agree.any()
    assert np.isfinite(motion.shift).all()
    assert np.isfinite(motion.growth).all()
    empty = common_motion(held[:0], held[:0], held[:0], nothing[:0], np.ones((0, 2)), np.ones(0))
    assert empty.shift.shape == (0, 2)
