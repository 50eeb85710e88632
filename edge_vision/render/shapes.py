"""What is the same on every surface: cutting at the border, laying over, blurs, smooth lines."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Rect = tuple[int, int, int, int]
"""x0 y0 x1 y1 in pixels, x1 and y1 just outside."""
Pixels = NDArray[np.uint8]

_BLUR_CELLS = 4
_LEAST_BLUR_PX = 8
_SAMPLES = 16
_LINE_SHIFT = 4
"""Lines are placed to a sixteenth of a pixel, so that a trail does not jump from pixel to pixel."""
_FARTHEST_PX = 1 << 14
"""OpenCV draws wrongly from 2^15 px on."""


def clipped(rect: Rect, width_px: int, height_px: int) -> Rect | None:
    """The part of a rectangle that lies in the picture; None where nothing does."""
    x0, y0, x1, y1 = rect
    if x0 < 0 or y0 < 0 or x1 > width_px or y1 > height_px:
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width_px, x1), min(height_px, y1)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def lay_over(ground: Pixels, over: Pixels, keep: Pixels) -> None:
    """In place: ground * keep / 255 + over, all uint8 of one shape; keep = 255 - alpha."""
    # By place, not by name: for letters a fifth of the time.
    cv2.multiply(ground, keep, ground, 1 / 255)
    cv2.add(ground, over, ground)


def merged(planes: Sequence[Pixels]) -> Pixels:
    """Planes (h, w) or pictures (h, w, n) as one picture (h, w, all their channels)."""
    return np.asarray(cv2.merge(planes), np.uint8)


def scaled(plane: Pixels, factor: float, plus: float = 0.0) -> Pixels:
    """plane * factor + plus, rounded; results below 0 are not expected."""
    return np.asarray(cv2.convertScaleAbs(plane, alpha=factor, beta=plus), np.uint8)


def blur_cells(rect: Rect, shown: Rect) -> tuple[int, int]:
    """Areas across and down in what is shown of a rectangle; see Surface.blur."""
    cells = []
    for axis in (0, 1):
        cell_px = max(_LEAST_BLUR_PX, -(-(rect[axis + 2] - rect[axis]) // _BLUR_CELLS))
        cells.append(-(-(shown[axis + 2] - shown[axis]) // cell_px))
    return cells[0], cells[1]


def blurred(pixels: Pixels, cells: tuple[int, int]) -> None:
    """Replace a picture by what its areas' means say, in place: nothing else is left of it."""
    height, width = pixels.shape[:2]
    # A mean of some hundred pixels says as much as one of all, and costs far less.
    step_x, step_y = (
        max(1, side // (count * _SAMPLES))
        for side, count in zip((width, height), cells, strict=True)
    )
    means = cv2.resize(pixels[::step_y, ::step_x], cells, interpolation=cv2.INTER_AREA)
    cv2.resize(means, (width, height), dst=pixels, interpolation=cv2.INTER_LINEAR)


def within_reach(points: NDArray[Any]) -> NDArray[Any]:
    """Points as near as OpenCV can draw them; what is farther has long left every picture."""
    return np.asarray(np.minimum(np.maximum(points, -_FARTHEST_PX), _FARTHEST_PX))


def fixed_points(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Points, float (N, 2) in pixels, as `draw_line` takes them; ValueError if not finite."""
    if not np.isfinite(points).all():
        raise ValueError("a line through points that are not finite")
    fixed: NDArray[np.int32] = np.rint(within_reach(points) * (1 << _LINE_SHIFT)).astype(np.int32)
    return fixed


def halved(fixed: NDArray[np.int32]) -> NDArray[np.int32]:
    """Places of `fixed_points` on a plane with one sample for two by two pixels."""
    # The centre of a sample lies between those of its pixels.
    return (fixed - (1 << _LINE_SHIFT - 1)) >> 1


def draw_line(
    pixels: Pixels, fixed: NDArray[np.int32], colour: Sequence[int], thickness_px: int
) -> None:
    """A smooth line onto a picture or a plane, in place."""
    cv2.polylines(pixels, [fixed], False, colour, thickness_px, cv2.LINE_AA, _LINE_SHIFT)


def line_mask(
    points: NDArray[np.floating],
    levels: Sequence[int],
    thickness_px: int,
    width_px: int,
    height_px: int,
) -> tuple[Rect, Pixels] | None:
    """The rectangle that a line needs, and how far it covers each pixel there, uint8 (h, w).

    The rectangle begins at an even place and, where the picture goes on, ends at one.
    levels: 0..255 for each piece between two points; each next one lies on top of the one before.
    None where nothing of it is in the picture.  Raises ValueError for points that are not finite.
    """
    fixed = fixed_points(points)
    around = thickness_px // 2 + 2
    left, top = (fixed.min(axis=0) >> _LINE_SHIFT).tolist()
    right, low = (fixed.max(axis=0) >> _LINE_SHIFT).tolist()
    rect = clipped(
        (left - around, top - around, right + around + 2, low + around + 2), width_px, height_px
    )
    if rect is None:
        return None
    x0, y0 = rect[0] & ~1, rect[1] & ~1
    x1, y1 = min(width_px, rect[2] + 1 & ~1), min(height_px, rect[3] + 1 & ~1)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    fixed -= np.array([x0, y0], np.int32) << _LINE_SHIFT
    begin = 0
    for level, run in groupby(levels):
        end = begin + len(list(run))
        draw_line(mask, fixed[begin : end + 1], (level,), thickness_px)
        begin = end
    return (x0, y0, x1, y1), mask
