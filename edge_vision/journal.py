"""Log records for systemd's journal, with their level and where they come from as fields.

Protocol: systemd.io/JOURNAL_NATIVE_PROTOCOL: one datagram a record, NAME=value lines; a value with
line breaks as NAME, line break, its length (64 bit, little endian), the value.
"""

import logging
import os
import socket
import struct
import sys

SOCKET = "/run/systemd/journal/socket"
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def goes_to_journal(environment: dict[str, str] | None = None, fd: int | None = None) -> bool:
    """Standard error is the journal's own stream (systemd.exec(5), $JOURNAL_STREAM)."""
    stream = (os.environ if environment is None else environment).get("JOURNAL_STREAM", "")
    try:
        status = os.fstat(sys.stderr.fileno() if fd is None else fd)
    except (OSError, ValueError):
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"


class JournalHandler(logging.Handler):
    """Sends records to the journal; to standard error when the journal does not take them.

    Fields: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, LOGGER, THREAD, CODE_FILE, CODE_LINE, CODE_FUNC.
    """

    def __init__(self, address: str = SOCKET) -> None:
        super().__init__()
        self._address = address

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        text = self.format(record)
        fields = {
            "MESSAGE": text,
            "PRIORITY": str(next((p for level, p in _PRIORITIES if record.levelno >= level), 7)),
            "SYSLOG_IDENTIFIER": "edge-vision",
            "LOGGER": record.name,
            "THREAD": record.threadName or "",
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
        }
        data = b"".join(_field(name, value) for name, value in fields.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.sendto(data, self._address)
        except OSError:
            sys.stderr.write(text + "\n")


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
