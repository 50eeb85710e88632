"""Parameters and multiply-adds against the papers' figures."""

from pathlib import Path

import numpy as np
import pytest

from edge_vision.detect.network_cost import multiply_adds, parameters
from edge_vision.detect.tflite_file import read_tflite

DEFAULT = "ssdlite_mobilenet_v2_coco_int8.tflite"


def test_ssdlite_mobilenet_v2(repo: Path) -> None:
    """Sandler et al. 2018, table 6: 4.3 M parameters, 0.8 B multiply-adds at 320."""
    file = read_tflite(repo / "models" / DEFAULT)
    assert parameters(file) == pytest.approx(4.3e6, rel=0.01)
    assert multiply_adds(file, (320, 320)) == pytest.approx(0.8e9, rel=0.05)
    halved = multiply_adds(file, (160, 160)) / multiply_adds(file, (320, 320))
    assert halved == pytest.approx(0.25, abs=0.01)


def test_a_file_of_one_size(shared: Path) -> None:
    """Its weights have one byte each, and are nearly all of the file."""
    path = shared / "models" / "coco_ssd_mobilenet_v1_1.0_quant.tflite"
    file = read_tflite(path)
    assert parameters(file) == pytest.approx(path.stat().st_size, rel=0.03)
    assert multiply_adds(file, (300, 300)) == multiply_adds(file, (600, 600))


def test_a_network_without_layers(write_tflite) -> None:
    file = read_tflite(write_tflite([[np.zeros((1, 4), np.float32)]]))
    assert (parameters(file), multiply_adds(file, (300, 300))) == (0, 0)
