"""Roles of outputs from shapes, quantisation and values, whatever their order."""

from itertools import permutations

import numpy as np
import pytest

from edge_vision.detect.layout import Layout, find_layout, probe_pictures, what_it_is
from edge_vision.detect.runtime import TensorInfo
from edge_vision.detect.tflite_file import POST_PROCESS, Operator, Tensor, TfliteFile
from edge_vision.errors import ModelError

EMPTY = TfliteFile((), (), (), ())
RANDOM = np.random.default_rng(1)


def layout(*outputs: np.ndarray, file: TfliteFile = EMPTY, steps: tuple = ()) -> Layout:
    """steps: (dtype, scale, zero point) of outputs that are quantised."""
    infos = []
    for number, output in enumerate(outputs):
        dtype, *step = steps[number] if steps else ("float32", 0.0, 0)
        infos.append(TensorInfo(number, output.shape, np.dtype(dtype), tuple(step)))
    return find_layout("x.tflite", file, tuple(infos), [outputs, outputs])


def post_processed(rows: int, batch: bool = True) -> dict[str, np.ndarray]:
    found = {
        "boxes": RANDOM.random((1, rows, 4)),
        "classes": RANDOM.integers(2, 9, (1, rows)),
        "scores": np.sort(RANDOM.random((1, rows)))[:, ::-1],
        "count": np.array([rows]),
    }
    if not batch:
        found = {name: value[0] if name != "count" else value for name, value in found.items()}
    return {name: value.astype(np.float32) for name, value in found.items()}


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("rows", [2, 4, 10, 40, 100])
def test_post_process_outputs_in_every_order(rows: int, batch: bool) -> None:
    outputs = post_processed(rows, batch)
    for order in permutations(outputs):
        found = layout(*(outputs[name] for name in order))
        assert found.kind == "postprocess"
        assert {name: order[number] for name, number in found.roles.items()} == {
            name: name for name in outputs
        }
        assert list(found.roles) == ["boxes", "classes", "scores", "count"]


def test_one_detection_only() -> None:
    outputs = post_processed(1)
    for order in permutations(outputs):
        found = layout(*(outputs[name] for name in order))
        assert [order[number] for number in found.roles.values()] == list(outputs)


def operator_file(*order: int, channels: int = 91) -> TfliteFile:
    """A file whose outputs are the operator's outputs in this order."""
    scores = Tensor((1, 1917, channels), "uint8", 1 / 256, 0, False, False)
    other = Tensor((), "float32", 0.0, 0, False, False)
    operator = Operator(POST_PROCESS, True, (4, 4, 5), (0, 1, 2, 3), (1, 1), True)
    return TfliteFile((other,) * 4 + (scores, other), (operator,), (5,), order)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_network_that_finds_nothing_is_read_by_its_operator(order: tuple[int, ...]) -> None:
    names = ("boxes", "classes", "scores", "count")
    empty = {name: np.zeros_like(value) for name, value in post_processed(10).items()}
    found = layout(*(empty[names[i]] for i in order), file=operator_file(*order))
    assert {name: names[order[i]] for name, i in found.roles.items()} == {n: n for n in names}
    assert found.class_counts == (90, 91)
    assert POST_PROCESS in found.why["scores"]
    with pytest.raises(ModelError, match="cannot be told"):
        layout(*(empty[names[i]] for i in order))


def test_scores_that_are_no_scores() -> None:
    outputs = post_processed(10)
    outputs["scores"] = outputs["scores"] * 9 - 4
    with pytest.raises(ModelError, match="sigmoid or softmax"):
        layout(*outputs.values())


def heads(channels: int, background: bool, activation: str) -> tuple[np.ndarray, np.ndarray]:
    logits = RANDOM.normal(-5, 1, (1, 1917, channels))
    if background:
        logits[..., 0] = RANDOM.normal(4, 1, (1, 1917))
    if activation == "sigmoid":
        logits = 1 / (1 + np.exp(-logits))
    elif activation == "softmax":
        logits = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    boxes = RANDOM.normal(0, 1.5, (1, 1917, 4))
    return boxes.astype(np.float32), logits.astype(np.float32)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("channels", [2, 4, 21, 90])
@pytest.mark.parametrize(
    ("activation", "background"),
    [("logits", True), ("logits", False), ("sigmoid", True), ("sigmoid", False), ("softmax", True)],
)
def test_raw_heads(activation: str, background: bool, channels: int, swapped: bool) -> None:
    pair = heads(channels, background, activation)
    found = layout(*(pair[::-1] if swapped else pair))
    assert found.kind == "raw"
    assert found.roles == {"boxes": int(swapped), "scores": 1 - int(swapped)}
    assert (found.activation, found.background) == (activation, background)
    assert (found.anchors, found.channels) == (1917, channels)
    assert found.class_counts[0] == channels - 1


def test_a_single_class_has_no_background() -> None:
    found = layout(*heads(1, False, "logits"))
    assert (found.background, found.class_counts) == (False, (1,))
    found = layout(*heads(1, False, "sigmoid"))
    assert (found.activation, found.background) == ("sigmoid", False)


def test_91_channels_are_cocos_ids_and_a_background() -> None:
    """Trained as zeros a background looks like any class."""
    found = layout(*heads(91, False, "sigmoid"))
    assert found.background
    assert "COCO" in found.why["background"]


def test_quantisation_tells_logits_from_scores() -> None:
    """All logits of the probe may lie within 0..1; what the head could say is what counts."""
    boxes, _ = heads(20, False, "logits")
    scores = np.full((1, 1917, 20), 0.5, np.float32)
    as_logits = (("int8", 0.06, 0), ("int8", 0.05, 12))
    as_scores = (("uint8", 0.06, 100), ("uint8", 1 / 256, 0))
    assert layout(boxes, scores, steps=as_logits).activation == "logits"
    assert layout(boxes, scores, steps=as_scores).activation == "sigmoid"


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(1, 1001)], "a classifier"),
        ([(1, 1, 1, 1280)], "a classifier or a feature extractor"),
        ([(1, 257, 257, 21)], "a segmenter"),
        ([(1, 128, 128)], "a segmenter"),
        ([(1, 1, 17, 3)], "a pose estimator"),
        ([(1, 84, 8400)], "YOLO"),
        ([(1, 6300, 85)], "YOLO"),
        ([(1, 1917, 4), (1, 1916, 91)], "2 outputs"),
        ([(1, 9, 9, 17), (1, 9, 9, 34), (1, 9, 9, 32), (1, 9, 9, 32)], "4 outputs"),
        ([(1, 10, 4), (1, 10), (1, 9), (1,)], "4 outputs"),
        ([(1, 10, 4)] * 12, "12 outputs"),
        ([], "0 outputs"),
    ],
)
def test_other_networks_are_refused_by_name(shapes: list[tuple[int, ...]], words: str) -> None:
    assert words in what_it_is(shapes)
    with pytest.raises(ModelError, match=f"x.tflite is no SSD detector but .*{words}"):
        layout(*(np.zeros(shape, np.float32) for shape in shapes))


def test_probe_pictures_are_always_the_same() -> None:
    first, again = probe_pictures((30, 40)), probe_pictures((30, 40))
    assert first[0].shape == (30, 40, 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
