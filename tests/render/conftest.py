"""Detections and figures to draw."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from edge_vision.render.hud import Hud
from edge_vision.results import Detections

Found = Callable[..., Detections]


@pytest.fixture
def found() -> Found:
    """found(box, ..., class_ids=..., scores=...): Detections of normalised boxes."""

    def make(
        *boxes: Sequence[float],
        class_ids: Sequence[int] | None = None,
        scores: Sequence[float] | None = None,
    ) -> Detections:
        count = len(boxes)
        return Detections(
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(scores if scores is not None else [0.9] * count, np.float32),
            np.array(class_ids if class_ids is not None else range(1, count + 1), np.int32),
        )

    return make


@pytest.fixture
def hud() -> Hud:
    """A panel with every figure."""
    return Hud(30.0, 25.3, 29.9, 7.6, 41.3, "ssdlite_mobilenet_v2_coco 300x300", 12)
