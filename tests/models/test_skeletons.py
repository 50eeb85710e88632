"""The detectors without weights: whole, empty, of any size, and as slow as the real ones."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from edge_vision.detect.anchors import AnchorSpec, ssd_anchors
from edge_vision.detect.runtime import Runtime
from edge_vision.detect.zoo import models_dir

NAMES = (
    "ssd_mobilenet_v1_0.25", "ssd_mobilenet_v1_0.5", "ssd_mobilenet_v1_0.75", "ssd_mobilenet_v1_1",
    "ssdlite_mobilenet_v2_0.35", "ssdlite_mobilenet_v2_0.5", "ssdlite_mobilenet_v2_0.75",
    "ssdlite_mobilenet_v2_1", "ssdlite_mobilenet_v2_1.4",
)  # fmt: skip


def _listed() -> dict[str, dict[str, Any]]:
    text = (models_dir() / "skeletons" / "skeletons.yaml").read_text()
    return {entry["name"]: entry for entry in yaml.safe_load(text)["skeletons"]}


def _unpacked(name: str, folder: Path) -> Path:
    packed = models_dir() / "skeletons" / _listed()[name]["file"]
    file = folder / f"{name}.tflite"
    file.write_bytes(gzip.decompress(packed.read_bytes()))
    return file


def test_the_list_is_complete_and_true() -> None:
    listed = _listed()
    assert tuple(listed) == NAMES
    for name, entry in listed.items():
        data = (models_dir() / "skeletons" / entry["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert len(data) < 25_000
        assert name == f"{entry['family']}_{entry['alpha']:g}"
    by_family: dict[str, list[tuple[float, int, int]]] = {}
    for e in listed.values():
        row = e["alpha"], e["parameters"], e["multiply_adds_300"]
        by_family.setdefault(e["family"], []).append(row)
    for rows in by_family.values():  # wider costs more, by every figure
        for column in zip(*rows, strict=True):
            assert list(column) == sorted(set(column))


@pytest.mark.parametrize("name", NAMES)
def test_each_runs_at_any_size_and_finds_nothing(name: str, tmp_path: Path) -> None:
    file = _unpacked(name, tmp_path)
    for hw in ((300, 300), (172, 236)):
        runtime = Runtime(file, 1, hw)
        anchors = len(ssd_anchors(AnchorSpec(), hw))
        assert runtime.input.dtype == np.uint8
        shapes = sorted(info.shape for info in runtime.outputs)
        assert shapes == [(1, anchors, 4), (1, anchors, 80)]
        runtime.write_input(np.full((1, *hw, 3), 200, np.uint8))
        runtime.invoke()
        for index, info in enumerate(runtime.outputs):
            out = np.empty(info.shape, info.dtype)
            runtime.read_output(index, out)
            assert (out == info.quantization[1]).all()  # the real number 0 everywhere
