"""The default model on real pictures."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.config import ModelConfig
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.detect.zoo import models_dir
from edge_vision.errors import ConfigError, ModelError
from edge_vision.frame import PixelFormat

EXPECTED = {
    # picture: (label, least score, box x0 y0 x1 y1), read off the pictures by eye
    "cat.jpg": ("cat", 0.85, (0.0, 0.01, 0.90, 1.0)),
    "cup.jpg": ("cup", 0.85, (0.29, 0.05, 0.70, 0.61)),
    "cameraman.jpg": ("person", 0.75, (0.0, 0.13, 0.60, 1.0)),
    "astronaut.jpg": ("person", 0.55, (0.03, 0.0, 0.78, 1.0)),
}


@pytest.fixture(scope="module")
def large() -> SsdDetector:
    return build_detector(ModelConfig(size="large", threads=2))


def iou(a: np.ndarray, b: tuple[float, ...]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0.0) * max(high, 0.0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


@pytest.mark.parametrize("name", EXPECTED)
def test_known_objects_in_real_pictures(large: SsdDetector, pictures: Path, name: str) -> None:
    label, least, box = EXPECTED[name]
    found = large.detect(cv2.imread(str(pictures / name)))
    assert large.labels[int(found.class_ids[0])] == label
    assert found.scores[0] >= least
    assert iou(found.boxes[0], box) > 0.85


@pytest.mark.parametrize("size", ["small", "medium", "xlarge"])
def test_every_size_finds_the_cup(pictures: Path, size: str) -> None:
    detector = build_detector(ModelConfig(size=size, threads=2))
    found = detector.detect(cv2.imread(str(pictures / "cup.jpg")))
    cups = found.boxes[found.class_ids == 47]
    assert iou(cups[0], EXPECTED["cup.jpg"][2]) > 0.8


@pytest.mark.parametrize("hw", [(96, 96), (101, 333), (236, 300), (384, 640)])
def test_any_input_size_runs(pictures: Path, hw: tuple[int, int]) -> None:
    detector = build_detector(ModelConfig(input_hw_px=hw, threads=2, min_score=0.2))
    found = detector.detect(cv2.imread(str(pictures / "cup.jpg")))
    assert "cup" in {detector.labels[i] for i in found.class_ids.tolist()} or min(hw) < 172


def test_the_pixel_format_does_not_matter(large: SsdDetector, pictures: Path) -> None:
    bgr = cv2.imread(str(pictures / "cup.jpg"))
    plain = large.detect(bgr)
    rgb = large.detect(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), PixelFormat.RGB)
    yuv = large.detect(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), PixelFormat.YUV420)
    bgra = large.detect(cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA))
    for other in (rgb, bgra):
        assert np.array_equal(plain.boxes, other.boxes)
        assert np.array_equal(plain.scores, other.scores)
    assert iou(yuv.boxes[0], tuple(plain.boxes[0].tolist())) > 0.95
    assert yuv.class_ids[0] == plain.class_ids[0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (7, 3, 1), (300, 300, 4), (6000, 8000, 3)])
def test_pictures_of_any_shape(large: SsdDetector, shape: tuple[int, ...]) -> None:
    large.detect(np.zeros(shape, np.uint8))


def test_views_with_gaps_are_taken(large: SsdDetector, pictures: Path) -> None:
    picture = cv2.imread(str(pictures / "cat.jpg"))
    mirrored = large.detect(picture[:, ::-1])
    again = large.detect(np.ascontiguousarray(picture[:, ::-1]))
    assert np.array_equal(mirrored.boxes, again.boxes)
    large.detect(picture[:1][::-1])
    large.detect(picture[:, :1][:, ::-1])


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((4, 4, 3), np.float32), "uint8"),
        (np.zeros((0, 4, 3), np.uint8), "0"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_picture_is_refused(large: SsdDetector, picture: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        large.detect(picture)  # type: ignore[arg-type]


def test_only_the_wanted_classes(pictures: Path) -> None:
    detector = build_detector(ModelConfig(classes=["dining table"], threads=2))
    found = detector.detect(cv2.imread(str(pictures / "cup.jpg")))
    assert set(found.class_ids.tolist()) == {67}
    with pytest.raises(ConfigError, match="unicorn"):
        build_detector(ModelConfig(classes=["unicorn"]))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A models folder that a test may damage."""
    for name in ("manifest.yaml", "ssdlite_mobilenet_v2_coco_int8.tflite"):
        shutil.copy(models_dir() / name, tmp_path / name)
    shutil.copytree(models_dir() / "labels", tmp_path / "labels")
    return tmp_path


def test_a_damaged_model_file_is_named(copied: Path) -> None:
    file = copied / "ssdlite_mobilenet_v2_coco_int8.tflite"
    whole = file.read_bytes()
    damaged = {
        "empty": b"",
        "bytes long": whole[: len(whole) // 2],
        "altered": whole[:-1] + bytes([whole[-1] ^ 1]),
    }
    for words, data in damaged.items():
        file.write_bytes(data)
        with pytest.raises(ModelError, match=words):
            build_detector(ModelConfig(), copied)
    file.unlink()
    with pytest.raises(ModelError, match="missing"):
        build_detector(ModelConfig(), copied)


def test_an_unknown_model_lists_what_there_is() -> None:
    with pytest.raises(ModelError, match="ssdlite_mobilenet_v2_coco"):
        build_detector(ModelConfig(name="yolo"))
