"""Boxes met in an older picture, carried to the newest."""

import cv2
import numpy as np
import pytest

from edge_vision.track.carried import NEVER_S, ROW, Rows
from edge_vision.track.chase import Chase
from edge_vision.track.grey import Grey

S = 1_000_000_000
NOISE = np.random.default_rng(0).integers(0, 256, (400, 900), np.uint8)
TEXTURE = cv2.normalize(cv2.GaussianBlur(NOISE, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
PAST = [
    (frame * S // 10, Grey(np.ascontiguousarray(TEXTURE[:360, 6 * frame : 6 * frame + 640]
    ).astype(np.uint8), np.array([640.0, 360.0])))
    for frame in range(10)
]  # fmt: skip
"""A camera that pans by 6 pixels a frame, ten frames a second."""


def _table() -> Rows:
    rows = np.zeros(3, ROW)
    rows["id"], rows["blind"] = (7, 8, 9), NEVER_S
    rows["box"] = [(0.5, 0.2, 0.7, 0.6), (0.2, 0.4, 0.4, 0.8), (0.7, 0.5, 0.9, 0.9)]
    return rows


def test_it_goes_a_bounded_way_at_a_time() -> None:
    chase = Chase.begin(_table(), np.array([0, 2]), 2 * S // 10, PAST)
    assert chase is not None
    assert chase.rows["id"].tolist() == [7, 9]
    assert not chase.advance(PAST, 3)
    assert [at_ns for at_ns, _ in chase.steps] == [frame * S // 10 for frame in range(2, 6)]
    assert not chase.advance(PAST, 3)
    assert chase.advance(PAST, 3)
    assert chase.rows["box"][:, 0] == pytest.approx([0.5 - 42 / 640, 0.7 - 42 / 640], abs=0.001)
    assert chase.steps[-1][1][:, 0] * 640 == pytest.approx([-42, -42], abs=0.5)
    assert chase.rows["speed"][:, 0] * 640 == pytest.approx([-60, -60], abs=2)
    assert chase.advance(PAST, 3)  # nothing is left to do


def test_a_box_between_two_pictures_begins_in_the_older() -> None:
    table = _table()
    table["speed"][:, 0] = 1
    chase = Chase.begin(table, np.array([0]), 2 * S // 10 + S // 20, PAST)
    assert chase is not None
    assert chase.rows["box"][0, 0] == pytest.approx(0.5 - 0.05)


def test_no_picture_of_the_time() -> None:
    assert Chase.begin(_table(), np.array([0]), S // 2, []) is None
    assert Chase.begin(_table(), np.array([0]), -1, PAST) is None
    assert Chase.begin(_table(), np.array([0]), 3 * S, PAST) is None


def test_boxes_that_are_gone_are_let_go() -> None:
    chase = Chase.begin(_table(), np.arange(3), 0, PAST)
    assert chase is not None
    chase.advance(PAST, 2)
    assert chase.keep([9, 7, 1])
    assert chase.rows["id"].tolist() == [7, 9]
    assert all(sums.shape == (2, 4) for _, sums in chase.steps)
    assert not chase.keep([1])
