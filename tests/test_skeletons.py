"""The list of detectors without weights, read, checked and unpacked."""

import shutil
from pathlib import Path

import pytest
import yaml

from edge_vision.detect.network_cost import multiply_adds, parameters
from edge_vision.detect.tflite_file import read_tflite
from edge_vision.detect.zoo import models_dir
from edge_vision.errors import ModelError
from edge_vision.skeletons import Skeleton, read_skeletons


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder of skeletons, to be damaged."""
    return Path(shutil.copytree(models_dir() / "skeletons", tmp_path / "skeletons"))


def _first(folder: Path) -> Skeleton:
    return read_skeletons(folder)[0]


@pytest.mark.parametrize("skeleton", read_skeletons(), ids=lambda s: s.name)
def test_files_hold_the_network_that_the_list_says(skeleton: Skeleton, tmp_path: Path) -> None:
    """Nothing was merged or left out when they were made: every layer is in the file."""
    file = read_tflite(skeleton.unpack(tmp_path))
    text = (models_dir() / "skeletons" / "skeletons.yaml").read_text("utf-8")
    (listed,) = (e for e in yaml.safe_load(text)["skeletons"] if e["name"] == skeleton.name)
    assert parameters(file) == skeleton.parameters == listed["parameters"]
    assert multiply_adds(file, (300, 300)) == listed["multiply_adds_300"]


def test_an_altered_file_is_refused(copied: Path, tmp_path: Path) -> None:
    skeleton = _first(copied)
    data = bytearray(skeleton.packed.read_bytes())
    data[100] ^= 1
    skeleton.packed.write_bytes(data)
    with pytest.raises(ModelError, match=r"was altered.*git checkout"):
        skeleton.unpack(tmp_path)


def test_a_missing_file_is_refused(copied: Path, tmp_path: Path) -> None:
    skeleton = _first(copied)
    skeleton.packed.unlink()
    with pytest.raises(ModelError, match=r"cannot be read: No such file.*git checkout"):
        skeleton.unpack(tmp_path)


def test_no_room_to_unpack(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be unpacked to .*gone"):
        read_skeletons()[0].unpack(tmp_path / "gone")


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "skeletons: 3", "skeletons: [{name: x}]", "skeletons: [", "a: b"]
)
def test_a_list_that_is_not_understood(copied: Path, text: str) -> None:
    (copied / "skeletons.yaml").write_text(text)
    with pytest.raises(ModelError, match=r"skeletons\.yaml is not understood"):
        read_skeletons(copied)


def test_a_missing_list(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"skeletons\.yaml cannot be read: No such file"):
        read_skeletons(tmp_path)
