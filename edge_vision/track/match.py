"""Which detection belongs to which track.

Pure Python and numpy are enough: after gating nearly every detection has one track to go to, so
that little is left to solve; scipy would be a large package for one function.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TAILS = 3.0
"""How often boxes are far off: degrees of freedom of Student's t (a normal has infinitely many)."""
_LARGEST_CHANGE = np.log(2.5)
"""Log of the factor by which width and height may differ from what was expected, besides noise."""
_FARTHEST = 4.0
"""By so many standard deviations and half its size a box may be off."""


def overlaps(a: Array, b: Array) -> Array:
    """Intersection over union of every box of `a` (N, 4) with every box of `b` (M, 4): (N, M).

    Boxes are x0 y0 x1 y1; two boxes without area have an overlap of 0.
    """
    low = np.maximum(a[:, None, :2], b[:, :2])
    high = np.minimum(a[:, None, 2:], b[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    area_a = (a[:, 2:] - a[:, :2]).prod(axis=1)
    area_b = (b[:, 2:] - b[:, :2]).prod(axis=1)
    share: Array = shared / np.maximum(area_a[:, None] + area_b - shared, 1e-12)
    return share


def costs(expected: Array, variance: Array, found: Array, noise: Array) -> Array:
    """What it costs to believe that a detection is a track: float64 (N, M).

    expected, variance: (N, 4), where the tracks should be and how sure that is.
    found, noise: (M, 4), the detections and the variance of their boxes.
    All as centre x, y, log width, log height.  A pair whose sizes or
    places differ too much costs infinity.

    The cost is -2 log of the likelihood, up to a constant: Student's t with the tracks' and the
    detections' variance together.  Detected boxes are wildly off now and then, more often than a
    normal distribution has it.  The likelihood of a track that was lost for a while is spread
    wide, else it would take other tracks' detections, for to it everything is near.
    """
    off = found - expected[:, None]
    total = variance[:, None] + noise
    far = np.log1p(off * off / (_TAILS * total)) * (_TAILS + 1) + np.log(total / noise)
    cost: Array = far.sum(axis=2)
    most = _LARGEST_CHANGE + 2 * np.sqrt(noise[:, 2:])
    cost[(np.abs(off[:, :, 2:]) > most).any(axis=2)] = np.inf
    reach = _FARTHEST * np.sqrt(total[:, :, :2]) + np.exp(found[:, 2:]) / 2
    cost[(np.abs(off[:, :, :2]) > reach).any(axis=2)] = np.inf
    return cost


def assign(cost: Array, gate: float) -> list[tuple[int, int]]:
    """The pairs (row, column) with the least total cost, each row and column at most once.

    cost: float64 (N, M) without NaN.  A pair that costs `gate` or more is never made, and leaving
    a row or column alone costs as much as a pair at the gate would: two pairs that are far off
    give way to a good one.
    """
    i, j = np.nonzero(cost < gate)
    alone = (np.bincount(i)[i] == 1) & (np.bincount(j)[j] == 1)
    pairs = list(zip(i[alone].tolist(), j[alone].tolist(), strict=True))
    if alone.all():
        return pairs
    rows, columns = np.unique(i[~alone]), np.unique(j[~alone])
    # A row that is given a column at the gate is left alone by it.
    part = np.minimum(cost[rows][:, columns], gate)
    turned = len(rows) > len(columns)
    for short, long in enumerate(_least_total((part.T if turned else part).tolist())):
        a, b = (long, short) if turned else (short, long)
        if part[a, b] < gate:
            pairs.append((int(rows[a]), int(columns[b])))
    return pairs


def _least_total(cost: list[list[float]]) -> list[int]:
    """The column of each row, for no more rows than columns.

    Shortest augmenting paths with potentials (Jonker and Volgenant 1987, Computing 38): rows start
    at their cheapest column where it is free; each of the others takes the cheapest way to a free
    column through reassigned rows.  The reduced cost c - u - v is never negative, and 0 for pairs.
    """
    u = [min(row) for row in cost]
    v = [0.0] * len(cost[0])
    owner: list[int | None] = [None] * len(v)
    waiting = []
    for i, row in enumerate(cost):
        j = row.index(u[i])
        if owner[j] is None:
            owner[j] = i
        else:
            waiting.append(i)
    for i in waiting:
        _augment(cost, i, u, v, owner)
    column_of = [0] * len(cost)
    for j, holder in enumerate(owner):
        if holder is not None:
            column_of[holder] = j
    return column_of


def _augment(
    cost: list[list[float]], start: int, u: list[float], v: list[float], owner: list[int | None]
) -> None:
    """Give row `start` a column, moving other rows along the cheapest path (Dijkstra)."""
    far = [c - u[start] - p for c, p in zip(cost[start], v, strict=True)]
    came_from = [start] * len(v)
    left = list(range(len(v)))
    passed: list[tuple[int, int]] = []
    while True:
        j = min(left, key=far.__getitem__)
        holder = owner[j]
        if holder is None:
            break
        left.remove(j)
        passed.append((j, holder))
        row, shift = cost[holder], u[holder] - far[j]
        for k in left:
            distance = row[k] - shift - v[k]
            if distance < far[k]:
                far[k] = distance
                came_from[k] = holder
    length = far[j]
    u[start] += length
    for k, holder in passed:
        v[k] += far[k] - length
        u[holder] += length - far[k]
    # Walk back: each row on the way takes the column that was found from it.
    column_of = {holder: k for k, holder in passed}
    while True:
        taker = came_from[j]
        owner[j] = taker
        if taker == start:
            return
        j = column_of[taker]
