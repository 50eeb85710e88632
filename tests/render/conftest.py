"""Tracks and figures to draw."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from edge_vision.render.hud import Hud
from edge_vision.results import Track

Found = Callable[..., list[Track]]


@pytest.fixture
def found() -> Found:
    """found(box, ..., class_ids=..., scores=..., ids=..., state=...): tracks of normalised boxes.

    Without ids nobody follows them (id 0).
    """

    def make(
        *boxes: Sequence[float],
        class_ids: Sequence[int] | None = None,
        scores: Sequence[float] | None = None,
        ids: Sequence[int] | None = None,
        state: str = "confirmed",
        first_seen_ns: int = 0,
    ) -> list[Track]:
        count = len(boxes)
        return [
            Track(id_, np.array(box, np.float32), np.zeros(4, np.float32), score, class_id, state,
                  first_seen_ns, first_seen_ns)
            for id_, box, score, class_id in zip(
                ids or [0] * count, boxes, scores or [0.9] * count,
                class_ids or range(1, count + 1), strict=True,
            )
        ]  # fmt: skip

    return make


@pytest.fixture
def hud() -> Hud:
    """A panel with every figure."""
    return Hud(30.0, 25.3, 29.9, 7.6, 41.3, "ssdlite_mobilenet_v2_coco 300x300", 12)
