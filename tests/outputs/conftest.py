"""Pictures and scenes to write."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.frame import Image, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.results import Analysed, Detections, Scene

MS = 1_000_000
MakePicture = Callable[..., Picture]
MakeAnalysed = Callable[..., Analysed]


@pytest.fixture
def picture() -> MakePicture:
    """picture(number, at_ms=..., size=(w, h)): a grey picture whose level tells its number."""

    def make(
        number: int = 0, at_ms: float | None = None, size: tuple[int, int] = (320, 240)
    ) -> Picture:
        canvas: NDArray[np.uint8] = np.full((size[1], size[0], 3), 20 + number % 22 * 10, np.uint8)
        media_ns = round((number * 40 if at_ms is None else at_ms) * MS)
        return Picture(Image.from_array(canvas), number, media_ns, Stamps())

    return make


@pytest.fixture
def analysed() -> MakeAnalysed:
    """analysed(seq): one person and one thing without a label."""

    def make(seq: int = 0, stamps: Stamps | None = None) -> Analysed:
        detections = Detections(
            np.array([[0.1, 0.2, 0.5, 0.75], [0, 0, 1, 1]], np.float32),
            np.array([0.91238, 0.5], np.float32),
            np.array([1, 99], np.int32),
        )
        scene = Scene(seq, 5_000_000_000 + seq, 0, detections, "model", {1: "person"})
        exposed = scene.exposed_ns
        times = stamps or Stamps(exposed=exposed, inferred=exposed + 12_345_678)
        return Analysed(scene, times)

    return make
