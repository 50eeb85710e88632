"""Memory that runs out ends the process, for its supervisor to start it again."""

import subprocess
import sys
from pathlib import Path

import av
import pytest

PROGRAM = """
import mmap, resource, sys
from edge_vision.camera.demo import DemoCamera
from edge_vision.cli import main

read = DemoCamera.read

def greedy(self, timeout_s):
    if self._next == 40:
        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * mmap.PAGESIZE + (64 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        bytearray(256 << 20)
    return read(self, timeout_s)

DemoCamera.read = greedy
main()
"""
"""The camera's thread asks for more than the process may have, at its 40th frame."""


@pytest.mark.parametrize("service", [[], ["--service"]])
def test_no_memory_left(tmp_path: Path, service: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "run",
         "--source", "demo", "--no-window", "--size", "small", "--threads", "1",
         "--set", "camera.size_px=[320, 240]", "--set", "camera.pace=fast",
         "--save", "o.mp4", "--duration", "60", *service],
        capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 70, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("edge-vision: out of memory; end other programs")
    with av.open(str(tmp_path / "o.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) >= 30
