"""Chasing: boxes met in an older picture, carried through the kept pictures to the newest."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_vision.track.boxes import Array, moved
from edge_vision.track.carried import Rows, seed, step
from edge_vision.track.grey import Grey

Past = Sequence[tuple[int, Grey]]
"""Media time and grey picture of the last frames, oldest first."""

_NEAR_NS = 100_000_000
"""A box is put into a picture that was taken at most so long before its own."""


class Chase:
    """A table of boxes on its way from an older frame to the newest.

    rows: the boxes, where they are by now.
    steps: media time of each frame passed, and the rows' sums (N, 4) up to it.
    """

    def __init__(self, rows: Rows, at_ns: int, grey: Grey) -> None:
        self.rows = rows
        self.steps: list[tuple[int, Array]] = [(at_ns, rows["sums"].copy())]
        self._at_ns = at_ns
        self._grey = grey

    @classmethod
    def begin(
        cls, rows: Rows, chased: NDArray[np.intp], seen_ns: int, past: Past
    ) -> "Chase | None":
        """Begin with all boxes of a scene of `seen_ns`; those in `chased` are to be carried.

        rows: table with the scene's boxes and speeds.  None when no picture of that time is kept.
        """
        older = [entry for entry in past if seen_ns - _NEAR_NS <= entry[0] <= seen_ns]
        if not older:
            return None
        at_ns, grey = older[-1]
        rows["box"] = moved(rows["box"], rows["speed"] * ((at_ns - seen_ns) / 1e9))
        rows["alive"] = True
        rows["alive"][chased] = False
        seed(rows, grey, len(rows))
        return cls(rows[chased], at_ns, grey)

    def keep(self, ids: list[int]) -> bool:
        """Let go of boxes with other ids; False when none is left."""
        kept = np.isin(self.rows["id"], ids)
        self.rows = self.rows[kept]
        self.steps = [(at_ns, sums[kept]) for at_ns, sums in self.steps]
        return len(self.rows) > 0

    def advance(self, past: Past, most: int) -> bool:
        """Go at most so many pictures further; True when the newest is reached."""
        ahead = [entry for entry in past if entry[0] > self._at_ns]
        for at_ns, grey in ahead[:most]:
            step(self.rows, self._grey, grey, (at_ns - self._at_ns) / 1e9, None)
            self.steps.append((at_ns, self.rows["sums"].copy()))
            self._at_ns, self._grey = at_ns, grey
        return len(ahead) <= most
