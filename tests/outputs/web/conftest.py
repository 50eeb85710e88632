"""The live page's server: alone beside a made-up run, and as part of a real one."""

import http.client
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge_vision.app import App
from edge_vision.config import Config
from edge_vision.config_load import parse_config
from edge_vision.control import BoardStatus, CameraStatus, Changed, ModelStatus
from edge_vision.events import Counts
from edge_vision.history import History
from edge_vision.live import live_values
from edge_vision.outputs.web import WebOutput
from edge_vision.results import Analysed
from edge_vision.slot import Bulletin
from edge_vision.telemetry import Telemetry

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for watching, which is no test

from watching import Stream

CAMERA = CameraStatus(True, 1, "", "made-up camera", 320, 240, 30.0)
MODEL = ModelStatus("made-up", "a made-up model", "no engine", "small", (172, 172))
BOARD = BoardStatus("made-up board", 51.5, (), "", False)
NOTHING_CHANGED = Changed(())


@dataclass
class MadeUpControl:
    """A Control whose answers are attributes; wishes are kept in `wishes`, `answer` answers."""

    config: Config
    telemetry: Telemetry = field(default_factory=Telemetry)
    analysed: Bulletin[Analysed | None] = field(default_factory=lambda: Bulletin(None))
    started_ns: int = field(default_factory=time.monotonic_ns)
    camera_status: CameraStatus = CAMERA
    model_status: ModelStatus = MODEL
    board_status: BoardStatus = BOARD
    fault_list: list[str] = field(default_factory=list)
    wishes: list[tuple[Mapping[str, Mapping[str, Any]], bool]] = field(default_factory=list)
    answer: Changed | Exception = NOTHING_CHANGED
    count_values: Counts = field(default_factory=lambda: Counts(0.0, {}, {}, {}))
    log: History | None = None
    output_fault_values: dict[str, str] = field(default_factory=dict)

    def camera(self) -> CameraStatus:
        return self.camera_status

    def model(self) -> ModelStatus:
        return self.model_status

    def board(self) -> BoardStatus:
        return self.board_status

    def faults(self) -> list[str]:
        return self.fault_list

    def output_faults(self) -> dict[str, str]:
        return self.output_fault_values

    def models(self) -> list[dict[str, Any]]:
        return [{"name": "made-up", "sizes": [], "active": True}]

    def colours(self) -> dict[str, str]:
        return {"person": "#ff8800"}

    def counts(self) -> Counts:
        return self.count_values

    def history(self) -> History | None:
        return self.log

    def live_values(self) -> dict[str, dict[str, Any]]:
        return live_values(self.config)

    def ask(self, wish: Mapping[str, Mapping[str, Any]], *, save: bool) -> Future[Changed]:
        self.wishes.append((wish, save))
        future: Future[Changed] = Future()
        if isinstance(self.answer, Exception):
            future.set_exception(self.answer)
        else:
            future.set_result(self.answer)
        return future


@dataclass
class SiteServer:
    """A served page: url without a slash at its end, its port, its run, and the output itself."""

    url: str
    port: int
    control: MadeUpControl
    output: WebOutput


@dataclass
class LiveServer:
    """A real run that is being served."""

    url: str
    port: int
    app: App
    output: WebOutput


MakeSiteServer = Callable[..., SiteServer]
MakeLiveServer = Callable[..., LiveServer]


def _started(output: WebOutput) -> tuple[str, int]:
    """The address of a server that answers."""
    server = output._server
    assert server is not None
    assert server.ready.wait(20), "the server does not answer"
    assert server.fault is None, server.fault
    return server.url.rstrip("/"), server.port


@pytest.fixture
def made_up_control() -> MadeUpControl:
    """A run with the default configuration, as its outputs see it; see MadeUpControl."""
    return MadeUpControl(parse_config({}))


@pytest.fixture
def make_site_server(no_thread_left: None) -> Iterator[MakeSiteServer]:
    """make_site_server(key=value of outputs.web, ...): a server beside a made-up run."""
    running: list[WebOutput] = []

    def make(**web: Any) -> SiteServer:
        config = parse_config({"outputs": {"web": {"port": 0, **web}}})
        control = MadeUpControl(config)
        output = WebOutput(config.outputs.web)
        output.attach(control)
        output.start()
        running.append(output)
        url, port = _started(output)
        return SiteServer(url, port, control, output)

    yield make
    for output in running:
        output.close(5)
        assert output.fault() is None


@pytest.fixture
def site_server(make_site_server: MakeSiteServer) -> SiteServer:
    """A server with the defaults, beside a made-up run; see SiteServer."""
    return make_site_server()


def _run_live(running: list[tuple[App, threading.Thread]], sections: Any) -> LiveServer:
    web = {"port": 0, **sections.pop("web", {})}
    config = parse_config(
        {
            "camera": {"kind": "demo", "size_px": [640, 360]},
            "model": {"size": "small", "threads": 1},
            "outputs": {"window": {"enabled": False}, "web": web},
            "governor": {"enabled": False},
            **sections,
        }
    )
    app = App(config, page=True)
    thread = threading.Thread(target=app.run, name="live-server")
    running.append((app, thread))
    thread.start()
    output = next(output for output in app.outputs if isinstance(output, WebOutput))
    deadline = time.monotonic() + 30
    with app.pipeline.analysed._changed:  # told of every result: nobody sleeps here
        app.pipeline.analysed._changed.wait_for(
            lambda: app.pipeline.analysed.read()[0] is not None, deadline - time.monotonic()
        )
    assert app.pipeline.analysed.read()[0] is not None, "no result came"
    return LiveServer(*_started(output), app, output)


def _end_live(running: list[tuple[App, threading.Thread]]) -> None:
    for app, thread in running:
        app.stop.set()
        thread.join(15)
        assert not thread.is_alive(), "the run does not end"


@pytest.fixture
def make_live_server(no_thread_left: None) -> Iterator[MakeLiveServer]:
    """make_live_server(web={...}, camera={...}, ...): a real run, for one test."""
    running: list[tuple[App, threading.Thread]] = []
    yield lambda **sections: _run_live(running, sections)
    _end_live(running)


@pytest.fixture(scope="module")
def live_server() -> Iterator[LiveServer]:
    """One real run with the demo camera and the real model, for all tests of a file."""
    before = set(threading.enumerate())
    running: list[tuple[App, threading.Thread]] = []
    yield _run_live(running, {})
    _end_live(running)
    left = [t.name for t in set(threading.enumerate()) - before if t.is_alive()]
    assert not left, f"threads are left: {left}"


@dataclass
class Answer:
    """What a server said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def _ask(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    json_body: Any = None,
    body: bytes | None = None,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    if tls is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    else:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=tls)
    sent = dict(headers or {})
    if json_body is not None:
        body = json.dumps(json_body).encode()
        sent.setdefault("Content-Type", "application/json")
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


@pytest.fixture
def ask() -> Callable[..., Answer]:
    """ask(port, method, path, headers, json_body=..., body=..., tls=...): one request."""
    return _ask


@pytest.fixture
def send() -> Callable[[int, bytes], bytes]:
    """send(port, bytes): what comes back until the server ends the connection."""

    def raw(port: int, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
            sock.sendall(data)
            parts = []
            while part := sock.recv(65536):
                parts.append(part)
            return b"".join(parts)

    return raw


@pytest.fixture
def watch(site_server: Any) -> Iterator[Callable[..., Stream]]:
    """watch(query): a stream of the server; closed at the end."""
    opened: list[Stream] = []

    def open_one(query: str = "", **more: Any) -> Stream:
        opened.append(Stream(site_server.port, query, **more))
        return opened[-1]

    yield open_one
    for stream in opened:
        stream.close()
