"""Input sizes that do not fit into memory are refused with a figure."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_vision.config import ModelConfig
from edge_vision.detect import memory
from edge_vision.detect.detector import build_detector
from edge_vision.detect.memory import check_memory, needed_bytes
from edge_vision.errors import ModelError


def free(monkeypatch: pytest.MonkeyPatch, number_of_bytes: int | None) -> None:
    monkeypatch.setattr(memory, "available_memory_bytes", lambda: number_of_bytes)


def test_more_than_there_is_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 300_000_000)
    with pytest.raises(ModelError) as caught:
        build_detector(ModelConfig(input_hw_px=(4096, 4000)))
    assert str(caught.value) == (
        "ssdlite_mobilenet_v2_coco_int8.tflite at 4000x4096 px needs about 1311 MB of memory, and "
        "300 MB are available; choose a smaller model.input_hw_px"
    )
    assert build_detector(ModelConfig(input_hw_px=(300, 300))).input_hw_px == (300, 300)


def test_the_limit_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    hw = (1000, 1000)
    free(monkeypatch, needed_bytes(hw, np.uint8))
    check_memory(Path("a.tflite"), hw, np.uint8)
    with pytest.raises(ModelError):
        check_memory(Path("a.tflite"), hw, np.float32)
    free(monkeypatch, needed_bytes(hw, np.uint8) - 1)
    with pytest.raises(ModelError):
        check_memory(Path("a.tflite"), hw, np.uint8)
    free(monkeypatch, None)
    check_memory(Path("a.tflite"), hw, np.uint8)


CHILD = """
import numpy as np
from edge_vision.config import ModelConfig
from edge_vision.detect.detector import build_detector
def peak_kb():
    # Not getrusage: its peak is inherited from the process that started this one.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
build_detector(ModelConfig(input_hw_px=(96, 96), threads=1))
before = peak_kb()
detector = build_detector(ModelConfig(input_hw_px=(1400, 1500), threads=1))
detector.detect(np.zeros((720, 1280, 3), np.uint8))
print((peak_kb() - before) * 1024)
"""


def test_the_estimate_is_about_what_a_detector_takes() -> None:
    # In a child: the peak of this process may stand already above it.
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, timeout=60
    )
    taken = int(done.stdout)
    assert 0.6 < taken / needed_bytes((1400, 1500), np.uint8) < 1.1
