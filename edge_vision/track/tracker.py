"""The tracker: detections of single frames become objects that keep their number.

Each update carries every track to the frame's time (along the path that was seen, else by its
velocity and the camera's motion), gives detections to tracks of the same class, and takes what is
left over for new objects.  First the strong detections choose, then the weak ones get what nobody
took (the idea of Zhang et al. 2021, "ByteTrack", arXiv 2110.06864): an object that is half hidden
keeps its number.

A detector that wavers sees one object now as a cat, now as a dog.  So a confirmed track that finds
nothing of its class is kept alive by a detection of another one that lies right on it and belongs
to nobody else; its class changes when that goes on (see `Life`).  Objects of different classes that
cross are not mixed up: each has detections of its own, and their boxes seldom agree so well.

This is the only place where the noise of boxes is smoothed.
"""

import numpy as np
from numpy.typing import NDArray

from edge_vision.config_overlay import TrackingConfig
from edge_vision.results import Detections, Track
from edge_vision.track.found import MOST, SAME_PLACE, Found
from edge_vision.track.kalman import BoxFilter, camera_shift, to_boxes, to_state
from edge_vision.track.life import SURE_SCORE, Life
from edge_vision.track.match import assign, costs, overlaps
from edge_vision.track.paths import Paths

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]
Pairs = list[tuple[int, int]]

_NOISE_MEMORY_S = 0.05
"""The boxes of two frames are the more alike the closer these are: how long their noise lasts."""
_FIRST_DOUBT = 4.0
"""Variance of a first box in that of others: often an object comes into sight bit by bit."""
_GATE = 30.0
_GATE_WEAK = 20.0
"""Highest cost of a pair, see `costs`."""
_GONE = 0.1
"""A track that is not seen and has less than this share in the picture has left it."""
_RETURN_PER_S = 0.8
"""An object that left comes back within so many picture sizes a second from where it left."""
_CUT_NOISE = np.array([0.03, 0.03, 0.5, 0.5])
"""Standard deviation of what the border may do to a box between two sightings."""
_CUT_DOUBT = 0.04
"""Variance of the log size of an object of which more comes into the picture."""
_SAME = 0.5
"""A new box that overlaps a seen one of its class by more is the same object twice."""


class Tracker:
    """Follows objects through frames at any times; belongs to one thread.

    config: the limits, in seconds.  min_score: detections from here on start tracks.
    paths: what the registrar saw of each track's motion between two frames, if there is one.
    """

    def __init__(self, config: TrackingConfig, min_score: float, paths: Paths | None) -> None:
        self._coast_ns = round(config.coast_s * 1e9)
        self._confirm_ns = round(config.confirm_s * 1e9)
        self.min_score = min_score
        self._paths = paths
        self._next_id = 1
        self._now_ns: int | None = None
        self._start_over()

    def _start_over(self) -> None:
        self._filter = BoxFilter()
        self._lives: list[Life] = []
        self._away: list[tuple[Life, Array]] = []
        """Confirmed tracks that left the picture a short while ago, and where."""
        self._camera: tuple[Array, float] | None = None
        """How the camera last moved the picture, and in how many seconds."""

    def update(
        self, detections: Detections, exposed_ns: int, motion: Array | None = None
    ) -> tuple[Track, ...]:
        """The tracks at `exposed_ns`, with the detections of that frame taken in.

        detections: from `tracking.weak_score` on, best first; of more than 200 the rest is ignored.
        motion: how the camera moved the picture since the last update, float64 (2, 3) affine in
        normalised coordinates (x' = motion @ (x, y, 1)); None when it is not known.

        Time that jumps back, or further ahead than objects are remembered, and a cut in a film
        start over with new tracks; an id is never given to another object.
        """
        dt_s = self._carry(exposed_ns, motion)
        found = Found(detections, self.min_score)
        pairs = self._match(found)
        self._take(pairs, found, dt_s, exposed_ns)
        self._forget(exposed_ns)
        self._welcome(pairs, found, exposed_ns)
        return self._tracks(exposed_ns)

    def demand(self, min_score: float) -> None:
        """Another `min_score`; if it was raised, tracks end that were last seen with less."""
        least, self.min_score = min_score if min_score > self.min_score else 0.0, min_score
        stay = [row for row, life in enumerate(self._lives) if life.score >= least]
        self._lives = [self._lives[row] for row in stay]
        self._filter.keep(np.array(stay, np.intp))

    def _carry(self, now_ns: int, motion: Array | None) -> float:
        """Move every track to the new time; how many seconds these are."""
        before_ns, self._now_ns = self._now_ns, now_ns
        if before_ns is None or now_ns == before_ns:
            return 0.0
        cut = self._paths is not None and before_ns < self._paths.cut_ns <= now_ns
        if cut or not 0 < now_ns - before_ns <= max(self._coast_ns, self._confirm_ns):
            self._start_over()
            return 0.0
        dt_s = (now_ns - before_ns) / 1e9
        boxes = self._filter
        shift = None
        if motion is not None and np.isfinite(motion).all():
            shift = camera_shift(motion, boxes.position)
            self._camera = motion, dt_s
        seen = self._seen_paths(before_ns, now_ns)
        if seen is None:
            boxes.predict(slice(None), dt_s, shift)
            return dt_s
        known, path, variance = seen
        if known.any():
            rows = np.flatnonzero(known)
            moved = None if shift is None else shift[rows]
            boxes.follow(rows, dt_s, path[rows], variance[rows], moved)
        if not known.all():
            rows = np.flatnonzero(~known)
            boxes.predict(rows, dt_s, None if shift is None else shift[rows])
        return dt_s

    def _seen_paths(self, from_ns: int, to_ns: int) -> tuple[Mask, Array, Array] | None:
        """Which tracks' paths somebody saw, (N,); how far each went and its variance, (N, 4)."""
        if self._paths is None or self._paths.newest_ns < to_ns:
            return None
        shifts = self._paths.ways([life.id for life in self._lives], from_ns, to_ns)
        # Nothing that is no number passes these, nor what nobody can be sure of.
        known = (np.abs(shifts[:, :3]) < 2).all(axis=1) & (shifts[:, 3] < 1)
        path = shifts[:, [0, 1, 2, 2]]
        variance = np.minimum(np.maximum(shifts[:, [3, 3, 3, 3]], 0), 1)
        # A size is read from points that are half a box from its centre, each as far off.
        variance[:, 2:] *= 4 / np.exp(2 * self._filter.position[:, 2:])
        return known, path, variance

    def _match(self, found: Found) -> Pairs:
        """Pairs (track, detection)."""
        pairs: Pairs = []
        if not self._lives or not len(found):
            return pairs
        # A detection ends at the picture's border; what is expected must, too.
        boxes = np.minimum(np.maximum(to_boxes(self._filter.position), 0), 1)
        # And how much of it the border cuts off may change fast.
        cut = found.low | found.high
        noise = found.noise
        if cut.any():
            noise = noise + np.where(np.tile(cut, 2), _CUT_NOISE**2, 0.0)
        cost = costs(to_state(boxes), self._filter.variance, found.state, noise)
        classes = np.array([life.class_id for life in self._lives])
        cost[classes[:, None] != found.classes] = np.inf
        free, left = np.ones(len(classes), np.bool_), np.ones(len(found), np.bool_)
        for chosen, gate in ((found.strong, _GATE), (~found.strong, _GATE_WEAK)):
            _assign(cost, np.flatnonzero(free), np.flatnonzero(chosen), gate, pairs)
            free[[row for row, _ in pairs]] = False
            if not free.any():
                return pairs
        left[[column for _, column in pairs]] = False
        free &= [life.confirmed for life in self._lives]
        if free.any() and left.any():
            apart = 1 - overlaps(boxes, found.boxes)
            _assign(apart, np.flatnonzero(free), np.flatnonzero(left), 1 - SAME_PLACE, pairs)
        return pairs

    def _take(self, pairs: Pairs, found: Found, dt_s: float, now_ns: int) -> None:
        """Correct the tracks with their detections."""
        if not pairs:
            return
        rows, columns = np.array(pairs).T
        low, high = found.low[columns], found.high[columns]
        state, noise = found.state[columns], found.noise[columns]
        if dt_s > 0:
            noise *= max(1.0, 2 * _NOISE_MEMORY_S / dt_s)
        # Cut off by the border, a box that shrinks says nothing about the object's size; one that
        # grows does, but nothing about its change.
        cut = low | high
        smaller = state[:, 2:] < self._filter.position[rows, 2:]
        noise[:, 2:][cut & smaller] = 1e6
        doubt = np.zeros((len(rows), 4))
        doubt[:, 2:] = np.where(cut, np.where(smaller, 1e-9, _CUT_DOUBT), 0.0)
        side = high.astype(np.float64) - low
        self._filter.correct(rows, state, noise, side, doubt, found.strong[columns])
        scores, classes, strong = (
            values.tolist() for values in (found.scores, found.classes, found.strong)
        )
        for row, column in pairs:
            self._lives[row].see(
                scores[column], classes[column], strong[column], now_ns, self._confirm_ns
            )

    def _forget(self, now_ns: int) -> None:
        """End tracks that were not seen for too long or that have left the picture."""
        self._away = [
            (life, place)
            for life, place in self._away
            if now_ns - life.last_seen_ns <= self._coast_ns
        ]
        if all(life.last_seen_ns == now_ns for life in self._lives):
            return
        boxes = to_boxes(self._filter.position)
        inside = np.minimum(np.maximum(boxes, 0), 1)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        share = ((inside[:, 2:] - inside[:, :2]).prod(axis=1) / area).tolist()
        stay = []
        for row, life in enumerate(self._lives):
            unseen_ns = now_ns - life.last_seen_ns
            most_ns = self._coast_ns if life.confirmed else self._confirm_ns
            if unseen_ns == 0 or (unseen_ns <= most_ns and share[row] >= _GONE):
                stay.append(row)
            elif unseen_ns <= most_ns and life.confirmed:
                self._away.append((life, self._filter.position[row].copy()))
        self._lives = [self._lives[row] for row in stay]
        self._filter.keep(np.array(stay, np.intp))

    def _welcome(self, pairs: Pairs, found: Found, now_ns: int) -> None:
        """Start tracks for strong detections that are no second box of a seen object."""
        left = found.strong.copy()
        left[[column for _, column in pairs]] = False
        if not left.any():
            return
        seen = [row for row, life in enumerate(self._lives) if life.last_seen_ns == now_ns]
        others = to_boxes(self._filter.position[seen])
        classes = [self._lives[row].class_id for row in seen]
        scores = [self._lives[row].score for row in seen]
        new: list[int] = []
        for column in np.flatnonzero(left).tolist()[: MOST - len(self._lives)]:
            box, class_id = found.boxes[[column]], int(found.classes[column])
            weaker = np.array(scores) > found.scores[column]
            most = np.where(weaker, SAME_PLACE, 1.0)
            most[np.array(classes) == class_id] = _SAME
            if not (overlaps(box, others)[0] > most).any():
                new.append(column)
                others = np.vstack((others, box))
                classes.append(class_id)
                scores.append(float(found.scores[column]))
        drift = np.zeros((len(new), 4))
        if self._camera is not None:
            motion, dt_s = self._camera
            drift = camera_shift(motion, found.state[new]) / dt_s
        self._filter.add(found.state[new], _FIRST_DOUBT * found.noise[new], drift)
        self._lives += [self._life(column, found, now_ns) for column in new]

    def _life(self, column: int, found: Found, now_ns: int) -> Life:
        """Of the object of its class that left near there a moment ago, or a new one.

        Of several it is the one known for longest: short-lived ones are mostly wrong boxes.
        """
        score, class_id = float(found.scores[column]), int(found.classes[column])
        cut = found.low[column] | found.high[column]
        back = []
        for life, state in self._away:
            off = found.state[column] - state
            off[2:][cut & (off[2:] < 0)] = 0
            if life.class_id == class_id and np.abs(off[2:]).max() < 0.7:
                speed = float(np.abs(off[:2]).max()) * 1e9 / max(now_ns - life.last_seen_ns, 1)
                if speed < _RETURN_PER_S:
                    back.append(life)
        if back:
            oldest = min(back, key=lambda life: life.id)
            self._away = [(life, state) for life, state in self._away if life is not oldest]
            oldest.score, oldest.last_seen_ns = score, now_ns
            return oldest
        self._next_id += 1
        sure = score >= SURE_SCORE
        return Life(self._next_id - 1, class_id, score, now_ns, now_ns, sure)

    def _tracks(self, now_ns: int) -> tuple[Track, ...]:
        boxes = to_boxes(self._filter.position)
        velocity = self._filter.likely_velocity
        grow = velocity[:, 2:] * (boxes[:, 2:] - boxes[:, :2]) / 2
        edges = np.empty(boxes.shape, np.float32)
        edges[:, :2], edges[:, 2:] = velocity[:, :2] - grow, velocity[:, :2] + grow
        variance = self._filter.variance
        sigmas = np.sqrt((variance[:, 0] + variance[:, 1]) / 2).tolist()
        return tuple(
            Track(
                life.id, box, edge, life.score, life.class_id, life.state(now_ns),
                life.first_seen_ns, life.last_seen_ns, sigma,
            )
            for life, box, edge, sigma in zip(
                self._lives, boxes.astype(np.float32), edges, sigmas, strict=True
            )
        )  # fmt: skip


def _assign(cost: Array, rows: Rows, columns: Rows, gate: float, pairs: Pairs) -> None:
    """Assign some rows to some columns and add what was found to `pairs`."""
    if len(rows) and len(columns):
        for row, column in assign(cost[rows[:, None], columns], gate):
            pairs.append((int(rows[row]), int(columns[column])))
