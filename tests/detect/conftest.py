"""A writer of small .tflite files: a FlatBuffer, front to back, without TensorFlow.

Outputs are constants, so a test says exactly what a network answers.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TYPES = {"float32": 0, "int32": 2, "uint8": 3, "int64": 4, "int8": 9}
Field = tuple[str, int] | Callable[[bytearray], int]


@dataclass
class Constant:
    """A tensor with values; scale 0 = not quantised."""

    data: np.ndarray
    scale: float = 0.0
    zero_point: int = 0


WriteTflite = Callable[..., Path]


def _align(out: bytearray, to: int, ahead: int = 0) -> None:
    out.extend(b"\0" * (-(len(out) + ahead) % to))


def _table(out: bytearray, fields: Mapping[int, Field]) -> int:
    count = max(fields, default=-1) + 1
    _align(out, 4, 4 + 2 * count)
    vtable, at = len(out), len(out) + 4 + 2 * count
    places = {number: 4 + 4 * k for k, number in enumerate(fields)}
    out += struct.pack("<2H", 4 + 2 * count, 4 + 4 * len(fields))
    out += struct.pack(f"<{count}H", *(places.get(number, 0) for number in range(count)))
    out += struct.pack("<i", at - vtable)
    for value in fields.values():
        out += struct.pack(f"<{value[0]}", value[1]).ljust(4, b"\0") if isinstance(
            value, tuple
        ) else bytes(4)  # fmt: skip
    for number, value in fields.items():
        if not isinstance(value, tuple):
            slot = at + places[number]
            target = value(out)
            out[slot : slot + 4] = struct.pack("<I", target - slot)
    return at


def _vector(form: str, values: Sequence[Any]) -> Field:
    def write(out: bytearray) -> int:
        _align(out, 16, 4)
        at = len(out)
        out.extend(struct.pack(f"<I{len(values)}{form}", len(values), *values))
        return at

    return write


def _text(value: str) -> Field:
    def write(out: bytearray) -> int:
        _align(out, 4)
        at = len(out)
        out.extend(struct.pack("<I", len(value)) + value.encode() + b"\0")
        return at

    return write


def _tables(rows: Sequence[Mapping[int, Field]]) -> Field:
    def write(out: bytearray) -> int:
        _align(out, 4)
        at = len(out)
        out.extend(struct.pack("<I", len(rows)) + bytes(4 * len(rows)))
        for k, row in enumerate(rows):
            slot = at + 4 + 4 * k
            target = _table(out, row)
            out[slot : slot + 4] = struct.pack("<I", target - slot)
        return at

    return write


def _tensor(
    shape: Sequence[int], dtype: str, buffer: int, scale: float, zero: int
) -> dict[int, Field]:
    fields: dict[int, Field] = {
        0: _vector("i", shape), 1: ("b", TYPES[dtype]), 2: ("I", buffer), 3: _text("")
    }  # fmt: skip
    if scale:
        steps: dict[int, Field] = {2: _vector("f", [scale]), 3: _vector("q", [zero])}
        fields[4] = lambda out: _table(out, steps)
    return fields


def tflite_bytes(
    outputs: Sequence[Constant],
    *,
    input_shape: Sequence[int] = (1, 300, 300, 3),
    input_dtype: str = "uint8",
    input_quantisation: tuple[float, int] = (1 / 128, 128),
    custom_op: str = "",
) -> bytes:
    """A network that answers `outputs` to everything; custom_op: an operator it needs besides."""
    scale, zero = input_quantisation if input_dtype != "float32" else (0.0, 0)
    tensors = [_tensor(input_shape, input_dtype, 0, scale, zero)]
    buffers: list[dict[int, Field]] = [{}]
    for output in outputs:
        data = np.ascontiguousarray(output.data)
        tensors.append(
            _tensor(data.shape, data.dtype.name, len(buffers), output.scale, output.zero_point)
        )
        buffers.append({0: _vector("B", data.tobytes())})
    numbers = list(range(1, 1 + len(outputs)))
    codes: list[dict[int, Field]] = []
    operators: list[dict[int, Field]] = []
    if custom_op:
        tensors.append(_tensor((1,), "float32", 0, 0.0, 0))
        codes.append({0: ("b", 32), 1: _text(custom_op), 3: ("i", 32)})
        operators.append(
            {0: ("I", 0), 1: _vector("i", [0]), 2: _vector("i", [len(tensors) - 1])}
        )  # fmt: skip
        numbers = [len(tensors) - 1, *numbers]
    graph: dict[int, Field] = {
        0: _tables(tensors),
        1: _vector("i", [0]),
        2: _vector("i", numbers),
        3: _tables(operators),
    }
    out = bytearray(b"\0\0\0\0TFL3")
    model: dict[int, Field] = {
        0: ("I", 3), 1: _tables(codes), 2: _tables([graph]), 4: _tables(buffers)
    }  # fmt: skip
    out[:4] = struct.pack("<I", _table(out, model))
    return bytes(out)


@pytest.fixture
def write_tflite(tmp_path: Path) -> WriteTflite:
    """write_tflite(outputs, ...) -> path of a file; see `tflite_bytes`."""

    def write(outputs: Sequence[Any], name: str = "made.tflite", **more: Any) -> Path:
        rows = [row if isinstance(row, Constant) else Constant(*row) for row in outputs]
        (tmp_path / name).write_bytes(tflite_bytes(rows, **more))
        return tmp_path / name

    return write
