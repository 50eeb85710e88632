"""Raw SSD heads to Detections: threshold first on what the network wrote, decode the survivors.

Box coding (Liu et al. 2016, SSD, with the scales of the TF Object Detection API): with an anchor
(cy, cx, h, w) and scales (sy, sx, sh, sw) a code (ty, tx, th, tw) means
    cy' = ty / sy * h + cy,  cx' = tx / sx * w + cx,  h' = exp(th / sh) * h,  w' = exp(tw / sw) * w.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vision.results import Detections

_PRE_NMS = 1000
"""Candidates that enter suppression at most: bounds the time on pictures full of weak scores."""
_BLOCK = 64
"""Candidates whose overlaps are computed at once: as many as a usual picture has."""
_LARGEST_EXPONENT = 10.0
"""exp() of more than this is a box 22,000 anchors wide: clipped, so nothing overflows."""


@dataclass(frozen=True, slots=True)
class Quantisation:
    """real = scale * (stored - zero_point); scale 0 means the tensor holds real numbers."""

    scale: float
    zero_point: int

    def real(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Stored values as float32."""
        if self.scale == 0:
            return stored.astype(np.float32)
        return (stored.astype(np.float32) - self.zero_point) * np.float32(self.scale)

    def least_stored(self, real: float) -> float:
        """The smallest stored value that is not below `real`."""
        return real if self.scale == 0 else math.ceil(real / self.scale + self.zero_point - 1e-6)


class SsdDecoder:
    """Decodes raw heads: box codes (1, N, 4) in the order ty tx th tw, class logits (1, N, C).

    anchors: float32 (N, 4), cy cx h w normalised to the input.
    class_ids: int32 (C,), the class id of each channel; a channel not in `wanted` is never decoded.
    box_scales: (sy, sx, sh, sw).  scores_ready: the "logits" are scores 0..1 already.
    The decoder counts anchors dropped for a NaN or infinity in `nonfinite`.
    """

    def __init__(
        self,
        anchors: NDArray[np.float32],
        class_ids: NDArray[np.int32],
        boxes: Quantisation,
        logits: Quantisation,
        *,
        box_scales: tuple[float, float, float, float],
        min_score: float,
        nms_iou: float,
        max_detections: int,
        wanted: frozenset[int] | None = None,
        scores_ready: bool = False,
    ) -> None:
        self._anchors = anchors
        self._class_ids = class_ids
        self._boxes = boxes
        self._logits = logits
        self._box_scales = np.array(box_scales, np.float32)
        self._scores_ready = scores_ready
        least = min_score
        if not scores_ready:
            least = math.log(min_score / (1 - min_score)) if min_score < 1 else math.inf
        self._threshold = logits.least_stored(least) if least < math.inf else math.inf
        self._nms_iou = nms_iou
        self._max_detections = max_detections
        channels = [wanted is None or class_id in wanted for class_id in class_ids.tolist()]
        self._wanted = None if all(channels) else np.array(channels)
        self.nonfinite = 0

    def decode(self, boxes: NDArray[Any], logits: NDArray[Any]) -> Detections:
        """Boxes that pass the threshold and per-class suppression, best first."""
        survivors, anchors, channels = self._candidates(logits)
        stored, codes = logits.reshape(-1)[survivors], boxes.reshape(-1, 4)[anchors]
        if stored.dtype.kind == "f" or codes.dtype.kind == "f":
            finite = np.isfinite(stored) & np.isfinite(codes).all(1)
            if not finite.all():
                self.nonfinite += len(np.unique(anchors[~finite]))
                stored, codes = stored[finite], codes[finite]
                anchors, channels = anchors[finite], channels[finite]
        if len(stored) == 0:
            return Detections.empty()
        order = np.argsort(-stored.astype(np.float32), kind="stable")[:_PRE_NMS]
        real, channels = self._logits.real(stored[order]), channels[order]
        scores = np.minimum(real, 1) if self._scores_ready else 1 / (1 + np.exp(-real))
        corners = self._corners(codes[order], self._anchors[anchors[order]])
        np.clip(corners, 0, 1, out=corners)
        visible = (corners[:2] < corners[2:]).all(0)
        if not visible.all():  # nothing is left of a box beside the picture
            corners, scores, channels = corners[:, visible], scores[visible], channels[visible]
        kept = suppress(corners, channels, self._nms_iou, self._max_detections)
        return Detections(
            np.ascontiguousarray(corners[:, kept].T),
            scores[kept].astype(np.float32),
            self._class_ids[channels[kept]],
        )

    def _candidates(
        self, logits: NDArray[Any]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Flat index, anchor, channel of each wanted logit that is NaN or reaches the threshold."""
        flat, threshold = logits.reshape(-1), self._threshold
        if flat.dtype.kind in "iu":
            limits = np.iinfo(flat.dtype)
            if threshold > limits.max:  # no stored value is so sure
                flat = flat[:0]
            # One comparison in the stored type; int8 is compared 16 to 64 values at a time.
            reached = flat >= flat.dtype.type(min(max(threshold, limits.min), limits.max))
        else:
            reached = ~(flat < flat.dtype.type(threshold))  # a NaN passes, to be counted
        survivors = reached.nonzero()[0]
        anchors = survivors // logits.shape[-1]
        channels = survivors - anchors * logits.shape[-1]
        if self._wanted is not None:
            chosen = self._wanted[channels]
            survivors, anchors, channels = survivors[chosen], anchors[chosen], channels[chosen]
        return survivors, anchors, channels

    def _corners(self, stored: NDArray[Any], anchors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(4, K) x0 y0 x1 y1 of the K survivors, not yet clipped."""
        codes = self._boxes.real(stored) / self._box_scales
        centres = codes[:, :2] * anchors[:, 2:] + anchors[:, :2]
        halves = np.exp(np.minimum(codes[:, 2:], _LARGEST_EXPONENT)) * anchors[:, 2:] * 0.5
        corners = np.empty((4, len(codes)), np.float32)
        corners[1::-1] = (centres - halves).T
        corners[3:1:-1] = (centres + halves).T
        return corners


def suppress(
    corners: NDArray[np.float32], classes: NDArray[np.integer[Any]], iou: float, most: int
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression within each class.

    corners: float32 (4, K), x0 y0 x1 y1, 0..1, best score first.  classes: (K,).
    Returns the kept columns, best first: none overlaps a better one of its class by more than
    `iou` (intersection over union), at most `most`.
    """
    # Classes are moved apart (boxes are within 0..1), so one pass serves all of them; in float64,
    # as the move would cost float32 the digits that small boxes need.
    apart = corners + 2.0 * classes
    low, high = apart[:2], apart[2:]
    # IoU > t  <=>  intersection > t / (1 + t) * (area_a + area_b)
    areas = (high[0] - low[0]) * (high[1] - low[1]) * (iou / (1 + iou))
    alive = np.ones(corners.shape[1], bool)
    kept: list[int] = []
    for first in range(0, len(alive), _BLOCK):
        rows = first + np.flatnonzero(alive[first : first + _BLOCK])
        overlap = np.minimum(high[:, rows, None], high[:, None, first:])
        overlap -= np.maximum(low[:, rows, None], low[:, None, first:])
        np.maximum(overlap, 0, out=overlap)
        clear = overlap[0] * overlap[1] <= areas[rows, None] + areas[first:]
        for row, column in enumerate(rows.tolist()):
            if alive[column]:
                kept.append(column)
                if len(kept) == most:
                    return np.array(kept, np.intp)
                alive[first:] &= clear[row]
    return np.array(kept, np.intp)
