"""Records as the journal gets them, read from a real socket."""

import logging
import os
import socket
import struct
from pathlib import Path

import pytest

from edge_vision.journal import JournalHandler, goes_to_journal


def parsed(data: bytes) -> dict[str, str]:
    """The fields of one datagram."""
    fields = {}
    while data:
        head, _, rest = data.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if equals:
            fields[name.decode()], data = value.decode(), rest
        else:
            (length,) = struct.unpack("<Q", rest[:8])
            fields[name.decode()] = rest[8 : 8 + length].decode()
            assert rest[8 + length : 9 + length] == b"\n"
            data = rest[9 + length :]
    return fields


@pytest.mark.parametrize(
    ("level", "priority"),
    [("DEBUG", "7"), ("INFO", "6"), ("WARNING", "4"), ("ERROR", "3"), ("CRITICAL", "2")],
)
def test_level_and_place_are_fields(tmp_path: Path, level: str, priority: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "j"))
        sock.settimeout(5)
        log = logging.Logger("edge_vision.test")
        log.addHandler(JournalHandler(str(tmp_path / "j")))
        log.log(logging.getLevelName(level), "camera %s\nis gone", "äö")
        fields = parsed(sock.recv(65536))
    assert fields["MESSAGE"] == "camera äö\nis gone"
    assert fields["PRIORITY"] == priority
    assert fields["LOGGER"] == "edge_vision.test"
    assert fields["CODE_FILE"] == __file__
    assert fields["SYSLOG_IDENTIFIER"] == "edge-vision"
    assert int(fields["CODE_LINE"]) > 0


def test_no_journal_goes_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.Logger("edge_vision.test")
    log.addHandler(JournalHandler(str(tmp_path / "none")))
    log.error("lost")
    assert capsys.readouterr().err == "lost\n"


def test_whether_standard_error_is_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        status = os.fstat(file.fileno())
        ours = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert goes_to_journal(ours, file.fileno())
        assert not goes_to_journal({"JOURNAL_STREAM": "1:2"}, file.fileno())
        assert not goes_to_journal({}, file.fileno())
