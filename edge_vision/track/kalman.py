"""A constant-velocity Kalman filter over many boxes at once.

A box is its centre and the logarithm of its size: (centre x, centre y, log width, log height), x
and widths in picture widths, y and heights in picture heights.  Nothing mixes the two sides, so
the picture's aspect does not matter.  The four are filtered independently of one another (position
and velocity of each are not), which makes every step a few products of (N, 4) arrays and no matrix
inverse.

The image velocity is split in two: `drift`, how the camera last moved the picture at that place,
and the object's own velocity.  A camera that starts or stops panning changes the first at once and
leaves the second alone.

Formulas: Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation"
(2001): white-noise acceleration, section 6.2.2; scalar update, section 5.2.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

ACCELERATION = np.array([0.025, 0.025, 0.1, 0.1])
"""Power of the white-noise acceleration: squared (picture widths, heights, log size) per s^3."""
FIRST_SPEED = np.array([0.30, 0.30, 0.10, 0.10])
"""Standard deviation of a new object's own velocity, per second."""
SIZE_MEMORY_S = 0.5
"""A growth that is not seen to go on fades with this time constant."""
WALK = np.array([0.056, 0.056, 0.08, 0.08])
"""What a followed path is off after one second, in box sizes and log size: standard deviation."""
CONTRADICTED = 2.0
"""A strong measurement that is off by more standard deviations is right, and the belief wrong."""
_HESITATION = 0.5
"""How much of a velocity's variance is held against it, see `BoxFilter.likely_velocity`."""

_POS, _OWN, _DRIFT, _PP, _PV, _VV, _ALONE = range(7)
_LEAST = np.array(
    [
        [-2.0, -2.0, np.log(1e-3), np.log(1e-3)],
        [-10.0, -10.0, -3.0, -3.0],
        [-10.0, -10.0, -3.0, -3.0],
    ]
)
_MOST = np.array(
    [[3.0, 3.0, np.log(4.0), np.log(4.0)], [10.0, 10.0, 3.0, 3.0], [10.0, 10.0, 3.0, 3.0]]
)
"""Bounds of position, own velocity and drift."""
_SHORTEST_S = 0.02


def to_state(boxes: NDArray[np.floating]) -> Array:
    """Boxes x0 y0 x1 y1 (N, 4) as float64 (N, 4): centre x, y, log width, log height.

    Sizes below 0.001 count as 0.001, so that every logarithm is finite.
    """
    state = np.empty((len(boxes), 4))
    low, high = boxes[:, :2].astype(np.float64), boxes[:, 2:].astype(np.float64)
    state[:, :2] = (low + high) / 2
    state[:, 2:] = np.log(np.maximum(high - low, 1e-3))
    return state


def to_boxes(state: Array) -> Array:
    """The inverse of `to_state`: float64 (N, 4), x0 y0 x1 y1."""
    half = np.exp(state[:, 2:]) / 2
    boxes = np.empty_like(state)
    boxes[:, :2], boxes[:, 2:] = state[:, :2] - half, state[:, :2] + half
    return boxes


class BoxFilter:
    """N boxes, their velocities and how sure they are; float64 throughout, never NaN.

    Rows are numbered 0..N-1 in the order in which they were added; `keep` closes the gaps.
    """

    def __init__(self) -> None:
        self._state = np.empty((7, 0, 4))

    def __len__(self) -> int:
        return self._state.shape[1]

    @property
    def position(self) -> Array:
        """(N, 4): centre x, centre y, log width, log height."""
        position: Array = self._state[_POS]
        return position

    @property
    def velocity(self) -> Array:
        """(N, 4): change of `position` per second, the camera's motion included."""
        velocity: Array = self._state[_OWN] + self._state[_DRIFT]
        return velocity

    @property
    def likely_velocity(self) -> Array:
        """(N, 4): `velocity`, but an own one that may as well be noise is taken for less.

        own^3 / (own^2 + variance / 2): to draw a box ahead at a speed that is not there is a worse
        mistake than to leave it behind a little.
        """
        own, squared = self._state[_OWN], self._state[_OWN] ** 2
        share = squared / (squared + _HESITATION * self._state[_VV] + 1e-12)
        likely: Array = own * share + self._state[_DRIFT]
        return likely

    @property
    def variance(self) -> Array:
        """(N, 4): variance of `position`."""
        variance: Array = self._state[_PP]
        return variance

    def add(self, position: Array, variance: Array, drift: Array) -> None:
        """New boxes (n, 4) that move with the picture: by `drift`, (n, 4) per second."""
        new = np.zeros((7, len(position), 4))
        new[_POS], new[_DRIFT] = position, drift
        new[:_PP] = np.minimum(np.maximum(new[:_PP], _LEAST[:, None]), _MOST[:, None])
        new[_PP], new[_VV] = variance, FIRST_SPEED**2
        self._state = np.concatenate((self._state, new), axis=1)

    def keep(self, rows: Rows) -> None:
        """Forget all other rows."""
        self._state = self._state[:, rows]

    def predict(self, rows: Rows | slice, dt_s: float, shift: Array | None) -> None:
        """Carry rows `dt_s` > 0 seconds on.

        shift: (n, 4), how the camera moved the picture at each box meanwhile; None = as before.
        """
        pos, own, drift, pp, pv, vv, _ = self._state[:, rows]
        moved = drift * dt_s if shift is None else shift
        fading = np.array([1.0, 1.0, *(np.exp(-dt_s / SIZE_MEMORY_S),) * 2])
        noise = ACCELERATION * dt_s
        pos = pos + own * dt_s + moved
        pp = pp + 2 * dt_s * pv + dt_s**2 * (vv + noise / 3)
        pv = (pv + dt_s * (vv + noise / 2)) * fading
        vv = (vv + noise) * fading**2
        alone = np.full_like(pos, dt_s)
        self._put(rows, pos, own * fading, moved / dt_s, pp, pv, vv, alone)

    def follow(
        self,
        rows: Rows | slice,
        dt_s: float,
        path: Array,
        path_variance: Array,
        shift: Array | None,
    ) -> None:
        """Carry rows along a path that was seen, which measures their velocity too.

        path, path_variance: (n, 4), how far each box went in `dt_s` > 0 seconds.
        shift: as for `predict`.

        The new position is the old one plus the path, the new velocity a mixture of the old one and
        path / dt; the covariance is that of these two sums.
        """
        pos, own, drift, pp, pv, vv, _ = self._state[:, rows]
        drift = drift if shift is None else shift / dt_s
        vv = vv + ACCELERATION * dt_s
        seen = path_variance / dt_s**2 + ACCELERATION * dt_s / 3
        gain = vv / (vv + seen)
        own = own + gain * (path / dt_s - drift - own)
        size = np.exp(pos[:, [2, 3]])
        pp = pp + path_variance + WALK**2 * dt_s * np.hstack((size**2, np.ones_like(size)))
        pv = (1 - gain) * pv + gain * path_variance / dt_s
        self._put(rows, pos + path, own, drift, pp, pv, (1 - gain) * vv, np.zeros_like(pos))

    def correct(
        self,
        rows: Rows,
        measured: Array,
        variance: Array,
        clipped: Array,
        doubt: Array,
        strong: Mask,
    ) -> None:
        """Take in one measurement for each of `rows`.

        measured, variance: (n, 4).
        clipped: (n, 2), -1 where the measured box ends at the picture's left or upper border, 1 at
        the right or lower one, 0 elsewhere: there only the other edge is known, so the filter
        compares that one, and a box that grows does so across the border.
        doubt: (n, 4), where not 0 the filter's own estimate has at least this variance, and the
        measurement says nothing about velocity.
        strong: (n,), measurements that can prove the filter wrong: the box went along the path of
        the wall behind it, was half of the object, or changed its speed.
        """
        pos, own, drift, pp, pv, vv, alone = self._state[:, rows]
        half = np.exp(pos[:, 2:]) / 2
        wanted = measured.copy()
        wanted[:, :2] -= clipped * (np.exp(measured[:, 2:]) / 2 - half)
        pp, pv = np.maximum(pp, doubt), pv * (doubt == 0)
        off = wanted - pos
        wrong = strong[:, None] & (off * off > CONTRADICTED**2 * (pp + variance))
        if wrong.any():
            pp, pv, vv = _believe(off, wrong, alone, (pp, pv, vv))
        total = pp + variance
        gain, turn = pp / total, pv / total
        pos = pos + gain * off
        pos[:, :2] += clipped * (np.exp(pos[:, 2:]) / 2 - half)
        pp, pv, vv = (1 - gain) * pp, (1 - gain) * pv, vv - turn * pv
        self._put(rows, pos, own + turn * off, drift, pp, pv, vv, alone)

    def _put(self, rows: Rows | slice, *parts: Array) -> None:
        new = np.array(parts)
        new[:_PP] = np.minimum(np.maximum(new[:_PP], _LEAST[:, None]), _MOST[:, None])
        self._state[:, rows] = new


def _believe(
    off: Array, wrong: Mask, alone: Array, variances: tuple[Array, Array, Array]
) -> tuple[Array, Array, Array]:
    """Variances (of position, of both, of velocity) under which what is `off` becomes likely.

    alone: for how many seconds each went on at its velocity; 0 where its path was seen.  There it
    is the velocity that was wrong - unless the size is, too: then more of the object came in sight.
    """
    pp, pv, vv = variances
    speed = np.where(alone > 0, off / np.maximum(alone, _SHORTEST_S), 0.0)
    speed[:, 2:] = 0
    speed[:, :2][wrong[:, 2:]] = 0
    pp = np.where(wrong, off * off, pp)
    pv = np.where(wrong, off * speed, pv)
    # A fifth more than fully correlated, so that the variances stay those of something possible.
    vv = np.where(wrong, np.maximum(vv, np.maximum(FIRST_SPEED**2, 1.2 * speed * speed)), vv)
    return pp, pv, vv


def camera_shift(motion: Array, position: Array) -> Array:
    """How far a camera's motion carries boxes in the picture: (N, 4) like `position`.

    motion: (2, 3) affine in normalised coordinates.  Sizes follow its change of area; what it turns
    or shears is left to the next measurement.
    """
    shift = np.empty_like(position)
    shift[:, :2] = position[:, :2] @ motion[:, :2].T + motion[:, 2] - position[:, :2]
    area = motion[0, 0] * motion[1, 1] - motion[0, 1] * motion[1, 0]
    shift[:, 2:] = np.log(max(float(area), 1e-6)) / 2
    return shift
