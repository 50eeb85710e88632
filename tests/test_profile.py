"""The profile of `edge-vision tune`, and `model.size: auto`."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from edge_vision import board
from edge_vision.config import ModelConfig
from edge_vision.detect import detector as detector_module
from edge_vision.detect.detector import build_detector
from edge_vision.detect.runtime import runtime_name
from edge_vision.detect.zoo import find_model
from edge_vision.errors import OutputError
from edge_vision.profile import (
    Measured,
    Profile,
    board_identity,
    profile_file,
    settle_size,
    write_profile,
)

DEFAULT = "ssdlite_mobilenet_v2_coco"
FIGURES = Measured(rate_per_s=50.0, p50_ms=19.0, p95_ms=22.0, cpu_share=0.25, map=0.264)


def profile(**changes: Any) -> Profile:
    values: dict[str, Any] = {
        "board": "Test Board, 4 cores",
        "runtime": "ai-edge-litert 2.3.0",
        "model": DEFAULT,
        "sha256": "abc",
        "size": "medium",
        "input_hw_px": (236, 236),
        "threads": 3,
        "delegate": "xnnpack",
        "delegate_options": {},
        "date": "2026-01-02T03:04:05+00:00",
        "measured": FIGURES,
        **changes,
    }
    return Profile(**values)


def settle(file: Path, runtime: str = "ai-edge-litert 2.3.0", **config: Any) -> ModelConfig:
    """`model.size: auto` on the board and with the model of `profile()`."""
    return settle_size(
        ModelConfig(size="auto", **config), "abc", lambda: runtime, file, "Test Board, 4 cores"
    )


@pytest.mark.parametrize(
    ("environment", "user_id", "expected"),
    [
        ({"HOME": "/home/u"}, 1000, "/home/u/.local/state/edge-vision"),
        ({"HOME": "/home/u", "XDG_STATE_HOME": "/s"}, 1000, "/s/edge-vision"),
        ({"HOME": "/home/u", "XDG_STATE_HOME": "s"}, 1000, "/home/u/.local/state/edge-vision"),
        ({"HOME": "/root", "XDG_STATE_HOME": "/s"}, 0, "/var/lib/edge-vision"),
        ({"HOME": "/root", "STATE_DIRECTORY": "/var/lib/ev"}, 0, "/var/lib/ev"),
        ({"HOME": "/home/u", "STATE_DIRECTORY": "/a:/b"}, 1000, "/a"),
        ({}, 1000, "/var/lib/edge-vision"),
    ],
)
def test_where_it_is(environment: dict[str, str], user_id: int, expected: str) -> None:
    assert profile_file(environment, user_id) == Path(expected) / "profile.json"


def test_it_is_followed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "new" / "folder" / "profile.json"
    write_profile(profile(), file)
    with caplog.at_level(logging.INFO):
        settled = settle(file)
    assert settled.input_hw_px == (236, 236)
    assert (settled.threads, settled.delegate) == (3, "xnnpack")
    assert caplog.messages == [
        "model.size auto: medium as measured on this board, 2026-01-02T03:04:05+00:00"
    ]
    assert os.listdir(file.parent) == ["profile.json"], "nothing half-written is left"


def test_what_the_configuration_names_stays(tmp_path: Path) -> None:
    file = tmp_path / "profile.json"
    write_profile(profile(delegate="/x/a.so", delegate_options={"device": "usb:0"}), file)
    settled = settle(file, threads=2, delegate="cpu", min_score=0.7)
    assert (settled.threads, settled.delegate, settled.min_score) == (2, "cpu", 0.7)
    assert settled.delegate_options == {}
    assert settled.input_hw_px == (236, 236)
    followed = settle(file)
    assert (followed.delegate, followed.delegate_options) == ("/x/a.so", {"device": "usb:0"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"board": "Other, 4 cores"},
         "another board (Other, 4 cores; this is Test Board, 4 cores)"),
        ({"model": "face"}, f"of the model face, not {DEFAULT}"),
        ({"sha256": "abd"}, f"the file of {DEFAULT} has changed"),
        ({"runtime": "ai-edge-litert 2.1.6"},
         "with ai-edge-litert 2.1.6, and ai-edge-litert 2.3.0 is in use"),
    ],
)  # fmt: skip
def test_one_that_does_not_hold_is_ignored_in_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, str], said: str
) -> None:
    file = tmp_path / "profile.json"
    write_profile(profile(**changes), file)
    assert settle(file) == ModelConfig(size="large")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"the profile {file} is ignored" in record.getMessage()
    assert said in record.getMessage()
    assert "using large" in record.getMessage()


def test_a_missing_one_is_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert settle(tmp_path / "profile.json").size == "large"
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "edge-vision tune --write" in record.getMessage()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"[]", b'{"board": 1}',
        *(json.dumps({**json.loads(profile().model_dump_json()), **wrong}).encode() for wrong in (
            {"input_hw_px": [0, 300]}, {"input_hw_px": [300]}, {"threads": 0}, {"threads": "2"},
            {"strange": 1}, {"measured": None}, {"input_hw_px": [5000, 5000]},
        )),
    ],
)  # fmt: skip
def test_a_damaged_one_is_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file = tmp_path / "profile.json"
    file.write_bytes(content)
    assert settle(file) == ModelConfig(size="large")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{file} is damaged" in record.getMessage()


def test_one_that_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "profile.json").mkdir()
    assert settle(tmp_path / "profile.json").size == "large"
    assert "cannot be read (Is a directory)" in caplog.messages[0]


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file, no folder")
    file = tmp_path / "state" / "edge-vision" / "profile.json"
    with pytest.raises(OutputError, match="Not a directory; make its folder writable") as caught:
        write_profile(profile(), file)
    assert str(file) in str(caught.value)


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "profile.json"
    write_profile(profile(), file)
    before = file.read_bytes()

    def no_space(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OutputError, match="No space left"):
        write_profile(profile(threads=1), file)
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["profile.json"]


def test_the_identity_names_board_and_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    assert board_identity().startswith(f"{board.board_name()}, ")
    monkeypatch.setattr("edge_vision.profile.core_count", lambda: 1)
    assert board_identity().endswith(", 1 core")
    monkeypatch.setattr("edge_vision.profile.core_count", lambda: 4)
    assert board_identity().endswith(", 4 cores")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile of this computer, for the default model at 236x300 on one thread."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    entry = find_model(DEFAULT)
    fits = profile(
        board=board_identity(), runtime=runtime_name(entry.file), sha256=entry.sha256, size=None,
        input_hw_px=(236, 300), threads=1,
    )  # fmt: skip
    write_profile(fits, profile_file())
    return profile_file()


def test_a_detector_of_size_auto(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        detector = build_detector(ModelConfig(size="auto"))
    assert (detector.input_hw_px, detector.threads) == ((236, 300), 1)
    assert "300x236 px as measured on this board" in caplog.messages[0]
    assert build_detector(ModelConfig(size="small")).input_hw_px == (172, 172)
    exact = build_detector(ModelConfig(size="auto", input_hw_px=(172, 236), threads=2))
    assert (exact.input_hw_px, exact.threads) == ((172, 236), 2)


def test_another_model_and_another_runtime(
    here: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = build_detector(ModelConfig(name="face", size="auto"))
    assert face.input_hw_px == (512, 512)
    assert "not face" in caplog.messages[0]
    monkeypatch.setattr(detector_module, "runtime_name", lambda file: "other 1.0")
    assert build_detector(ModelConfig(size="auto")).input_hw_px == (300, 300)
    assert "other 1.0 is in use" in caplog.messages[1]


def test_a_file_of_ones_own_has_its_own_size(
    here: Path, repo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = repo / "models" / "ssdlite_mobilenet_v2_coco_int8.tflite"
    assert build_detector(ModelConfig(file=str(file), size="auto")).input_hw_px == (300, 300)
    assert caplog.messages == []


def test_open_detector_takes_auto(here: Path) -> None:
    import edge_vision

    assert edge_vision.open_detector(size="auto").input_hw_px == (236, 300)
