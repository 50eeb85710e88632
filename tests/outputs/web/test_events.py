"""Server-sent events: everybody gets every scene, and a listener that sleeps costs nothing."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from edge_vision.frame import Stamps
from edge_vision.outputs.web import events
from edge_vision.results import Analysed, Detections, Scene, Track

MakeServer = Callable[..., Any]
LIMIT_S = 10


def scene(seq: int, objects: int = 1) -> Analysed:
    boxes = np.array([[0.1, 0.2, 0.5, 0.75]], np.float32)
    still = np.zeros(4, np.float32)
    tracks = [
        Track(number, boxes[0], still, 0.9, 1, "confirmed", 0, 500_000_000)
        for number in range(1, objects + 1)
    ]
    tracks.append(Track(99, boxes[0], still, 0.3, 1, "tentative", 0, 0))
    found = Detections.empty()
    begin = 5_000_000_000 + seq
    stamps = Stamps(exposed=begin, arrived=begin + 1_000_000, tracked=begin + 12_345_678)
    return Analysed(Scene(seq, begin, seq, found, "model", {1: "person"}, tuple(tracks)), stamps)


class Reader:
    """A client that reads lines; sized: of its receive buffer, bytes."""

    def __init__(self, port: int, *, version: str = "1.1", sized: int = 0) -> None:
        self.socket = socket.socket()
        if sized:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, sized)
        self.socket.settimeout(LIMIT_S)
        self.socket.connect(("127.0.0.1", port))
        request = f"GET /api/events HTTP/{version}\r\nHost: localhost\r\n\r\n"
        self.socket.sendall(request.encode())
        self.file = self.socket.makefile("rb")
        self.head = self._until(b"\r\n")

    def _until(self, last: bytes) -> list[bytes]:
        lines = []
        while (line := self.file.readline()) not in (last, b""):
            lines.append(line)
        return lines

    def event(self) -> tuple[int, Any]:
        """The next one's id and data."""
        while (line := self.file.readline()).strip() != b"event: scene":
            assert line, "the stream has ended"
        number = int(self.file.readline().removeprefix(b"id: "))
        return number, json.loads(self.file.readline().removeprefix(b"data: "))

    def close(self) -> None:
        self.file.close()
        self.socket.close()


Listen = Callable[..., Reader]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """listen(port, version=..., sized=...): a Reader, closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda port, **how: stack.enter_context(contextlib.closing(Reader(port, **how)))


def until(holds: Callable[[], bool]) -> None:
    """A condition of another thread, with a deadline."""
    deadline = time.monotonic() + LIMIT_S
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it does not come to pass"
        pause.wait(0.005)


@contextlib.contextmanager
def get(server: Any, path: str, method: str = "GET") -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
    connection.request(method, path)
    with contextlib.closing(connection), connection.getresponse() as answer:
        yield answer


def listeners(server: Any) -> int:
    with get(server, "/api/state") as answer:
        count: int = json.load(answer)["listeners"]
    return count


def test_every_scene_to_everybody_in_order(site_server: Any, listen: Listen) -> None:
    control = site_server.control
    control.analysed.post(scene(3))
    readers = [listen(site_server.port) for _ in range(5)]
    assert [reader.event()[0] for reader in readers] == [3] * 5
    assert b"Content-Type: text/event-stream\r\n" in readers[0].head
    for seq in (4, 5, 9):
        control.analysed.post(scene(seq))
        for reader in readers:
            number, told = reader.event()
            assert number == told["seq"] == seq
            assert told["stamps_ms"] == {"arrived": 1.0, "tracked": 12.346}
            assert told["latency_ms"] == 12.346
            assert [(o["id"], o["label"], o["age_s"]) for o in told["objects"]] == [
                (1, "person", 0.5)
            ]
    with get(site_server, "/api/scene") as answer:
        assert told == json.load(answer)
    for reader in readers:
        reader.close()
    control.analysed.post(scene(10))
    until(lambda: listeners(site_server) == 0)


def test_a_client_of_http_1_0(site_server: Any, listen: Listen) -> None:
    """Proxies commonly speak it: no chunks, and the end of the connection ends the answer."""
    reader = listen(site_server.port, version="1.0")
    assert not any(b"chunked" in line for line in reader.head)
    until(lambda: listeners(site_server) == 1)
    site_server.control.analysed.post(scene(1))
    assert reader.event()[0] == 1


def test_the_framing_is_right(site_server: Any, listen: Listen) -> None:
    """http.client reads chunks and refuses a wrong length."""
    control = site_server.control
    control.analysed.post(scene(1, 40))
    ids: list[int] = []
    with get(site_server, "/api/events") as answer:
        while len(ids) < 5:
            line = answer.readline()
            if line.startswith(b"id: "):
                ids.append(int(line[4:]))
            if line == b"\n":
                control.analysed.post(scene(ids[-1] + 1, 40))
    assert ids == [1, 2, 3, 4, 5]


def test_one_that_does_not_read_delays_nobody_and_misses_scenes(
    site_server: Any, listen: Listen
) -> None:
    control = site_server.control
    control.analysed.post(scene(0))
    slow, fast = listen(site_server.port, sized=4096), listen(site_server.port)
    assert fast.event()[0] == 0
    until(lambda: listeners(site_server) == 2)
    for seq in range(1, 200):  # 60 kB each: far more than the kernel keeps
        control.analysed.post(scene(seq, 400))
        assert fast.event()[0] == seq
    seen: list[int] = []

    def read() -> None:
        while not seen or seen[-1] < 200:
            seen.append(slow.event()[0])

    reading = threading.Thread(target=read)
    reading.start()
    for seq in range(200, 10_000):
        control.analysed.post(scene(seq))
        assert fast.event()[0] == seq
        if not reading.is_alive():
            break
    reading.join(LIMIT_S)
    assert seen == sorted(set(seen))
    assert seen[-1] >= 200
    assert len(seen) < 60


def test_there_is_a_limit(
    site_server: Any, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST", 2)
    readers = [listen(site_server.port) for _ in range(2)]
    until(lambda: listeners(site_server) == 2)
    with get(site_server, "/api/events") as refused:
        assert refused.status == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert json.load(refused)["detail"].startswith("2 programs listen already")
        assert refused.headers["retry-after"] == "10"
    readers.pop().close()
    until(lambda: _one_is_gone(site_server))
    readers.append(listen(site_server.port))
    assert readers[-1].head[0].startswith(b"HTTP/1.1 200")


def _one_is_gone(server: Any) -> bool:
    newest = server.control.analysed.read()[0]
    server.control.analysed.post(scene(newest.scene.seq + 1 if newest is not None else 0))
    return listeners(server) == 1


def test_head(site_server: Any, listen: Listen) -> None:
    with get(site_server, "/api/events", "HEAD") as answer:
        assert (answer.status, answer.read()) == (200, b"")
        assert answer.headers["content-type"] == "text/event-stream"


def test_the_end_of_the_server_ends_the_stream(site_server: Any, listen: Listen) -> None:
    reader = listen(site_server.port)
    until(lambda: listeners(site_server) == 1)
    begin = time.monotonic()
    site_server.output.close(5)
    assert time.monotonic() - begin < 3
    rest = reader.file.read()
    assert rest.endswith(b"0\r\n\r\n"), "the last chunk is missing"


def test_nothing_is_serialised_while_nobody_listens() -> None:
    def newest() -> tuple[int, bytes]:
        raise AssertionError("nobody wants it")

    events.Events(newest).spread(1.0)


def test_a_real_run(live_server: Any, listen: Listen) -> None:
    reader = listen(live_server.port)
    numbers = [reader.event()[0] for _ in range(20)]
    assert numbers == sorted(set(numbers))
