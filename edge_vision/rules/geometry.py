"""Where points are, seen from zones and lines: in box sizes, so that noise is the same anywhere.

The noise of a box goes with its size, and a picture's width and height are not the same unit.  So
every distance is measured after the plane was stretched until the object's box is a unit square.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Point = tuple[float, float]

ON_THE_EDGE = 1e-6
"""A point this close to a zone's edge is on it: zones reach to the picture's border."""

_LEVEL = 1e-9


class Places:
    """Zones and lines made ready; zones, lines: their names in the order of the columns."""

    def __init__(
        self, zones: Mapping[str, Sequence[Point]], lines: Mapping[str, tuple[Point, Point]]
    ) -> None:
        self.zones, self.lines = tuple(zones), tuple(lines)
        self._ends = tuple(lines.values())
        begin = [point for points in zones.values() for point in points]
        end = [point for points in zones.values() for point in (*points[1:], points[0])]
        self._ax, self._ay = np.array(begin, np.float64).reshape(-1, 2).T.copy()
        self._bx, self._by = np.array(end, np.float64).reshape(-1, 2).T.copy()
        self._dx, self._dy = self._bx - self._ax, self._by - self._ay
        sizes = [len(points) for points in zones.values()]
        self._first = np.cumsum([0, *sizes[:-1]]) if sizes else np.zeros(0, np.intp)
        # How far a side goes to the right for each step down; level ones are passed by nobody.
        self._slope = self._dx / np.where(np.abs(self._dy) < _LEVEL, 1.0, self._dy)
        ends = np.array(self._ends, np.float64).reshape(-1, 2, 2)
        self._px, self._py = ends[:, 0].T.copy()
        self._lx, self._ly = (ends[:, 1] - ends[:, 0]).T.copy()

    def depths(self, points: Array, sizes: Array) -> Array:
        """How deep each point is in each zone, (N, zones), in box sizes; negative: how far outside.

        points: x y, (N, 2).  sizes: width and height of their boxes, (N, 2), above 0.
        """
        if not self.zones:
            return np.zeros((len(points), 0))
        x, y = points[:, :1], points[:, 1:]
        right, down = x - self._ax, y - self._ay
        # Even-odd rule: sides to the right of the point that pass its height.
        passes = (self._ay > y) != (self._by > y)
        passes &= right < down * self._slope
        inside = np.bitwise_xor.reduceat(passes, self._first, axis=1)
        across, along = 1 / sizes[:, :1], 1 / sizes[:, 1:]
        dx, dy = self._dx * across, self._dy * along
        right *= across  # in place, all of it: such small arrays cost by the call
        down *= along
        at = right * dx
        at += down * dy
        long = dx * dx
        long += dy * dy
        at /= long
        np.maximum(at, 0, out=at)
        np.minimum(at, 1, out=at)
        dx *= at
        dy *= at
        right -= dx
        down -= dy
        right *= right
        down *= down
        right += down
        far = np.sqrt(np.minimum.reduceat(right, self._first, axis=1))
        return np.where(inside, far, -far)

    def sides(self, points: Array, sizes: Array) -> Array:
        """How far each point is from each line drawn out to both sides, (N, lines), in box sizes.

        Positive: to the right hand of who looks from its first point to its second.
        """
        if not self.lines:
            return np.zeros((len(points), 0))
        off = self._lx * (points[:, 1:] - self._py) - self._ly * (points[:, :1] - self._px)
        unit = np.hypot(self._ly * sizes[:, :1], self._lx * sizes[:, 1:])
        away: Array = off / unit
        return away

    def passed(self, line: int, before: Point, after: Point, slack: float) -> bool:
        """Whether the way between two points on both sides of a line goes through it.

        slack: by which share of its length it may miss the line's ends.
        """
        (ax, ay), (bx, by) = self._ends[line]
        dx, dy = bx - ax, by - ay
        one = dx * (before[1] - ay) - dy * (before[0] - ax)
        other = dx * (after[1] - ay) - dy * (after[0] - ax)
        share = one / (one - other) if one != other else 0.5
        x = before[0] + share * (after[0] - before[0]) - ax
        y = before[1] + share * (after[1] - before[1]) - ay
        return -slack <= (x * dx + y * dy) / (dx * dx + dy * dy) <= 1 + slack
