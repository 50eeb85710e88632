"""Videos whose writer dies: killed, out of space, out of time."""

import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import pytest

CHILD = """
import os, resource, signal, sys
sys.path[:0] = {path!r}
import numpy as np
from edge_vision.config_outputs import VideoConfig
from edge_vision.frame import Image, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.outputs.video import VideoOutput
output = VideoOutput(VideoConfig(path=sys.argv[1]), patient=True)
output.start()
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, 10**9))
noise = np.random.default_rng(0)
for number in range(100):
    canvas = np.full((240, 320, 3), 20 + 2 * number, np.uint8)
    canvas[:100, :100] = noise.integers(0, 256, (100, 100, 3))
    if not output.offer(Picture(Image.from_array(canvas), number, number * 40_000_000, Stamps())):
        break
else:
    if not limit:
        os.kill(os.getpid(), signal.SIGKILL)
output.close(10)
print(output.fault(), output.active())
"""
SECOND = 25  # pictures


def _run(path: Path, limit_bytes: int) -> "subprocess.CompletedProcess[str]":
    code = CHILD.format(path=[entry for entry in sys.path if entry])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(path), str(limit_bytes)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def _pictures(path: Path) -> int:
    """Pictures that FFmpeg and OpenCV both decode, each with the time and level it was given."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        duration_s = float(stream.duration * stream.time_base)
    for number, frame in enumerate(frames):
        assert frame.time == pytest.approx(number * 0.04, abs=1e-4)
        level = frame.to_ndarray(format="bgr24")[120:, 120:].mean()
        assert abs(level - (20 + 2 * number)) <= 4  # a step of 2 may be skipped by the encoder
    assert duration_s == pytest.approx(len(frames) * 0.04, abs=1e-3)
    reader = cv2.VideoCapture(str(path))
    assert sum(1 for _ in iter(lambda: reader.read()[0], False)) == len(frames)
    return len(frames)


def test_killed(tmp_path: Path) -> None:
    """All 100 pictures were taken; at most the eight that waited and one second are lost."""
    path = tmp_path / "out.mp4"
    done = _run(path, 0)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert _pictures(path) >= 100 - 8 - SECOND - 1


@pytest.mark.parametrize("limit_bytes", [300_000, 500_000])
def test_full_disk(tmp_path: Path, limit_bytes: int) -> None:
    path = tmp_path / "out.mp4"
    done = _run(path, limit_bytes)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size <= limit_bytes
    kept = _pictures(path)
    assert kept >= SECOND
    sentence = f"{path}: the file has reached the largest size allowed after {kept + SECOND} frames"
    assert done.stdout == f"{sentence}; the first {kept} are kept and playable False\n"
    assert done.stderr.count("\n") == 1  # the log says it once, and no traceback


@pytest.mark.parametrize("limit_bytes", [10, 1000, 50_000])
def test_a_disk_with_no_room_at_all(tmp_path: Path, limit_bytes: int) -> None:
    path = tmp_path / "out.mp4"
    done = _run(path, limit_bytes)
    assert done.returncode == 0, done.stderr
    assert not path.exists()
    assert "frames; none is kept False" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_disk_that_fills_up_with_the_index(tmp_path: Path) -> None:
    """The index at the end does not fit: the start of the file must still be that of fragments."""
    whole = tmp_path / "whole.mp4"
    done = _run(whole, 10**9 - 1)
    assert done.stdout == "None False\n", done.stderr
    assert _pictures(whole) == 100
    path = tmp_path / "out.mp4"
    done = _run(path, whole.stat().st_size - 100)
    assert "the first 75 are kept and playable" in done.stdout
    assert _pictures(path) == 75
