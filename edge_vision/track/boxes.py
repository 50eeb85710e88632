"""Boxes x0 y0 x1 y1 in picture widths and heights, float64: how they lie and how they move."""

import numpy as np
from numpy.typing import NDArray

from edge_vision.results import Track

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SAME_IOU = 0.6
"""Boxes that overlap more are two findings of one object; neither hides the other."""
_FARTHEST = 16.0
"""Boxes and velocities beyond this many picture sizes are an error of whoever made them."""
_FASTEST_GROWTH = 1.0
"""Most log growth per second that is believed."""


def centres(boxes: Array) -> Array:
    """Middle points (N, 2) of boxes (N, 4)."""
    middle: Array = (boxes[:, :2] + boxes[:, 2:]) / 2
    return middle


def moved(boxes: Array, shifts: Array) -> Array:
    """Boxes (N, 4) after shifts (N, 3): dx and dy of the centre, log growth of the size."""
    middle = centres(boxes) + shifts[:, :2]
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * np.exp(shifts[:, 2:3])
    return np.hstack((middle - half, middle + half))


def in_front(boxes: Array) -> Mask:
    """Who may hide whom: bool (N, N), whether box j lies in front of box i.

    The smaller of two boxes counts as in front: a small thing behind a large one is seldom found.
    """
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    area = size[:, 0] * size[:, 1]
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    same = common > _SAME_IOU * (area[:, None] + area[None] - common)
    front: Mask = (common > 0) & ~same & (area[None] < area[:, None])
    return front


def visible_shares(boxes: Array) -> Array:
    """Share (N,) of each box's area that lies in the picture; 0 for boxes without area."""
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    inside = np.maximum(np.clip(boxes[:, 2:], 0, 1) - np.clip(boxes[:, :2], 0, 1), 0)
    share: Array = inside.prod(axis=1) / np.maximum(size.prod(axis=1), 1e-12)
    return share


def is_usable(track: Track) -> bool:
    """Whether a track's box and velocity are finite, not inverted and not absurdly far away."""
    box, velocity = track.box, track.velocity
    near = bool((np.abs(box) <= _FARTHEST).all() and (np.abs(velocity) <= _FARTHEST).all())
    return near and bool((box[:2] <= box[2:]).all())


def speeds_of(boxes: Array, velocities: Array) -> Array:
    """Velocities of four sides (N, 4) as dx, dy and log growth per second (N, 3)."""
    speeds = np.empty((len(boxes), 3))
    speeds[:, :2] = centres(velocities)
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3)
    growth = ((velocities[:, 2:] - velocities[:, :2]) / size).mean(axis=1)
    speeds[:, 2] = np.clip(growth, -_FASTEST_GROWTH, _FASTEST_GROWTH)
    return speeds


def overlaps(a: Array, b: Array) -> Array:
    """Intersection over union (N,) of boxes (N, 4) pair by pair; 0 where neither has an area."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    union = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - common
    share: Array = common / np.maximum(union, 1e-12)
    return share
