"""The table of carried boxes: its rows, its points, and one step of it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.track.boxes import in_front, moved, overlaps, visible_shares
from edge_vision.track.carried import (
    MOST_BOXES,
    MOST_POINTS,
    NEVER_S,
    ROW,
    Rows,
    catch_up,
    rows_for,
    seed,
    step,
)
from edge_vision.track.grey import Grey
from edge_vision.track.motion import Background


def _texture(seed_: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed_).integers(0, 256, (400, 700), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX).astype(
        np.uint8
    )


TEXTURE = _texture()


def _grey(left: int, top: int) -> Grey:
    """What a camera at this place sees of a textured wall."""
    pixels = np.ascontiguousarray(TEXTURE[top : top + 360, left : left + 640])
    return Grey(pixels, np.array([640.0, 360.0]))


def _rows(*boxes: tuple[float, float, float, float]) -> Rows:
    rows = np.zeros(len(boxes), ROW)
    rows["id"] = np.arange(len(boxes)) + 1
    rows["box"] = boxes
    rows["known"] = True
    return rows


def test_rows_keep_what_is_known_of_an_id() -> None:
    rows = _rows((0, 0, 0.1, 0.1), (0.2, 0.2, 0.3, 0.3))
    assert rows_for([1, 2], rows) is rows
    other = rows_for([3, 2], rows)
    assert other["id"].tolist() == [3, 2]
    assert other["known"].tolist() == [False, True]
    assert other["box"][1].tolist() == rows["box"][1].tolist()
    assert rows_for([], rows).shape == (0,)


def test_moved() -> None:
    box = np.array([[0.2, 0.2, 0.4, 0.6]])
    grown = moved(box, np.array([[0.1, 0.0, np.log(2)]]))
    assert grown[0] == pytest.approx([0.2, 0.0, 0.6, 0.8])


def test_the_smaller_of_two_boxes_stands_in_front() -> None:
    boxes = np.array([[0, 0, 1, 1], [0.1, 0.1, 0.3, 0.3], [0.8, 0.8, 1.2, 1.2], [0, 0, 0.9, 1]])
    expected = [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]]
    assert in_front(boxes).astype(int).tolist() == expected


def test_shares_and_overlaps() -> None:
    boxes = np.array(
        [[0.2, 0.2, 0.4, 0.4], [-0.1, 0, 0.1, 1], [1.5, 0, 2, 1], [0.3, 0.3, 0.3, 0.9]]
    )
    assert visible_shares(boxes) == pytest.approx([1, 0.5, 0, 0])
    assert overlaps(boxes, boxes) == pytest.approx([1, 1, 1, 0])
    assert overlaps(boxes[:1], boxes[2:3]) == 0
    assert overlaps(boxes[:1], moved(boxes[:1], np.array([[0.1, 0, 0]]))) == pytest.approx(1 / 3)


def test_a_step_follows_the_image_and_measures_the_speed() -> None:
    rows = _rows((0.2, 0.2, 0.4, 0.6), (0.6, 0.3, 0.8, 0.7))
    background = Background()
    seed(rows, _grey(20, 20), 2)
    background.refresh(_grey(20, 20), rows["box"])
    assert rows["alive"].sum(axis=1).tolist() == [16, 16]
    before = rows["box"].copy()
    for frame in range(6):
        a, b = _grey(20 + 2 * frame, 20), _grey(22 + 2 * frame, 20)
        step(rows, a, b, 0.1, background)
    shift = (rows["box"] - before)[:, :2] * 640
    assert shift[:, 0] == pytest.approx([-12, -12], abs=0.3)
    assert rows["speed"][:, 0] * 640 == pytest.approx([-20, -20], abs=1)
    assert np.abs(rows["own"][:, 0] * 640).max() < 2  # it is the camera that moves
    assert rows["sums"][:, 0] * 640 == pytest.approx([-12, -12], abs=0.3)
    assert (rows["doubt"] > 0).all()
    assert np.sqrt(rows["doubt"]).max() < 0.01


def test_the_first_step_tells_the_speed_and_later_ones_smooth_it() -> None:
    rows = _rows((0.2, 0.2, 0.4, 0.6))
    rows["blind"] = NEVER_S
    seed(rows, _grey(20, 20), 1)
    step(rows, _grey(20, 20), _grey(32, 20), 1 / 30, None)
    assert rows["speed"][0, 0] * 640 / 30 == pytest.approx(-12, abs=0.3)
    assert rows["blind"][0] == 0
    step(rows, _grey(32, 20), _grey(42, 20), 1 / 30, None)
    assert -11.8 < rows["speed"][0, 0] * 640 / 30 < -10.2


def test_points_behind_a_box_in_front_are_dropped() -> None:
    rows = _rows((0.1, 0.1, 0.7, 0.9), (0.3, 0.3, 0.5, 0.7))
    only_the_large = rows[:1].copy()
    seed(only_the_large, _grey(20, 20), 1)
    rows[:1] = only_the_large

    def behind() -> int:
        points = rows["points"][0][rows["alive"][0]] / (640, 360)
        low, high = rows["box"][1, :2], rows["box"][1, 2:]
        return int(((points > low) & (points < high)).all(axis=1).sum())

    assert behind() >= 2
    step(rows, _grey(20, 20), _grey(20, 20), 1 / 30, None)
    assert behind() == 0
    assert rows["alive"][0].sum() >= 8
    rows["alive"] = False
    seed(rows, _grey(20, 20), 2)
    assert behind() == 0


def test_a_box_without_texture_goes_with_the_camera() -> None:
    def smooth(left: int) -> Grey:
        grey = _grey(left, 20)
        pixels = grey.pixels.copy()
        pixels[100:260, 200 - left : 360 - left] = 128
        return Grey(pixels, grey.scale)

    rows = _rows((0.30, 0.35, 0.46, 0.65))
    background = Background()
    seed(rows, smooth(20), 1)
    background.refresh(smooth(20), rows["box"])
    assert not rows["alive"].any()
    for frame in range(5):
        a, b = smooth(20 + 3 * frame), smooth(23 + 3 * frame)
        background.refresh(a, rows["box"])
        step(rows, a, b, 0.1, background)
    assert (rows["box"][0, 0] - 0.30) * 640 == pytest.approx(-15, abs=0.5)
    assert np.sqrt(rows["doubt"][0]) > 0.02


def _behind(*seen: tuple[float, ...], growth: float = 0.0) -> tuple[Rows, list[float]]:
    """A box whose path says it stands still, and the tracker's boxes in scenes 0.1 s apart."""
    rows = _rows(seen[0])
    rows["seen"] = seen[0]
    rows["alive"] = True
    way = np.array([[0.0, 0.0, growth, 1e-6]])
    return rows, [catch_up(rows, np.array([box]), way, 0.1)[0, 0] for box in seen[1:]]


def test_a_path_that_stays_behind_twice_is_not_the_objects() -> None:
    walks = [(0.1 + 0.03 * n, 0.2, 0.3 + 0.03 * n, 0.8) for n in range(4)]
    rows, leads = _behind(*walks)
    assert leads == pytest.approx([0, 0.3, 0.3])
    assert rows["own"][0, :2] == pytest.approx([0.6, 0])  # the path still says it stands
    assert not rows["alive"].any()


def test_a_box_that_jitters_or_grows_has_not_moved() -> None:
    jitter = [(0.1 + d, 0.2, 0.3 + d, 0.8) for d in (0, 0.03, 0, 0.03, 0)]
    rows, leads = _behind(*jitter)
    assert leads == [0, 0, 0, 0]
    assert rows["alive"].all()
    grows = [(0.1, 0.2, 0.3 + 0.03 * n, 0.8) for n in range(4)]
    assert _behind(*grows)[1] == [0, 0, 0]


def test_nobody_is_behind_a_path_that_is_not_known() -> None:
    rows = _rows((0.1, 0.2, 0.3, 0.8))
    unknown = np.array([[0.0, 0.0, 0.0, np.inf]])
    for n in range(1, 4):
        box = np.array([[0.1 + 0.05 * n, 0.2, 0.3 + 0.05 * n, 0.8]])
        assert (catch_up(rows, box, unknown, 0.1) == 0).all()


@pytest.mark.parametrize("count", [1, 10, 16, 36, 300])
def test_points_are_bounded(count: int) -> None:
    rng = np.random.default_rng(count)
    low = rng.uniform(0, 0.8, (count, 2))
    rows = _rows(*np.hstack((low, low + 0.15)).tolist())
    seed(rows, _grey(20, 20), count)
    each = rows["alive"].sum(axis=1)
    assert each.sum() <= MOST_POINTS
    assert each[0] >= 3
    assert (each[MOST_BOXES:] == 0).all()
    step(rows, _grey(20, 20), _grey(22, 21), 1 / 30, None)
    assert np.isfinite(rows["box"]).all()


def test_new_points_join_those_that_are_left() -> None:
    rows = _rows((0.2, 0.2, 0.6, 0.8))
    seed(rows, _grey(20, 20), 1)
    kept = rows["points"][0, :5].copy()
    rows["alive"][0, 5:] = False
    seed(rows, _grey(20, 20), 1)
    assert rows["alive"].sum() == 16
    assert (rows["points"][0, :5] == kept).all()
    seed(rows, _grey(30, 20), 1)  # nothing is missing: nothing is looked for
    assert (rows["points"][0, :5] == kept).all()
