"""The file behind an outbox: appended to, emptied, read back whatever a power cut left of it."""

import errno
import fcntl
import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

_MOST_BYTES = 1 << 30
"""No file of ours is larger."""


@dataclass(slots=True)
class Kept:
    """What a file holds.  messages: number and body of those not delivered, in order.

    last: the highest number seen.  tried, done: the marks "t" and "d", 0 without one.
    """

    messages: list[tuple[int, bytes]] = field(default_factory=list)
    last: int = 0
    tried: int = 0
    done: int = 0


class JournalFile:
    """See `outbox.py` for the lines.  Everything raises OSError; after that the file is as before.

    size: bytes in it.  written_ns: when it was appended to last (time.monotonic_ns).
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.size = 0
        self.written_ns = 0
        self.tried = 0
        self.done = 0
        self._fd = -1
        self._late = False

    def open(self) -> Kept:
        """Open or make it, alone, and read it."""
        self._late = True  # an opening after this one is a second attempt
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fd = _open(self.file)
        try:
            with os.fdopen(os.dup(fd), "rb") as source:
                data = source.read(_MOST_BYTES)
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                os.ftruncate(fd, whole)
            kept = _read(data[:whole], self.file)
        except OSError:
            os.close(fd)
            raise
        self._fd, self.size = fd, whole
        self.tried, self.done = kept.tried, kept.done
        return kept

    def append(self, lines: list[bytes]) -> None:
        """Add lines, and wait until they are on the disk."""
        if not lines:
            return
        self._ready()
        data = b"".join(lines)
        try:
            _write(self._fd, data, self.size)
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size += len(data)
        self.written_ns = time.monotonic_ns()

    def empty(self) -> None:
        """Leave nothing in it."""
        if self.size:
            os.ftruncate(self._fd, 0)
            self.size = 0

    def replace(self, messages: list[tuple[int, bytes]]) -> None:
        """Put these messages and the present marks in the place of everything."""
        lines = [b"e %d %b\n" % message for message in messages]
        lines.append(b"t %d\nd %d\n" % (self.tried, self.done))
        data = b"".join(lines)
        partial = self.file.with_name(self.file.name + ".partial")
        partial.unlink(missing_ok=True)
        fd = _open(partial)
        try:
            _write(fd, data, 0)
            partial.replace(self.file)
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self.size = fd, len(data)

    def close(self) -> None:
        """Close it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _ready(self) -> None:
        """After an opening that failed, open it now; what it may hold is of another time."""
        if self._fd >= 0:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fd = _open(self.file)
        try:
            if os.fstat(fd).st_size:
                aside = self.file.with_name(self.file.name + ".old")
                os.replace(self.file, aside)
                log.warning("%s could not be read at the start; it is kept as %s", self.file, aside)
                os.close(fd)
                fd = _open(self.file)
        except OSError:
            os.close(fd)
            raise
        self._fd, self.size = fd, 0


def _open(file: Path) -> int:
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise OSError(errno.EBUSY, "another edge-vision of this user is writing it") from None
    return fd


def _write(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written
    os.fdatasync(fd)


def _read(data: bytes, file: Path) -> Kept:
    kept, found, broken = Kept(), {}, 0
    for line in data.split(b"\n")[:-1]:
        kind, _, rest = line.partition(b" ")
        number, _, body = rest.partition(b" ")
        if not number.isdigit() or kind not in (b"e", b"t", b"d"):
            broken += 1
        elif kind == b"t":
            kept.tried = max(kept.tried, int(number))
        elif kind == b"d":
            kept.done = max(kept.done, int(number))
        elif body.startswith(b"{") and body.endswith(b"}"):
            found[int(number)] = body
        else:
            broken += 1
    if broken:
        log.warning("%s: %d damaged lines are left out", file, broken)
    kept.last = max(kept.tried, kept.done, max(found, default=0))
    kept.messages = sorted(line for line in found.items() if line[0] > kept.done)
    return kept
