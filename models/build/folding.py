"""Turn the inference part of a TF.js graph into a few layers with batch norms folded away.

Every batch norm of an inference graph is affine per channel, so it disappears into the weights
and bias of the convolution before it (Jacob et al. 2018, section 3.2). What remains is
convolution with bias, ReLU6 and residual addition: exactly what TFLite runs as single kernels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt
from tfjs_reader import TfjsGraph

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """The image tensor."""


@dataclass(frozen=True, slots=True, eq=False)
class Conv:
    """A SAME convolution with bias, of that graph node. `kernel` is HWIO, HWI1 if `depthwise`."""

    name: str
    source: Layer
    kernel: FloatArray
    bias: FloatArray
    stride: int
    depthwise: bool

    def scaled(self, factor: FloatArray) -> Conv:
        """Multiply every output channel by `factor`, shape (channels,) or ()."""
        # A depthwise kernel has its output channels on axis 2, an ordinary one on axis 3.
        channels = factor.reshape(-1, 1) if self.depthwise else factor
        return replace(self, kernel=self.kernel * channels, bias=self.bias * factor)

    def shifted(self, offset: FloatArray) -> Conv:
        """Add `offset`, shape (channels,) or (), to every output channel."""
        return replace(self, bias=self.bias + offset)


@dataclass(frozen=True, slots=True, eq=False)
class Relu6:
    """min(max(source, 0), 6)."""

    source: Layer


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """A residual connection: `branch` ends in the block's projection, `shortcut` skips it."""

    branch: Conv
    shortcut: Layer


Layer = Input | Conv | Relu6 | Sum


def fold_graph(graph: TfjsGraph, input_name: str, output_names: list[str]) -> list[Layer]:
    """Fold the part of `graph` between `input_name` and `output_names`; one layer per output."""
    values: dict[str, Layer | FloatArray] = {input_name: Input()}
    for name in TopologicalSorter(_dependencies(graph, input_name, output_names)).static_order():
        if name == input_name:
            continue
        node = graph.nodes[name]
        if node["op"] == "Const":
            values[name] = graph.weights[name].astype(np.float64)
        else:
            values[name] = _fold_node(node, [values[source] for source in node["input"]])
    outputs = [values[name] for name in output_names]
    return [_as_layer(output) for output in outputs]


def _dependencies(graph: TfjsGraph, first: str, last: list[str]) -> dict[str, list[str]]:
    """Node -> inputs, for every node needed by `last`, not looking beyond `first`."""
    found: dict[str, list[str]] = {first: []}
    waiting = list(last)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = list(graph.nodes[name]["input"])
            waiting += found[name]
    return found


def _fold_node(node: dict[str, Any], inputs: list[Layer | FloatArray]) -> Layer:
    match node["op"]:
        case "Conv2D" | "DepthwiseConv2dNative":
            return _convolution(node, _as_layer(inputs[0]), _as_array(inputs[1]))
        case "Mul":
            conv, factor = _layer_and_constant(inputs)
            return _as_conv(conv).scaled(factor)
        case "FusedBatchNorm":
            gamma, beta, mean, variance = (_as_array(value) for value in inputs[1:])
            factor = gamma / np.sqrt(variance + node["attr"]["epsilon"]["f"])
            return _as_conv(inputs[0]).scaled(factor).shifted(beta - mean * factor)
        case "Relu6":
            return Relu6(_as_layer(inputs[0]))
        case "Add" | "AddN" | "BiasAdd":
            return _add(inputs)
    raise ValueError(f"node {node['name']}: no rule to fold operation {node['op']}")


def _convolution(node: dict[str, Any], source: Layer, kernel: FloatArray) -> Conv:
    attributes = node["attr"]
    padding = bytes(attributes["padding"]["s"]).decode()
    strides = [int(step) for step in attributes["strides"]["list"]["i"]]
    dilations = [int(step) for step in attributes["dilations"]["list"]["i"]]
    if padding != "SAME" or strides[1] != strides[2] or dilations != [1, 1, 1, 1]:
        raise ValueError(
            f"node {node['name']}: expected SAME padding, square strides and no dilation, "
            f"found {padding}, {strides}, {dilations}"
        )
    depthwise = node["op"] == "DepthwiseConv2dNative"
    channels = kernel.shape[2] if depthwise else kernel.shape[3]
    return Conv(node["name"], source, kernel, np.zeros(channels), strides[1], depthwise)


def _add(inputs: list[Layer | FloatArray]) -> Layer:
    if any(isinstance(value, np.ndarray) for value in inputs):
        layer, offset = _layer_and_constant(inputs)
        if isinstance(layer, Sum):
            # The graph optimiser moved the projection's shift behind the residual addition.
            return replace(layer, branch=layer.branch.shifted(offset))
        return _as_conv(layer).shifted(offset)
    branch, shortcut = inputs
    return Sum(_as_conv(branch), _as_layer(shortcut))


def _layer_and_constant(inputs: list[Layer | FloatArray]) -> tuple[Layer, FloatArray]:
    first, second = inputs
    if isinstance(first, np.ndarray):
        first, second = second, first
    return _as_layer(first), _as_array(second)


def _as_layer(value: Layer | FloatArray) -> Layer:
    if isinstance(value, np.ndarray):
        raise ValueError("expected a layer, found a constant")
    return value


def _as_array(value: Layer | FloatArray) -> FloatArray:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"expected a constant, found a {type(value).__name__} layer")
    return value


def _as_conv(value: Layer | FloatArray) -> Conv:
    if not isinstance(value, Conv):
        raise ValueError(f"expected a convolution to fold into, found {type(value).__name__}")
    return value
