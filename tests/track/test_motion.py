"""The camera's motion, seen in the background."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.frame import Image
from edge_vision.track.grey import Grey, small_grey
from edge_vision.track.motion import Background, CameraMotion, outside, shift_at, to_boxes_px

Pixels = NDArray[np.uint8]
PLACES = np.array([[0.1, 0.2], [0.5, 0.5], [0.9, 0.8]])


@pytest.fixture(scope="module")
def photograph(pictures: Path) -> Pixels:
    picture = cv2.imread(str(pictures / "astronaut.jpg"))
    assert picture is not None
    return cv2.resize(picture, (960, 540), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _seen(picture: Pixels, dx: float, dy: float, turn_deg: float, zoom: float) -> Pixels:
    """The picture after a camera's motion about its middle; dx, dy in pixels."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, zoom)
    matrix[:, 2] += (dx, dy)
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=1).astype(np.uint8)


def _grey(picture: Pixels) -> Grey:
    return small_grey(Image.from_array(np.ascontiguousarray(picture)))


@pytest.mark.parametrize(
    ("dx", "dy", "turn_deg", "zoom"),
    [(0, 0, 0, 1), (12, -7, 0, 1), (0, 0, 2, 1), (0, 0, 0, 1.03), (-20, 10, -1, 0.98)],
)
def test_pan_turn_and_zoom(
    photograph: Pixels, dx: float, dy: float, turn_deg: float, zoom: float
) -> None:
    camera = CameraMotion()
    assert camera.update(_grey(photograph)) is None
    motion = camera.update(_grey(_seen(photograph, dx, dy, turn_deg, zoom)))
    assert motion is not None
    assert motion.shape == (2, 3)
    assert motion.dtype == np.float64
    size = np.array([960, 540])
    matrix = cv2.getRotationMatrix2D((480, 270), turn_deg, zoom)
    pixels = PLACES * size
    true = (pixels @ matrix[:, :2].T + matrix[:, 2] + (dx, dy)) / size - PLACES
    assert shift_at(motion, PLACES) * size == pytest.approx(true * size, abs=1.0)


def test_motion_is_since_the_last_call(photograph: Pixels) -> None:
    camera = CameraMotion()
    shifts = []
    for dx in (0, 10, 14):
        motion = camera.update(_grey(_seen(photograph, dx, 0, 0, 1)))
        shifts.append(None if motion is None else float(shift_at(motion, PLACES)[1, 0]) * 960)
    assert shifts == [None, pytest.approx(10, abs=0.5), pytest.approx(4, abs=0.5)]


def test_boxes_are_no_background(photograph: Pixels) -> None:
    """A large thing moves one way before a still background."""
    first, second = photograph.copy(), photograph.copy()
    first[90:450, 160:560] = photograph[::-1][90:450, 160:560]
    second[90:450, 190:590] = photograph[::-1][90:450, 160:560]
    camera = CameraMotion()
    box = np.array([[150 / 960, 80 / 540, 600 / 960, 460 / 540]], np.float32)
    camera.update(_grey(first), box)
    motion = camera.update(_grey(second), box)
    assert motion is not None
    assert np.abs(shift_at(motion, PLACES)[:, 0]).max() * 960 < 1


def test_none_where_it_cannot_be_known(photograph: Pixels) -> None:
    camera = CameraMotion()
    grey = _grey(photograph)
    black = _grey(np.zeros_like(photograph))
    everywhere = np.array([[0, 0, 1, 1]], np.float32)
    for before, after, boxes in (
        (grey, _grey(photograph[:-40]), None),  # another size
        (grey, black, None),
        (black, grey, None),
        (black, black, None),
        (grey, _grey(photograph[::-1, ::-1]), None),  # nothing in common
        (grey, grey, everywhere),
        (*(_grey(np.zeros((1, 1, 3), np.uint8)),) * 2, None),
    ):
        camera.update(before, boxes)
        assert camera.update(after, boxes) is None


def test_outside() -> None:
    points = np.array([[10, 10], [50, 50], [90, 90]], np.float32)
    boxes = np.array([[40.0, 40.0, 60.0, 60.0], [80.0, 0.0, 100.0, 100.0]])
    assert outside(points, boxes).tolist() == [True, False, False]
    assert outside(points, boxes[:0]).all()


def test_boxes_in_grey_pixels(photograph: Pixels) -> None:
    grey = _grey(photograph)  # halved to 480 x 270
    assert to_boxes_px(grey, np.array([[0.5, 0.5, 1, 1]])).tolist() == [
        [239.5, 134.5, 479.5, 269.5]
    ]


def test_background_points_stay_out_of_boxes_and_are_found_again(photograph: Pixels) -> None:
    grey = _grey(photograph)
    background = Background()
    background.refresh(grey, np.empty((0, 4)))
    everywhere = len(background.points)
    assert everywhere > 18
    half = np.array([[0.0, 0.0, 0.5, 1.0]])
    background.refresh(grey, half)
    assert 0 < len(background.points) <= everywhere
    assert (background.points[:, 0] > 238).all()
    assert math.isclose(float(background.guess(grey)[0, 0]), float(background.points[0, 0]))
