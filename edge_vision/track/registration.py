"""Registration: the boxes of an older picture, carried to the picture that is being shown.

A detector's boxes belong to a picture of 50 to 400 ms ago.  The registrar follows the image under
each box from every shown frame to the next - small steps, which optical flow can take - and keeps
the sums of these steps.  When the boxes of frame j arrive while frame k is shown, it knows how far
each went from j to k, and puts the box there.  Boxes met for the first time, and boxes that turn
out not to have been where they were thought to be, are chased through the small grey pictures of
the last second.
"""

import math
import time
from collections import deque
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Image
from edge_vision.results import Scene, Track
from edge_vision.track.boxes import Array, is_usable, moved, overlaps, speeds_of, visible_shares
from edge_vision.track.budget import Budget
from edge_vision.track.carried import (
    ROW,
    UNSEEN_SPEED,
    Rows,
    catch_up,
    rows_for,
    seed,
    step,
)
from edge_vision.track.chase import Chase
from edge_vision.track.cuts import CutWatch
from edge_vision.track.grey import Grey, small_grey
from edge_vision.track.motion import Background
from edge_vision.track.paths import Paths, Shift

Method = Literal["none", "predict", "flow"]
Places = NDArray[np.intp]
"""Numbers of rows."""

_KEEP_NS = 1_200_000_000
_KEEP_MOST = 80
"""How long, and how many, small grey pictures are kept for boxes that are met late."""
_CHASE_STEPS = 6
_SEEDS = 2
"""Bounds of the work in one frame: pictures a chase goes on, boxes that get new points."""
_STALE_NS = 5_000_000_000
"""A scene older than this is not drawn: the detector has stopped."""
_AHEAD_NS = 500_000_000
"""A scene may be so much newer than the frame; one still newer is of before a jump in time."""
_LONGEST_S = 1.0
"""No box is predicted farther, and no picture compared over a longer time."""
_HAZY = 0.2
"""A box that nobody sees is drawn while it is known to this share of its size."""
_SAME_IOU = 0.5
_WIDE = 0.1
"""A path is believed that ends near the box and is not more uncertain than this share of it."""
_LEAST_VISIBLE = 0.1
"""A box of which less lies in the picture has left it."""


class Registrar:
    """Carries a scene's tracks to the frame being shown; for one thread.

    method: none (boxes stay where the detector saw them), predict (they go on at their speed) or
    flow (they go with the image).  paths: is told how far the image moved under each track.
    linger_s: how long a track is shown that the detector does not see any more.
    may_step_down: predict where flow costs too much; False where the clock is not the real one.
    """

    def __init__(
        self, method: Method, paths: Paths, *, linger_s: float, may_step_down: bool = True
    ) -> None:
        self._paths = paths
        self._linger_ns = round(linger_s * 1e9)
        self._budget = Budget() if method == "flow" and may_step_down else None
        self.active_method: Method = method
        """What is done now: predict instead of flow where flow costs too much."""
        self.carried: tuple[Track, ...] = ()
        """All that is followed at the time of the last frame, also what is not drawn yet or any
        more: what must not be recognised is hidden there too."""
        self.last_cost_ms = 0.0
        """What the last step took."""
        self._forget()

    def _forget(self) -> None:
        self._now_ns: int | None = None
        self._rows: Rows = np.zeros(0, ROW)
        self._tracks: tuple[Track, ...] = ()
        self._scene: Scene | None = None
        self._past: deque[tuple[int, Grey]] = deque(maxlen=_KEEP_MOST)
        self._background = Background()
        self._chase: Chase | None = None
        self._cuts = CutWatch(self._paths)

    def step(self, image: Image, now_ns: int, scene: Scene | None) -> tuple[Track, ...]:
        """The scene's tracks at the time of a frame, for drawing on it.

        image, now_ns: the frame to be shown, and its `media_ns`; call it for each.  A time before
        the last one (a clip that begins again) forgets everything.  scene: the newest finished one.
        Confirmed tracks, and coasting ones within `linger_s`, that are in the picture; boxes may
        reach over its border, are finite, and glide to a correction within two frames.
        """
        begin_ns = time.perf_counter_ns()
        if self._now_ns is not None and now_ns < self._now_ns:
            self._forget()
            self._paths.cut_ns = min(self._paths.cut_ns, now_ns)
        self._choose(now_ns)
        if now_ns != self._now_ns:
            self._rows["rest"] = 0
            gap_s = 0.0 if self._now_ns is None else (now_ns - self._now_ns) / 1e9
            if self.active_method != "none" and self._cuts.is_cut(image, now_ns):
                self._drop_pictures()
            if self.active_method == "flow":
                self._follow(small_grey(image), now_ns, gap_s)
            elif self.active_method == "predict":
                self._predict(gap_s)
            self._now_ns = now_ns
        self._look_at(scene, now_ns)
        if self.active_method == "flow" and self._past:
            if self._chase is not None and self._chase.advance(self._past, _CHASE_STEPS):
                self._join(self._chase)
                self._chase = None
            seed(self._rows, self._past[-1][1], _SEEDS)
        self.carried = self._carried()
        drawn = self._drawn()
        self.last_cost_ms = (time.perf_counter_ns() - begin_ns) / 1e6
        if self._budget is not None and self.active_method == "flow":
            self._budget.spent(now_ns, self.last_cost_ms)
        return drawn

    def _choose(self, now_ns: int) -> None:
        if self._budget is None:
            return
        method: Method = "flow" if self._budget.allows(now_ns) else "predict"
        if method != self.active_method:
            self.active_method = method
            self._drop_pictures()

    def _drop_pictures(self) -> None:
        self._past.clear()
        self._background = Background()
        self._chase = None
        self._rows["alive"] = False

    def _predict(self, gap_s: float) -> None:
        shifts = self._rows["speed"] * min(gap_s, _LONGEST_S)
        self._rows["box"] = moved(self._rows["box"], shifts)
        self._rows["sums"][:, :3] += shifts
        variance = (UNSEEN_SPEED * gap_s) ** 2
        self._rows["sums"][:, 3] += variance
        self._rows["doubt"] += variance

    def _follow(self, grey: Grey, now_ns: int, gap_s: float) -> None:
        rows = self._rows
        if self._past and (gap_s > _LONGEST_S or not grey.fits(self._past[-1][1])):
            self._drop_pictures()
        if not self._past:
            self._predict(gap_s)
        else:
            step(rows, self._past[-1][1], grey, gap_s, self._background)
        self._background.refresh(grey, rows["box"])
        self._past.append((now_ns, grey))
        while self._past[0][0] < now_ns - _KEEP_NS:
            self._past.popleft()
        known = rows["known"]
        sums = zip(rows["id"][known].tolist(), rows["sums"][known].tolist(), strict=True)
        self._paths.add(now_ns, {track_id: Shift(*sum_) for track_id, sum_ in sums})

    def _look_at(self, scene: Scene | None, now_ns: int) -> None:
        """Take up a scene that is new, and let go of one that is of no use."""
        late_ns = now_ns - scene.media_ns if scene is not None else 0
        useless = scene is None or not -_AHEAD_NS <= late_ns <= _STALE_NS
        if scene is None or useless or scene.media_ns < self._paths.cut_ns:
            self._scene, self._tracks, self._rows = None, (), self._rows[:0]
        elif scene is not self._scene:
            before, self._scene = self._scene, scene
            self._take(scene, now_ns, before)

    def _take(self, scene: Scene, now_ns: int, before: Scene | None) -> None:
        """Correct the boxes by a new scene, and begin to chase those whose way is not known."""
        self._tracks = tuple(track for track in scene.tracks if is_usable(track))
        self._rows = rows = rows_for([track.id for track in self._tracks], self._rows)
        if self._chase is not None and not self._chase.keep(rows["id"].tolist()):
            self._chase = None
        if len(rows) == 0:
            return
        seen = np.array([track.box for track in self._tracks], np.float64)
        speeds = speeds_of(seen, np.array([track.velocity for track in self._tracks], np.float64))
        if self.active_method == "none":
            rows["box"], rows["speed"], rows["known"] = seen, speeds, True
            return
        late_s = (now_ns - scene.media_ns) / 1e9
        lost = np.arange(len(rows))
        if self.active_method == "flow":
            leads = np.zeros((len(rows), 2))
            if before is not None and before.media_ns < scene.media_ns:
                ways = self._paths.ways(rows["id"].tolist(), before.media_ns, scene.media_ns)
                leads = catch_up(rows, seen, ways, (scene.media_ns - before.media_ns) / 1e9)
            lost = self._carry(seen, leads, scene.media_ns, now_ns)
            if self._chase is None and len(lost):
                self._chase = self._begin_chase(lost, seen, speeds, scene.media_ns)
        if len(lost):
            self._foretell(lost, seen[lost], speeds[lost], late_s)

    def _carry(self, seen: Array, leads: Array, from_ns: int, now_ns: int) -> Places:
        """Correct boxes by their paths since a scene; returns those whose path is no good."""
        rows = self._rows
        ways = self._paths.ways(rows["id"].tolist(), from_ns, now_ns)
        ways[:, :2] += leads * min((now_ns - from_ns) / 1e9, _LONGEST_S)
        misled = leads.any(axis=1)
        targets = moved(seen, ways[:, :3])
        sure = ways[:, 3] <= (_WIDE * (seen[:, 2] - seen[:, 0])) ** 2
        good = rows["known"] & sure & (misled | (overlaps(targets, rows["box"]) >= _SAME_IOU))
        self._place(np.flatnonzero(good), targets[good], ways[good, 3])
        return np.flatnonzero(~good)

    def _foretell(self, lost: Places, seen: Array, speeds: Array, late_s: float) -> None:
        """Boxes whose way is not known go on at the speed the tracker tells.

        That is where they are drawn if nobody chases them.
        """
        rows = self._rows
        new = lost if self.active_method == "predict" else lost[~rows["known"][lost]]
        targets = moved(seen, speeds * min(late_s, _LONGEST_S))
        told = np.isin(lost, new)
        rows["own"][new] = rows["speed"][new] = speeds[told]
        if self._chase is None:
            self._place(lost, targets, np.full(len(lost), (UNSEEN_SPEED * late_s) ** 2))
        else:
            rows["box"][new] = targets[told]

    def _place(self, places: Places, targets: Array, doubts: Array) -> None:
        """Put boxes where they belong: half of the way in this frame, all of it in the next."""
        rows = self._rows
        half = (rows["box"][places] + rows["rest"][places] - targets) / 2
        rows["rest"][places] = np.where(rows["known"][places, None], half, 0)
        rows["box"][places], rows["doubt"][places] = targets, doubts
        rows["known"][places] = True

    def _begin_chase(self, lost: Places, seen: Array, speeds: Array, seen_ns: int) -> Chase | None:
        table = rows_for(self._rows["id"].tolist(), np.zeros(0, ROW))
        table["box"] = seen
        table["own"] = table["speed"] = speeds
        return Chase.begin(table, lost, seen_ns, self._past)

    def _join(self, chase: Chase) -> None:
        """Take in boxes that have been chased to this frame, and tell where they came along."""
        ids = self._rows["id"].tolist()
        places = np.array([ids.index(track_id) for track_id in chase.rows["id"].tolist()])
        self._place(places, chase.rows["box"], chase.rows["doubt"])
        for name in ("own", "speed", "points", "alive", "home", "pose", "blind"):
            self._rows[name][places] = chase.rows[name]
        ahead = self._rows["sums"][places] - chase.rows["sums"]
        way = [(at_ns, (ahead + sums).tolist()) for at_ns, sums in chase.steps]
        for number, place in enumerate(places.tolist()):
            sums = {at_ns: Shift(*before[number]) for at_ns, before in way}
            self._paths.amend(ids[place], sums)

    def _carried(self) -> tuple[Track, ...]:
        """Every track at the time of the frame, shown or not, in the order of the rows."""
        rows, carried = self._rows, []
        boxes = (rows["box"] + rows["rest"]).astype(np.float32)
        half = (boxes[:, 2:] - boxes[:, :2]) / 2 * rows["speed"][:, 2:]
        middle = rows["speed"][:, :2]
        velocities = np.hstack((middle - half, middle + half)).astype(np.float32)
        doubts = rows["doubt"].tolist()
        for place, track in enumerate(self._tracks):
            carried.append(
                Track(
                    track.id,
                    boxes[place],
                    velocities[place],
                    track.score,
                    track.class_id,
                    track.state,
                    track.first_seen_ns,
                    track.last_seen_ns,
                    math.sqrt(track.sigma**2 + doubts[place]),
                )
            )
        return tuple(carried)

    def _drawn(self) -> tuple[Track, ...]:
        if not self.carried:
            return ()
        boxes = np.stack([track.box for track in self.carried]).astype(np.float64)
        shown = self._rows["known"] & (visible_shares(boxes) >= _LEAST_VISIBLE)
        pairs = zip(self.carried, shown.tolist(), strict=True)
        return tuple(track for track, inside in pairs if inside and self._is_shown(track))

    def _is_shown(self, track: Track) -> bool:
        if self._scene is None or track.last_seen_ns < self._paths.cut_ns:
            return False
        unseen_ns = self._scene.media_ns - track.last_seen_ns
        size = math.sqrt(float((track.box[2:] - track.box[:2]).prod()))
        coasts = unseen_ns <= self._linger_ns and track.sigma <= _HAZY * size
        return track.state == "confirmed" or (track.state == "coasting" and coasts)
