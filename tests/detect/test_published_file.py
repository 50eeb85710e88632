"""`model.file` with the published SSD MobileNet v1 file, its outputs permuted, its raw heads."""

import struct
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.config import ModelConfig
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.detect.tflite_file import read_tflite
from edge_vision.results import Detections

OFFICIAL = "coco_ssd_mobilenet_v1_1.0_quant.tflite"


def open_file(file: Path, labels: Path | None = None, **more) -> SsdDetector:
    values = {"file": str(file), "threads": 2, "min_score": 0.3, **more}
    return build_detector(ModelConfig(labels=str(labels) if labels else None, **values))


def alike(one: Detections, other: Detections) -> bool:
    return one.class_ids.tolist() == other.class_ids.tolist() and np.allclose(
        one.boxes, other.boxes, atol=1e-6
    )


def reordered(shared: Path, to: Path, outputs: list[int]) -> Path:
    """The published file with other tensors as its outputs: 167 to 170 are PostProcess's."""
    data = (shared / "models" / OFFICIAL).read_bytes()
    before = struct.pack("<5i", 4, 167, 168, 169, 170)
    assert data.count(before) == 2  # the graph's, then the operator's
    after = struct.pack(f"<{len(outputs) + 1}i", len(outputs), *outputs).ljust(20, b"\0")
    to.write_bytes(data.replace(before, after, 1))
    assert read_tflite(to).outputs == tuple(outputs)
    return to


@pytest.fixture
def official_labels(shared: Path) -> Path:
    return shared / "models" / "coco_labels_90.txt"


def test_the_published_file_in_every_order(
    shared: Path, pictures: Path, official_labels: Path, tmp_path: Path
) -> None:
    picture = cv2.imread(str(pictures / "cat.jpg"))
    plain = open_file(shared / "models" / OFFICIAL, official_labels).detect(picture)
    assert (plain.class_ids[0], plain.scores[0] > 0.6) == (17, True)
    for order in permutations(range(167, 171)):
        file = reordered(shared, tmp_path / "p.tflite", list(order))
        assert alike(open_file(file, official_labels).detect(picture), plain), order


@pytest.mark.parametrize("heads", [[165, 174], [174, 165]])
def test_the_published_files_raw_heads(
    shared: Path, pictures: Path, official_labels: Path, tmp_path: Path, heads: list[int]
) -> None:
    """uint8, sigmoid applied, background first: the anchors are rebuilt, not read."""
    file = reordered(shared, tmp_path / "raw.tflite", heads)
    for labels in (official_labels, None):
        for name in ("cat.jpg", "cup.jpg"):
            picture = cv2.imread(str(pictures / name))
            raw = open_file(file, labels, max_detections=10).detect(picture)
            ready = open_file(shared / "models" / OFFICIAL, labels).detect(picture)
            assert len(raw) >= len(ready) > 0
            assert raw.class_ids[0] == ready.class_ids[0]
            assert raw.scores[0] == pytest.approx(ready.scores[0], abs=1e-3)
            assert np.allclose(raw.boxes[0], ready.boxes[0], atol=0.02)


def test_accuracy_of_the_published_file(coco: Path, shared: Path, official_labels: Path) -> None:
    """COCO mAP of at most 10 detections a picture: 0.204 with the interpreter's own four arrays."""
    cocotools = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    detector = open_file(
        shared / "models" / OFFICIAL, official_labels, min_score=0.01, max_detections=10
    )
    truth = cocotools.COCO(str(coco / "train2017.json"))
    rows = []
    for number, image in truth.imgs.items():
        found = detector.detect(cv2.imread(str(coco / "train2017" / image["file_name"])))
        pixels = found.boxes * np.tile([image["width"], image["height"]], 2)
        pixels[:, 2:] -= pixels[:, :2]
        rows += [
            {"image_id": number, "category_id": kind, "bbox": box, "score": score}
            for kind, box, score in zip(
                found.class_ids.tolist(), pixels.tolist(), found.scores.tolist(), strict=True
            )
        ]
    judged = evaluation.COCOeval(truth, truth.loadRes(rows), "bbox")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    assert judged.stats[0] == pytest.approx(0.204, abs=0.01)
