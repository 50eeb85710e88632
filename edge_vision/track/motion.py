"""How the camera moved between two pictures, seen in the background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.track.boxes import Array, Mask
from edge_vision.track.flow import Points, corners, follow
from edge_vision.track.grey import Grey

MOST_POINTS = 25
"""So many points of the background are followed."""
_LEAST_POINTS = 8
_LEAST_SHARE = 0.4
"""The background is known when so many points, and this share of all, move alike."""
_LONGEST_PX = 320
"""The camera's motion is as exact in a smaller picture, and costs half as much."""
_NEAR_PX = 1.5
"""How near to the common motion a point must come to count as background."""


def outside(points: Points, boxes_px: Array) -> Mask:
    """Which points (N, 2) lie in none of the boxes (M, 4), all in pixels."""
    if len(boxes_px) == 0:
        return np.ones(len(points), np.bool_)
    x, y = points[:, :1], points[:, 1:]
    left, top, right, bottom = boxes_px.T
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    free: Mask = ~inside.any(axis=1)
    return free


def to_boxes_px(grey: Grey, boxes: NDArray[np.floating]) -> Array:
    """Boxes (N, 4) of the picture, 0..1, in grey pixels."""
    corners_px: Array = boxes.astype(np.float64).reshape(-1, 2, 2) * grey.scale - 0.5
    return corners_px.reshape(-1, 4)


def background_corners(grey: Grey, boxes_px: Array) -> Points:
    """Where to see the camera's motion: float32 (N, 2) pixels, at most 25, outside the boxes."""
    height, width = grey.pixels.shape
    return corners(grey, np.array([0.0, 0.0, width, height]), MOST_POINTS, boxes_px)


def fit_camera(grey: Grey, points: Points, moved: Points) -> Array | None:
    """The camera's motion from background points before and after, (N, 2) pixels.

    float64 (2, 3): x' = M @ [x, y, 1] in picture widths and heights, a shift, turn and scale of the
    image; None when too few points move alike.
    """
    if len(points) < _LEAST_POINTS:
        return None
    matrix, inliers = cv2.estimateAffinePartial2D(
        points, moved, method=cv2.RANSAC, ransacReprojThreshold=_NEAR_PX, maxIters=200
    )
    if matrix is None or not np.isfinite(matrix).all():
        return None
    agree = int(inliers.sum())
    if agree < max(_LEAST_POINTS, _LEAST_SHARE * len(points)):
        return None
    # From pixels, counted from the first one's centre, to picture widths and heights.
    matrix = matrix.astype(np.float64)
    turn = matrix[:, :2] * grey.scale / grey.scale[:, None]
    begin = np.array([0.5, 0.5])
    shift = (matrix[:, 2] + begin - matrix[:, :2] @ begin) / grey.scale
    return np.column_stack((turn, shift))


def shift_at(motion: Array, places: Array) -> Array:
    """How far a camera motion moves places (N, 2) of the picture: (N, 2)."""
    moved: Array = places @ motion[:, :2].T + motion[:, 2] - places
    return moved


class Background:
    """Points beside the boxes, followed along with them."""

    def __init__(self) -> None:
        self.points: Points = np.empty((0, 2), np.float32)
        self._motion: Array | None = None

    def guess(self, grey: Grey) -> Points:
        """Where the points will be if the camera goes on as it last did: float32 (N, 2) pixels."""
        if self._motion is None:
            return self.points
        places = (self.points + 0.5) / grey.scale
        return self.points + (shift_at(self._motion, places) * grey.scale).astype(np.float32)

    def moved_on(self, grey: Grey, moved: Points, found: Mask, places: Array) -> Array:
        """Take the points' new pixels (N, 2); returns how far the camera moved places (M, 2).

        Zero where that cannot be known.
        """
        self._motion = fit_camera(grey, self.points[found], moved[found])
        self.points = moved[found]
        return np.zeros_like(places) if self._motion is None else shift_at(self._motion, places)

    def refresh(self, grey: Grey, boxes: Array) -> None:
        """Leave out points that are now in a box (M, 4), 0..1; find new ones if few are left."""
        boxes_px = to_boxes_px(grey, boxes)
        self.points = self.points[outside(self.points, boxes_px)]
        if len(self.points) < MOST_POINTS // 2:
            self.points = background_corners(grey, boxes_px)


class CameraMotion:
    """The camera's motion from one picture to the next, where nobody else follows the image."""

    def __init__(self) -> None:
        self._before: Grey | None = None

    def update(self, grey: Grey, boxes: NDArray[np.floating] | None = None) -> Array | None:
        """The motion since the picture of the last call, float64 (2, 3), as `fit_camera` gives it.

        boxes: (N, 4) x0 y0 x1 y1, 0..1: what is not background.  None at the first call, when the
        picture's size changed, and when the background cannot be followed.
        """
        if max(grey.pixels.shape) > _LONGEST_PX and min(grey.pixels.shape) > 1:
            grey = grey.halved()
        before, self._before = self._before, grey
        if before is None or not grey.fits(before):
            return None
        boxes_px = to_boxes_px(grey, boxes) if boxes is not None else np.empty((0, 4))
        points = background_corners(before, boxes_px)
        moved, found = follow(before, grey, points, points)
        return fit_camera(grey, points[found], moved[found])
