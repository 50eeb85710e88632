"""The detections of one frame, as the tracker takes them."""

import numpy as np
from numpy.typing import NDArray

from edge_vision.results import Detections
from edge_vision.track.kalman import to_state
from edge_vision.track.match import overlaps

Array = NDArray[np.float64]

MOST = 200
"""Detections looked at in one picture: the best ones.  Time stays bounded whatever comes in."""
SAME_PLACE = 0.7
"""Boxes of two classes that overlap by more are of one object."""

_NOISE = np.array([0.0175, 0.0175, 0.04, 0.04])
_NOISE_WEAK = np.array([0.06, 0.06, 0.10, 0.10])
"""Standard deviation of detected boxes at score 1, and what is added towards 0: centre in box
sizes, log size.  Measured with the default model on the demo scene: 0.02 and 0.045 at score 1, but
frames near to each other err alike, so that the next box is nearer to this one than the truth is.
What is added is twice what was measured: low scores come with gross errors.
"""
_LEAST_NOISE = 0.002
_BORDER = 0.01


class Found:
    """N detections; the arrays are in step, best score first.

    boxes: float64 (N, 4).  classes: int32 (N,).  scores: float64 (N,).
    strong: bool (N,), those that may start a track.
    state, noise: (N, 4), the boxes as the filter has them, and their variance.
    low, high: bool (N, 2), whether the picture's left and upper, right and lower border cuts off
    the box.

    A weak detection on a strong one of another class is left out: it is the detector's second
    guess at the same object, and would keep the track of a wrong first guess alive.
    """

    def __init__(self, detections: Detections, min_score: float) -> None:
        boxes = detections.boxes[:MOST].astype(np.float64)
        scores = detections.scores[:MOST].astype(np.float64)
        classes = detections.class_ids[:MOST]
        strong = scores >= min_score
        if not strong.all() and strong.any():
            guess = overlaps(boxes, boxes[strong]) > SAME_PLACE
            keep = strong | ~(guess & (classes[:, None] != classes[strong])).any(axis=1)
            boxes, scores, classes, strong = boxes[keep], scores[keep], classes[keep], strong[keep]
        self.boxes, self.scores, self.classes, self.strong = boxes, scores, classes, strong
        self.state = to_state(boxes)
        noise = _NOISE + _NOISE_WEAK * (1 - scores[:, None])
        noise[:, :2] = np.maximum(noise[:, :2] * np.exp(self.state[:, 2:]), _LEAST_NOISE)
        self.noise = noise * noise
        self.low, self.high = boxes[:, :2] <= _BORDER, boxes[:, 2:] >= 1 - _BORDER

    def __len__(self) -> int:
        return len(self.scores)
