"""Runs inside the emulated machine: executes what comes through the serial port, one at a time.

A request is a line of JSON {"command": shell text, "timeout_s": number}; the answer is a line
{"code": exit code or null when the time was up, "output": standard output and error}.  A first
answer without a request says that the agent listens.
"""

import json
import os
import signal
import subprocess

PORT = "/dev/virtio-ports/board"


def execute(command: str, timeout_s: float) -> dict[str, object]:
    """Run `command` in a shell of its own session, which ends with it when the time is up."""
    process = subprocess.Popen(
        ["/bin/bash", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    code: int | None
    try:
        output, _ = process.communicate(timeout=timeout_s)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        code = None
    return {"code": code, "output": output.decode(errors="replace")}


def main() -> None:
    """Serve for as long as the machine runs."""
    with open(PORT, "r+b", buffering=0) as port:
        answer: dict[str, object] = {"code": 0, "output": ""}
        pending = b""
        while True:
            data = json.dumps(answer).encode() + b"\n"
            while data:
                data = data[os.write(port.fileno(), data) :]
            while b"\n" not in pending:
                pending += os.read(port.fileno(), 65536)
            line, _, pending = pending.partition(b"\n")
            request = json.loads(line)
            answer = execute(request["command"], request["timeout_s"])


if __name__ == "__main__":
    main()
