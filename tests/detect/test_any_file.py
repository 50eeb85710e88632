"""`model.file`: the shipped files, and made ones in every layout."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.api import open_detector
from edge_vision.config import ModelConfig
from edge_vision.detect.anchors import AnchorSpec, ssd_anchors
from edge_vision.detect.any_file import pixel_table
from edge_vision.detect.detector import SsdDetector, as_image, build_detector
from edge_vision.detect.runtime import TensorInfo
from edge_vision.detect.tflite_file import TfliteFile
from edge_vision.errors import ConfigError, ModelError
from edge_vision.results import Detections

DEFAULT = "ssdlite_mobilenet_v2_coco_int8.tflite"
GREY = np.full((60, 80, 3), 90, np.uint8)


def open_file(file: Path, labels: Path | None = None, **more) -> SsdDetector:
    values = {"file": str(file), "threads": 2, "min_score": 0.3, **more}
    return build_detector(ModelConfig(labels=str(labels) if labels else None, **values))


def alike(one: Detections, other: Detections) -> bool:
    return one.class_ids.tolist() == other.class_ids.tolist() and np.allclose(
        one.boxes, other.boxes, atol=1e-6
    )


@pytest.fixture
def coco_names(repo: Path) -> Path:
    return repo / "models" / "labels" / "coco.txt"


@pytest.mark.parametrize("hw", [None, (236, 300)])
def test_the_default_file_without_its_manifest(
    repo: Path, pictures: Path, coco_names: Path, hw: tuple[int, int] | None
) -> None:
    """The same detections, but for the measured offsets that only the manifest has."""
    picture = cv2.imread(str(pictures / "cup.jpg"))
    plain = open_file(repo / "models" / DEFAULT, coco_names, input_hw_px=hw)
    named = build_detector(ModelConfig(threads=2, min_score=0.3, input_hw_px=hw))
    assert plain.labels == named.labels
    assert plain.description == f"{Path(DEFAULT).stem} {'300x236' if hw else '300x300'}"
    found, expected = plain.detect(picture), named.detect(picture)
    assert found.class_ids[0] == expected.class_ids[0] == 47
    assert hw is not None or alike(found, expected)


def test_open_detector_takes_a_file(repo: Path, pictures: Path, coco_names: Path) -> None:
    detector = open_detector(file=repo / "models" / DEFAULT, labels=coco_names, threads=2)
    assert detector.detect(cv2.imread(str(pictures / "cup.jpg"))).class_ids[0] == 47


def test_without_labels_classes_have_numbers(repo: Path) -> None:
    detector = open_file(repo / "models" / DEFAULT, classes=["class 80"])
    assert len(detector.labels) == 80
    with pytest.raises(ConfigError, match="cup"):
        open_file(repo / "models" / DEFAULT, classes=["cup"])


def test_the_face_file_without_its_manifest(repo: Path, pictures: Path) -> None:
    file, labels = repo / "models" / "ssd_mobilenet_v1_face_int8.tflite", repo / "models/labels"
    detector = open_file(file, labels / "face.txt", min_score=0.5)
    found = detector.detect(cv2.imread(str(pictures / "astronaut.jpg")))
    assert detector.labels == {1: "face"}
    assert len(found) == 1
    centre = (found.boxes[0, :2] + found.boxes[0, 2:]) / 2
    assert centre == pytest.approx((0.43, 0.23), abs=0.06)


def raw_heads(hw: tuple[int, int], kind: str, activation: str, background: bool) -> list:
    """Heads that see class 2 of 3 in the box of anchor 700, quantised as `kind` says."""
    anchors = len(ssd_anchors(AnchorSpec(training_hw_px=hw), hw))
    real = np.full((1, anchors, 3 + background), -6.0)
    if background:
        real[..., 0] = 6.0
        real[0, 700, 0] = -6.0
    real[0, 700, 1 + background] = 2.0
    if activation == "sigmoid":
        real = 1 / (1 + np.exp(-real))
    elif activation == "softmax":
        real = np.exp(real) / np.exp(real).sum(-1, keepdims=True)
    boxes = np.random.default_rng(0).normal(0, 1.5, (1, anchors, 4))
    boxes[0, 700] = 0
    if kind == "float32":
        return [[boxes.astype(np.float32)], [real.astype(np.float32)]]
    least = -128 if kind == "int8" else 0
    step, zero = (1 / 16, least + 128) if activation == "logits" else (1 / 256, least)
    stored = np.clip(np.rint(real / step) + zero, least, least + 255).astype(kind)
    middle = least + 128
    codes = np.clip(np.rint(boxes / 0.05) + middle, least, least + 255).astype(kind)
    return [[codes, 0.05, middle], [stored, step, zero]]


@pytest.mark.parametrize("hw", [(300, 300), (320, 320), (512, 512), (192, 256)])
@pytest.mark.parametrize("kind", ["float32", "uint8", "int8"])
@pytest.mark.parametrize(
    ("activation", "background"),
    [("logits", False), ("logits", True), ("sigmoid", False), ("sigmoid", True), ("softmax", True)],
)
def test_raw_heads_of_every_kind(
    write_tflite, hw: tuple[int, int], kind: str, activation: str, background: bool
) -> None:
    file = write_tflite(raw_heads(hw, kind, activation, background), input_shape=(1, *hw, 3))
    found = open_file(file).detect(GREY)
    assert found.class_ids.tolist() == [2]
    assert found.scores[0] == pytest.approx(0.88 if activation != "softmax" else 0.99, abs=0.02)
    cy, cx, h, w = ssd_anchors(AnchorSpec(training_hw_px=hw), hw)[700]
    expected = np.clip([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 0, 1)
    assert np.allclose(found.boxes[0], expected, atol=1e-5)


@pytest.mark.parametrize("hw", [(300, 300), (320, 320), (224, 288)])
@pytest.mark.parametrize("rows", [1, 10, 40, 100])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_post_process_files_of_every_input(
    write_tflite, rows: int, hw: tuple[int, int], dtype: str
) -> None:
    boxes = np.zeros((1, rows, 4), np.float32)
    boxes[..., 2:] = np.linspace(0.2, 1, rows)[:, None]
    kinds = np.arange(rows, dtype=np.float32)[None] + 2
    scores = np.linspace(0.9, 0.5, rows, dtype=np.float32)[None]
    count = np.array([min(rows, 7)], np.float32)
    outputs = [[scores], [boxes], [count], [kinds]]
    file = write_tflite(outputs, input_shape=(1, *hw, 3), input_dtype=dtype)
    detector = open_file(file, nms_iou=1.0)
    assert detector.input_hw_px == hw
    assert detector.new_input().dtype == dtype
    assert detector.detect(GREY).class_ids.tolist() == list(range(3, 3 + min(rows, 7)))


@pytest.mark.parametrize(
    ("dtype", "step", "asked", "ends"),
    [
        ("int8", (1 / 127.5, -1), "auto", (-128, 126)),
        ("int8", (1 / 255, -128), "auto", (-128, 127)),
        ("int8", (1.0, -128), "auto", (-128, 127)),
        ("int8", (0.0, 0), "auto", (-128, 127)),
        ("int8", (1 / 127.5, -1), "0..1", (-1, 126)),
        ("float32", (0.0, 0), "auto", (-1.0, 1.0)),
        ("float32", (0.0, 0), "0..1", (0.0, 1.0)),
        ("float32", (0.0, 0), "0..255", (0.0, 255.0)),
    ],
)
def test_pixels_for_other_inputs(
    dtype: str, step: tuple[float, int], asked: str, ends: tuple[float, float]
) -> None:
    info = TensorInfo(0, (1, 300, 300, 3), np.dtype(dtype), step)
    table, why = pixel_table("x.tflite", info, TfliteFile((), (), (0,), ()), asked)
    assert table is not None
    assert table.dtype == dtype
    assert (table[0], table[255]) == pytest.approx(ends)
    assert (np.diff(table.astype(float)) >= 0).all()
    assert dtype in why or asked in why


def test_pixels_go_in_as_the_table_says(write_tflite) -> None:
    outputs = [[np.zeros((1, 1917, 4), np.float32)], [np.full((1, 1917, 3), -9, np.float32)]]
    detector = open_file(write_tflite(outputs, input_dtype="float32"))
    prepared = detector.new_input()
    picture = cv2.merge([np.full((9, 9), value, np.uint8) for value in (0, 51, 255)])
    detector.prepare(as_image(picture), prepared)
    assert prepared[5, 5].tolist() == pytest.approx([1.0, -0.6, -1.0])


def test_sizes_that_do_not_fit(write_tflite) -> None:
    rows = np.zeros((1, 10, 4), np.float32)
    flat = np.zeros((1, 10), np.float32)
    outputs = [[rows], [flat + 3], [flat + 0.5], [np.array([10], np.float32)]]
    with pytest.raises(ModelError, match="runs at 300x300 px only"):
        open_file(write_tflite(outputs), input_hw_px=(200, 200))
    heads = [[np.zeros((1, 1900, 4), np.float32)], [np.full((1, 1900, 9), -4, np.float32)]]
    with pytest.raises(ModelError, match=r"another number of anchors.*1900.*1917 at 300x300"):
        open_file(write_tflite(heads))
    with pytest.raises(ModelError, match="at least 96"):
        open_file(write_tflite(heads, input_shape=(1, 64, 64, 3)))


@pytest.mark.parametrize("shape", [(1, 300, 300, 1), (1, 3, 300, 300), (1, 100), (4, 96, 96, 3)])
def test_inputs_that_are_no_picture(write_tflite, shape: tuple[int, ...]) -> None:
    file = write_tflite([[np.zeros((1, 10), np.float32)]], input_shape=shape)
    with pytest.raises(ModelError, match="no detector of colour pictures"):
        open_file(file)


def test_other_networks_and_edge_tpu_files(write_tflite) -> None:
    row = np.zeros((1, 1001), np.float32)
    with pytest.raises(ModelError, match=r"made.tflite is no SSD detector but a classifier"):
        open_file(write_tflite([[row]]))
    compiled = write_tflite([[row]], custom_op="edgetpu-custom-op")
    with pytest.raises(ModelError, match="compiled for the Edge TPU"):
        open_file(compiled, delegate="cpu")
    with pytest.raises(ModelError, match="needs the operator Strange"):
        open_file(write_tflite([[row]], custom_op="Strange"))


def test_labels_must_fit(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("cat\ndog\n")
    with pytest.raises(ModelError, match="too few labels: 2"):
        open_file(repo / "models" / DEFAULT, tmp_path / "few.txt")


def test_altered_files_end_in_a_sentence(repo: Path, tmp_path: Path) -> None:
    """Each in a process of its own, as the runtime is native code: never a crash or traceback."""
    whole = (repo / "models" / DEFAULT).read_bytes()
    random = np.random.default_rng(3)
    code = (
        "import sys, numpy as np\n"
        "from edge_vision.config import ModelConfig\n"
        "from edge_vision.detect.detector import build_detector\n"
        "from edge_vision.errors import ModelError\n"
        "for file in sys.argv[1:]:\n"
        "    try:\n"
        "        detector = build_detector(ModelConfig(file=file, threads=1))\n"
        "        detector.detect(np.zeros((9, 9, 3), np.uint8))\n"
        "    except ModelError as error:\n"
        "        print('refused', error)\n"
        "    else:\n"
        "        print('ran')\n"
    )
    files = []
    for number in range(24):
        altered = bytearray(whole)
        if number % 3 == 0:  # a piece is missing at the end
            del altered[int(random.integers(0, len(whole))) :]
        else:  # the tables of this file are at its end
            for place in random.integers(len(whole) - 60_000, len(whole), 2):
                altered[place] = random.integers(0, 256)
        files.append(tmp_path / f"{number}.tflite")
        files[-1].write_bytes(altered)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, files)],
        capture_output=True, text=True, timeout=120, cwd=repo,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 24
    assert sum(line.startswith("refused") for line in said) >= 8


def test_the_keys_go_together() -> None:
    with pytest.raises(ValueError, match=r"model\.labels belongs to model\.file"):
        ModelConfig(labels="x.txt")
    with pytest.raises(ValueError, match=r"model\.size small is for the models of the manifest"):
        ModelConfig(file="x.tflite", size="small")
