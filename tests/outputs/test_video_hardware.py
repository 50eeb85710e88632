"""MP4s by the board's encoder, with a stand-in for it, and when software takes its place."""

import logging
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config_outputs import VideoConfig
from edge_vision.errors import BackendMissing
from edge_vision.outputs import encoder, video
from edge_vision.outputs.base import Picture
from edge_vision.outputs.encoder import (
    Encoder,
    hardware,
    nal_types,
    software,
    why_not_hardware,
)
from edge_vision.outputs.mp4 import Mp4Writer
from edge_vision.outputs.video import VideoOutput

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for fake_encoder, which is no test

from fake_encoder import BOARD, writers

pytestmark = pytest.mark.usefixtures("no_thread_left")
MakePicture = Callable[..., Picture]
COUNT = 100
DELAY = 5
"""Pictures that the stand-in holds back."""


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Mp4Writer]]:
    """board(fails_at=None): from now on the computer has an encoder; the writers made."""

    def make(fails_at: int | None = None) -> list[Mp4Writer]:
        monkeypatch.setattr(video, "why_no_device", lambda: None)
        monkeypatch.setattr(video, "hardware", lambda width, height: BOARD)
        kind, made = writers(fails_at)
        monkeypatch.setattr(video, "Mp4Writer", kind)
        return made

    return make


def write(path: Path, picture: MakePicture, count: int = COUNT, **config: object) -> VideoOutput:
    output = VideoOutput(VideoConfig(path=str(path), **config), patient=True)
    output.start()
    for number in range(count):
        output.offer(picture(number))
    output.close(30)
    return output


def numbers(path: Path) -> list[tuple[int, int]]:
    """Time in ms and number (modulo 22) of every picture of a file."""
    with av.open(str(path)) as container:
        return [
            (round(frame.time * 1000), round((frame.to_ndarray(format="gray").mean() - 20) / 10))
            for frame in container.decode(video=0)
        ]


def expected(first: int, end: int) -> list[tuple[int, int]]:
    return [((number - first) * 40, number % 22) for number in range(first, end)]


def test_a_whole_run(
    tmp_path: Path, picture: MakePicture, board: Callable[..., object],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    board()
    with caplog.at_level(logging.INFO):
        assert write(tmp_path / "out.mp4", picture).fault() is None
    assert numbers(tmp_path / "out.mp4") == expected(0, COUNT)
    assert caplog.messages == [
        f"{tmp_path / 'out.mp4'}: the board's H.264 encoder, 1.0 Mbit/s at 30 fps"
    ]
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(COUNT * 0.04, abs=1e-3)


def test_cut_off_in_the_middle_it_is_playable(
    tmp_path: Path, picture: MakePicture, board: Callable[..., object]
) -> None:
    """As after a power cut: what an ordinary fragmented file of such an encoder is not."""
    board()
    path, cut = tmp_path / "out.mp4", tmp_path / "cut.mp4"
    output = VideoOutput(VideoConfig(path=str(path)), patient=True)
    output.start()
    for number in range(COUNT):
        assert output.offer(picture(number))
    # Eight may wait, five are in the encoder, and a fragment is 25 pictures.
    shutil.copyfile(path, cut)
    output.close(30)
    found = numbers(cut)
    assert len(found) >= COUNT - 8 - DELAY - 26
    assert found == expected(0, len(found))


@pytest.mark.parametrize("fails_at", [0, 1, 3, 60])
def test_when_it_fails_software_goes_on(
    tmp_path: Path, picture: MakePicture, board: Callable[..., list[Mp4Writer]], fails_at: int,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    (tmp_path / "out-2.mp4").write_bytes(b"somebody's")
    made = board(fails_at)
    output = write(tmp_path / "out.mp4", picture)
    assert output.fault() is None
    assert len(made) == 2
    assert (tmp_path / "out-2.mp4").read_bytes() == b"somebody's"
    first, second = tmp_path / "out.mp4", tmp_path / "out-3.mp4"
    kept = max(0, fails_at - DELAY)
    if not kept:
        second = first  # nothing is in it: it is begun again
    else:
        assert numbers(first) == expected(0, kept)
    assert numbers(second) == expected(fails_at, COUNT)
    (said,) = [line for line in caplog.messages if "failed" in line]
    assert said.endswith(
        f"after {fails_at} frames, of which {kept} are kept; software goes on in {second}"
    )


def test_software_is_not_asked_twice(
    tmp_path: Path, picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, made = writers(10)
    monkeypatch.setattr(video, "Mp4Writer", kind)
    output = write(tmp_path / "out.mp4", picture, encoder="software")
    assert "Input/output error after 10 frames" in str(output.fault())
    assert len(made) == 1


def test_without_one_auto_is_software_and_says_why(
    tmp_path: Path, picture: MakePicture, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    path = tmp_path / "out.mp4"
    monkeypatch.setattr(video, "why_no_device", lambda: "no device in /dev encodes H.264")
    with caplog.at_level(logging.INFO):
        write(path, picture, 10)
    assert caplog.messages == [f"{path}: encoded in software, as no device in /dev encodes H.264"]
    assert numbers(path) == expected(0, 10)


def test_without_one_hardware_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "why_no_device", lambda: "no device in /dev encodes H.264")
    output = VideoOutput(VideoConfig(path=str(tmp_path / "out.mp4"), encoder="hardware"))
    with pytest.raises(BackendMissing, match=r"encoder is hardware, but no device .*; set it to"):
        output.start()
    assert list(tmp_path.iterdir()) == []


def test_a_size_it_does_not_take(
    tmp_path: Path, picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "why_no_device", lambda: None)
    output = VideoOutput(VideoConfig(path=str(tmp_path / "a.mp4"), encoder="hardware"))
    output.start()
    output.offer(picture(0, size=(300, 200)))
    output.close(10)
    assert "hardware, but pictures of 300x200; the board's encoder takes widths" in str(
        output.fault()
    )
    assert not (tmp_path / "a.mp4").exists()


def test_software_never_looks_for_a_device(
    tmp_path: Path, picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "why_no_device", None)
    write(tmp_path / "out.mp4", picture, 3, encoder="software")
    assert len(numbers(tmp_path / "out.mp4")) == 3


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((640, 480), None),
        ((1920, 1080), None),
        ((660, 480), "pictures of 660x480"),
        ((1984, 1080), "at most 1920x1080"),
        ((1024, 1088), "at most 1920x1080"),
    ],
)
def test_a_picture_is_tried(size: tuple[int, int], said: str | None) -> None:
    reason = why_not_hardware(BOARD, *size)
    assert reason is None if said is None else said in str(reason)


def test_an_encoder_that_cannot_be_opened_or_gives_nothing() -> None:
    """FFmpeg's real wrapper, on a computer without a device; and an encoder of something else."""
    if Path("/dev/video11").exists():
        pytest.skip("this computer may have an encoder")
    reason = why_not_hardware(hardware(640, 480), 640, 480)
    assert reason is not None
    assert reason.startswith("the board's encoder refuses a test picture")
    assert why_not_hardware(Encoder("h264_none", {}), 640, 480) == "this PyAV has no h264_none"
    assert why_not_hardware(Encoder("mpeg4", {}), 640, 480) == (
        "the board's encoder gave nothing for a test picture"
    )


def test_an_encoder_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(encoder, "_there_and_back", lambda used, i420: let_go.wait(10))
    monkeypatch.setattr(encoder, "_PATIENCE_S", 0.01)
    reason = why_not_hardware(BOARD, 640, 480)
    let_go.set()
    assert reason == "the board's encoder did not answer within 0.01 s"


@pytest.mark.parametrize("how", ["skewed", "planes swapped", "not decoded"])
def test_an_encoder_that_spoils_the_picture(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """As when rows are padded and nobody says so: it is seen before anything is recorded."""
    back = encoder._there_and_back

    def spoilt(used: Encoder, i420: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        seen = back(used, i420)
        assert seen is not None
        assert np.abs(seen.astype(int) - i420).mean() < 3
        if how == "skewed":  # 32 bytes more in each row
            return np.resize(np.pad(seen, ((0, 0), (0, 32))), seen.shape)
        if how == "planes swapped":
            luma, u, v = np.split(seen, [480, 600])
            return np.concatenate([luma, v, u])
        return None

    monkeypatch.setattr(encoder, "_there_and_back", spoilt)
    reason = why_not_hardware(BOARD, 640, 480)
    assert reason is not None
    assert ("gave nothing" if how == "not decoded" else "spoils a test picture") in reason


def test_the_bit_rate_goes_with_the_number_of_pixels() -> None:
    assert hardware(1920, 1080).bit_rate == 9_000_000
    assert hardware(1280, 720).bit_rate == 4_000_000
    assert software(VideoConfig(crf=30)).bit_rate is None


def test_nal_types() -> None:
    stream = b"\0\0\0\1\x67abc\0\0\1\x68d\0\0\1\x65\x88\0\0\3\1"
    assert nal_types(stream) == [7, 8, 5]
    assert nal_types(b"") == []
