"""The child process that tries a delegate; see `delegate.probe`, which starts it.

Ends with 0, or with the exit code of an error whose message is the last line on standard output.
"""

import json
import os
import sys
from pathlib import Path

from edge_vision.detect.delegate import Delegate
from edge_vision.detect.runtime import Runtime
from edge_vision.errors import EdgeVisionError


def main() -> None:
    """Build the interpreter that the task in the only argument describes, which runs it once."""
    task = json.loads(sys.argv[1])
    file, threads = Path(task.pop("file")), int(task.pop("threads"))
    hw = task.pop("input_hw_px")
    status = 0
    try:
        Runtime(file, threads, tuple(hw) if hw else None, Delegate(**{**task, "tried": True}))
    except EdgeVisionError as error:
        sys.stdout.write(f"\n{' '.join(str(error).split())}\n")
        status = error.exit_code
    sys.stdout.flush()
    # At once: what the library's own buffers and exit handlers would still say comes too late.
    os._exit(status)


if __name__ == "__main__":
    main()
