"""What is told to systemd, read from a real socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_vision.notify import Notifier


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "n"))
        sock.settimeout(5)
        yield sock


def told(listener: socket.socket) -> str:
    return listener.recv(4096).decode()


def test_states(listener: socket.socket, tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "n")})
    notifier.ready()
    assert told(listener) == "READY=1"
    notifier.reloading()
    lines = told(listener).split("\n")
    assert lines[0] == "RELOADING=1"
    assert lines[1].startswith("MONOTONIC_USEC=")
    assert int(lines[1].partition("=")[2]) > 0
    notifier.status("two\nlines")
    assert told(listener) == "STATUS=two lines"
    notifier.status("two\nlines")  # nothing new: not sent
    notifier.alive()
    assert told(listener) == "WATCHDOG=1"
    notifier.stopping()
    assert told(listener) == "STOPPING=1"


def test_an_abstract_socket() -> None:
    name = f"edge-vision-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name)
        sock.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert told(sock) == "READY=1"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_ours_or_not(
    values: dict[str, str], expected: float | None, tmp_path: Path
) -> None:
    given = {"NOTIFY_SOCKET": str(tmp_path / "n"), **values}
    assert Notifier(given).watchdog_s == expected
    assert Notifier(values).watchdog_s is None, "without a supervisor there is no watchdog"


def test_no_supervisor_and_a_gone_one_are_no_trouble(tmp_path: Path) -> None:
    Notifier({}).ready()
    assert not Notifier({}).supervised
    gone = Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    assert gone.supervised
    gone.alive()
    gone.status("x")


def test_a_supervisor_that_does_not_read_never_blocks_us(
    listener: socket.socket, tmp_path: Path
) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "n")})
    for _ in range(2000):  # far more than a socket's queue
        notifier.alive()
    assert told(listener) == "WATCHDOG=1"
