"""The TFLite runtime: which package, how many threads, and direct access to its tensors."""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vision.board import core_count
from edge_vision.detect.delegate import EDGETPU_OP, Delegate, DelegateFailed, probe
from edge_vision.detect.memory import check_memory
from edge_vision.errors import BackendMissing, DetectorError, ModelError

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
    return min(4, core_count())


class Runtime:
    """One interpreter with its tensors, at one input size.

    file: a TFLite file.  input_hw_px: (height, width) to resize its input to, None = as stored.
    delegate: what runs it; an external one is tried in a child process first.
    `name` is package and version, `active` what truly runs the network: "XNNPACK", "plain CPU", or
    the name of an external delegate (with XNNPACK beside it where it took the rest).
    Raises ModelError when the file cannot be used or would need more memory than there is,
    BackendMissing when no runtime works, and its subclass DelegateFailed when an external delegate
    does not.
    """

    def __init__(
        self,
        file: Path,
        threads: int,
        input_hw_px: tuple[int, int] | None = None,
        delegate: Delegate | None = None,
    ) -> None:
        self.threads = threads
        delegate = delegate or Delegate()
        if delegate.library and not delegate.tried:
            probe(delegate, file, threads, input_hw_px)
        self.name, self._interpreter = _build(file, threads, delegate)
        given = _delegated(self._interpreter) if delegate.library else 0
        if input_hw_px is not None:
            check_memory(file, input_hw_px, self._interpreter.get_input_details()[0]["dtype"])
        with _errors_named(file, input_hw_px, delegate):
            self._resize(input_hw_px)
            self._interpreter.allocate_tensors()
            # Sizes of outputs that depend on the input are known after a run only.
            self._interpreter.invoke()
        self.input = _info(self._interpreter.get_input_details()[0])
        self.outputs = tuple(_info(detail) for detail in self._interpreter.get_output_details())
        self.active = _active(delegate, given, _delegated(self._interpreter))

    def _resize(self, input_hw_px: tuple[int, int] | None) -> None:
        detail = self._interpreter.get_input_details()[0]
        shape = [1, *input_hw_px, 3] if input_hw_px is not None else detail["shape"].tolist()
        # A delegate may fix the graph as it is stored; then even a resize to the same is refused.
        if detail["shape"].tolist() != shape:
            self._interpreter.resize_tensor_input(detail["index"], shape)

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
        """Run the network on what the input tensor holds; the interpreter lock is released.

        Raises DetectorError when the runtime or its delegate gives up.
        """
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise DetectorError(
                f"{self.active} failed in the middle of an inference: {_first_line(error)}; "
                "start again, or try model.delegate: cpu"
            ) from None


def runtime_name(file: Path) -> str:
    """Package and version of the runtime that reads `file`, without making it ready to run.

    Raises ModelError and BackendMissing as Runtime does.
    """
    return _build(file, 1, Delegate())[0]


def _build(file: Path, threads: int, delegate: Delegate) -> tuple[str, Any]:
    """The first runtime that builds an interpreter: importing one proves nothing."""
    reasons: list[str] = []
    for package, module_name in RUNTIMES:
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            reasons.append(f"{package}: {_first_line(error)}")
            continue
        more: dict[str, Any] = {}
        if not delegate.xnnpack:
            resolvers = module.OpResolverType
            more["experimental_op_resolver_type"] = resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        try:
            # Without the delegate first: so a broken file is not taken for a broken delegate.
            interpreter = module.Interpreter(model_path=str(file), num_threads=threads, **more)
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{file} is not a TFLite file that {package} can read: {_first_line(error)}"
            ) from None
        except (ImportError, AttributeError, TypeError, SystemError) as error:
            # tflite-runtime 2.14 beside numpy 2 ends here.
            reasons.append(f"{package}: {_first_line(error)}")
            continue
        if delegate.library:
            loaded = _load(module, delegate)
            with _errors_named(file, None, delegate):
                interpreter = module.Interpreter(
                    model_path=str(file), num_threads=threads, experimental_delegates=[loaded]
                )
        return f"{package} {metadata.version(package)}", interpreter
    raise BackendMissing(
        "no TFLite runtime works here; install one with: pip install ai-edge-litert  "
        f"({'; '.join(reasons)})"
    )


def _load(module: Any, delegate: Delegate) -> Any:
    try:
        return module.load_delegate(delegate.library, dict(delegate.options))
    except AttributeError:  # by name: it has no tflite_plugin_create_delegate
        reason = "it is a library, but no TFLite delegate"
    except (ValueError, OSError) as error:
        # The runtime's "Failed to load delegate from FILE" comes before the library's own words.
        words = str(error).removeprefix(f"Failed to load delegate from {delegate.library}")
        reason = " ".join(words.split()) or "it refuses, and does not say why"
    raise DelegateFailed(f"the delegate {delegate.library} cannot be loaded: {reason}")


@contextmanager
def _errors_named(
    file: Path, input_hw_px: tuple[int, int] | None, delegate: Delegate
) -> Iterator[None]:
    """What the runtime raises while a network is set up, as a sentence about its likely cause."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        reason = _first_line(error)
        if delegate.library:
            raise DelegateFailed(
                f"the delegate {delegate.library} cannot run {file.name}{_at(input_hw_px)}: "
                f"{reason}"
            ) from None
        if EDGETPU_OP.decode() in str(error):
            raise ModelError(
                f"{file.name} is compiled for the Edge TPU, which is not in use here; name the "
                "same model as it was before that compilation (model.fallback_file takes it when "
                "the Edge TPU is missing)"
            ) from None
        raise ModelError(f"{file.name} cannot run{_at(input_hw_px)}: {reason}") from None


def _at(input_hw_px: tuple[int, int] | None) -> str:
    return f" at {input_hw_px[1]}x{input_hw_px[0]} px" if input_hw_px is not None else ""


def _delegated(interpreter: Any) -> int:
    """How many parts of the network delegates have taken; each stands in for some operations."""
    # Nothing public tells it; and a delegate that loads may still take nothing, as XNNPACK of
    # tflite-runtime 2.14 does with an int8 network.
    return sum(op["op_name"] == "DELEGATE" for op in interpreter._get_ops_details())


def _active(delegate: Delegate, given: int, taken: int) -> str:
    """Names of what took a part: `given` went to the external one, later ones to XNNPACK."""
    if delegate.library and not given:
        log.warning("the delegate %s takes no part of this network", delegate.library)
    names = [delegate.name] if given else []
    return " + ".join([*names, *["XNNPACK"] * (taken > given)]) or "plain CPU"


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
