"""The face weights of face-api (SSD MobileNet v1, 512x512) as weights of `mobilenet.detector`.

The package's own program (its folder src/ssdMobilenetv1) tells how the weights are meant: input
`pixel / 127.5 - 1`, RGB; SAME convolutions with an offset and ReLU6; depthwise ones with a batch
norm whose epsilon is 0.001; box coding scales 10, 10, 5, 5; of a head's three class channels the
second, through a sigmoid, is the face's score.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mobilenet import ANCHORS_PER_CELL, EXTRA_LEVELS, V1_BLOCKS, Weights

CLASSES_STORED, FACE = 3, 1
BATCH_NORM_EPSILON = 0.001
# A cell's anchors as stored: the square of the next level's scale stands second. `ssd_anchors`
# (the order of the TensorFlow Object Detection API) has it last.
ANCHOR_ORDER = (0, 2, 3, 4, 5, 1)

Arrays = dict[str, npt.NDArray[np.float64]]


def read_packed(manifest: Path) -> Arrays:
    """Every weight by name: face-api's manifest, and the one binary file that it names.

    uint8 values stand for `scale * value + min`.

    Raises:
        ValueError: the binary file is shorter or longer than the manifest says.
    """
    (group,) = json.loads(manifest.read_text(encoding="utf-8"))
    (name,) = group["paths"]
    data = (manifest.parent / name).read_bytes()
    arrays: Arrays = {}
    offset = 0
    for entry in group["weights"]:
        packing = entry.get("quantization", {"dtype": entry["dtype"], "scale": 1, "min": 0})
        dtype = np.dtype(packing["dtype"]).newbyteorder("<")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        if offset + count * dtype.itemsize > len(data):
            raise ValueError(f"{name} ends before weight {entry['name']}")
        stored = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
        arrays[entry["name"]] = stored.astype(np.float64) * packing["scale"] + packing["min"]
        offset += count * dtype.itemsize
    if offset != len(data):
        raise ValueError(f"{name} holds {len(data)} bytes, its manifest announces {offset}")
    return arrays


def face_weights(arrays: Arrays) -> Weights:
    """Kernels and biases for `detector("ssd_mobilenet_v1", 1.0, 1)`, batch norms folded away."""
    weights = {"conv0": _pointwise(arrays, "MobilenetV1/Conv2d_0")}
    for number in range(1, len(V1_BLOCKS) + 1):
        scope = f"MobilenetV1/Conv2d_{number}"
        weights[f"block{number}_depthwise"] = _depthwise(arrays, scope)
        weights[f"block{number}"] = _pointwise(arrays, scope)
    for number in range(len(EXTRA_LEVELS)):
        weights[f"extra{number}_squeeze"] = _pointwise(arrays, f"Prediction/Conv2d_{2 * number}")
        weights[f"extra{number}"] = _pointwise(arrays, f"Prediction/Conv2d_{2 * number + 1}")
    for number in range(len(ANCHORS_PER_CELL)):
        scope = f"Prediction/BoxPredictor_{number}"
        weights[f"boxes{number}"] = _head(arrays, f"{scope}/BoxEncodingPredictor", number, 4)
        kernel, bias = _head(arrays, f"{scope}/ClassPredictor", number, CLASSES_STORED)
        faces = slice(FACE, None, CLASSES_STORED)
        weights[f"classes{number}"] = kernel[..., faces], bias[faces]
    return weights


def stored_anchors(arrays: Arrays) -> npt.NDArray[np.float64]:
    """The package's own anchors at 512x512, (5118, 4) `cy cx h w`, in the order of our heads."""
    low, high = np.split(arrays["Output/extra_dim"][0], 2, axis=1)
    anchors = np.hstack([(low + high) / 2, high - low])
    finest = 32 * 32 * ANCHORS_PER_CELL[0]
    others = anchors[finest:].reshape(-1, len(ANCHOR_ORDER), 4)[:, ANCHOR_ORDER]
    return np.concatenate([anchors[:finest], others.reshape(-1, 4)])


def _pointwise(arrays: Arrays, scope: str) -> tuple[Any, Any]:
    prefix = f"{scope}_pointwise"
    return arrays[f"{prefix}/weights"], arrays[f"{prefix}/convolution_bn_offset"]


def _depthwise(arrays: Arrays, scope: str) -> tuple[Any, Any]:
    prefix = f"{scope}_depthwise"
    gamma, beta, mean, variance = (
        arrays[f"{prefix}/BatchNorm/{part}"]
        for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    factor = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
    return arrays[f"{prefix}/depthwise_weights"] * factor[:, np.newaxis], beta - mean * factor


def _head(arrays: Arrays, scope: str, level: int, values: int) -> tuple[Any, Any]:
    """A predictor with the anchors of a cell in our order; `values` channels for each."""
    order = ANCHOR_ORDER if level else range(ANCHORS_PER_CELL[0])
    channels = np.add.outer(np.array(order) * values, np.arange(values)).ravel()
    return arrays[f"{scope}/weights"][..., channels], arrays[f"{scope}/biases"][channels]
