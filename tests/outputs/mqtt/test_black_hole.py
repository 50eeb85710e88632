"""A broker that swallows what it gets: the end of a run does not wait for it."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]
CLOSE_S = 2.0
"""What a run gives an output; an attempt to connect may take 5 s."""
CONNACK = b"\x20\x03\x00\x00\x00"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(15)
        yield listening


def url_of(server: socket.socket, scheme: str = "mqtt") -> str:
    return f"{scheme}://127.0.0.1:{server.getsockname()[1]}"


def ended_in_time(output: Any, caplog: pytest.LogCaptureFixture) -> bool:
    output.close(CLOSE_S)
    said = [text for text in caplog.messages if "does not end" in text or "trying again" in text]
    return not output._worker.alive and said == [] and output.fault() is None


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
def test_the_broker_answers_nothing(
    server: socket.socket, make_mqtt: Make, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    output, _ = make_mqtt(url_of(server, scheme))
    connection, _ = server.accept()
    with connection:
        assert connection.recv(4096), "it waits for the answer to this"
        assert ended_in_time(output, caplog)


def test_nothing_takes_the_connection(
    make_mqtt: Make, until: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as server, socket.socket() as first:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        first.connect(server.getsockname())  # the queue is full: further ones are not answered
        output, _ = make_mqtt(url_of(server))
        syn_sent = f":{server.getsockname()[1]:04X} 02 "
        until(lambda: syn_sent in Path("/proc/net/tcp").read_text())
        assert ended_in_time(output, caplog)


def test_events_are_not_acknowledged(
    server: socket.socket, make_mqtt: Make, make_event: Make, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    output, _ = make_mqtt(url_of(server))
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(CONNACK)
        connection.recv(4096)
        output.on_event(make_event(1))
        assert ended_in_time(output, caplog)
    kept = (tmp_path / "state" / "mqtt-queue.journal").read_text()
    assert '"e000001"' in kept, "written down for the next run"


def test_an_address_that_answers_is_found_behind_one_that_does_not(
    broker: Any, make_mqtt: Make, until: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def addresses(*_: Any, **__: Any) -> Any:
        kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [
            (socket.AF_INET6, *kind, ("::1", 9, 0, 0)),
            (socket.AF_INET, *kind, ("127.0.0.1", broker.port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", addresses)
    output, _ = make_mqtt("mqtt://broker.invalid")
    until(lambda: output._connected)


def test_a_host_that_can_be_none(make_mqtt: Make, until: Make) -> None:
    output, _ = make_mqtt("mqtt://broker..invalid")
    sentence = "mqtt: the name broker..invalid does not resolve (it is no host name)"
    assert str(until(output.fault)).startswith(sentence)
