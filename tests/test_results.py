"""Detections are valid or are refused; what goes to JSON is plain."""

import json
from typing import Any

import numpy as np
import pytest

from edge_vision.results import Detections, Scene, Track, label_of

BOXES = [[0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 1.0, 1.0]]


def _arrays(**changes: Any) -> dict[str, Any]:
    """Valid boxes, scores and class_ids, with some of them replaced."""
    valid = {
        "boxes": np.array(BOXES, np.float32),
        "scores": np.array([0.9, 0.5], np.float32),
        "class_ids": np.array([1, 17], np.int32),
    }
    return valid | changes


def test_valid() -> None:
    assert len(Detections(**_arrays())) == 2
    assert len(Detections.empty()) == 0
    assert Detections.empty().boxes.shape == (0, 4)


def test_edges_of_the_range_are_valid() -> None:
    corners = np.array([[0, 0, 0, 0], [1, 1, 1, 1]], np.float32)
    assert len(Detections(**_arrays(boxes=corners, scores=np.array([1, 0], np.float32)))) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"boxes": np.zeros((1, 4), np.float32)}, r"boxes of float32\(1, 4\).*float32\(2, 4\)"),
        ({"boxes": np.zeros((2, 5), np.float32)}, r"expected float32\(2, 4\)"),
        ({"boxes": np.array(BOXES)}, r"boxes of float64\(2, 4\)"),
        ({"scores": np.zeros((2, 2), np.float32)}, r"scores of float32\(2, 2\).*float32\(2,\)"),
        ({"scores": np.zeros(2, np.float16)}, r"scores of float16\(2,\)"),
        ({"class_ids": np.zeros(1, np.int32)}, r"class_ids of int32\(1,\).*int32\(2,\)"),
        ({"class_ids": np.zeros(2, np.int64)}, r"class_ids of int64\(2,\); expected int32"),
    ],
)
def test_wrong_shapes_and_dtypes_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Detections(**_arrays(**changes))


@pytest.mark.parametrize("bad", [-1e-7, 1.0000002, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["boxes", "scores"])
def test_values_outside_0_to_1_are_refused(name: str, bad: float) -> None:
    arrays = _arrays()
    arrays[name][-1] = bad
    with pytest.raises(ValueError, match=rf"{name} leave 0\.\.1"):
        Detections(**arrays)


@pytest.mark.parametrize("box", [[0.5, 0.1, 0.4, 0.2], [0.1, 0.5, 0.2, 0.4]])
def test_inverted_boxes_are_refused(box: list[float]) -> None:
    with pytest.raises(ValueError, match="inverted"):
        Detections(**_arrays(boxes=np.array([BOXES[0], box], np.float32)))


def test_to_list_is_plain_and_rounded() -> None:
    scores = np.array([0.123456, 0.5], np.float32)
    rows = Detections(**_arrays(scores=scores)).to_list({1: "person"})
    assert rows[0] == {
        "label": "person",
        "class_id": 1,
        "score": 0.1235,
        "box": [0.1, 0.2, 0.3, 0.4],
    }
    assert rows[1]["label"] == "class 17"
    assert json.loads(json.dumps(rows)) == rows
    assert Detections.empty().to_list({}) == []


def test_label_of() -> None:
    assert label_of({0: "background", 1: "person"}, 0) == "background"
    assert label_of({1: ""}, 1) == "class 1"
    assert label_of({}, -1) == "class -1"


def test_results_are_fixed_once_made() -> None:
    found = Detections.empty()
    scene = Scene(0, 1, 2, found, "model")
    track = Track(1, np.zeros(4, np.float32), np.zeros(4, np.float32), 0.5, 1, "tentative", 1, 2)
    for thing, name in ((found, "scores"), (scene, "seq"), (track, "state")):
        with pytest.raises(AttributeError):
            setattr(thing, name, 0)
    assert scene.tracks == ()
    assert scene.labels == {}
    assert scene.labels is not Scene(0, 1, 2, found, "model").labels
