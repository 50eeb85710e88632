"""Accuracy by COCO's rules, on pictures of the tests and on a stored part of COCO."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_vision.annotations import read_annotations
from edge_vision.config import ModelConfig
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.errors import BackendMissing, ConfigError, SourceBroken, SourceMissing
from edge_vision.evaluate import (
    Dataset,
    Found,
    Names,
    Scores,
    find_pictures,
    require_pycocotools,
    run_detector,
    score,
)
from edge_vision.results import Detections

Write = Callable[[dict[str, Any]], Path]
CAT = [0.0, 0.0, 400.0, 300.0]
"""Of tests/pictures/cat.jpg, 451x300 px."""


def small_set() -> dict[str, Any]:
    """A tiny data set: pictures of 100x100 px, with ids and names of its own."""
    return {
        "images": [{"id": "a", "file_name": "a.jpg", "width": 100, "height": 100},
                   {"id": 7, "file_name": "sub/b.jpg", "width": 100, "height": 100}],
        "categories": [{"id": 0, "name": "Dining_Table"}, {"id": 5, "name": "cat"}],
        "annotations": [
            {"id": 0, "image_id": "a", "category_id": 0, "bbox": [10, 20, 30, 40]},
            {"id": 1, "image_id": 7, "category_id": 5, "bbox": [0, 0, 20.0, 20]},
        ],
    }  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(document: dict[str, Any]) -> Path:
        path = tmp_path / "truth.json"
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path, pictures: Path) -> Path:
    (tmp_path / "pictures" / "sub").mkdir(parents=True)
    shutil.copy(pictures / "cat.jpg", tmp_path / "pictures" / "a.jpg")
    shutil.copy(pictures / "cup.jpg", tmp_path / "pictures" / "sub" / "b.jpg")
    return tmp_path / "pictures"


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return build_detector(ModelConfig(min_score=0.05, max_detections=100))


def _found(boxes: dict[Any, list[tuple[list[float], float, int]]]) -> Found:
    """Detections of pictures of 100x100 px: x0 y0 x1 y1, score, class id."""
    detections = {
        key: Detections(
            np.array([row[0] for row in rows], np.float32).reshape(-1, 4) / 100,
            np.array([row[1] for row in rows], np.float32),
            np.array([row[2] for row in rows], np.int32),
        )
        for key, rows in boxes.items()
    }
    return Found(detections, dict.fromkeys(boxes, (100.0, 100.0)), (), {})


def _score(path: Path, found: Found, labels: dict[int, str]) -> Scores:
    annotations = read_annotations(path)
    files = {key: Path(picture.file_name) for key, picture in annotations.pictures.items()}
    return score(Dataset(annotations, files, (), ()), found, Names(annotations, labels))


LABELS = {17: "cat", 67: "dining table", 1: "person"}


def test_perfect_detections_have_ap_1(write: Write) -> None:
    """Also of the box whose id is 0, which pycocotools by itself takes for unmatched."""
    found = _found({"a": [([10, 20, 40, 60], 0.9, 67)], 7: [([0, 0, 20, 20], 0.5, 17)]})
    scores = _score(write(small_set()), found, LABELS)
    assert (scores.ap, scores.ap50, scores.ap75) == pytest.approx((1, 1, 1))
    # 20x20 is small; 30x40 is medium.
    assert (scores.ap_small, scores.ap_medium) == pytest.approx((1, 1))
    assert scores.ap_large is None
    assert {name: of.objects for name, of in scores.classes.items()} == {
        "cat": 1,
        "dining table": 1,
    }


def test_each_class_has_its_own_ap(write: Write) -> None:
    """IoU of the shifted box is 23/37: enough at 0.50, 0.55 and 0.60 of COCO's ten thresholds."""
    found = _found({"a": [([20, 20, 50, 60], 0.9, 67)], 7: [([0, 0, 20, 20], 0.5, 17)]})
    document = small_set()
    document["annotations"][0]["bbox"] = [13, 20, 30, 40]
    scores = _score(write(document), found, LABELS)
    assert scores.classes["cat"].ap == pytest.approx(1)
    assert scores.classes["dining table"].ap == pytest.approx(0.3)
    assert (scores.ap, scores.ap50, scores.ap75) == pytest.approx((0.65, 1, 0.5))


def test_nothing_found_is_0_and_other_classes_do_not_count(write: Write) -> None:
    scores = _score(write(small_set()), _found({"a": [], 7: []}), LABELS)
    assert (scores.ap, scores.ap_small, scores.ap_large) == (0, 0, None)
    persons = _found({"a": [([10, 20, 40, 60], 0.95, 1)], 7: []})
    assert _score(write(small_set()), persons, LABELS).ap == 0


def test_a_wrong_box_costs_precision(write: Write) -> None:
    document = small_set()
    document["annotations"] = document["annotations"][1:]
    right = ([0, 0, 20, 20], 0.5, 17)
    wrong = ([60, 60, 90, 90], 0.9, 17)
    assert _score(write(document), _found({7: [right]}), LABELS).ap == pytest.approx(1)
    assert _score(write(document), _found({7: [wrong, right]}), LABELS).ap == pytest.approx(0.5)


def test_crowds_count_neither_way(write: Write) -> None:
    document = small_set()
    document["annotations"][0] |= {"iscrowd": 1, "category_id": 5, "image_id": 7}
    found = _found({7: [([10, 20, 40, 60], 0.9, 17), ([0, 0, 20, 20], 0.5, 17)]})
    scores = _score(write(document), found, LABELS)
    assert scores.classes["cat"].objects == 1
    assert scores.ap == pytest.approx(1)


def test_the_annotated_area_decides_what_is_small(write: Write) -> None:
    document = small_set()
    document["annotations"][0]["area"] = 100
    found = _found({"a": [([10, 20, 40, 60], 0.9, 67)], 7: [([0, 0, 20, 20], 0.5, 17)]})
    scores = _score(write(document), found, LABELS)
    assert (scores.ap_small, scores.ap_medium) == (pytest.approx(1), None)


def test_categories_are_matched_by_name(write: Write) -> None:
    document = small_set()
    document["categories"] += [{"id": 9, "name": "unicorn"}, {"id": 10, "name": "CAT"}]
    document["annotations"] += [
        {"image_id": 7, "category_id": 9, "bbox": [1, 1, 2, 2]},
        {"image_id": 7, "category_id": 10, "bbox": [1, 1, 2, 2]},
        {"image_id": 7, "category_id": 77, "bbox": [1, 1, 2, 2]},
    ]
    names = Names(read_annotations(write(document)), LABELS)
    assert names.known == ["cat", "dining table"]
    assert names.unknown == {"category 77": 1, "unicorn": 1}


def test_no_shared_category_is_refused(write: Write) -> None:
    said = r"knows none of the categories in .*: it knows face; the file has Dining_Table, cat"
    with pytest.raises(ConfigError, match=said):
        Names(read_annotations(write(small_set())), {1: "face"})


def test_pictures_and_annotations_that_do_not_meet(write: Write, folder: Path) -> None:
    document = small_set()
    document["images"].append({"id": 8, "file_name": "gone.jpg"})
    document["annotations"].append({"id": 44, "image_id": 99, "category_id": 5, "bbox": [1] * 4})
    shutil.copy(folder / "a.jpg", folder / "sub" / "strange.JPG")
    (folder / "notes.txt").touch()
    data = find_pictures(read_annotations(write(document)), folder)
    assert data.files == {"a": folder / "a.jpg", 7: folder / "sub" / "b.jpg"}
    assert data.without_file == ("gone.jpg",)
    assert data.without_annotation == ("sub/strange.JPG",)
    assert data.annotations.strays == ("44",)


def test_a_name_that_no_file_can_have(write: Write, folder: Path) -> None:
    document = small_set()
    document["images"][1]["file_name"] = "n" * 300 + ".jpg"
    assert len(find_pictures(read_annotations(write(document)), folder).without_file) == 1


def test_a_folder_without_the_pictures(write: Write, folder: Path) -> None:
    annotations = read_annotations(write(small_set()))
    with pytest.raises(SourceMissing, match=r"none of the 2 pictures named in .* is in .*sub; the"):
        find_pictures(annotations, folder / "sub")
    with pytest.raises(SourceMissing, match="does not exist; expected the folder"):
        find_pictures(annotations, folder / "gone")
    with pytest.raises(SourceMissing, match="is no folder"):
        find_pictures(annotations, folder / "a.jpg")
    with pytest.raises(SourceMissing, match="none of the 0 pictures"):
        find_pictures(read_annotations(write({**small_set(), "images": []})), folder)


def test_boxes_are_scaled_to_the_annotated_size(
    write: Write, folder: Path, detector: SsdDetector
) -> None:
    """The annotations are of the cat at half its size, which the set says; b.jpg says nothing."""
    document = small_set()
    document["images"][0] |= {"width": 225.5, "height": 150}
    document["images"][1] = {"id": 7, "file_name": "sub/b.jpg"}
    document["annotations"] = [
        {"image_id": "a", "category_id": 5, "bbox": [value / 2 for value in CAT]}
    ]
    data = find_pictures(read_annotations(write(document)), folder)
    found = run_detector(detector, data, lambda: None)
    assert found.other_size == ("a.jpg",)
    scores = score(data, found, Names(data.annotations, detector.labels))
    assert scores.ap50 == pytest.approx(1)


def test_unreadable_pictures_are_left_out(
    write: Write, folder: Path, detector: SsdDetector
) -> None:
    (folder / "a.jpg").write_bytes(b"no picture")
    data = find_pictures(read_annotations(write(small_set())), folder)
    calls: list[None] = []
    found = run_detector(detector, data, lambda: calls.append(None))
    assert list(found.detections) == [7]
    assert "a.jpg" in str(found.unreadable["a"])
    assert len(calls) == 2
    scores = score(data, found, Names(data.annotations, detector.labels))
    assert scores.classes["dining table"].objects == 0
    (folder / "sub" / "b.jpg").write_bytes(b"")
    with pytest.raises(SourceBroken, match=r"none of the 2 pictures can be read; the first: .*a\."):
        run_detector(detector, data, lambda: None)


def test_without_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    require_pycocotools()
    monkeypatch.setitem(sys.modules, "pycocotools.cocoeval", None)
    with pytest.raises(BackendMissing, match=r'pip install "edge-vision\[eval\]"'):
        require_pycocotools()


def test_the_published_accuracy(coco: Path, detector: SsdDetector) -> None:
    """The same figures as the reference that made the README's table."""
    data = find_pictures(read_annotations(coco / "train2017.json"), coco / "train2017")
    found = run_detector(detector, data, lambda: None)
    names = Names(data.annotations, detector.labels)
    scores = score(data, found, names)
    assert scores.ap == pytest.approx(0.332, abs=0.002)
    assert scores.ap_small == pytest.approx(0.05, abs=0.01)
    assert scores.ap_large == pytest.approx(0.59, abs=0.01)
    assert names.unknown == {}
    assert (found.other_size, data.without_file, data.without_annotation) == ((), (), ())
