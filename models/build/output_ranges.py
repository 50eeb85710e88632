"""Adjust a finished int8 TFLite file: useful output ranges and a default input size."""

from __future__ import annotations

from typing import Any

from tensorflow.lite.python.schema_py_generated import BuiltinOperator
from tensorflow.lite.tools import flatbuffer_utils

Range = tuple[float, float]


def adjust(
    data: bytes, ranges_by_channels: dict[int, Range], default_hw_px: tuple[int, int]
) -> bytes:
    """Set the quantisation range of each output, told apart by its last dimension.

    Calibration stretches an output's 256 steps over everything it saw, down to logits of -39.
    Nobody needs those: a narrower range makes every step finer and int8 saturates the rest. It is
    safe to change afterwards because a convolution's int32 accumulator depends on the scales of
    its input and weights only; the output's scale is applied last.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(data))
    graph = model.subgraphs[0]
    for output in graph.outputs:
        low, high = ranges_by_channels[graph.tensors[output].shape[-1]]
        scale = (high - low) / 255
        _set_quantisation(model, graph, output, scale, round(-128 - low / scale))
    # A dynamic side is stored as 1. With a real default the file also runs without a resize.
    graph.tensors[graph.inputs[0]].shape = [1, *default_hw_px, 3]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _set_quantisation(model: Any, graph: Any, output: int, scale: float, zero_point: int) -> None:
    """Set `output` and, back through concatenation and reshape, the convolutions that feed it."""
    operators = {index: operator for operator in graph.operators for index in operator.outputs}
    waiting = [output]
    while waiting:
        index = waiting.pop()
        graph.tensors[index].quantization.scale = [scale]
        graph.tensors[index].quantization.zeroPoint = [zero_point]
        operator = operators[index]
        match model.operatorCodes[operator.opcodeIndex].builtinCode:
            case BuiltinOperator.CONCATENATION:
                waiting += list(operator.inputs)
            case BuiltinOperator.RESHAPE:
                waiting.append(operator.inputs[0])
            case BuiltinOperator.CONV_2D:
                pass
            case code:
                raise ValueError(f"output {output} comes from operator {code}, not a convolution")
