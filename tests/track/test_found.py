"""What the tracker takes from a frame's detections."""

import numpy as np
import pytest

from edge_vision.results import Detections
from edge_vision.track.found import MOST, Found

BOX, NEAR, FAR = (0.4, 0.4, 0.6, 0.7), (0.41, 0.4, 0.61, 0.7), (0.1, 0.1, 0.3, 0.4)


def found(*seen: tuple[tuple[float, ...], float, int]) -> Found:
    boxes, scores, classes = zip(*seen, strict=True)
    return Found(
        Detections(
            np.array(boxes, np.float32), np.array(scores, np.float32), np.array(classes, np.int32)
        ),
        0.4,
    )


@pytest.mark.parametrize(
    ("box", "score", "class_id", "kept"),
    [
        (NEAR, 0.3, 18, False),
        (NEAR, 0.4, 18, True),
        (NEAR, 0.3, 17, True),
        (FAR, 0.3, 18, True),
    ],
    ids=["second guess", "strong", "same class", "elsewhere"],
)
def test_a_weak_second_guess_is_left_out(
    box: tuple[float, ...], score: float, class_id: int, kept: bool
) -> None:
    both = found((BOX, 0.9, 17), (box, score, class_id))
    assert both.classes.tolist() == ([17, class_id] if kept else [17])
    assert len(both) == len(both.boxes) == len(both.state) == len(both.noise) == len(both.strong)


def test_weak_ones_alone_stay() -> None:
    assert found((BOX, 0.3, 17), (NEAR, 0.25, 18)).strong.tolist() == [False, False]


def test_the_less_sure_the_noisier_and_in_box_sizes() -> None:
    wide = (0.1, 0.4, 0.5, 0.7)
    one = found((BOX, 1.0, 1), (BOX, 0.5, 1), (wide, 0.5, 1))
    deviation = np.sqrt(one.noise)
    assert deviation[0] == pytest.approx([0.0175 * 0.2, 0.0175 * 0.3, 0.04, 0.04], rel=1e-4)
    assert (deviation[1] > 2 * deviation[0]).all()
    assert deviation[2] == pytest.approx(deviation[1] * [2, 1, 1, 1], rel=1e-4)


def test_what_the_border_cuts_off() -> None:
    one = found(((0.0, 0.3, 0.5, 1.0), 0.9, 1), (BOX, 0.8, 1))
    assert one.low.tolist() == [[True, False], [False, False]]
    assert one.high.tolist() == [[False, True], [False, False]]


def test_of_hundreds_the_best() -> None:
    seen = [(BOX, score, 1) for score in np.linspace(1, 0.2, MOST + 100)]
    assert found(*seen).scores.min() > 0.4
    assert len(found(*seen)) == MOST
