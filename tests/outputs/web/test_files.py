"""Ranges of a file, and how much of a clip can be played while it is written."""

import os
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "events"))

from made_up import World, ended, event_at

from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.history import Recorded
from edge_vision.outputs.web import files

Ask = Callable[..., Any]
EVENT = event_at(3, 1)
CLIP = f"/api/history/{EVENT.id}/clip.mp4"
BODY = os.urandom(1000)


class OneClip:
    """A log of one event, whose clip is a file of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.done = True

    def get(self, event_id: str) -> Recorded | None:
        return Recorded(EVENT, clip=self.file, clip_done=self.done)


@pytest.fixture
def log(site_server: Any, tmp_path: Path) -> OneClip:
    log = OneClip(tmp_path / "clip.mp4")
    log.file.write_bytes(BODY)
    site_server.control.log = log
    return log


@pytest.mark.parametrize(
    ("wanted", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=10-19", 10, 20),
        ("bytes=990-5000", 990, 1000),
        ("bytes=-7", 993, 1000),
        ("bytes=-5000", 0, 1000),
    ],
)
def test_a_range(
    site_server: Any, ask: Ask, log: OneClip, wanted: str, begin: int, end: int
) -> None:
    answer = ask(site_server.port, "GET", CLIP, {"Range": wanted})
    assert answer.status == 206
    assert answer.body == BODY[begin:end]
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end - 1}/1000"
    assert answer.headers["Content-Length"] == str(end - begin)
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    "wanted", ["bytes=1000-", "bytes=5-4", "bytes=x", "lines=0-1", "bytes=0-1,5-6"]
)
def test_no_range_of_it(site_server: Any, ask: Ask, log: OneClip, wanted: str) -> None:
    answer = ask(site_server.port, "GET", CLIP, {"Range": wanted})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == "bytes */1000"
    assert wanted in answer.json()["detail"]


def test_a_range_of_what_has_changed_meanwhile(site_server: Any, ask: Ask, log: OneClip) -> None:
    tag = ask(site_server.port, "GET", CLIP).headers["ETag"]
    same = {"Range": "bytes=0-9", "If-Range": tag}
    assert ask(site_server.port, "GET", CLIP, same).body == BODY[:10]
    log.file.write_bytes(BODY + b"more")
    answer = ask(site_server.port, "GET", CLIP, same)
    assert (answer.status, answer.body) == (200, BODY + b"more")
    assert answer.headers["ETag"] != tag
    assert "Content-Range" not in answer.headers


def test_head(site_server: Any, ask: Ask, log: OneClip) -> None:
    answer = ask(site_server.port, "HEAD", CLIP, {"Range": "bytes=0-9"})
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "1000", b"")


def test_a_large_file_whole(site_server: Any, ask: Ask, log: OneClip) -> None:
    log.file.write_bytes(BODY * 2000)  # several parts
    assert ask(site_server.port, "GET", CLIP).body == BODY * 2000


def test_nothing_else_waits_for_the_disk(
    site_server: Any, ask: Ask, log: OneClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, reading = threading.Event(), threading.Event()
    pread = os.pread

    def slow(fd: int, count: int, at: int) -> bytes:
        reading.set()
        assert disk.wait(20)
        return pread(fd, count, at)

    monkeypatch.setattr(files.os, "pread", slow)
    answers: list[Any] = []
    client = threading.Thread(
        target=lambda: answers.append(ask(site_server.port, "GET", CLIP)), daemon=True
    )
    client.start()
    try:
        assert reading.wait(20)
        assert ask(site_server.port, "GET", "/api/state").status == 200
        assert not answers
    finally:
        disk.set()
    client.join(20)
    assert answers[0].body == BODY


def test_the_clip_is_a_folder_or_gone(site_server: Any, ask: Ask, log: OneClip) -> None:
    log.file.unlink()
    log.file.mkdir()
    assert ask(site_server.port, "GET", CLIP).status == 404
    log.file.rmdir()
    assert ask(site_server.port, "GET", CLIP).status == 404


def box(kind: bytes, content: bytes, *, long: bool = False) -> bytes:
    if long:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind) + content


HEAD = box(b"ftyp", b"isom" * 3) + box(b"moov", b"x" * 50)
FRAGMENT = box(b"moof", b"y" * 20) + box(b"mdat", b"z" * 100)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"", 0),
        (b"short", 0),
        (HEAD, 0),
        (FRAGMENT, 0),  # no index before it
        (HEAD + FRAGMENT, len(HEAD + FRAGMENT)),
        (HEAD + FRAGMENT + FRAGMENT[:-1], len(HEAD + FRAGMENT)),
        (HEAD + FRAGMENT + FRAGMENT[:30], len(HEAD + FRAGMENT)),
        (HEAD + FRAGMENT + b"\0" * 64, len(HEAD + FRAGMENT)),  # a length of 0 never ends
        (HEAD + box(b"mdat", b"z" * 9, long=True) + b"\0", len(HEAD) + 25),
    ],
)
def test_whole_fragments(tmp_path: Path, data: bytes, whole: int) -> None:
    file = tmp_path / "clip"
    file.write_bytes(data)
    with file.open("rb") as opened:
        assert files.whole_bytes(opened.fileno(), len(data)) == whole


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    config = EventsConfig(enabled=True, min_free_mb=0, folder=str(tmp_path / "events"))
    recorder = RecorderConfig(encoder="software", pre_s=1, post_s=0.5)
    world = World(tmp_path / "events", config, recorder)
    yield world
    world.end()


def test_a_clip_that_is_being_written_can_be_played(
    site_server: Any, ask: Ask, log: OneClip, world: World, tmp_path: Path
) -> None:
    log.done = False
    log.file.write_bytes(HEAD)
    answer = ask(site_server.port, "GET", CLIP)
    assert answer.status == 404
    assert "Nothing of it can be played yet" in answer.json()["detail"]
    world.run_to(12, (EVENT,))  # it goes on
    world.step()
    (log.file,) = (world.folder / "clips").iterdir()
    written = tmp_path / "got.mp4"
    written.write_bytes(ask(site_server.port, "GET", CLIP).body)
    assert 0 < written.stat().st_size <= log.file.stat().st_size
    with av.open(str(written)) as container:
        assert len(list(container.decode(video=0))) > 20
    world.tell(ended(EVENT, 9))
