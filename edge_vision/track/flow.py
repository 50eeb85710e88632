"""How the image moves under boxes: points in each box, followed from one grey picture to the next.

Following is pyramidal Lucas-Kanade (Bouguet, "Pyramidal Implementation of the Lucas Kanade Feature
Tracker", 2000, as OpenCV has it), forward and backward (Kalal, Mikolajczyk, Matas, "Forward-
Backward Error", 2010).  OpenCV's Python calls take pictures and no pyramids, and make the pyramids
in every call; so all points of a frame go in one.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.track.boxes import Array, Mask
from edge_vision.track.grey import Grey

Points = NDArray[np.float32]

WINDOW_PX = 9
"""Side of the square around a point that is looked for in the next picture."""
LEVELS = 3
"""Halvings of the picture above itself: motions up to some 30 pixels off the guess are found."""
LEAST_SIDE_PX = 16
"""Nothing is followed in pictures smaller than this."""
RETURN_PX = 0.8
"""How near a point followed there and back must come to where it began."""
MIDDLE = 0.7
"""Share of a box's width and height in which points are taken: its border shows what is behind."""
LEAST_POINTS = 3
"""Fewer points say nothing about a box."""
CELL_PX = 4
"""Points of one box are at least so far apart."""
_SEARCH_PX = 96
"""A part of the picture longer than this is made smaller before corners are looked for in it."""
_LEAST_CORNER = 1e-5
"""Texture below this is none: the smaller eigenvalue as cv2.cornerMinEigenVal gives it."""
_RIDGE_PX2 = 300.0
"""Growth is held back unless the points' spread (summed squares about their middle) exceeds it."""
_STRICT_PX, _LOOSE_PX = 1.0, 4.0
"""Least and most tolerance around the common motion of a box's points."""


def follow(before: Grey, after: Grey, points: Points, guess: Points) -> tuple[Points, Mask]:
    """Where points of one picture are in another: float32 (N, 2) pixels, and bool (N,) found.

    guess: where they are expected.  Found is what comes back to its beginning and stays in the
    picture; the place of others means nothing.  Both pictures must be of one size.
    """
    height, width = after.pixels.shape
    if len(points) == 0 or min(width, height) < LEAST_SIDE_PX:
        return guess.copy(), np.zeros(len(points), np.bool_)
    moved, there = _lucas_kanade(before, after, points, guess)
    # The way back begins as far off as the way there did: else it would find any point by itself.
    back, again = _lucas_kanade(after, before, moved, moved + (points - guess))
    off = np.abs(back - points).max(axis=1)
    inside = (moved >= 0).all(axis=1) & (moved[:, 0] < width) & (moved[:, 1] < height)
    return moved, there & again & inside & (off < RETURN_PX)


def _lucas_kanade(before: Grey, after: Grey, points: Points, guess: Points) -> tuple[Points, Mask]:
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        before.pixels,
        after.pixels,
        points.reshape(-1, 1, 2),
        guess.reshape(-1, 1, 2).copy(),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=LEVELS,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    found: Mask = status.ravel() == 1
    return moved.reshape(-1, 2).astype(np.float32, copy=False), found


def corners(grey: Grey, area: Array, most: int, barred: Array) -> Points:
    """The best corner of each cell of a grid over a part of a picture: float32 (N, 2) pixels.

    area: float64 (4,), x0 y0 x1 y1 in pixels; what is outside the picture is left out.
    most: how many cells, fewer where they would be under 4 pixels.
    barred: float64 (M, 4), x0 y0 x1 y1 in pixels: rectangles in which no corner is taken.
    """
    height, width = grey.pixels.shape
    x0, y0 = max(0, round(area[0])), max(0, round(area[1]))
    x1, y1 = min(width, round(area[2])), min(height, round(area[3]))
    if min(x1 - x0, y1 - y0) < CELL_PX:
        return np.empty((0, 2), np.float32)
    step = -(-max(x1 - x0, y1 - y0) // _SEARCH_PX)
    part: cv2.typing.MatLike = grey.pixels[y0:y1, x0:x1]
    if step > 1:
        part = cv2.resize(part, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_LINEAR)
    strength = cv2.cornerMinEigenVal(part, 3)
    rows, columns = math.isqrt(most), most // math.isqrt(most)
    rows = min(rows, max(1, strength.shape[0] // CELL_PX))
    columns = min(columns, max(1, strength.shape[1] // CELL_PX))
    for box in barred:
        left, top, right, bottom = ((box - (x0, y0, x0, y0)) / step).tolist()
        if right > 0 and bottom > 0:
            strength[max(0, int(top)) : int(bottom) + 1, max(0, int(left)) : int(right) + 1] = 0
    high, wide = strength.shape[0] // rows, strength.shape[1] // columns
    cells = strength[: rows * high, : columns * wide].reshape(rows, high, columns, wide)
    flat = cells.transpose(0, 2, 1, 3).reshape(rows * columns, high * wide)
    best = flat.argmax(axis=1)
    good = flat[np.arange(len(best)), best] > _LEAST_CORNER
    cell = np.flatnonzero(good)
    x = (cell % columns * wide + best[good] % wide + 0.5) * step + x0 - 0.5
    y = (cell // columns * high + best[good] // wide + 0.5) * step + y0 - 0.5
    return np.stack((x, y), axis=1).astype(np.float32)


class Motion(NamedTuple):
    """How each of T boxes moved.

    shift: float64 (T, 2) pixels, of the box's centre.  growth: float64 (T,), log of the factor.
    agree: bool (T, P), the points that moved as the box did.
    """

    shift: Array
    growth: Array
    agree: Mask


def common_motion(
    steps: Array, held: Array, moved: Array, found: Mask, expected: Array, surprise_px: Array
) -> Motion:
    """The shift and growth that most points of each box agree on.

    steps: float64 (T, P, 2) pixels, how far each point went; found: bool (T, P), which count.
    held, moved: (T, P, 2) pixels from the box's centre before: where a point would be if it had
    always moved as the box did, and where it is now.
    expected: float64 (T, 2) pixels, the shift foretold; surprise_px: float64 (T,), how far off it
    may be.
    Points that go another way than is to be expected are on something else that passes, however
    many they are.  Of those that agree, shift and growth of least squares from `held` to `moved`:
    measured against the beginning, errors do not add up, and points on ground that slowly slides
    away under a box are found out.
    """
    off = np.hypot(steps[..., 0] - expected[:, None, 0], steps[..., 1] - expected[:, None, 1])
    near = found & (off < surprise_px[:, None])
    middle = _median(steps, near)
    ways = moved - held
    shift, growth, agree = middle, np.zeros(len(steps)), near
    for _ in range(2):
        rest = ways - shift[:, None] - growth[:, None, None] * held
        miss = np.hypot(rest[..., 0], rest[..., 1])
        usual = _median(miss[..., None], near)[:, 0]
        agree = near & (miss < np.clip(3 * usual, _STRICT_PX, _LOOSE_PX)[:, None])
        shift, growth = _least_squares(held, ways, agree, middle)
    return Motion(shift, growth, agree)


def _least_squares(arms: Array, steps: Array, use: Mask, otherwise: Array) -> tuple[Array, Array]:
    """Shift (T, 2) at the centre and growth (T,); `otherwise` where no point is to be used."""
    weight = use[..., None].astype(np.float64)
    count = weight.sum(axis=1)
    total = np.maximum(count, 1)
    mean_arm, mean_step = (arms * weight).sum(axis=1) / total, (steps * weight).sum(axis=1) / total
    spread = (arms - mean_arm[:, None]) * weight
    growth = (spread * steps).sum(axis=(1, 2)) / ((spread * arms).sum(axis=(1, 2)) + _RIDGE_PX2)
    growth = np.clip(growth, -0.1, 0.1)
    shift = mean_step - growth[:, None] * mean_arm
    return np.where(count > 0, shift, otherwise), growth


def _median(values: Array, use: Mask) -> Array:
    """Median over axis 1 of (T, N, D) where `use` (T, N) is set; 0 where it is nowhere set."""
    count = use.sum(axis=1)
    order = np.sort(np.where(use[..., None], values, np.inf), axis=1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    rows = np.arange(len(values))
    high = np.minimum(high, values.shape[1] - 1)
    middle: Array = np.where(count[:, None] > 0, order[rows, low] / 2 + order[rows, high] / 2, 0.0)
    return middle
