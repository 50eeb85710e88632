"""The live picture over TLS, whose transport counts its bytes in its own way."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from watching import Stream, noise, offer, until

from edge_vision.outputs.web.passwords import Password


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Certificate and key of 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "a.pem"), str(folder / "a.key")
    order = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    order += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    order += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run(order, check=True, capture_output=True, timeout=60)
    Path(key).chmod(0o600)
    return cert, key


def test_a_fast_and_a_slow_reader(make_site_server: Any, pair: tuple[str, str]) -> None:
    cert, key = pair
    server = make_site_server(tls_cert=cert, tls_key=key)
    context = ssl.create_default_context(cafile=cert)
    slow, fast = (Stream(server.port, context=context) for _ in range(2))
    for seq in range(60):
        offer(server.output, noise(seq))
        assert fast.part()[0]["X-Seq"] == str(seq)
    seen: list[int] = []

    def read_on() -> None:
        while not seen or seen[-1] < 60:
            seen.append(int(slow.part()[0]["X-Seq"]))

    reading = threading.Thread(target=read_on)
    reading.start()
    hub = server.output._hub
    until(lambda: [v.due(time.monotonic_ns()) for v in hub._viewers] == [True] * 2)
    offer(server.output, noise(60))
    reading.join(10)
    assert seen == [*range(len(seen) - 1), 60], seen
    assert len(seen) < 25, (
        seen
    )  # what fits into the kernel of a reader that takes as much as it can
    for stream in (slow, fast):
        stream.close()


def test_logging_out_ends_a_stream(
    make_site_server: Any, pair: tuple[str, str], tmp_path: Path, ask: Any
) -> None:
    cert, key = pair
    password = tmp_path / "password"
    password.write_text(Password.of("correct horse").line())
    password.chmod(0o600)
    server = make_site_server(tls_cert=cert, tls_key=key, password_file=str(password))
    context = ssl.create_default_context(cafile=cert)
    body = {"password": "correct horse"}
    answer = ask(server.port, "POST", "/api/login", json_body=body, tls=context)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as stream,
    ):
        ask_for = f"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
        stream.sendall(ask_for.encode())
        assert b" 200 " in stream.recv(4096)
        ended = ask(server.port, "POST", "/api/logout", {"Cookie": cookie}, tls=context)
        assert ended.status == 204
        while stream.recv(4096):  # to its end, within the time limit
            pass
