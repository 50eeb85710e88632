"""Whether a network fits into memory at an input size, told before it is tried.

An input size may be chosen freely, and a system without memory left kills the program without a
word.  What a detector needs grows with its input's pixels.  Measured here (x86-64, LiteRT 2.3,
XNNPACK; growth of the peak resident memory from the stored size to 2048x2048, per pixel): the
default int8 model 67 bytes, with the detector around it 77; v1 and v2 at width multipliers 0.25 to
1.4 between 42 and 84; the default model in float32 162.  Without XNNPACK about a third less.
"""

from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from edge_vision.board import available_memory_bytes
from edge_vision.errors import ModelError

QUANTISED_BYTES_PER_PX = 80
FLOAT_BYTES_PER_PX = 170


def needed_bytes(input_hw_px: tuple[int, int], dtype: DTypeLike) -> int:
    """About what a detector needs beyond its file at an input size; dtype: its input's."""
    floating = np.issubdtype(dtype, np.floating)
    per_px = FLOAT_BYTES_PER_PX if floating else QUANTISED_BYTES_PER_PX
    return input_hw_px[0] * input_hw_px[1] * per_px


def check_memory(file: Path, input_hw_px: tuple[int, int], dtype: DTypeLike) -> None:
    """Raises ModelError, with the memory it would need, when that is more than there is."""
    needed, available = needed_bytes(input_hw_px, dtype), available_memory_bytes()
    if available is not None and needed > available:
        height, width = input_hw_px
        raise ModelError(
            f"{file.name} at {width}x{height} px needs about {needed / 1e6:.0f} MB of memory, and "
            f"{available / 1e6:.0f} MB are available; choose a smaller model.input_hw_px"
        )
