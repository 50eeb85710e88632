"""What a .tflite file says about itself, read without a runtime.

The format is a FlatBuffer (https://flatbuffers.dev/internals/) of TensorFlow Lite's schema
(tensorflow/lite/schema/schema.fbs, whose field numbers stand below).  Only the few tables that
tell what a network is are read, each access within the file's bytes: a damaged file is an error
here, while the runtime might crash on it.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from edge_vision.errors import ModelError

POST_PROCESS = "TFLite_Detection_PostProcess"
EDGETPU = "edgetpu-custom-op"
"""The custom operator that the Edge TPU compiler leaves in place of what runs on the Edge TPU."""

_CUSTOM = 32
_OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE", 9: "FULLY_CONNECTED", 14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL",
    19: "RELU", 21: "RELU6", 22: "RESHAPE", 23: "RESIZE_BILINEAR", 25: "SOFTMAX", _CUSTOM: "CUSTOM",
    34: "PAD", 39: "TRANSPOSE", 40: "MEAN", 41: "SUB", 43: "SQUEEZE", 45: "STRIDED_SLICE",
    56: "ARG_MAX", 67: "TRANSPOSE_CONV", 77: "SHAPE", 83: "PACK", 97: "RESIZE_NEAREST_NEIGHBOR",
    114: "QUANTIZE", 117: "HARD_SWISH",
}  # fmt: skip
_DTYPES = {
    0: ("float32", 4), 1: ("float16", 2), 2: ("int32", 4), 3: ("uint8", 1), 4: ("int64", 8),
    6: ("bool", 1), 7: ("int16", 2), 9: ("int8", 1),
}  # fmt: skip
_LARGEST_TENSOR = 2**31


@dataclass(frozen=True, slots=True)
class Tensor:
    """shape: as stored, -1 and 1 may stand for what is known at run time only.

    dtype: numpy's name, or "type <n>".  scale, zero_point: real = scale * (stored - zero_point),
    scale 0 without quantisation; of the first channel where each has its own.
    constant: its values are in the file.  resizable: a side (not the batch) follows the input's.
    """

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int
    constant: bool
    resizable: bool

    @property
    def elements(self) -> int:
        """Number of values; unknown sides count as 1."""
        return math.prod(max(1, side) for side in self.shape)


@dataclass(frozen=True, slots=True)
class Operator:
    """name: as in the schema, "operator <n>" for others, a custom operator's own name.

    inputs, outputs: tensor numbers; an input of -1 was left out.
    stride_hw, same_padding: of a convolution; (1, 1) and True for others.
    """

    name: str
    custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    stride_hw: tuple[int, int]
    same_padding: bool


@dataclass(frozen=True, slots=True)
class TfliteFile:
    """The main subgraph of a file; inputs, outputs: tensor numbers in the file's order."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def custom_ops(self) -> list[str]:
        """Names of the custom operators, each once."""
        return sorted({operator.name for operator in self.operators if operator.custom})

    @property
    def compiled_for_edgetpu(self) -> bool:
        """Whether it needs the Edge TPU's delegate to run."""
        return EDGETPU in self.custom_ops

    def producer(self, tensor: int) -> tuple[Operator, int] | None:
        """The operator that writes a tensor, and as which of its outputs."""
        for operator in self.operators:
            if tensor in operator.outputs:
                return operator, operator.outputs.index(tensor)
        return None


def read_tflite(path: Path) -> TfliteFile:
    """The file's main subgraph.

    Raises ModelError when it is missing, unreadable, no TFLite file, cut short or damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"the model file {path} does not exist; see model.file") from None
    except OSError as error:
        raise ModelError(f"the model file {path} cannot be read: {error.strerror}") from None
    if not data:
        raise ModelError(f"the model file {path} is empty; copy it again")
    if data[4:8] != b"TFL3":
        raise ModelError(f"{path} is not a TFLite file (bytes 4 to 8 are not TFL3); expected one")
    try:
        return _parse(data)
    except _Damaged as error:
        raise ModelError(
            f"{path} is a TFLite file that was cut short or altered ({error}, {len(data)} bytes in "
            "all); copy it again"
        ) from None


class _Damaged(Exception):
    pass


def _number(data: bytes, form: str, at: int) -> int | float:
    if not 0 <= at <= len(data) - struct.calcsize(form):
        raise _Damaged(f"it points to byte {at}")
    value: int | float = struct.unpack_from(form, data, at)[0]
    return value


def _whole(data: bytes, form: str, at: int) -> int:
    return int(_number(data, form, at))


class _Table:
    """A FlatBuffer table; `vtable` lists the places of its fields, 0 for a default."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._vtable = at - _whole(data, "<i", at)
        self._size = _whole(data, "<H", self._vtable)

    def _field(self, number: int) -> int | None:
        entry = 4 + 2 * number
        if entry + 2 > self._size:
            return None
        offset = _whole(self._data, "<H", self._vtable + entry)
        return self._at + offset if offset else None

    def integer(self, number: int, form: str) -> int:
        at = self._field(number)
        return 0 if at is None else _whole(self._data, form, at)

    def has(self, number: int) -> bool:
        return self._field(number) is not None

    def _target(self, number: int) -> int | None:
        at = self._field(number)
        return None if at is None else at + _whole(self._data, "<I", at)

    def table(self, number: int) -> "_Table | None":
        at = self._target(number)
        return None if at is None else _Table(self._data, at)

    def _span(self, number: int, size: int) -> tuple[int, int]:
        """Place and length of a vector whose items have `size` bytes."""
        at = self._target(number)
        if at is None:
            return 0, 0
        count = _whole(self._data, "<I", at)
        if at + 4 + count * size > len(self._data):
            raise _Damaged(f"a list of {count} items at byte {at} is longer than the file")
        return at + 4, count

    def numbers(self, number: int, form: str, most: int | None = None) -> tuple[int | float, ...]:
        at, count = self._span(number, struct.calcsize(f"<{form}"))
        count = count if most is None else min(count, most)
        return struct.unpack_from(f"<{count}{form}", self._data, at)

    def integers(self, number: int) -> tuple[int, ...]:
        return tuple(int(value) for value in self.numbers(number, "i"))

    def text(self, number: int) -> str:
        at, count = self._span(number, 1)
        return self._data[at : at + count].decode("utf-8", "replace")

    def length(self, number: int) -> int:
        return self._span(number, 1)[1]

    def tables(self, number: int) -> list["_Table"]:
        at, count = self._span(number, 4)
        places = range(at, at + 4 * count, 4)
        return [_Table(self._data, place + _whole(self._data, "<I", place)) for place in places]


def _parse(data: bytes) -> TfliteFile:
    # Model: 1 operator codes, 2 subgraphs, 4 buffers.
    model = _Table(data, _whole(data, "<I", 0))
    codes = [_operator_name(code) for code in model.tables(1)]
    graphs = model.tables(2)
    # Buffer: 0 data, 1 offset and 2 size of data behind the FlatBuffer.
    buffers = [
        buffer.integer(2, "<Q") if buffer.has(2) else buffer.length(0) for buffer in model.tables(4)
    ]
    if not graphs:
        raise _Damaged("it holds no network")
    # SubGraph: 0 tensors, 1 inputs, 2 outputs, 3 operators.
    graph = graphs[0]
    tensors = tuple(_tensor(table, buffers) for table in graph.tables(0))
    operators = tuple(_operator(table, codes, len(tensors)) for table in graph.tables(3))
    inputs, outputs = graph.integers(1), graph.integers(2)
    _check(inputs + outputs, 0, len(tensors), "tensor")
    return TfliteFile(tensors, operators, inputs, outputs)


def _check(indices: tuple[int, ...], least: int, count: int, what: str) -> None:
    for index in indices:
        if not least <= index < count:
            raise _Damaged(f"it names {what} {index} of {count}")


def _operator_name(code: _Table) -> tuple[str, bool]:
    # OperatorCode: 0 the code in files before 2020, 1 custom name, 3 the code.
    number = max(code.integer(0, "<b"), code.integer(3, "<i"))
    if number == _CUSTOM:
        return code.text(1), True
    return _OPERATORS.get(number, f"operator {number}"), False


def _operator(table: _Table, codes: list[tuple[str, bool]], tensors: int) -> Operator:
    # Operator: 0 index of its code, 1 inputs, 2 outputs, 4 options.
    code, inputs, outputs = table.integer(0, "<I"), table.integers(1), table.integers(2)
    _check((code,), 0, len(codes), "operator code")
    _check(inputs, -1, tensors, "tensor")
    _check(outputs, 0, tensors, "tensor")
    name, custom = codes[code]
    # Conv2DOptions and DepthwiseConv2DOptions: 0 padding (0 is SAME), 1 stride_w, 2 stride_h.
    options = table.table(4) if name in ("CONV_2D", "DEPTHWISE_CONV_2D") else None
    stride_hw = (options.integer(2, "<i"), options.integer(1, "<i")) if options else (1, 1)
    if min(stride_hw) < 1:
        raise _Damaged(f"it has a convolution with a stride of {min(stride_hw)}")
    same = options is None or options.integer(0, "<b") == 0
    return Operator(name, custom, inputs, outputs, stride_hw, same)


def _tensor(table: _Table, buffers: list[int]) -> Tensor:
    # Tensor: 0 shape, 1 type, 2 buffer, 4 quantisation (2 scales, 3 zero points), 6 sparsity,
    # 7 the shape with -1 where the converter left a side open.
    shape, kind, buffer = table.integers(0), table.integer(1, "<b"), table.integer(2, "<I")
    _check((buffer,), 0, len(buffers), "buffer")
    dtype, size = _DTYPES.get(kind, (f"type {kind}", 0))
    quantisation = table.table(4)
    scales = quantisation.numbers(2, "f", 1) if quantisation else ()
    zeros = quantisation.numbers(3, "q", 1) if quantisation else ()
    tensor = Tensor(
        shape,
        dtype,
        float(scales[0]) if scales else 0.0,
        int(zeros[0]) if zeros else 0,
        buffers[buffer] > 0,
        -1 in table.integers(7)[1:],
    )
    if tensor.elements > _LARGEST_TENSOR or any(side < -1 for side in shape):
        raise _Damaged(f"it has a tensor of shape {shape}")
    if not 0 <= tensor.scale < math.inf:
        raise _Damaged(f"it has a quantisation step of {tensor.scale}")
    stored = buffers[buffer]
    if stored and size and not table.has(6) and stored != math.prod(shape) * size:
        raise _Damaged(f"{stored} bytes are stored for a tensor of {dtype} {shape}")
    return tensor
