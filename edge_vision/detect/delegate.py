"""Which delegate runs the network, and a try in a child process before it is loaded here.

A delegate is foreign native code.  One that does not match the runtime crashes the process, and one
whose device does not answer may never return; both happen in the child.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge_vision.config import ModelConfig
from edge_vision.errors import BackendMissing, ModelError

log = logging.getLogger(__name__)

EDGETPU_LIBRARY = "libedgetpu.so.1"
EDGETPU_OP = b"edgetpu-custom-op"
"""Name of the one operation an Edge TPU compiler leaves in a file (libedgetpu, kCustomOp)."""
PROBE_S = 10.0
"""What loading a delegate and one run with it may take."""


class DelegateFailed(BackendMissing):
    """A delegate cannot be used; `without_delegate` tells how to go on."""


@dataclass(frozen=True, slots=True)
class Delegate:
    """What runs the network.

    name: for people.  xnnpack: the runtime may put XNNPACK on what is left.  library: path or
    soname of an external delegate, empty for none.  options: handed to it as text.
    tried: a child process has run the network with it.
    """

    name: str = "XNNPACK"
    xnnpack: bool = True
    library: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    tried: bool = False


def choose_delegate(config: ModelConfig, file: Path) -> Delegate:
    """The delegate a configuration asks for, for this model file."""
    wanted = config.delegate
    if wanted == "auto":
        wanted = "edgetpu" if compiled_for_edgetpu(file) else "xnnpack"
    if wanted == "cpu":
        return Delegate("plain CPU", xnnpack=False)
    if wanted == "xnnpack":
        return Delegate()
    options = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in config.delegate_options.items()
    }
    if wanted == "edgetpu":
        return Delegate("Edge TPU", library=EDGETPU_LIBRARY, options=options)
    # A name that is no file here is left to the system's search for libraries.
    library = str(Path(wanted).resolve()) if "/" in wanted or Path(wanted).exists() else wanted
    return Delegate(Path(wanted).name, library=library, options=options)


def compiled_for_edgetpu(file: Path) -> bool:
    """Whether the file holds an Edge TPU's program; False for what cannot be read."""
    try:
        return EDGETPU_OP in file.read_bytes()
    except OSError:
        return False


def without_delegate(config: ModelConfig, failure: DelegateFailed) -> ModelConfig:
    """How to go on without the delegate: the fallback file or the same one, on the CPU.  Logged."""
    changes: dict[str, object] = {"delegate": "xnnpack", "delegate_options": {}}
    if config.fallback_file is not None:
        changes["file"] = config.fallback_file
    log.warning("%s; going on with %s", failure, config.fallback_file or "the CPU (XNNPACK)")
    return config.model_copy(update=changes)


def probe(
    delegate: Delegate,
    file: Path,
    threads: int,
    input_hw_px: tuple[int, int] | None,
    timeout_s: float = PROBE_S,
) -> None:
    """Load the delegate and run the network once, in a child process.

    Raises DelegateFailed with what went wrong: an error, a crash, or no end within `timeout_s`;
    ModelError when it is the file that cannot be used.
    """
    task = {**asdict(delegate), "file": str(file), "threads": threads, "input_hw_px": input_hw_px}
    # The child must find the same packages as this process, however they came onto its path.
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    child = subprocess.Popen(
        [sys.executable, "-m", "edge_vision.detect.probe", json.dumps(task)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": path},
    )
    what = f"the delegate {delegate.library}"
    try:
        said, noise = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise DelegateFailed(f"{what} hangs: no answer within {timeout_s:g} s") from None
    finally:
        _end(child)
    lines = said.splitlines()
    if child.returncode == 0:
        return
    if child.returncode == ModelError.exit_code and lines:
        raise ModelError(lines[-1])
    if child.returncode == DelegateFailed.exit_code and lines:
        raise DelegateFailed(lines[-1])
    last = (noise.strip().splitlines() or [""])[-1]
    raise DelegateFailed(f"{what} {_ending(child.returncode)}{f': {last}' if last else ''}")


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"ended the process that tried it (exit code {returncode})"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:  # a real-time signal
        name = f"signal {-returncode}"
    return f"crashed the process that tried it ({name})"


def _end(child: "subprocess.Popen[str]") -> None:
    """Kill a child that still runs.  One that waits in a driver dies when the driver lets it."""
    child.kill()
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()
    with suppress(subprocess.TimeoutExpired):
        child.wait(1.0)
