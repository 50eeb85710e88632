"""Parameters and multiply-adds of a network, as the MobileNet papers count them.

Counted are convolutions and dense layers (Howard et al. 2017, section 3.1): a standard convolution
costs height * width * kernel * kernel * in * out multiply-adds, a depthwise one the same without
`out`.
"""

import math
from collections.abc import Iterator

from edge_vision.detect.tflite_file import Operator, Tensor, TfliteFile

_RANK = {"CONV_2D": 4, "DEPTHWISE_CONV_2D": 4, "FULLY_CONNECTED": 2}


def parameters(file: TfliteFile) -> int:
    """Weights and biases, each tensor once."""
    used = {index for operator, _ in _layers(file) for index in operator.inputs[1:3]}
    tensors = [file.tensors[index] for index in used if index >= 0]
    return sum(tensor.elements for tensor in tensors if tensor.constant)


def multiply_adds(file: TfliteFile, input_hw_px: tuple[int, int]) -> int:
    """Of one run at this input size; the sides of resizable tensors are followed from the input."""
    sides = {file.inputs[0]: input_hw_px}
    total = 0
    weights_of = {operator.outputs[0]: weights for operator, weights in _layers(file)}
    for operator in file.operators:
        if not operator.outputs or not operator.inputs or operator.inputs[0] < 0:
            continue
        written = operator.outputs[0]
        weights = weights_of.get(written)
        sides[written] = _sides(file, operator, weights, sides)
        if weights is None:
            continue
        if operator.name == "FULLY_CONNECTED":
            rows = file.tensors[written].elements // max(1, weights.shape[0])
            total += rows * math.prod(weights.shape)
        else:  # weights: out, height, width, in; or 1, height, width, channels
            total += math.prod(sides[written]) * math.prod(weights.shape)
    return total


def _layers(file: TfliteFile) -> Iterator[tuple[Operator, Tensor]]:
    """Operators with weights, and those weights."""
    for operator in file.operators:
        rank = _RANK.get(operator.name)
        if rank and operator.outputs and len(operator.inputs) > 1 and operator.inputs[1] >= 0:
            weights = file.tensors[operator.inputs[1]]
            if len(weights.shape) == rank:
                yield operator, weights


def _sides(
    file: TfliteFile, operator: Operator, weights: Tensor | None, sides: dict[int, tuple[int, int]]
) -> tuple[int, int]:
    """Height and width of what an operator writes: as stored, or from what it reads."""
    stored = file.tensors[operator.outputs[0]]
    height, width = sides.get(operator.inputs[0], (1, 1))
    if len(stored.shape) == 4 and not stored.resizable:
        return stored.shape[1], stored.shape[2]
    if weights is None or len(weights.shape) != 4:
        return height, width
    if not operator.same_padding:
        height, width = height - weights.shape[1] + 1, width - weights.shape[2] + 1
    down, right = operator.stride_hw
    return max(1, math.ceil(height / down)), max(1, math.ceil(width / right))
