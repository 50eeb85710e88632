"""The four outputs of TFLite_Detection_PostProcess to Detections.

The network has decoded and suppressed already (tensorflow/lite/kernels/detection_postprocess.cc):
boxes (1, N, 4) ymin xmin ymax xmax normalised, classes (1, N) from 0, scores (1, N), count (1,).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vision.detect.ssd import Quantisation, suppress
from edge_vision.results import Detections

_MOST_CLASSES = 1_000_000


class PostProcessedDecoder:
    """Decodes boxes, classes, scores and count, each of any rank.

    quantisations: of the four, in this order.  class_ids: class ids of the network's classes 0, 1,
    ...; class k has id k + 1 where it is shorter.  wanted: class ids to keep, None = all.
    Rows with a NaN or infinity are dropped and counted in `nonfinite`.
    """

    def __init__(
        self,
        quantisations: tuple[Quantisation, Quantisation, Quantisation, Quantisation],
        *,
        class_ids: tuple[int, ...],
        min_score: float,
        nms_iou: float,
        max_detections: int,
        wanted: frozenset[int] | None = None,
    ) -> None:
        self._quantisations = quantisations
        self._class_ids = np.array(class_ids, np.int32)
        self._min_score = np.float32(min_score)
        self._nms_iou = nms_iou
        self._max_detections = max_detections
        self._wanted = None if wanted is None else np.array(sorted(wanted), np.int32)
        self.nonfinite = 0

    def decode(
        self, boxes: NDArray[Any], classes: NDArray[Any], scores: NDArray[Any], count: NDArray[Any]
    ) -> Detections:
        """The first `count` rows that reach the least score, best first; later rows are ignored."""
        of_boxes, of_classes, of_scores, of_count = self._quantisations
        counted = of_count.real(count.reshape(-1)[:1])[0]
        if not np.isfinite(counted):
            self.nonfinite += 1
            return Detections.empty()
        rows = int(min(max(counted, 0), scores.size))
        score = of_scores.real(scores.reshape(-1)[:rows])
        chosen = (~(score < self._min_score)).nonzero()[0]  # a NaN passes, to be counted
        if len(chosen) == 0:
            return Detections.empty()
        score = score[chosen]
        corners = of_boxes.real(boxes.reshape(-1, 4)[chosen])
        kinds = of_classes.real(classes.reshape(-1)[chosen])
        # A sum is a quick look: it is finite only if every value is.
        if not math.isfinite(score.sum() + kinds.sum() + corners.sum()):
            finite = np.isfinite(score) & np.isfinite(kinds) & np.isfinite(corners).all(1)
            self.nonfinite += int(len(finite) - finite.sum())
            score, corners, kinds = score[finite], corners[finite], kinds[finite]
        indices = np.rint(np.minimum(np.maximum(kinds, 0), _MOST_CLASSES)).astype(np.int32)
        ids = indices + np.int32(1)
        if len(self._class_ids):
            named = indices < len(self._class_ids)
            ids[named] = self._class_ids[indices[named]]
        return self._best(np.minimum(score, 1), corners, ids)

    def _best(
        self, scores: NDArray[np.float32], corners: NDArray[np.float32], ids: NDArray[np.int32]
    ) -> Detections:
        """Clipped, sorted, suppressed.  corners: (K, 4) ymin xmin ymax xmax."""
        sides = np.minimum(np.maximum(corners.T[[1, 0, 3, 2]], 0), 1)
        keep = (sides[:2] < sides[2:]).all(0)
        if self._wanted is not None:
            keep &= np.isin(ids, self._wanted)
        order = np.nonzero(keep)[0]
        order = order[np.argsort(-scores[order], kind="stable")]
        sides, scores, ids = sides[:, order], scores[order], ids[order]
        kept: slice | NDArray[np.intp] = slice(self._max_detections)
        if len(set(ids.tolist())) < len(ids):
            # The network's own threshold may be above the one asked for.
            kept = suppress(sides, ids, self._nms_iou, self._max_detections)
        sides, scores, ids = sides[:, kept], scores[kept], ids[kept]
        return Detections(np.ascontiguousarray(sides.T), scores, ids)
