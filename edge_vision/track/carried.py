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
MOST_POINTS = 108
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
        ("seen", np.float64, 4),  # the tracker's box in the last scene
        ("miss", np.float64, 2),  # by how many box sizes the path to it went wrong
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
_BEHIND = 0.05
"""By how many box sizes the image is behind the object, twice in a row, if it is not its image."""
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


def step(rows: Rows, before: Grey, after: Grey, dt_s: float, background: Background | None) -> None:
    """Move every box as the image under it moved from one picture to the next, dt_s > 0 later.

    background: followed along with the boxes, where there is one; boxes without points move with
    it and with their own last speed.
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


def catch_up(rows: Rows, seen: Array, ways: Array, dt_s: float) -> Array:
    """Speeds (N, 2) that the boxes' paths lack, where scene after scene they stay behind.

    seen: float64 (N, 4), the tracker's boxes in a scene dt_s > 0 after the last one; ways: (N, 4),
    `Shift`s of the paths between the two.

    That happens where an object without texture passes a wall with some: the points are the wall's.
    They are let go, and the box goes on at its speed; the wall's points do not fit that any more.
    A box that only grows is not behind: the smaller way of its two sides counts.
    """
    known = np.isfinite(ways[:, 3:]) & rows["known"][:, None]
    edges = seen - moved(rows["seen"], ways[:, :3])
    low, high = edges[:, :2], edges[:, 2:]
    off = np.where(low * high > 0, np.sign(low) * np.minimum(np.abs(low), np.abs(high)), 0.0)
    miss = np.where(known, off / np.maximum(seen[:, 2:] - seen[:, :2], 1e-3), 0.0)
    far = np.minimum(np.hypot(*miss.T), np.hypot(*rows["miss"].T)) > _BEHIND
    behind = far & ((miss * rows["miss"]).sum(axis=1) > 0)
    rows["miss"], rows["seen"] = miss, seen
    leads = np.where(behind[:, None], off / dt_s, 0.0)
    rows["own"][:, :2] += leads
    rows["speed"][:, :2] += leads
    rows["alive"][behind] = False
    rows["blind"][behind] = 0
    return leads


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
