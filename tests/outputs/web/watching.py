"""What the tests of pictures for viewers share; no tests."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.config_web import WebConfig
from edge_vision.frame import Image, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.outputs.web import WebOutput
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.jpeg import JpegEncoder
from edge_vision.outputs.web.shot import Shot
from edge_vision.outputs.web.viewer import Variant, Viewer
from edge_vision.telemetry import Telemetry

S = 1_000_000_000
DRAWN, PLAIN, SMALL = Variant("drawn", 1.0), Variant("plain", 1.0), Variant("drawn", 0.5)


class Connection:
    """A transport that is there."""

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


def viewer(variant: Variant = DRAWN, fps: float = 240.0, **more: Any) -> Viewer:
    connection: Any = Connection()
    return Viewer(variant, fps, connection, **more)


def picture(seq: int, level: int = 100, plain: int | None = None) -> Picture:
    def image(grey: int) -> Image:
        return Image.from_array(np.full((48, 64, 3), grey, np.uint8))

    now_ns = time.monotonic_ns()
    stamps = Stamps() if seq < 0 else Stamps(exposed=now_ns - 2_000_000, drawn=now_ns)
    bare = None if plain is None else image(plain)
    return Picture(image(level), seq, 0, stamps, plain=bare)


def level_of(shot: Shot) -> float:
    decoded = cv2.imdecode(np.frombuffer(shot.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return float(decoded.mean())


async def within(awaitable: Awaitable[Any], limit_s: float = 5.0) -> Any:
    async with asyncio.timeout(limit_s):
        return await awaitable


def served(body: Callable[[Hub, Telemetry], Awaitable[None]], **web: Any) -> None:
    """Run `body` in an event loop beside a hub."""
    hub, telemetry = Hub(WebConfig(**web)), Telemetry()
    hub.start(telemetry)
    try:
        asyncio.run(body(hub, telemetry))  # type: ignore[arg-type]
    finally:
        hub.close(5)
    assert hub.fault is None


def show(hub: Hub, item: Picture, now_ns: int = 0) -> None:
    """As the render thread does."""
    now_ns = now_ns or time.monotonic_ns()
    hub.takes(now_ns)
    assert hub.offer(item, now_ns)


def count_encodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The width of every picture encoded from now on."""
    made: list[int] = []
    encode = JpegEncoder.encode

    def counting(self: JpegEncoder, image: Image) -> bytes:
        made.append(image.width_px)
        return encode(self, image)

    monkeypatch.setattr(JpegEncoder, "encode", counting)
    return made


def until(condition: Callable[[], Any], limit_s: float = 10.0) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + limit_s
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        tick.wait(0.005)


def offer(output: WebOutput, item: Picture) -> None:
    """As the render stage does, once somebody wants a picture; the receiver decides what for."""
    until(output.active)
    output.takes()
    assert output.offer(item)


class Stream:
    """/stream.mjpg, part by part."""

    def __init__(
        self,
        port: int,
        query: str = "",
        receive_bytes: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if context is not None:
            self.connection: HTTPConnection = HTTPSConnection(
                "127.0.0.1", port, timeout=10, context=context
            )
        else:
            self.connection = HTTPConnection("127.0.0.1", port, timeout=10)
        if receive_bytes:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            sock.settimeout(10)
            sock.connect(("127.0.0.1", port))
            self.connection.sock = sock
        self.connection.request("GET", f"/stream.mjpg{query}")
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.readline() == b"--frame\r\n"

    def part(self) -> tuple[dict[str, str], bytes]:
        """Headers and JPEG of the next part, which is whole: its boundary has come, too."""
        headers: dict[str, str] = {}
        while line := self.response.readline().decode("ascii").rstrip("\r\n"):
            name, _, value = line.partition(": ")
            headers[name] = value
        jpeg = self.response.read(int(headers["Content-Length"]))
        assert self.response.readline() == b"\r\n"
        assert self.response.readline() == b"--frame\r\n"
        return headers, jpeg

    def close(self) -> None:
        """Leave."""
        self.response.close()
        self.connection.close()


def get(port: int, path: str, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def refusal(port: int, path: str) -> tuple[int, str]:
    response, body = get(port, path)
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status, json.loads(body)["detail"]


def noise(seq: int, size_px: tuple[int, int] = (640, 480)) -> Picture:
    """A picture of about 300 kB as JPEG."""
    pixels = np.random.default_rng(seq).integers(0, 256, (size_px[1], size_px[0], 3), np.uint8)
    made = picture(seq)
    return Picture(Image.from_array(pixels), seq, 0, made.stamps)


def decoded(jpeg: bytes) -> Any:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found
