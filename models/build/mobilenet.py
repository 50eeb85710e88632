"""MobileNet v1 and v2, and SSD on top of them, at any width and input size, in Keras.

The one definition of the networks: the models converted from published weights and the skeletons
that `edge-vision explore` measures are built here.

Sources: Howard et al. 2017, "MobileNets" (v1: table 1); Sandler et al. 2018, "MobileNetV2" (v2:
table 2, inverted residuals with linear bottlenecks; SSDLite: section 6.2); Liu et al. 2016, "SSD".
Where the detectors are tapped, their extra levels and their heads are those of the TensorFlow
Object Detection API's ssd_mobilenet_v1 and ssdlite_mobilenet_v2 configurations.

These are networks for inference: every batch norm is part of the convolution before it, as weights
and bias (Jacob et al. 2018, section 3.2). Every convolution is padded SAME.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

FAMILIES = ("ssd_mobilenet_v1", "ssdlite_mobilenet_v2")
ANCHORS_PER_CELL = (3, 6, 6, 6, 6, 6)

# Per block: output channels at width 1, stride of the depthwise convolution.
V1_BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
V1_BLOCKS += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
V1_TAP = 11  # the last block with stride 16, counted from 1
# Per group of blocks: expansion, output channels at width 1, blocks, stride of the first one.
V2_GROUPS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
V2_GROUPS += [(6, 160, 3, 2), (6, 320, 1, 1)]
V2_TAP = 13  # the block whose expansion is the last map with stride 16, counted from 0
V2_LAST = 1280
EXTRA_LEVELS = (512, 256, 256, 128)  # output channels at width 1

Weights = Mapping[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]
"""Layer name -> kernel (HWIO, or HWI1 of a depthwise one) and bias."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters (weights and biases, batch norms folded) and multiply-adds of one run."""

    parameters: int
    multiply_adds: int


def make_divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `channels`, but never less than 0.9 of it.

    The rule of the authors' MobileNet v2; of v1's channels at the published widths it changes none.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def classifier(
    version: int, alpha: float, input_px: int | None = None, classes: int = 1001
) -> keras.Model:
    """MobileNet v1 or v2 as published: pooled features, one fully connected layer of logits.

    The published networks count 1000 ImageNet classes and a background.
    """
    image = keras.Input((input_px, input_px, 3), batch_size=1, name="image")
    features = {1: _mobilenet_v1, 2: _mobilenet_v2}[version](image, alpha)[-1]
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    return keras.Model(image, keras.layers.Dense(classes, name="logits")(pooled))


def detector(
    family: str, alpha: float, classes: int, input_hw_px: tuple[int, int] | None = None
) -> keras.Model:
    """SSD on MobileNet with raw heads.

    Args:
        family: one of FAMILIES.
        alpha: width multiplier; 1 is the published width.
        classes: channels of the class head, each an independent logit.
        input_hw_px: height and width of the input; None leaves them open.

    Returns:
        A model from float32 (1, H, W, 3), RGB in -1..1, to [boxes (1, N, 4) `ty tx th tw`, class
        logits (1, N, classes)]; N runs over level (finest first), row, column, anchor of the cell.

    Raises:
        ValueError: the family is unknown, or alpha is not positive.
    """
    if family not in FAMILIES or alpha <= 0:
        raise ValueError(
            f"found family {family!r} at alpha {alpha}; expected one of {', '.join(FAMILIES)} "
            "and a positive alpha"
        )
    lite = family == "ssdlite_mobilenet_v2"
    image = keras.Input((*(input_hw_px or (None, None)), 3), batch_size=1, name="image")
    levels = (_mobilenet_v2 if lite else _mobilenet_v1)(image, alpha)
    for number, channels in enumerate(EXTRA_LEVELS):
        levels.append(_extra_level(levels[-1], channels, alpha, f"extra{number}", lite))
    heads = []
    for role, width in (("boxes", 4), ("classes", classes)):
        parts = []
        for number, (level, anchors) in enumerate(zip(levels, ANCHORS_PER_CELL, strict=True)):
            name = f"{role}{number}"
            if lite:
                level = _depthwise(level, 1, f"{name}_depthwise")
            coded = keras.layers.Conv2D(anchors * width, 1, padding="same", name=name)(level)
            parts.append(keras.layers.Reshape((-1, width))(coded))
        heads.append(keras.layers.Concatenate(axis=1)(parts))
    return keras.Model(image, heads)


def cost(build: Callable[..., keras.Model], *design: Any) -> Cost:
    """Count `build(*design)`, a model with a fixed input size.

    A multiply-add is one weight used once; biases, activations, pooling and residual sums count
    nothing, as in the papers.
    """
    model = build(*design)
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            # Every weight of a convolution's kernel is used once in each cell it writes.
            total += math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
    return Cost(model.count_params(), total)


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Give every convolution of `model` its kernel and bias.

    Raises:
        ValueError: a layer has no weights, weights have no layer, or a shape differs.
    """
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    if layers.keys() != weights.keys():
        raise ValueError(
            f"layers without weights: {sorted(layers.keys() - weights.keys())}, "
            f"weights without a layer: {sorted(weights.keys() - layers.keys())}"
        )
    for name, layer in layers.items():
        expected, found = layer.kernel.shape, weights[name][0].shape
        if tuple(expected) != found:
            raise ValueError(f"layer {name}: kernel of shape {found}, expected {tuple(expected)}")
        layer.set_weights([np.asarray(part, np.float32) for part in weights[name]])


def _mobilenet_v1(image: Any, alpha: float) -> list[Any]:
    """The maps with strides 16 and 32."""
    features = _conv(image, make_divisible(32 * alpha), 3, 2, "conv0")
    maps = []
    for number, (channels, stride) in enumerate(V1_BLOCKS, 1):
        features = _depthwise(features, stride, f"block{number}_depthwise")
        features = _conv(features, make_divisible(channels * alpha), 1, 1, f"block{number}")
        if number == V1_TAP:
            maps.append(features)
    return [*maps, features]


def _mobilenet_v2(image: Any, alpha: float) -> list[Any]:
    """The maps with strides 16 (inside a block, where it is wide) and 32."""
    features = _conv(image, make_divisible(32 * alpha), 3, 2, "conv0")
    maps, number = [], 0
    for expansion, channels, blocks, first_stride in V2_GROUPS:
        for block in range(blocks):
            wide = inputs = features
            if expansion > 1:
                expanded = features.shape[-1] * expansion
                wide = _conv(features, expanded, 1, 1, f"block{number}_expand")
            if number == V2_TAP:
                maps.append(wide)
            stride = 1 if block else first_stride
            wide = _depthwise(wide, stride, f"block{number}_depthwise")
            narrow = make_divisible(channels * alpha)
            # No activation behind the projection: the linear bottleneck.
            features = keras.layers.Conv2D(narrow, 1, padding="same", name=f"block{number}")(wide)
            if block:
                features = keras.layers.Add()([features, inputs])
            number += 1
    # The last layer is not thinned (Sandler et al., section 6.1: for multipliers less than one).
    last = make_divisible(V2_LAST * max(alpha, 1.0))
    return [*maps, _conv(features, last, 1, 1, "last")]


def _extra_level(features: Any, channels: int, alpha: float, name: str, lite: bool) -> Any:
    """A map of half the size: 1x1 to half the channels, then 3x3 with stride 2."""
    features = _conv(features, make_divisible(channels / 2 * alpha), 1, 1, f"{name}_squeeze")
    wide = make_divisible(channels * alpha)
    if lite:
        return _conv(_depthwise(features, 2, f"{name}_depthwise"), wide, 1, 1, name)
    return _conv(features, wide, 3, 2, name)


def _conv(features: Any, channels: int, kernel_px: int, stride: int, name: str) -> Any:
    convolution = keras.layers.Conv2D(channels, kernel_px, stride, padding="same", name=name)
    return keras.layers.Activation("relu6")(convolution(features))


def _depthwise(features: Any, stride: int, name: str) -> Any:
    convolution = keras.layers.DepthwiseConv2D(3, stride, padding="same", name=name)
    return keras.layers.Activation("relu6")(convolution(features))
