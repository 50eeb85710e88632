"""How far the image moved under each track, told by the registrar to the tracker.

The registrar (render thread) follows every track from each shown frame to the next; the tracker
(decode thread), whose detections are of frames long shown, asks how far a track went between two of
them: a far better prediction than its last velocity.
"""

import math
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_KEEP_NS = 3_000_000_000
"""Longer than any detector takes between two results that are still of use."""


class Shift(NamedTuple):
    """A motion of a box: centre dx, dy in picture widths and heights; size by factor exp(scale).

    variance: of dx and dy, in squared picture widths.
    """

    dx: float
    dy: float
    scale: float
    variance: float


UNKNOWN = Shift(0.0, 0.0, 0.0, math.inf)


class Paths:
    """The summed-up shifts of each track over the last three seconds; any thread."""

    def __init__(self) -> None:
        self._times: deque[int] = deque()
        self._sums: deque[dict[int, Shift]] = deque()
        self._lock = threading.Lock()
        self.cut_ns = -_KEEP_NS
        """Exposure time of the first frame after a cut: objects seen before are not in it."""

    def add(self, exposed_ns: int, sums: Mapping[int, Shift]) -> None:
        """The shift of each track id since it was first carried, up to this frame.

        A time that is not later than the one before (a clip that starts again) forgets the past.
        """
        with self._lock:
            if self._times and exposed_ns <= self._times[-1]:
                self._times.clear()
                self._sums.clear()
            self._times.append(exposed_ns)
            self._sums.append(dict(sums))
            while self._times[0] < exposed_ns - _KEEP_NS:
                self._times.popleft()
                self._sums.popleft()

    def amend(self, track_id: int, sums: Mapping[int, Shift]) -> None:
        """Tell afterwards where a track was in earlier frames: exposure time of each, and its sum.

        For a track that is met late and chased through older pictures; other times are ignored.
        """
        with self._lock:
            for at_ns, frame in zip(self._times, self._sums, strict=True):
                if at_ns in sums:
                    frame[track_id] = sums[at_ns]

    @property
    def newest_ns(self) -> int:
        """Time of the newest frame that was told; long ago when there was none."""
        with self._lock:
            return self._times[-1] if self._times else -_KEEP_NS

    def between(self, track_id: int, from_ns: int, to_ns: int) -> Shift | None:
        """How far a track went from one time to a later one; None where that is not known.

        Between two frames it is interpolated; before the first and after the last it is unknown.
        """
        with self._lock:
            begin, end = self._at(track_id, from_ns), self._at(track_id, to_ns)
        if begin is None or end is None:
            return None
        return Shift(
            end.dx - begin.dx,
            end.dy - begin.dy,
            end.scale - begin.scale,
            end.variance - begin.variance,
        )

    def ways(self, track_ids: Iterable[int], from_ns: int, to_ns: int) -> NDArray[np.float64]:
        """The shifts of several tracks, float64 (N, 4); variance infinite where not known."""
        paths = [self.between(track_id, from_ns, to_ns) for track_id in track_ids]
        shifts = [UNKNOWN if path is None else path for path in paths]
        return np.array(shifts, np.float64).reshape(-1, 4)

    def _at(self, track_id: int, at_ns: int) -> Shift | None:
        place = bisect_left(self._times, at_ns)
        if place == len(self._times):
            return None
        after = self._sums[place].get(track_id)
        if after is None or self._times[place] == at_ns:
            return after
        before = self._sums[place - 1].get(track_id) if place > 0 else None
        if before is None:
            return None
        share = (at_ns - self._times[place - 1]) / (self._times[place] - self._times[place - 1])
        return Shift(*(a + share * (b - a) for a, b in zip(before, after, strict=True)))
