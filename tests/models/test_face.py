"""The face model, through the product's detector, on real pictures."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.config import ModelConfig
from edge_vision.detect.anchors import ssd_anchors
from edge_vision.detect.detector import build_detector
from edge_vision.detect.zoo import find_model

FACES = {  # read off the pictures by eye, x0 y0 x1 y1, hairline to chin
    "astronaut.jpg": (0.355, 0.125, 0.515, 0.345),
    "cameraman.jpg": (0.395, 0.215, 0.50, 0.385),
}


def iou(a: np.ndarray, b: tuple[float, ...]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0.0) * max(high, 0.0)
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


@pytest.mark.parametrize("size", ["small", "medium", "large", "xlarge"])
@pytest.mark.parametrize("name", FACES)
def test_the_face_is_found_at_every_size(pictures: Path, name: str, size: str) -> None:
    detector = build_detector(ModelConfig(name="face", size=size, min_score=0.5, threads=2))
    found = detector.detect(cv2.imread(str(pictures / name)))
    assert detector.labels[int(found.class_ids[0])] == "face"
    assert found.scores[0] > 0.6
    assert iou(found.boxes[0], FACES[name]) > 0.7


def test_a_wide_input_finds_the_face_too(pictures: Path) -> None:
    detector = build_detector(ModelConfig(name="face", input_hw_px=(384, 512), threads=2))
    found = detector.detect(cv2.imread(str(pictures / "astronaut.jpg")))
    assert iou(found.boxes[0], FACES["astronaut.jpg"]) > 0.7


def test_no_face_in_a_cup(pictures: Path) -> None:
    detector = build_detector(ModelConfig(name="face", min_score=0.3, threads=2))
    assert len(detector.detect(cv2.imread(str(pictures / "cup.jpg")))) == 0


def test_its_anchors_are_those_stored_in_the_package() -> None:
    """5118 of them; the corners (y0 x0 y1 x1) as the package's Output/extra_dim gives them."""
    entry = find_model("face")
    anchors = ssd_anchors(entry.anchors, entry.training_hw_px)
    assert anchors.shape == (5118, 4)
    corners = np.hstack([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2])
    stored = {
        0: (-0.034375, -0.034375, 0.065625, 0.065625),
        1: (-0.05508568, -0.12579636, 0.08633568, 0.15704636),
        3072: (-0.14375001, -0.14374998, 0.20625001, 0.20624998),
        3073: (-0.0924937, -0.21623735, 0.1549937, 0.27873737),
        5112: (0.02499998, 0.02500004, 0.975, 0.97499996),
        # The package has a cell's extra square second (rows 3073 and 5113), here it is the last.
        3077: (-0.17791502, -0.17791499, 0.24041502, 0.24041499),
        5116: (-0.32276523, 0.22577232, 1.3227652, 0.7742277),
        5117: (0.01266026, 0.01266032, 0.98733974, 0.9873397),
    }
    for row, expected in stored.items():
        np.testing.assert_allclose(corners[row], expected, atol=1e-6)
