"""What a .tflite file says about itself, and what damaged ones are called."""

from pathlib import Path

import numpy as np
import pytest

from edge_vision.detect.tflite_file import POST_PROCESS, TfliteFile, read_tflite
from edge_vision.errors import ModelError

DEFAULT = "ssdlite_mobilenet_v2_coco_int8.tflite"


def test_the_default_file(repo: Path) -> None:
    file = read_tflite(repo / "models" / DEFAULT)
    (number,) = file.inputs
    assert file.tensors[number].shape == (1, 300, 300, 3)
    assert file.tensors[number].dtype == "uint8"
    heads = [file.tensors[index] for index in file.outputs]
    assert sorted(head.shape[-1] for head in heads) == [4, 80]
    assert all(head.resizable and head.dtype == "int8" and head.scale > 0 for head in heads)
    names = {operator.name for operator in file.operators}
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD"} <= names
    first = next(operator for operator in file.operators if operator.name == "CONV_2D")
    assert (first.stride_hw, first.same_padding) == ((2, 2), True)
    assert file.custom_ops == []
    assert not file.compiled_for_edgetpu


def test_the_published_file(shared: Path) -> None:
    file = read_tflite(shared / "models" / "coco_ssd_mobilenet_v1_1.0_quant.tflite")
    assert file.custom_ops == [POST_PROCESS]
    assert [file.producer(tensor) is not None for tensor in file.outputs] == [True] * 4


def test_edge_tpu_files_are_known(write_tflite) -> None:
    row = np.zeros((1, 8), np.float32)
    assert read_tflite(write_tflite([[row]], custom_op="edgetpu-custom-op")).compiled_for_edgetpu
    assert not read_tflite(write_tflite([[row]], custom_op="other")).compiled_for_edgetpu


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x1c\0\0", "not a TFLite file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a TFLite file"),
        (b"\xff\xff\xff\xffTFL3" + bytes(100), "cut short or altered"),
        (b"\x08\0\0\0TFL3", "cut short or altered"),
    ],
)
def test_what_is_no_tflite_file(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "x.tflite").write_bytes(data)
    with pytest.raises(ModelError, match=words):
        read_tflite(tmp_path / "x.tflite")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        read_tflite(tmp_path / "none.tflite")
    with pytest.raises(ModelError, match="cannot be read"):
        read_tflite(tmp_path)


def test_any_truncation_is_an_error_or_whole(repo: Path, tmp_path: Path) -> None:
    whole = (repo / "models" / DEFAULT).read_bytes()
    file = tmp_path / "cut.tflite"
    refused = 0
    for length in [8, 12, 40, 100, 1000, *range(len(whole) // 9, len(whole), len(whole) // 9)]:
        file.write_bytes(whole[:length])
        try:
            read_tflite(file)
        except ModelError as error:
            refused += "cut short or altered" in str(error)
    assert refused == 14  # this writer puts the weights in front: every cut loses something


def test_altered_bytes_never_crash_the_reader(write_tflite) -> None:
    """Also the numbers that an altered file yields must be usable."""
    path = write_tflite([[np.zeros((1, 8), np.float32)]], custom_op="edgetpu-custom-op")
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    refused = read = 0
    for _ in range(600):
        altered = bytearray(whole)
        for place in random.integers(0, len(whole), random.integers(1, 5)):
            altered[place] = random.integers(0, 256)
        path.write_bytes(bytes(altered))
        try:
            file = read_tflite(path)
        except ModelError:
            refused += 1
        else:
            assert isinstance(file, TfliteFile)
            read += 1
            for tensor in (*file.inputs, *file.outputs):
                assert file.tensors[tensor].elements <= 2**31
                file.producer(tensor)
    assert refused > 60
    assert read > 60
