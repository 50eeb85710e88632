"""The TF.js COCO weights (SSDLite MobileNet v2) as weights of `mobilenet.detector`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from folding import Conv, Input, Layer, Relu6, Sum, fold_graph
from mobilenet import ANCHORS_PER_CELL, EXTRA_LEVELS, V2_GROUPS, Weights
from tfjs_reader import read_tfjs_graph

COCO_IDS = 91  # 0 is background, 1..90 the COCO ids, 10 of which COCO never used
BACKBONE = "FeatureExtractor/MobilenetV2"
# What the graph's nodes are called behind the scope of their layer.
ENDINGS = ("/BatchNorm/batchnorm/mul_1", "/Conv2D", "/depthwise")


def coco_weights(model_json: Path, class_ids: list[int]) -> Weights:
    """Kernels and biases for `detector("ssdlite_mobilenet_v2", 1.0, len(class_ids))`.

    class_ids: COCO ids of the class channels to keep, in their order. Scores are independent
    sigmoids, so the channels that stay keep their values.

    Raises:
        ValueError: the graph holds what the network has not, or lacks what it has.
    """
    levels = range(len(ANCHORS_PER_CELL))
    names = [f"BoxPredictor_{level}/BoxEncodingPredictor/BiasAdd" for level in levels]
    names += [f"BoxPredictor_{level}/ClassPredictor/BiasAdd" for level in levels]
    # The graph before Preprocessor/sub resizes and scales to -1..1; the runtime does that.
    convolutions: dict[str, Conv] = {}
    for head in fold_graph(read_tfjs_graph(model_json), "Preprocessor/sub", names):
        _collect(head, convolutions)
    scopes = _scopes()
    if set(scopes.values()) != convolutions.keys():
        unlike = set(scopes.values()) ^ convolutions.keys()
        raise ValueError(f"{model_json}: layers missing or not known: {sorted(unlike)}")
    weights = {}
    for layer, scope in scopes.items():
        kernel, bias = convolutions[scope].kernel, convolutions[scope].bias
        if scope.endswith("/ClassPredictor"):
            anchors = kernel.shape[3] // COCO_IDS
            kept = np.add.outer(np.arange(anchors) * COCO_IDS, class_ids).ravel()
            kernel, bias = kernel[..., kept], bias[kept]
        weights[layer] = kernel, bias
    return weights


def _collect(layer: Layer, found: dict[str, Conv]) -> None:
    """Every convolution that `layer` depends on, by its scope."""
    match layer:
        case Conv():
            scope = layer.name
            for ending in ENDINGS:
                scope = scope.removesuffix(ending)
            if scope not in found:
                found[scope] = layer
                _collect(layer.source, found)
        case Relu6():
            _collect(layer.source, found)
        case Sum():
            _collect(layer.branch, found)
            _collect(layer.shortcut, found)
        case Input():
            pass


def _scopes() -> dict[str, str]:
    """Layer name in mobilenet.py -> scope in the graph."""
    scopes = {"conv0": f"{BACKBONE}/Conv", "last": f"{BACKBONE}/Conv_1"}
    for number in range(sum(blocks for _, _, blocks, _ in V2_GROUPS)):
        scope = f"{BACKBONE}/expanded_conv" + (f"_{number}" if number else "")
        scopes[f"block{number}_depthwise"] = f"{scope}/depthwise"
        scopes[f"block{number}"] = f"{scope}/project"
        if number:  # the first block does not expand
            scopes[f"block{number}_expand"] = f"{scope}/expand"
    for number, channels in enumerate(EXTRA_LEVELS):
        squeeze = f"{BACKBONE}/layer_19_1_Conv2d_{number + 2}_1x1_{channels // 2}"
        wide = f"{BACKBONE}/layer_19_2_Conv2d_{number + 2}_3x3_s2_{channels}"
        scopes[f"extra{number}_squeeze"] = squeeze
        scopes[f"extra{number}_depthwise"] = f"{wide}_depthwise"
        scopes[f"extra{number}"] = wide
    for number in range(len(ANCHORS_PER_CELL)):
        for role, predictor in (("boxes", "BoxEncodingPredictor"), ("classes", "ClassPredictor")):
            scope = f"BoxPredictor_{number}/{predictor}"
            scopes[f"{role}{number}_depthwise"] = f"{scope}_depthwise"
            scopes[f"{role}{number}"] = scope
    return scopes
