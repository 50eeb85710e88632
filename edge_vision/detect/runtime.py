"""The TFLite runtime: which package, how many threads, and direct access to its tensors."""

import importlib
import logging
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import BackendMissing, ModelError

log = logging.getLogger(__name__)

RUNTIMES = (
    ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite-runtime", "tflite_runtime.interpreter"),
)
"""Distribution and module, in order of preference: LiteRT is the maintained one, and its XNNPACK
has the fast quantised kernels that tflite-runtime 2.14 lacks on x86-64."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as the file describes it.

    quantization: (scale, zero_point) of real = scale * (stored - zero_point); (0, 0) when float.
    """

    index: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    quantization: tuple[float, int]


def thread_count(threads: int | str) -> int:
    """`auto` as a number: the cores this process may use, at most four (more gain nothing)."""
    if isinstance(threads, int):
        return threads
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    return max(1, min(4, cores))


class Runtime:
    """One interpreter with its tensors, at one input size.

    file: a TFLite file.  input_hw_px: (height, width) to resize its input to, None = as stored.
    Raises ModelError when the file cannot be used, BackendMissing when no runtime works.
    """

    def __init__(
        self, file: Path, threads: int, input_hw_px: tuple[int, int] | None = None
    ) -> None:
        self.threads = threads
        self.name, self._interpreter = _build(file, threads)
        if input_hw_px is not None:
            index = self._interpreter.get_input_details()[0]["index"]
            try:
                self._interpreter.resize_tensor_input(index, [1, *input_hw_px, 3])
                self._interpreter.allocate_tensors()
            except (RuntimeError, ValueError) as error:
                height, width = input_hw_px
                raise ModelError(
                    f"{file.name} cannot run at {width}x{height} px: {_first_line(error)}"
                ) from None
        else:
            self._interpreter.allocate_tensors()
        self.input = _info(self._interpreter.get_input_details()[0])
        # Sizes of outputs that depend on the input are known after a run only.
        self._interpreter.invoke()
        self.outputs = tuple(_info(detail) for detail in self._interpreter.get_output_details())

    def input_view(self) -> NDArray[Any]:
        """The input tensor's own memory, (height, width, 3).  Drop the view before `invoke()`."""
        view: NDArray[Any] = self._interpreter.tensor(self.input.index)()[0]
        return view

    def write_input(self, source: NDArray[Any]) -> None:
        """Copy a contiguous array of the input's shape and dtype into the input tensor."""
        _copy(source, self._interpreter.tensor(self.input.index)())

    def read_output(self, index: int, into: NDArray[Any]) -> None:
        """Copy the output tensor `index` (of `outputs`) into an array of its shape and dtype."""
        _copy(self._interpreter.tensor(self.outputs[index].index)(), into)

    def invoke(self) -> None:
        """Run the network on what the input tensor holds; the interpreter lock is released."""
        self._interpreter.invoke()


def _build(file: Path, threads: int) -> tuple[str, Any]:
    """The first runtime that builds an interpreter: importing one proves nothing."""
    reasons: list[str] = []
    for package, module_name in RUNTIMES:
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            reasons.append(f"{package}: {_first_line(error)}")
            continue
        try:
            interpreter = module.Interpreter(model_path=str(file), num_threads=threads)
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{file} is not a TFLite file that {package} can read: {_first_line(error)}"
            ) from None
        except (ImportError, AttributeError, TypeError, SystemError) as error:
            # tflite-runtime 2.14 beside numpy 2 ends here.
            reasons.append(f"{package}: {_first_line(error)}")
            continue
        return f"{package} {metadata.version(package)}", interpreter
    raise BackendMissing(
        "no TFLite runtime works here; install one with: pip install ai-edge-litert  "
        f"({'; '.join(reasons)})"
    )


def _copy(source: NDArray[Any], into: NDArray[Any]) -> None:
    """Copy contiguous bytes without letting go of Python's lock, as numpy's copyto would.

    Between two runs of the interpreter every wait for the lock is lost rate: another thread may
    take it and then wait for a processor.  Measured: 0.28 ms a frame, against 0.05 ms so.
    """
    into.data.cast("B")[:] = source.data.cast("B")


def _info(detail: dict[str, Any]) -> TensorInfo:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(side) for side in detail["shape"])
    return TensorInfo(detail["index"], shape, np.dtype(detail["dtype"]), (scale, zero_point))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
