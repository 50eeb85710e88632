"""Pictures into the ring, with whatever encoder there is."""

import itertools
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.error import FFmpegError
from made_up import SECOND

from edge_vision.config_events import RecorderConfig
from edge_vision.errors import OutputError
from edge_vision.outputs.encoder import nal_types
from edge_vision.outputs.events import encoding as module
from edge_vision.outputs.events.encoding import Encoding, Load
from edge_vision.outputs.events.ring import Ring

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for fake_encoder


from fake_encoder import BOARD, separated

needs_jpeg = pytest.mark.skipif(module._jpeg_of_planes() is None, reason="simplejpeg before 1.9")


def _picture(number: int, size: tuple[int, int] = (320, 240)) -> Any:
    return np.full((size[1] * 3 // 2, size[0]), 30 + number % 200, np.uint8)


def _encoded(encoding: Encoding, pictures: int, fps: float = 30.0) -> None:
    for number in range(pictures):
        encoding.add(_picture(number), round(number / fps * SECOND))


@pytest.mark.parametrize("fps", [30.0, 7.0])
def test_a_key_picture_each_second_with_its_headers(fps: float) -> None:
    ring = Ring(60, 10**8)
    _encoded(Encoding(RecorderConfig(encoder="software"), ring), 100, fps)
    pieces = ring.since(0)
    assert [piece.at_ns for piece in pieces] == [round(n / fps * SECOND) for n in range(100)]
    keys = [piece for piece in pieces if piece.is_key]
    gaps = [b.at_ns - a.at_ns for a, b in itertools.pairwise(keys)]
    assert max(gaps) <= SECOND * (1 + 1 / fps) + 2
    assert min(gaps) >= SECOND
    assert all({5, 7, 8} <= set(nal_types(key.data)) for key in keys)
    assert all(piece.stream is pieces[0].stream for piece in pieces)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board with an encoder."""
    monkeypatch.setattr(module, "why_no_device", lambda: None)
    monkeypatch.setattr(module, "why_not_hardware", lambda *_: None)
    monkeypatch.setattr(module, "hardware", lambda *_: BOARD)


class Context:
    """An encoder's context that gives headers as packets of their own, and fails at a picture."""

    def __init__(self, context: Any, fails_at: int | None) -> None:
        self._context = context
        self._fails_at = fails_at
        self._given = 0

    def encode(self, frame: Any) -> list[Any]:
        if self._given == self._fails_at:
            raise FFmpegError(5, "Input/output error")
        self._given += 1
        return [part for packet in self._context.encode(frame) for part in separated(packet)]


def test_the_boards_encoder(board: None) -> None:
    ring = Ring(60, 10**8)
    encoding = Encoding(RecorderConfig(), ring)
    encoding.add(_picture(0), 0)
    encoding._context = Context(encoding._context, None)  # type: ignore[assignment]
    for number in range(1, 100):
        encoding.add(_picture(number), number * SECOND // 30)
    pieces = ring.since(0)
    assert len(pieces) >= 95  # some are still in the encoder
    assert [piece.at_ns for piece in pieces] == [n * SECOND // 30 for n in range(len(pieces))]
    assert all(7 in nal_types(piece.data) for piece in pieces if piece.is_key)


def test_where_the_boards_encoder_fails_software_goes_on(
    board: None, caplog: pytest.LogCaptureFixture
) -> None:
    ring = Ring(60, 10**8)
    encoding = Encoding(RecorderConfig(), ring)
    encoding.add(_picture(0), 0)
    encoding._context = Context(encoding._context, 20)  # type: ignore[assignment]
    for number in range(1, 60):
        encoding.add(_picture(number), number * SECOND // 30)
    assert "the board's encoder failed" in caplog.text
    pieces = ring.since(0)
    streams = {id(piece.stream) for piece in pieces}
    assert len(streams) == 2
    assert len(pieces) > 50
    again = next(piece for piece in pieces if piece.stream is not pieces[0].stream)
    assert again.is_key


def test_where_software_fails_it_is_an_error() -> None:
    encoding = Encoding(RecorderConfig(encoder="software"), Ring(60, 10**8))
    encoding.add(_picture(0), 0)
    encoding._context = Context(encoding._context, 0)  # type: ignore[assignment]
    with pytest.raises(OutputError, match="recorder: the encoder failed"):
        encoding.add(_picture(1), SECOND)


def test_hardware_that_is_asked_for_and_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "why_no_device", lambda: "no device in /dev encodes H.264")
    encoding = Encoding(RecorderConfig(encoder="hardware"), Ring(60, 10**8))
    with pytest.raises(OutputError, match=r"encodes H\.264; set it to auto or software"):
        encoding.add(_picture(0), 0)


@needs_jpeg
def test_x264_that_takes_too_much_gives_way_to_jpeg(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    used_ns = 0

    def thread_time_ns() -> int:
        nonlocal used_ns
        used_ns += 25_000_000  # of 33 ms
        return used_ns

    monkeypatch.setattr(module.time, "thread_time_ns", thread_time_ns)
    monkeypatch.setattr(module, "why_no_device", lambda: "no device")
    ring = Ring(60, 10**8)
    _encoded(Encoding(RecorderConfig(), ring), 120)
    assert "x264 takes 75 % of a core; it goes on with single JPEG pictures" in caplog.text
    codecs = [piece.stream.codec for piece in ring.since(0)]
    assert codecs == ["h264"] * 91 + ["mjpeg"] * 29


def test_software_that_was_asked_for_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10**12, 30_000_000))
    monkeypatch.setattr(module.time, "thread_time_ns", lambda: next(clock))
    ring = Ring(60, 10**8)
    _encoded(Encoding(RecorderConfig(encoder="software"), ring), 120)
    assert {piece.stream.codec for piece in ring.since(0)} == {"h264"}


@needs_jpeg
def test_without_x264_it_is_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    software = module.software
    monkeypatch.setattr(module, "software", lambda config: replace(software(config), codec="mpeg4"))
    ring = Ring(60, 10**8)
    _encoded(Encoding(RecorderConfig(encoder="software"), ring), 3)
    assert {piece.stream.codec for piece in ring.since(0)} == {"mjpeg"}


@pytest.mark.parametrize("wish", ["auto", "mjpeg"])
def test_without_an_encoder_of_jpeg(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wish: Any
) -> None:
    monkeypatch.setattr(module, "_jpeg_of_planes", lambda: None)
    monkeypatch.setattr(module, "why_no_device", lambda: "no device")
    clock = iter(range(0, 10**12, 30_000_000))
    monkeypatch.setattr(module.time, "thread_time_ns", lambda: next(clock))
    ring = Ring(60, 10**8)
    encoding = Encoding(RecorderConfig(encoder=wish), ring)
    if wish == "mjpeg":
        with pytest.raises(OutputError, match="need the package simplejpeg"):
            _encoded(encoding, 1)
        return
    _encoded(encoding, 120)
    assert "x264 takes 90 % of a core; lower recorder.fps" in caplog.text
    assert {piece.stream.codec for piece in ring.since(0)} == {"h264"}


@pytest.mark.parametrize(("took_ms", "judged"), [(19, None), (22, 22 * 30 / 1000)])
def test_the_load_is_judged_once_by_the_middle_one(took_ms: int, judged: float | None) -> None:
    load = Load()
    told = []
    for number in range(300):
        slow = 500 if number % 5 == 0 else took_ms  # a few that were interrupted
        load.add(number * SECOND // 30, slow * 1_000_000)
        told.append(load.too_much())
    said = [share for share in told if share is not None]
    assert said == ([pytest.approx(judged)] if judged else [])
