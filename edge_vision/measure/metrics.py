"""How far drawn boxes are from the truth, and whether their ids are the same object's for long.

Boxes are normalised 0..1; a distance of two centres is in picture widths (or pixels, as named), so
that a step up counts as much as one to the side.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edge_vision.results import Track
from edge_vision.track.match import assign, overlaps

GATE_WIDTHS = 0.5
"""A drawn box whose centre is farther from an object than this (picture widths) is not its box.
Wide, so that a box that trails behind its object is an error and not a missing box."""
SAME_IOU = 0.5
"""Least overlap at which a drawn box shows an object, for its identity (as in MOTChallenge)."""


@dataclass(frozen=True, slots=True, eq=False)
class TrueBox:
    """Where one object truly is.

    id: from 1, of this object only; 0 = not known.  box: float32 (4,), x0 y0 x1 y1, normalised.
    counts: False for one that need not be drawn, and may be: hardly visible, or hardly sure.
    """

    id: int
    class_id: int
    box: NDArray[np.float32]
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Scores:
    """What one way of drawing reached; None where there was nothing to measure.

    iou_mean, iou_p5: intersection over union of drawn and true box, over all pairs: mean, and the
        5th percentile.
    centre_px: distance of the two centres, mean over all pairs, in pixels of the picture.
    idf1: 2 IDTP / (objects + drawn boxes), with IDTP the boxes that show their object under the one
        best one-to-one match of ids over the whole run (Ristani et al. 2016, "Performance Measures
        and a Data Set for Multi-Target, Multi-Camera Tracking", eq. 4-7).
    id_switches: how often an object's box has another id than this object's last box had (IDSW of
        CLEAR MOT, Bernardin and Stiefelhagen 2008, section 2.1.2; the pairs are made anew in each
        frame here, where CLEAR MOT keeps those of the frame before).
    missed: share of objects without a box.  ghosts: share of boxes without an object.
    """

    iou_mean: float | None
    iou_p5: float | None
    centre_px: float | None
    idf1: float | None
    id_switches: int
    missed: float | None
    ghosts: float | None


def pairs(truth: Sequence[TrueBox], drawn: Sequence[Track], height_per_width: float) -> list[int]:
    """For each drawn box the index of its true box, or -1.

    One to one and within a class, with the least total distance of centres; a box left alone costs
    as much as the gate, GATE_WIDTHS.
    """
    found = [-1] * len(drawn)
    for class_id in {track.class_id for track in drawn}:
        ours = [i for i, track in enumerate(drawn) if track.class_id == class_id]
        theirs = [i for i, true in enumerate(truth) if true.class_id == class_id]
        if not theirs:
            continue
        a = _centres([drawn[i].box for i in ours], height_per_width)
        b = _centres([truth[i].box for i in theirs], height_per_width)
        distance = np.linalg.norm(a[:, None] - b[None], axis=2)
        for row, column in assign(distance, GATE_WIDTHS):
            found[ours[row]] = theirs[column]
    return found


def _visible(track: Track) -> Track | None:
    """A track with the part of its box that is in the picture; None when there is none."""
    box = np.clip(track.box, 0, 1)
    return replace(track, box=box) if box[0] < box[2] and box[1] < box[3] else None


def _centres(boxes: list[NDArray[np.float32]], height_per_width: float) -> NDArray[np.float64]:
    corners = np.array(boxes, np.float64)
    return (corners[:, :2] + corners[:, 2:]) / 2 * (1.0, height_per_width)


@dataclass(slots=True)
class Tally:
    """Adds up frames.  errors_px: mean distance of centres of each frame so far, None: no pair."""

    errors_px: list[float | None] = field(default_factory=list)
    _ious: list[float] = field(default_factory=list)
    _distances_px: list[float] = field(default_factory=list)
    _objects: int = 0
    _boxes: int = 0
    _switches: int = 0
    _last_id: dict[int, int] = field(default_factory=dict)
    _together: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(
        self, truth: Sequence[TrueBox], drawn: Sequence[Track], width_px: int, height_px: int
    ) -> None:
        """One frame.  Boxes are cut off at the border, as on the screen.

        Those on true boxes that do not count are left out with these.
        """
        drawn = [cut for track in drawn if (cut := _visible(track)) is not None]
        self._objects += sum(true.counts for true in truth)
        first = len(self._distances_px)
        height_per_width = height_px / width_px
        for track, index in zip(drawn, pairs(truth, drawn, height_per_width), strict=True):
            true = truth[index] if index >= 0 else None
            if true is not None and not true.counts:
                continue
            self._boxes += 1
            if true is not None:
                a = _centres([track.box, true.box], height_per_width)
                self._distances_px.append(float(np.linalg.norm(a[0] - a[1])) * width_px)
                self._add_pair(true, track)
        here = self._distances_px[first:]
        self.errors_px.append(sum(here) / len(here) if here else None)

    def _add_pair(self, true: TrueBox, track: Track) -> None:
        boxes = np.array([true.box, track.box], np.float64)
        iou = float(overlaps(boxes[:1], boxes[1:])[0, 0])
        self._ious.append(iou)
        if not true.id or not track.id:
            return
        last = self._last_id.get(true.id, track.id)
        self._switches += last != track.id
        self._last_id[true.id] = track.id
        if iou >= SAME_IOU:
            self._together[true.id, track.id] += 1

    def scores(self) -> Scores:
        """What the frames so far amount to."""
        paired, both = len(self._ious), self._objects + self._boxes
        return Scores(
            iou_mean=float(np.mean(self._ious)) if paired else None,
            iou_p5=float(np.percentile(self._ious, 5)) if paired else None,
            centre_px=float(np.mean(self._distances_px)) if paired else None,
            idf1=2 * self._identified() / both if both else None,
            id_switches=self._switches,
            missed=1 - paired / self._objects if self._objects else None,
            ghosts=1 - paired / self._boxes if self._boxes else None,
        )

    def _identified(self) -> int:
        """IDTP: boxes with the right id when each true id has at most one drawn id."""
        if not self._together:
            return 0
        true_ids = sorted({true_id for true_id, _ in self._together})
        drawn_ids = sorted({drawn_id for _, drawn_id in self._together})
        counts = np.zeros((len(true_ids), len(drawn_ids)))
        for (true_id, drawn_id), count in self._together.items():
            counts[true_ids.index(true_id), drawn_ids.index(drawn_id)] = count
        most = float(counts.max())
        return sum(int(counts[pair]) for pair in assign(most - counts, most))
