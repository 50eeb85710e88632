"""URLs against a server in this process: live, finite, cut, silent, refused."""

import contextlib
import http.server
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.camera.address import display_url, scheme_of
from edge_vision.camera.base import EndOfStream
from edge_vision.camera.clip import ClipCamera
from edge_vision.camera.decode import Decoder
from edge_vision.camera.video import VideoCamera
from edge_vision.errors import CameraLost, CameraUnavailable


class Server(http.server.ThreadingHTTPServer):
    """/x.mjpg: JPEG parts without end until `cut`; /silent: says nothing; other: files."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.cut = threading.Event()
        self.stall = threading.Event()

    def url(self, path: str) -> str:
        return f"http://me:hunter2@127.0.0.1:{self.server_port}/{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        name = self.path.partition("?")[0].lstrip("/")
        if name == "silent":
            self.server.cut.wait(10)
        elif name == "x.mjpg":
            with contextlib.suppress(OSError):  # the viewer may go
                self._stream()
        elif (self.server.folder / name).is_file():
            data = (self.server.folder / name).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        else:
            self.send_error(404)

    def _stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=part")
        self.end_headers()
        for number in range(10_000):
            picture = np.full((48, 64, 3), number % 200, np.uint8)
            jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
            head = f"--part\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            if self.server.stall.is_set():
                self.server.cut.wait(10)
            if self.server.cut.wait(0.005):
                return


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    server = Server(tmp_path)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.cut.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_mjpeg_over_http_is_live_and_its_end_is_a_loss(server, take_all):
    camera = ClipCamera(server.url("x.mjpg"), timeout_s=5.0)
    info = camera.open()
    assert info.reconnects
    assert info.name == f"stream http://127.0.0.1:{server.server_port}/x.mjpg"
    assert (info.width_px, info.height_px) == (64, 48)
    before_ns = time.monotonic_ns()
    frames = []
    while len(frames) < 10:
        frame = camera.read(1.0)
        if frame is not None:
            frames.append((frame.seq, frame.media_ns, frame.stamps.exposed))
            frame.release()
    after_ns = time.monotonic_ns()
    assert frames == sorted(frames)
    assert len({seq for seq, *_ in frames}) == 10
    assert frames[-1][1] <= after_ns - before_ns + 1_000_000_000
    assert frames[-1][2] <= after_ns
    server.cut.set()
    with pytest.raises(CameraLost, match=r"x\.mjpg ended: "):
        take_all(camera)
    camera.close()
    server.cut.clear()
    camera.open()  # it comes back
    assert camera.read(5.0) is not None
    camera.close()


def test_a_stream_that_stalls_is_lost_after_the_time_out(server, take_all):
    camera = ClipCamera(server.url("x.mjpg"), timeout_s=1.0)
    camera.open()
    server.stall.set()
    start = time.monotonic()
    with pytest.raises(CameraLost, match=r"x\.mjpg"):
        take_all(camera)
    assert time.monotonic() - start < 5
    camera.close()


def test_a_live_stream_without_a_readable_picture_is_lost(make_clip, clock, monkeypatch, take_all):
    camera = VideoCamera(f"tcp://{make_clip()}", timeout_s=2.0, pacer=clock.pacer())
    monkeypatch.setattr(
        "edge_vision.camera.video.Decoder", lambda address, _: DamagedAfterOne(address)
    )
    camera.open()
    camera.read(1.0).release()
    clock.step_ns = 100_000_000
    start_ns = clock.now_ns
    assert camera.read(1.0) is None  # in time, so that the thread around it can stop
    assert clock.now_ns - start_ns < 2_000_000_000
    with pytest.raises(CameraLost, match=r"sent no readable picture for 2 s"):
        take_all(camera)
    camera.close()


class DamagedAfterOne(Decoder):
    """A live stream whose packets hold no picture after the first, without end."""

    def __init__(self, address: str) -> None:
        super().__init__(address.replace("tcp://", "file:"))
        self.finite = False
        self.given = False

    def step(self):
        frames = [] if self.given else super().step()
        self.given = self.given or bool(frames)
        return frames


def test_a_finite_clip_over_http_ends(server, make_clip, read_all):
    make_clip(frames=30, options={"movflags": "faststart"})
    camera = ClipCamera(server.url("clip.mp4"), pace="fast")
    assert not camera.open().reconnects
    camera.close()
    seen = read_all(camera)
    assert [seq for seq, *_ in seen] == list(range(30))
    assert camera.faults() == []


def test_a_finite_clip_over_http_plays_at_its_own_speed(server, make_clip, take_all):
    make_clip(frames=15, options={"movflags": "faststart"})
    camera = ClipCamera(server.url("clip.mp4"))
    camera.open()
    arrived = []
    with pytest.raises(EndOfStream):
        take_all(camera, lambda frame: arrived.append((frame.media_ns, frame.stamps.arrived)))
    media_ns, arrived_ns = (b - a for a, b in zip(arrived[0], arrived[-1], strict=True))
    assert media_ns >= 400_000_000
    assert arrived_ns > 0.8 * media_ns
    camera.close()


def test_a_silent_server_is_given_up(server):
    camera = ClipCamera(server.url("silent"), timeout_s=0.3)
    start = time.monotonic()
    with pytest.raises(CameraUnavailable, match=r"127\.0\.0\.1:[0-9]+/silent (did|cannot)"):
        camera.open()
    assert time.monotonic() - start < 3
    camera.close()


def test_close_ends_an_open_that_waits(server):
    camera = ClipCamera(server.url("silent"), timeout_s=30.0)
    failures = []

    def use():
        try:
            camera.open()
        except CameraUnavailable as error:
            failures.append(str(error))

    user = threading.Thread(target=use)
    user.start()
    while camera._camera._guard._run is None:
        user.join(0.01)
    start = time.monotonic()
    camera.close()
    user.join(5)
    assert time.monotonic() - start < 2
    assert "closed while it was being opened" in failures[0]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("scheme", ["http", "https", "rtsp", "rtmp", "tcp"])
def test_a_refused_connection_names_the_host_and_no_password(scheme, caplog):
    port = closed_port()
    camera = ClipCamera(f"{scheme}://me:hunter2@127.0.0.1:{port}/live?token=swordfish")
    with caplog.at_level(logging.DEBUG), pytest.raises(CameraUnavailable) as caught:
        camera.open()
    camera.close()
    assert str(caught.value).startswith(f"{scheme}://127.0.0.1:{port}/live cannot be opened: ")
    told = f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert "hunter2" not in told
    assert "swordfish" not in told


def test_not_found_says_so(server):
    camera = ClipCamera(server.url("nothing.mp4"))
    with pytest.raises(CameraUnavailable, match=r"nothing\.mp4 cannot be opened: .*404"):
        camera.open()
    camera.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://user:pass@host:554/path?x=1#y", "rtsp://host:554/path"),
        ("rtsp://user:p/a?s#s@host/path", "rtsp://host/path"),
        ("rtsp://user:p@ss@host/path", "rtsp://host/path"),
        ("rtsp://user@host", "rtsp://host"),
        ("http://host/@someone/clip.mp4", "http://host/@someone/clip.mp4"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://host:bad/x", "http://host:bad/x"),
    ],
)
def test_a_url_is_shown_without_secrets(url, shown):
    assert display_url(url) == shown


@pytest.mark.parametrize(
    ("source", "scheme"),
    [("RTSP://h", "rtsp"), ("a.mp4", None), ("/a/b:c.mp4", None), ("c:/x.mp4", None)],
)
def test_paths_are_no_urls(source, scheme):
    assert scheme_of(source) == scheme
