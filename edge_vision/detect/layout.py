"""What a detection network's tensors mean: found from shapes, quantisation and a probe run.

Never from names, which every converter chooses anew.  Two layouts are known:

- **postprocess**: four outputs of TFLite_Detection_PostProcess in any order.
- **raw**: two heads, box codes (1, N, 4) and class scores (1, N, C), one row for each anchor.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_vision.detect.runtime import TensorInfo
from edge_vision.detect.ssd import Quantisation
from edge_vision.detect.tflite_file import POST_PROCESS, TfliteFile
from edge_vision.errors import ModelError

Values = NDArray[np.float32]
Probe = list[tuple[Values, ...]]
"""Real values of all outputs, for each probe picture."""
Activation = Literal["logits", "sigmoid", "softmax"]

_ALMOST = 0.01
"""Quantised scores may leave 0..1 by a step, and softmax rows miss a sum of 1."""
_COCO_CHANNELS = 91


@dataclass(frozen=True, slots=True)
class Layout:
    """What the outputs are.

    kind: see the module.  roles: name -> number of the output.  why: role or fact -> the reason.
    class_counts: how many classes there may be without a background; empty where nothing tells.
    anchors, channels, activation, background: of raw heads; background: channel 0 is no class.
    """

    kind: Literal["postprocess", "raw"]
    roles: dict[str, int]
    why: dict[str, str]
    class_counts: tuple[int, ...]
    anchors: int = 0
    channels: int = 0
    activation: Activation = "logits"
    background: bool = False


def find_layout(
    name: str, file: TfliteFile, outputs: tuple[TensorInfo, ...], probe: Probe
) -> Layout:
    """The layout of a network's outputs; name: of the file, for messages.

    outputs: as they are after a run, in the order of `file.outputs`.
    Raises ModelError with what the network is instead when it is no SSD.
    """
    shapes = [info.shape for info in outputs]
    if len(outputs) == 4:
        found = _post_processed(name, file, shapes, probe)
    elif len(outputs) == 2:
        found = _raw(outputs, probe)
    else:
        found = None
    if found is None:
        raise ModelError(
            f"{name} is no SSD detector but {what_it_is(shapes)}; expected four outputs of "
            f"{POST_PROCESS} or two raw heads, (1, N, 4) and (1, N, classes)"
        )
    return found


def what_it_is(shapes: list[tuple[int, ...]]) -> str:
    """A guess at what a network with other outputs does, with their shapes."""
    listed = ", ".join(str(shape) for shape in shapes) or "none"
    if len(shapes) != 1:
        return f"a network with {len(shapes)} outputs: {listed}"
    shape = shapes[0]
    sides = [side for side in shape[1:] if side > 1]
    if len(sides) <= 1:
        what = f"a classifier or a feature extractor (one row of {math.prod(shape)} values)"
    elif len(shape) == 4 and shape[1:3] == (1, 17):
        what = "a pose estimator (17 key points)"
    elif len(shape) == 4 or (len(shape) == 3 and abs(shape[1] - shape[2]) * 2 < shape[1]):
        what = "a segmenter or another network whose output is a picture"
    else:
        what = "a network with all results in one tensor, as YOLO detectors have"
    return f"{what}: output {listed}"


def _post_processed(
    name: str, file: TfliteFile, shapes: list[tuple[int, ...]], probe: Probe
) -> Layout | None:
    """None when the shapes do not fit."""
    sizes = [math.prod(shape) for shape in shapes]
    boxes = [i for i, shape in enumerate(shapes) if len(shape) >= 2 and shape[-1] == 4]
    if not boxes:
        return None
    box = max(boxes, key=lambda i: (len(shapes[i]), sizes[i]))
    rest = [i for i in range(4) if i != box]
    rows = sizes[box] // 4
    # The count has one value and the least rank; a single row makes the others as small.
    count = min(rest, key=lambda i: (sizes[i], len(shapes[i])))
    pair = [i for i in rest if i != count]
    if sizes[count] != 1 or any(sizes[i] != rows for i in pair):
        return None
    known = _by_operator(file)
    if rows == 1 and len({len(shapes[i]) for i in rest}) == 1:
        if not known:
            return None  # one row and one rank: nothing tells the three apart
        count = known["count"]
        pair = [i for i in rest if i != count]
    classes, scores, why = _classes_and_scores(name, pair, probe, known)
    whys = {
        "boxes": f"shape {shapes[box]}: rows of four",
        "classes": why,
        "scores": why,
        "count": f"shape {shapes[count]}: a single value",
    }
    roles = {"boxes": box, "classes": classes, "scores": scores, "count": count}
    return Layout("postprocess", roles, whys, _counts_of_operator(file))


def _classes_and_scores(
    name: str, pair: list[int], probe: Probe, known: dict[str, int]
) -> tuple[int, int, str]:
    """Which of two outputs holds classes, which scores, and why."""
    whole, fraction = [], []
    for i in pair:
        values = np.concatenate([outputs[i].reshape(-1) for outputs in probe])
        values = values[np.isfinite(values)]
        whole.append(bool((values == np.rint(values)).all() and values.min(initial=0) >= 0))
        low, high = values.min(initial=0), values.max(initial=0)
        fraction.append(bool(low >= -_ALMOST and high <= 1 + _ALMOST))
    # One of them can be classes only (above 1), or scores only (not whole).
    could = [whole[k] and fraction[1 - k] for k in (0, 1)]
    if could[0] != could[1]:
        first = 0 if could[0] else 1
        return pair[first], pair[1 - first], "probe run: classes are whole, scores within 0..1"
    if could[0] and known:
        return known["classes"], known["scores"], f"place among the outputs of {POST_PROCESS}"
    if could[0]:
        raise ModelError(
            f"which output of {name} holds classes and which scores cannot be told: it finds "
            "nothing in the probe pictures; export it with a lower score threshold"
        )
    raise ModelError(
        f"{name} has four outputs of a detector's shapes, but none of them holds whole classes "
        "beside scores within 0..1; export it with sigmoid or softmax scores"
    )


def _by_operator(file: TfliteFile) -> dict[str, int]:
    """Role -> output as the operator defines its own outputs; empty without the operator."""
    roles = {}
    for number, tensor in enumerate(file.outputs):
        made = file.producer(tensor)
        if made is not None and made[0].name == POST_PROCESS and made[1] < 4:
            roles[("boxes", "classes", "scores", "count")[made[1]]] = number
    return roles if len(roles) == 4 else {}


def _counts_of_operator(file: TfliteFile) -> tuple[int, ...]:
    """How many classes the scores have that the operator reads (its input 1).

    Most files have a channel for the background before them, which the operator skips.
    """
    for operator in file.operators:
        if operator.name == POST_PROCESS and len(operator.inputs) > 1 and operator.inputs[1] >= 0:
            shape = file.tensors[operator.inputs[1]].shape
            if len(shape) == 3 and shape[2] > 1:
                return (shape[2] - 1, shape[2])
    return ()


def _raw(outputs: tuple[TensorInfo, ...], probe: Probe) -> Layout | None:
    """None when the shapes do not fit."""
    shapes = [info.shape for info in outputs]
    fits = all(len(shape) >= 2 for shape in shapes)
    if not fits or len({math.prod(shape[:-1]) for shape in shapes}) != 1:
        return None
    if shapes[0][:1] != (1,) or 4 not in (shapes[0][-1], shapes[1][-1]):
        return None
    anchors = math.prod(shapes[0][:-1])
    if shapes[0][-1] != shapes[1][-1]:
        box = 0 if shapes[0][-1] == 4 else 1
        why = f"shape {shapes[box]}: rows of four"
    else:
        # Box codes lie around 0; class scores are far from it nearly everywhere, or within 0..1.
        away = [_distance_from_zero(probe, i) for i in (0, 1)]
        box = 0 if away[0] < away[1] else 1
        why = "both heads have four channels; the probe run's box codes lie nearer to 0"
        within = [_within_one(probe, outputs[i], i) for i in (0, 1)]
        if within[0] != within[1]:
            box = 0 if within[1] else 1
            why = "both heads have four channels; the other's values stay within 0..1"
    activation, reason = _activation(probe, outputs[1 - box], 1 - box)
    background, whence = _background(probe, 1 - box, activation)
    channels = shapes[1 - box][-1]
    whys = {
        "boxes": why,
        "scores": f"shape {shapes[1 - box]}: the other head, {channels} channels",
        "activation": reason,
        "background": whence,
    }
    counts = (channels,) if channels == 1 else (channels - 1, channels)
    counts = counts[:1] if activation == "softmax" else counts
    roles = {"boxes": box, "scores": 1 - box}
    return Layout("raw", roles, whys, counts, anchors, channels, activation, background)


def _values(probe: Probe, index: int) -> Values:
    """(pictures * anchors, channels) of a head."""
    return np.concatenate([head[index].reshape(-1, head[index].shape[-1]) for head in probe])


def _distance_from_zero(probe: Probe, index: int) -> float:
    return float(np.abs(np.median(_values(probe, index), axis=0)).sum())


def _within_one(probe: Probe, info: TensorInfo, index: int) -> bool:
    """Whether values are, and by quantisation can only be, within 0..1."""
    values = _values(probe, index)
    low, high = float(values.min()), float(values.max())
    if info.dtype.kind in "iu" and info.quantization[0] > 0:
        limits = np.iinfo(info.dtype)
        ends = np.array([limits.min, limits.max], info.dtype)
        low, high = (float(end) for end in Quantisation(*info.quantization).real(ends))
    return low >= -_ALMOST and high <= 1 + _ALMOST


def _activation(probe: Probe, info: TensorInfo, index: int) -> tuple[Activation, str]:
    if not _within_one(probe, info, index):
        return "logits", "values leave 0..1, so the sigmoid is still to be applied"
    sums = _values(probe, index).sum(axis=1)
    channels = info.shape[-1]
    tolerance = _ALMOST * 2 + info.quantization[0] * channels / 2
    if channels > 1 and tolerance < 0.5 and bool((np.abs(sums - 1) <= tolerance).all()):
        return "softmax", "values within 0..1, and every row sums to 1"
    return "sigmoid", "values within 0..1, rows of any sum"


def _background(probe: Probe, index: int, activation: Activation) -> tuple[bool, str]:
    """Whether channel 0 is the background; the number of labels, if known, is surer.

    Trained as a class of its own it is likely nearly everywhere, as no other class ever is.
    Trained as zeros (encode_background_as_zeros of the TF Object Detection API) its values look
    like any class's: then only the number of channels is left to go by.
    """
    values = _values(probe, index)
    if values.shape[1] == 1:
        return False, "a single channel is a class"
    if activation == "softmax":
        return True, "softmax needs a background, which is channel 0"
    likely = 0.0 if activation == "logits" else 0.5
    if float(np.median(values[:, 0])) > likely:
        return True, "probe run: channel 0 is likely at most anchors"
    if values.shape[1] == _COCO_CHANNELS:
        return True, f"{_COCO_CHANNELS} channels: COCO's ids 1 to 90 after a background"
    return False, "probe run: channel 0 is unlikely at most anchors; a label file would tell surely"


def probe_pictures(hw: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Two pictures to try a network on, uint8 (height, width, 3): shapes on noise, and plain grey.

    Always the same, so a file is always understood alike.
    """
    height, width = hw
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    noise[height // 4 : height * 3 // 4, width // 3 : width * 2 // 3] = (200, 60, 40)
    noise[height // 2 : height * 7 // 8, width // 8 : width // 4] = (20, 20, 30)
    return [noise, np.full((height, width, 3), 128, np.uint8)]


def real_outputs(outputs: tuple[TensorInfo, ...], raw: tuple[NDArray[Any], ...]) -> tuple[Any, ...]:
    """Output tensors as real numbers."""
    return tuple(
        Quantisation(*info.quantization).real(array)
        for info, array in zip(outputs, raw, strict=True)
    )
