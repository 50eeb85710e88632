"""A table of the boxes that are carried through the frames, and one step of it."""

import math

import numpy as np
from numpy.typing import NDArray

from edge_vision.track.boxes import Array, Mask, centres, in_front, moved
from edge_vision.track.flow import LEAST_POINTS, MIDDLE, common_motion, corners, follow
from edge_vision.track.grey import Grey
from edge_vision.track.motion import Background, to_boxes_px

POINTS = 16
"""Most points followed on one box."""
MOST_POINTS = 144
"""Most points followed on all boxes together: where there are many, each gets fewer."""
MOST_BOXES = 36
"""Boxes beyond these move by the camera's motion and their own last speed alone."""

ROW = np.dtype(
    [
        ("id", np.int64),
        ("box", np.float64, 4),  # x0 y0 x1 y1 now, in picture widths and heights
        ("rest", np.float64, 4),  # still to be blended in: it is drawn at box + rest
        ("sums", np.float64, 4),  # dx, dy, log growth, variance since it was first carried
        ("doubt", np.float64),  # variance of its way since its scene, in squared picture widths
        ("own", np.float64, 3),  # dx, dy, log growth per second beside the camera's motion
        ("speed", np.float64, 3),  # dx, dy, log growth per second with it
        ("points", np.float32, (POINTS, 2)),  # grey pixels
        ("alive", np.bool_, POINTS),  # which of the points are in use
        ("home", np.float64, (POINTS, 2)),  # the points' places on the object
        ("pose", np.float64, 3),  # grey pixels = home * exp(pose[2]) + pose[:2]
        ("blind", np.float64),  # seconds since the image was last seen to move with it
        ("known", np.bool_),  # False while it is not known where it is now
    ]
)
"""What is known of one box; a table of them is an array of this."""
Rows = NDArray[np.void]

NEVER_S = 1.0
"""What counts as the time since a box was seen that never was."""
_SPEED_MEMORY_S = 0.03
_ACCELERATION = 5.0
_BLIND_ACCELERATION = 2.0
"""How much objects speed up or brake at most between two frames, and while they are not seen:
picture widths per squared second."""
_SLOPPY_PX = 0.15
_POINT_PX = 0.5
"""Standard deviations of a followed step: that of all its points, and of each by itself."""
_CUT_POINTS, _CUT_SHARE = 12, 0.1
"""Of so many points more than this share is found, if it is the same film.  In a street clip 0.25
and more are found while the camera swings, and 0.02 at cuts."""
UNSEEN_SPEED = 0.25
"""Standard deviation of the speed of a box that nothing is seen of, in picture widths a second."""


def rows_for(ids: list[int], old: Rows) -> Rows:
    """A table with these ids: their old rows, and empty ones for ids that are new."""
    if ids == old["id"].tolist():
        return old
    table = np.zeros(len(ids), ROW)
    table["id"], table["blind"] = ids, NEVER_S
    places = {track_id: place for place, track_id in enumerate(old["id"].tolist())}
    kept = [(new, places[track_id]) for new, track_id in enumerate(ids) if track_id in places]
    if kept:
        new, was = np.array(kept).T
        table[new] = old[was]
    return table


def step(rows: Rows, before: Grey, after: Grey, dt_s: float, background: Background | None) -> bool:
    """Move every box as the image under it moved from one picture to the next, dt_s > 0 later.

    background: followed along with the boxes, where there is one; boxes without points move with
    it and with their own last speed.
    False when nothing of the old picture is found in the new one, as after a cut in a film.
    """
    busy = rows[:MOST_BOXES]
    scale = after.scale
    alive = busy["alive"] & ~_hidden(busy, before)
    points = busy["points"]
    guess = points + (busy["speed"][:, None, :2] * (dt_s * scale)).astype(np.float32)
    behind = background.points if background is not None else points[:0, 0]
    ahead = background.guess(before) if background is not None else behind
    new, found = follow(
        before,
        after,
        np.concatenate((behind, points[alive])),
        np.concatenate((ahead, guess[alive])),
    )
    middles = centres(rows["box"])
    drift = np.zeros_like(middles)
    if background is not None:
        drift = background.moved_on(before, new[: len(behind)], found[: len(behind)], middles)
    shifts = np.empty((len(rows), 3))
    shifts[:, :2] = drift + rows["own"][:, :2] * dt_s
    shifts[:, 2] = 0
    count = np.zeros(len(rows), np.intp)
    if len(busy):
        now, there = points.copy(), alive.copy()
        now[alive], there[alive] = new[len(behind) :], found[len(behind) :]
        part = slice(len(busy))
        count[part] = _fit(busy, now, there, middles[part] * scale - 0.5, shifts[part], scale, dt_s)
    seen = count >= LEAST_POINTS
    variance = np.where(
        seen,
        (_SLOPPY_PX**2 + _POINT_PX**2 / np.maximum(count, 1)) / scale[0] ** 2,
        (UNSEEN_SPEED * dt_s) ** 2,
    )
    rows["box"] = moved(rows["box"], shifts)
    rows["sums"] += np.column_stack((shifts, variance))
    rows["doubt"] += variance
    own = np.column_stack((shifts[:, :2] - drift, shifts[:, 2])) / dt_s
    age_s = rows["blind"] + dt_s
    fresh = np.where(seen, 1 - np.exp(-age_s / _SPEED_MEMORY_S), 0.0)
    rows["own"] += fresh[:, None] * (own - rows["own"])
    rows["blind"] = np.where(seen, 0.0, np.minimum(age_s, NEVER_S))
    rows["speed"] = rows["own"]
    rows["speed"][:, :2] += drift / dt_s
    return len(found) < _CUT_POINTS or float(found.mean()) > _CUT_SHARE


def _fit(
    rows: Rows,
    now: NDArray[np.float32],
    there: Mask,
    middles: Array,
    shifts: Array,
    scale: Array,
    dt_s: float,
) -> NDArray[np.intp]:
    """Put what the points say into `shifts` (T, 3) and into points and pose of the rows.

    now, there: where the points (T, P, 2) are, and which were found; middles: the boxes' centres
    before, in pixels.  Returns how many points agreed, int (T,); below 3 they changed nothing.
    """
    pose = rows["pose"]
    held = rows["home"] * np.exp(pose[:, None, 2:]) + pose[:, None, :2] - middles[:, None]
    motion = common_motion(
        (now - rows["points"]).astype(np.float64),
        held,
        now - middles[:, None],
        there,
        shifts[:, :2] * scale,
        1.0 + dt_s * (_ACCELERATION * dt_s + _BLIND_ACCELERATION * rows["blind"]) * scale[0],
    )
    count: NDArray[np.intp] = motion.agree.sum(axis=1)
    seen = count >= LEAST_POINTS
    shifts[seen, :2] = motion.shift[seen] / scale
    shifts[seen, 2] = motion.growth[seen]
    grown = np.exp(shifts[:, 2:])
    pose[:, :2] = middles + shifts[:, :2] * scale + (pose[:, :2] - middles) * grown
    pose[:, 2] += shifts[:, 2]
    rows["points"] = now
    rows["alive"] = motion.agree & seen[:, None]
    return count


def _hidden(rows: Rows, grey: Grey) -> Mask:
    """Which points (T, P) lie in a box that stands in front of their own."""
    boxes = to_boxes_px(grey, rows["box"])
    x, y = rows["points"][..., None, 0], rows["points"][..., None, 1]
    left, top, right, bottom = boxes.T
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    hidden: Mask = (inside & in_front(rows["box"])[:, None]).any(axis=2)
    return hidden


def seed(rows: Rows, grey: Grey, most: int) -> None:
    """Find points for at most so many boxes that have few left, in the picture they stand in."""
    busy = rows[:MOST_BOXES]
    each = min(POINTS, MOST_POINTS // max(1, len(busy)))
    busy["alive"][:, each:] = False
    few = np.flatnonzero(busy["alive"].sum(axis=1) <= each // 2)
    if len(few) == 0:
        return
    boxes = to_boxes_px(grey, busy["box"])
    front = in_front(busy["box"])
    for place in few[:most]:
        row, box = busy[place], boxes[place]
        middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * MIDDLE
        area = np.concatenate((middle - half, middle + half))
        new = corners(grey, area, each, boxes[front[place]])
        free = np.flatnonzero(~row["alive"][:each])[: len(new)]
        new = new[np.linspace(0, len(new) - 1, len(free)).astype(np.intp)]
        row["points"][free], row["alive"][free] = new, True
        row["home"][free] = (new - row["pose"][:2]) * math.exp(-row["pose"][2])
