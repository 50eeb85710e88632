"""Events posted to a real server on loopback that behaves, and to some that do not."""

import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge_vision.config import Config
from edge_vision.config_net import WebhookConfig
from edge_vision.errors import OutputError
from edge_vision.outputs import webhook
from edge_vision.outputs.webhook import SIGNATURE, WebhookOutput, sign

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]


class Receiver:
    """A web server whose next answers are `statuses`, then 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                if 200 <= status < 300:
                    receiver.got.append((dict(self.headers), body))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def values(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_control: Make
) -> Iterator[Callable[..., WebhookOutput]]:
    """make(url, ...): started; retries at once."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(webhook, "_FIRST_PAUSE_S", 0.02)
    made: list[WebhookOutput] = []

    def build(url: str, **settings: Any) -> WebhookOutput:
        output = WebhookOutput(WebhookConfig(url=url, **{"timeout_s": 5.0, **settings}))
        output.attach(make_control(Config()))
        output.start()
        made.append(output)
        return output

    yield build
    for output in made:
        output.close(5)


def test_each_event_begins_and_ends_signed(
    receiver: Receiver, make: Make, make_event: Make, until: Make, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    output = make(f"{receiver.url}/hook?a=b", secret_file=str(secret))
    output.on_event(make_event(1))
    output.on_event(make_event(1, score=0.9))
    output.on_event(make_event(1, score=0.9, end_s=1009.0))
    until(lambda: len(receiver.got) == 2)
    assert [(v["id"], v["phase"], v["revision"]) for v in receiver.values()] == [
        ("e000001", "begin", 0), ("e000001", "end", 1)
    ]  # fmt: skip
    headers, body = receiver.got[0]
    assert headers["Content-Type"] == "application/json"
    now_s = int(headers[SIGNATURE].split(",")[0].removeprefix("t="))
    assert headers[SIGNATURE] == sign("sesame", body, now_s)


def test_the_signature_is_hmac_sha256_of_time_and_body() -> None:
    expected = hmac.new(b"key", b"12.{}", hashlib.sha256).hexdigest()
    assert sign("key", b"{}", 12) == f"t=12,v1={expected}"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "answers 302, a redirect, which is not followed; give the final address"),
        (404, "answers 404"),
        (503, "answers 503"),
    ],
)
def test_it_is_sent_again_until_it_is_taken(
    receiver: Receiver, make: Make, make_event: Make, until: Make, status: int, said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    receiver.statuses = [status] * 3
    output = make(receiver.url)
    output.on_event(make_event(1))
    output.on_event(make_event(2))
    until(lambda: len(receiver.got) == 2)
    assert [value["id"] for value in receiver.values()] == ["e000001", "e000002"]
    assert receiver.values()[0]["duplicate"] is True, "it may have been taken all the same"
    assert "duplicate" not in receiver.values()[1]
    until(lambda: output.fault() is None)
    warned = [text for text in caplog.messages if "trying again" in text]
    assert warned == [f"webhook: {receiver.url} {said}; trying again"]


def test_a_message_that_is_refused_for_good_holds_up_no_other(
    receiver: Receiver, make: Make, make_event: Make, until: Make
) -> None:
    receiver.statuses = [422]
    output = make(receiver.url)
    output.on_event(make_event(1))
    output.on_event(make_event(2))
    until(lambda: receiver.got)
    assert [value["id"] for value in receiver.values()] == ["e000002"]
    assert output._control.telemetry.drops() == {"webhook refused": 1}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "has not answered within 0.3 s"),
        (b"HTTP/1.1", "has not answered within 0.3 s"),
        (b"SSH-2.0-OpenSSH\r\n", "nothing arrives at"),
        (b"HTTP/1.1 999999\r\n\r\n", "nothing arrives at"),
        (b"", "nothing arrives at"),
    ],
)
def test_servers_that_answer_strangely(
    make: Make, make_event: Make, until: Make, answer: bytes | None, said: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        output = make(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.3)
        output.on_event(make_event(1))
        connection, _ = server.accept()
        with connection:
            if answer is not None:
                connection.sendall(answer)
            if answer == b"HTTP/1.1" or answer is None:
                assert said in str(until(output.fault))
                return
        assert said in str(until(output.fault))


def test_a_server_that_answers_a_byte_at_a_time(make: Make, make_event: Make, until: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        output = make(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.4)
        output.on_event(make_event(1))
        connection, _ = server.accept()
        with connection:
            pace = threading.Event()
            for byte in b"HTTP/1.1 2" + b"0" * 2000:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    break
                if output.fault() is not None or pace.wait(0.01):
                    break
            assert "has not answered within 0.4 s" in str(until(output.fault))


def test_beyond_the_bound_drops_are_counted(
    make: Make, make_event: Make, until: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = make("http://127.0.0.1:9", queue_mb=1)
    until(lambda: output.on_event(make_event(1)) or output.fault())
    monkeypatch.setattr(output._outbox, "_most", 5_000)
    for number in range(2, 100):
        output.on_event(make_event(number))
    assert output._control.telemetry.drops()["webhook queue full"] > 50


def test_what_waits_at_the_end_is_sent_by_the_next_run(
    receiver: Receiver, make: Make, make_event: Make, until: Make
) -> None:
    first = make("http://127.0.0.1:9")
    for number in range(3):
        first.on_event(make_event(number))
    until(first.fault)
    first.close(5)
    make(receiver.url)
    until(lambda: len(receiver.got) == 3)
    assert [value["id"] for value in receiver.values()] == ["e000000", "e000001", "e000002"]


def test_without_a_live_run_nothing_is_sent(receiver: Receiver, make_event: Make) -> None:
    output = WebhookOutput(WebhookConfig(url=receiver.url))
    output.start()
    output.on_event(make_event(1))
    output.close(1)
    assert output.fault() is None


def test_files_that_cannot_be_read_end_the_start(make: Make, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the secret cannot be read from"):
        make("http://127.0.0.1:9", secret_file=str(tmp_path / "missing"))
    with pytest.raises(OutputError, match="cannot be read: "):
        make("https://127.0.0.1:9", ca_file=str(tmp_path / "missing"))


def test_https_is_verified(make: Make, make_event: Make, until: Make) -> None:
    output = make("https://127.0.0.1:9")
    assert output._context.verify_mode is ssl.CERT_REQUIRED
    assert output._context.check_hostname


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a/b", "http://", "a.example.org", "http://a b/", "http://a/\n", "http://u:p@a/",
     "http://a:99999/", "http://a:x/", "http://a/#part", "http://ä/"],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        WebhookConfig(url=url)
