"""Connections: how many, how slow, and what is no HTTP."""

import errno
import json
import logging
import select
import socket
import time
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from edge_vision.outputs.web import door

REQUEST = b"GET /api/session HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def connections() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def connect(stack: ExitStack, port: int) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))


def answer(sock: socket.socket) -> bytes:
    """Until the body of a small answer is whole, or the end."""
    said = b""
    while part := sock.recv(65536):
        said += part
        head, end, body = said.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if end and length and len(body) >= int(length):
            break
    return said


def rest_of(sock: socket.socket) -> bytes:
    """All that comes until the end."""
    said = b""
    try:
        while part := sock.recv(65536):
            said += part
    except ConnectionResetError:
        pass
    return said


@pytest.mark.parametrize(
    "sent",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/7.3\r\nHost: localhost\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX\x00: 1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_problem_and_no_line_in_the_log(
    site_server, send, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    head, _, body = send(site_server.port, sent).partition(b"\r\n\r\n")
    assert b" 400 " in head.split(b"\r\n")[0]
    assert b"Content-Type: application/problem+json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Server: edge-vision" in head
    assert json.loads(body)["status"] == 400
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


BODY = b"PATCH /api/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def test_a_body_that_breaks_later_is_cut_off_without_a_line_in_the_log(
    site_server,
    connections: ExitStack,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "SLOWEST_S", 0.3)
    monkeypatch.setattr(door, "_LOOK_S", 0.05)
    sock = connect(connections, site_server.port)
    sock.sendall(BODY + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert b"100 Continue" in sock.recv(1000)
    sock.sendall(b"zz\r\n\r\n")
    assert b" 200 OK" not in rest_of(sock)
    site_server.output._server.close(5)  # everything has been said by then
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_who_goes_amid_a_body_leaves_no_line_in_the_log(
    site_server, connections: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    sock = connect(connections, site_server.port)
    sock.sendall(BODY + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
    assert b"100 Continue" in sock.recv(1000)
    sock.close()
    site_server.output._server.close(5)  # everything has been said by then
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
    assert site_server.control.wishes == []


def test_an_expectation_that_nobody_meets(site_server, ask) -> None:
    said = ask(site_server.port, "GET", "/api/session", {"Expect": "wonders"})
    assert (said.status, said.headers["Content-Type"]) == (417, "application/problem+json")


def test_a_handler_that_fails_shows_nothing_of_its_inside_and_is_logged_once(
    site_server, ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(site_server.control, "models", broken)
    said = ask(site_server.port, "GET", "/api/models")
    assert (said.status, said.headers["Content-Type"]) == (500, "application/problem+json")
    assert b"secret" not in said.body
    assert b"RuntimeError" not in said.body
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert errors[0].exc_info is not None
    assert ask(site_server.port, "GET", "/api/session").status == 200


def test_more_connections_than_one_address_may_have_are_refused_politely(
    make_live_server, connections: ExitStack
) -> None:
    """Two hundred, to a real run, whose rate goes on."""
    server = make_live_server()
    analysed = server.app.pipeline.telemetry.analysed
    socks = [connect(connections, server.port) for _ in range(200)]
    refused = 0
    for sock in socks[door.MOST_OF_ONE :]:
        said = answer(sock)  # unasked
        if said:
            refused += 1
            assert said.startswith(b"HTTP/1.1 503 ")
            assert json.loads(said.partition(b"\r\n\r\n")[2])["status"] == 503
        assert sock.recv(1) == b""
    assert refused >= 1
    for sock in socks[: door.MOST_OF_ONE]:
        sock.sendall(REQUEST)
    for sock in socks[: door.MOST_OF_ONE]:
        assert b" 200 OK" in answer(sock)
    before, deadline = analysed.count, time.monotonic() + 20
    edition = server.app.pipeline.analysed.read()[1]
    while analysed.count < before + 10 and time.monotonic() < deadline:
        _, edition = server.app.pipeline.analysed.wait_newer(edition, 1.0)
    assert analysed.count >= before + 10
    for sock in socks:
        sock.close()
    # Places are free again: told by the ends, which take a moment to arrive.
    while time.monotonic() < deadline:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
            sock.sendall(REQUEST)
            if b" 200 OK" in answer(sock):
                return
    pytest.fail("no place became free")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-",
        b"PATCH /api/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b'Content-Length: 100\r\n\r\n{"ove',
    ],
)
def test_who_does_not_finish_a_request_is_cut_off(
    site_server, connections: ExitStack, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "SLOWEST_S", 0.3)
    monkeypatch.setattr(door, "_LOOK_S", 0.05)
    slow, idle = connect(connections, site_server.port), connect(connections, site_server.port)
    idle.sendall(REQUEST)
    assert b" 200 OK" in answer(idle)  # and now rests, which it may
    slow.sendall(sent)
    assert rest_of(slow) == b""
    idle.sendall(REQUEST)
    assert b" 200 OK" in answer(idle)


@pytest.mark.parametrize("more", [b"", b"GET / HT"])
def test_who_rests_for_long_is_let_go(
    site_server, connections: ExitStack, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "IDLE_S", 0.2)
    sock = connect(connections, site_server.port)
    sock.sendall(REQUEST + more)
    assert b" 200 OK" in rest_of(sock)


def test_bytes_that_drip_in_do_not_help(
    site_server, connections: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slowloris: a header line now and then keeps the time running."""
    monkeypatch.setattr(door, "SLOWEST_S", 0.5)
    monkeypatch.setattr(door, "_LOOK_S", 0.05)
    sock = connect(connections, site_server.port)
    sock.sendall(b"GET / HTTP/1.1\r\n")
    sock.settimeout(0.05)
    ended, deadline = False, time.monotonic() + 10
    while not ended and time.monotonic() < deadline:
        try:
            sock.sendall(b"X: 1\r\n")
            ended = sock.recv(1) == b""
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            ended = True
    assert ended


def test_a_head_without_end_is_cut_off(site_server, connections: ExitStack) -> None:
    sock = connect(connections, site_server.port)
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        for i in range(100_000):
            sock.sendall(b"X-%d: 1\r\n" % i)


def test_who_takes_nothing_of_an_answer_is_cut_off(
    site_server, connections: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "UNREAD_S", 0.2)
    monkeypatch.setattr(door, "_LOOK_S", 0.05)
    monkeypatch.setattr(door, "SLOWEST_S", 1000.0)
    sock = connections.enter_context(socket.socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.connect(("127.0.0.1", site_server.port))
    # More than the kernel's largest buffer (tcp(7), tcp_wmem: 4 MB).
    sock.sendall(b"GET /static/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
    poll, deadline = select.poll(), time.monotonic() + 20
    poll.register(sock, select.POLLHUP)
    # The kernel ends its side without a word; who sends to it is told.
    with suppress(ConnectionError):
        while not poll.poll(50) and time.monotonic() < deadline:
            sock.send(b"\r\n")
    assert poll.poll(0)


def test_too_many_open_files_pass(
    make_site_server, ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept, failures = BaseSelectorEventLoop.sock_accept, [1, 2]

    async def scarce(loop: BaseSelectorEventLoop, sock: socket.socket) -> object:
        if failures:
            failures.pop()
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(loop, sock)

    monkeypatch.setattr(door, "_PAUSE_S", 0.01)
    monkeypatch.setattr(BaseSelectorEventLoop, "sock_accept", scarce)
    server = make_site_server()
    assert ask(server.port, "GET", "/api/session").status == 200
    assert caplog.messages.count("live page: no connection can be taken: Too many open files") == 2


def test_the_door_takes_no_place_for_good(make_site_server, connections: ExitStack) -> None:
    """Of those that end before, during and after a request."""
    server = make_site_server()
    for sent in (b"", b"GET", REQUEST, REQUEST[:-2], b"garbage\r\n\r\n") * 60:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
            sock.sendall(sent)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.sendall(REQUEST)
        assert b" 200 OK" in answer(sock)


def test_it_ends_at_once_with_connections_of_all_kinds(
    make_live_server, connections: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    server = make_live_server()
    for path in ("/stream.mjpg", "/api/events", "/api/session"):
        sock = connect(connections, server.port)
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b" 200 OK" in sock.recv(100)
    connect(connections, server.port).sendall(b"GET / HT")
    web = server.output._server
    web.close(5)
    assert not web._worker.alive
    assert "does not end" not in caplog.text
