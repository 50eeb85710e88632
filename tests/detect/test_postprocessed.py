"""Four PostProcess outputs to detections."""

import time

import numpy as np
import pytest

from edge_vision.detect.postprocessed import PostProcessedDecoder
from edge_vision.detect.ssd import Quantisation

REAL = Quantisation(0.0, 0)


def decoder(**more) -> PostProcessedDecoder:
    values = {"min_score": 0.3, "nms_iou": 0.6, "max_detections": 100, "class_ids": ()}
    return PostProcessedDecoder((REAL, REAL, REAL, REAL), **{**values, **more})


def rows(*rows: tuple[float, ...], count: float | None = None) -> list[np.ndarray]:
    """Outputs of rows (score, class, ymin, xmin, ymax, xmax)."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    number = np.array([len(table) if count is None else count], np.float32)
    return [table[None, :, 2:], table[None, :, 1], table[None, :, 0], number]


def test_boxes_classes_and_order() -> None:
    found = decoder().decode(*rows((0.5, 0, 0.1, 0.2, 0.3, 0.4), (0.9, 16, 0.5, 0.6, 1.2, 0.8)))
    assert found.class_ids.tolist() == [17, 1]
    assert found.boxes.tolist() == [
        pytest.approx([0.6, 0.5, 0.8, 1.0]), pytest.approx([0.2, 0.1, 0.4, 0.3])
    ]  # fmt: skip
    assert found.scores.tolist() == pytest.approx([0.9, 0.5])


@pytest.mark.parametrize(
    ("count", "left"), [(0, 0), (-3, 0), (1, 1), (2, 2), (2e9, 3), (np.nan, 0), (np.inf, 0)]
)
def test_rows_past_the_count_are_ignored(count: float, left: int) -> None:
    boxes = [(0.9 - k / 10, k, 0.1, k / 4, 0.3, k / 4 + 0.2) for k in range(3)]
    tried = decoder()
    assert len(tried.decode(*rows(*boxes, count=count))) == left
    assert tried.nonfinite == (not np.isfinite(count))


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_no_numbers_are_dropped(column: int, value: float) -> None:
    bad = [0.8, 1.0, 0.1, 0.1, 0.3, 0.3]
    bad[column] = value
    tried = decoder()
    found = tried.decode(*rows((0.7, 2, 0.5, 0.5, 0.9, 0.9), tuple(bad)))
    assert found.class_ids.tolist() == [3]
    assert tried.nonfinite == (0 if (column, value) == (0, -np.inf) else 1)


def test_empty_and_inverted_boxes_are_dropped() -> None:
    found = decoder().decode(
        *rows((0.9, 0, 0.5, 0.5, 0.5, 0.9), (0.8, 0, 0.9, 0.1, 0.2, 0.3), (0.7, 0, 2, 2, 3, 3))
    )
    assert len(found) == 0


def test_suppression_classes_and_limits() -> None:
    twice = rows((0.9, 0, 0.1, 0.1, 0.5, 0.5), (0.8, 0, 0.1, 0.1, 0.5, 0.49),
                 (0.7, 1, 0.1, 0.1, 0.5, 0.5))  # fmt: skip
    assert decoder().decode(*twice).class_ids.tolist() == [1, 2]
    assert decoder(nms_iou=1.0).decode(*twice).class_ids.tolist() == [1, 1, 2]
    assert decoder(max_detections=1).decode(*twice).class_ids.tolist() == [1]
    assert decoder(wanted=frozenset({2})).decode(*twice).class_ids.tolist() == [2]
    assert len(decoder(min_score=0.85).decode(*twice)) == 1
    assert decoder(class_ids=(1, 90)).decode(*twice).class_ids.tolist() == [1, 90]
    assert decoder(class_ids=(7,)).decode(*twice).class_ids.tolist() == [7, 2]


def test_quantised_outputs() -> None:
    steps = (Quantisation(1 / 255, 0), Quantisation(1.0, 0), Quantisation(1 / 256, 0), REAL)
    tried = PostProcessedDecoder(steps, class_ids=(), min_score=0.3, nms_iou=0.6, max_detections=9)
    boxes = np.array([[[0, 51, 102, 255]]], np.uint8)
    found = tried.decode(
        boxes, np.array([[4]], np.uint8), np.array([[128]], np.uint8), np.array([1], np.float32)
    )
    assert found.boxes[0].tolist() == pytest.approx([0.2, 0.0, 1.0, 0.4])
    assert (found.scores[0], found.class_ids[0]) == (0.5, 5)


def test_decoding_takes_no_time() -> None:
    """At most 0.1 ms on a free machine; the limit leaves room for a busy one."""
    random = np.random.default_rng(0)
    corner = random.random((10, 2)) * 0.5
    table = np.column_stack([np.linspace(1, 0, 10), random.integers(0, 90, 10),
                             corner, corner + 0.3])  # fmt: skip
    outputs, tried, took = rows(*table), decoder(), []
    for _ in range(300):
        begin = time.perf_counter()
        tried.decode(*outputs)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.2e-3
