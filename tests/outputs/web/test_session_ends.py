"""What was opened with a session ends with it; real sockets."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from watching import offer, picture, until

from edge_vision.control import Changed
from edge_vision.outputs.web.passwords import Password, token_line

RIGHT = "correct horse"
TOKEN = "0123456789-0123456789-0123456789-0123456789"
OpenOne = Callable[[str, dict[str, str]], socket.socket]


@pytest.fixture
def server(make_site_server, tmp_path: Path):
    files = {"password_file": Password.of(RIGHT).line(), "token_file": token_line(TOKEN, "test")}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return make_site_server(**{name: str(tmp_path / name) for name in files})


@pytest.fixture
def log_in(server, ask) -> Callable[[], dict[str, str]]:
    """log_in(): the header of a new session."""

    def begin() -> dict[str, str]:
        answer = ask(server.port, "POST", "/api/login", json_body={"password": RIGHT})
        assert answer.status == 204
        return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

    return begin


@pytest.fixture
def open_one(server) -> Iterator[OpenOne]:
    """open_one(path, headers): a socket whose answer has begun."""
    opened: list[socket.socket] = []

    def request(path: str, headers: dict[str, str]) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        opened.append(sock)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        sock.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n{lines}\r\n".encode())
        begin = sock.recv(4096)
        assert begin.split(b" ")[1] == b"200", begin
        until_said(sock, b"--frame\r\n" if "stream" in path else b": alive\n\n", begin)
        return sock

    yield request
    for sock in opened:
        sock.close()


def until_said(sock: socket.socket, what: bytes, said: bytes = b"") -> None:
    """Read until it comes; within the socket's time limit."""
    while what not in said:
        more = sock.recv(65536)
        assert more, f"it ended after {said!r}"
        said += more


def ended(sock: socket.socket) -> bool:
    """It is read to its end, which comes within the socket's time limit."""
    while sock.recv(65536):
        pass
    return True


def test_logging_out_ends_what_the_session_watches_and_nothing_else(
    server, ask, log_in, open_one: OpenOne, caplog: pytest.LogCaptureFixture
) -> None:
    leaving, staying, bearer = log_in(), log_in(), {"Authorization": f"Bearer {TOKEN}"}
    paths = ("/stream.mjpg", "/api/events")
    gone = [open_one(path, leaving) for path in (*paths, *paths)]
    going_on = [open_one("/stream.mjpg", headers) for headers in (staying, bearer)]
    events = open_one("/api/events", staying)
    assert ask(server.port, "POST", "/api/logout", leaving).status == 204
    assert all(ended(sock) for sock in gone)
    offer(server.output, picture(1))
    for sock in going_on:
        until_said(sock, b"\r\n--frame\r\n")
    events.settimeout(0.2)
    with pytest.raises(TimeoutError):  # it is open, and nothing is said
        events.recv(100)
    until(lambda: ask(server.port, "GET", "/api/state", staying).json()["viewers"] == 2)
    assert "failed" not in caplog.text


def test_a_session_that_is_too_old_ends_with_what_it_watches(
    server, log_in, open_one: OpenOne, ask
) -> None:
    sessions = server.output._server._access.sessions
    sessions.life_ns = 2_000_000_000  # instead of thirty days
    cookie = log_in()
    watched = [open_one("/stream.mjpg", cookie), open_one("/api/events", cookie)]
    assert all(ended(sock) for sock in watched)
    assert ask(server.port, "GET", "/api/state", cookie).status == 401


def test_a_change_that_is_under_way_is_answered_after_logging_out(server, ask, log_in) -> None:
    cookie, made = log_in(), Future[Changed]()
    asked = threading.Event()

    def wish(*_: object, **__: object) -> Future[Changed]:
        asked.set()
        return made

    server.control.ask = wish
    answers = []
    body = {"overlay": {"hud": True}}
    changing = threading.Thread(
        target=lambda: answers.append(
            ask(server.port, "PATCH", "/api/config", cookie, json_body=body)
        )
    )
    changing.start()
    assert asked.wait(10)
    assert ask(server.port, "POST", "/api/logout", cookie).status == 204
    made.set_result(Changed(("overlay.hud",)))
    changing.join(10)
    assert [answer.status for answer in answers] == [200]
