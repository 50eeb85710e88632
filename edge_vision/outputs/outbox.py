"""Messages that must arrive: in order, once or marked, across a restart, up to a number of bytes.

They wait in memory, and also in a file as soon as one of them is not delivered within two seconds:
an SD card is written to only while the receiver is away.  The file is a journal of lines:

    e 12 {...}    message number 12
    t 44          those up to 44 may have been sent
    d 11          those up to 11 are delivered, or were given up

It is emptied when everything in it is delivered.  A line cut off by a power failure is left out.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.outputs.journal_file import JournalFile
from edge_vision.outputs.reasons import reason_of
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

SPILL_S = 2.0
"""A message that is not delivered within so long is written down; so often at most."""
_RETRY_S = 30.0
"""After a failure the file is tried again after so long."""
_AHEAD = 32
"""The mark of what may have been sent runs so far ahead: fewer writes, and after a sudden end at
most so many are called duplicates that are none."""
_OVERHEAD = 64
"""Bytes counted for each message besides its own."""


class Entry(NamedTuple):
    """A message to send.  again: it may have been sent before."""

    number: int
    body: bytes
    again: bool


class Outbox:
    """See above.  `put` from any thread; `take`, `done` and `again` from the one that sends.

    most_bytes: of all that wait, 64 more for each; beyond, the oldest are given up.
    on_lost: told how many were.  on_ready: called when `take` may have something again.
    """

    def __init__(
        self,
        file: Path,
        most_bytes: int,
        on_lost: Callable[[int], None],
        on_ready: Callable[[], None],
        *,
        spill_s: float = SPILL_S,
    ) -> None:
        self._journal = JournalFile(file)
        self._most = most_bytes
        self._on_lost = on_lost
        self._on_ready = on_ready
        self._spill_ns = round(spill_s * 1e9)
        self._waiting: dict[int, bytes] = {}
        """Number -> message, in order."""
        self._fresh_ns: int | None = None
        """When the first message came that is not in the file."""
        self._bytes = 0
        self._last = 0
        self._next = 1
        """Number that is handed out next."""
        self._tried = 0
        """Numbers up to here were handed out once, perhaps before a restart."""
        self._written = 0
        """Numbers up to here are in the file, or about to be."""
        self._marked = 0
        """The mark "t" in the file."""
        self._mark_wanted = 0
        self._changed = threading.Condition()
        self._fault: EdgeVisionError | None = None
        self._failed_ns: int | None = None
        self._worker = Worker(f"queue {file.stem}", self._run)

    def start(self) -> None:
        """Read what an earlier run left, and begin to write.  Never raises."""
        try:
            kept = self._journal.open()
        except OSError as error:
            self._fail(error)
        else:
            self._tried = self._marked = kept.tried
            self._last = kept.last
            self._next = self._last + 1
            for number, body in kept.messages:
                self._next = min(self._next, number)
                self._waiting[number] = body
                self._bytes += len(body) + _OVERHEAD
            self._written = self._last
            if kept.messages:
                log.info("%s: %d messages of an earlier run wait", self._journal.file, len(self))
        self._worker.start()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, body: bytes) -> None:
        """Queue a message, a line of JSON; never waits for the disk."""
        lost = 0
        with self._changed:
            self._last += 1
            self._waiting[self._last] = body
            self._bytes += len(body) + _OVERHEAD
            if self._fresh_ns is None:
                self._fresh_ns = time.monotonic_ns()
            while self._bytes > self._most and len(self._waiting) > 1:
                oldest = next(iter(self._waiting))
                self._remove(oldest)
                self._next = max(self._next, oldest + 1)
                lost += 1
            self._changed.notify_all()
        if lost:
            self._on_lost(lost)

    def take(self) -> Entry | None:
        """The next message to send; None when there is none, or none yet."""
        with self._changed:
            while self._next <= self._last and self._next not in self._waiting:
                self._next += 1  # delivered out of order, or damaged in the file
            number = self._next
            if number > self._last:
                return None
            on_disk = number <= self._written and self._fault is None
            if on_disk and number > self._marked:
                # First it is written down that it may have been sent.
                self._mark_wanted = min(number + _AHEAD, self._last)
                self._changed.notify_all()
                return None
            self._next = number + 1
            again, self._tried = number <= self._tried, max(self._tried, number)
            return Entry(number, self._waiting[number], again)

    def done(self, number: int) -> None:
        """A message was delivered, or was refused for ever."""
        with self._changed:
            self._remove(number)
            self._changed.notify_all()

    def again(self) -> None:
        """What was handed out and is not done will be handed out once more."""
        with self._changed:
            self._next = next(iter(self._waiting), self._last + 1)

    def fault(self) -> EdgeVisionError | None:
        """Why the file cannot be written, as long as that is so."""
        return self._fault

    def close(self, timeout_s: float) -> None:
        """Write down what is not delivered."""
        with self._changed:
            self._worker.stop()
            self._changed.notify_all()
        if not self._worker.join(timeout_s):
            log.error("%s: not written within %g s", self._journal.file, timeout_s)

    def _remove(self, number: int) -> None:
        gone = self._waiting.pop(number, None)
        if gone is not None:
            self._bytes -= len(gone) + _OVERHEAD

    def _run(self, stop: threading.Event) -> None:
        """The one thread that writes."""
        while True:
            with self._changed:
                while not stop.is_set() and (pause_s := self._pause_s(time.monotonic_ns())) != 0:
                    self._changed.wait(pause_s)
                ending = stop.is_set()
                fresh = self._not_written()
                mark = max(self._mark_wanted, min(self._tried, self._last))
                before, came_ns = self._written, self._fresh_ns
                self._written = fresh[-1][0] if fresh else before
                self._fresh_ns = None
                first = next(iter(self._waiting), self._last + 1)
            try:
                self._write(fresh, mark, first)
            except OSError as error:
                with self._changed:
                    self._written = before
                    self._fresh_ns = came_ns if self._fresh_ns is None else self._fresh_ns
                self._fail(error)
            if ending:
                self._journal.close()
                return
            self._on_ready()

    def _write(self, fresh: list[tuple[int, bytes]], mark: int, first: int) -> None:
        """fresh: not in the file yet.  mark: "t".  first: the first number not delivered."""
        journal = self._journal
        if first > self._written:
            journal.empty()
        else:
            lines = [b"e %d %b\n" % line for line in fresh]
            if mark > journal.tried:
                lines.append(b"t %d\n" % mark)
            if first - 1 > journal.done:
                lines.append(b"d %d\n" % (first - 1))
            journal.append(lines)
            journal.tried, journal.done = max(mark, journal.tried), max(first - 1, journal.done)
            if journal.size > 2 * self._most + (1 << 20):
                with self._changed:
                    kept = [line for line in self._waiting.items() if line[0] <= self._written]
                journal.replace(kept)
        with self._changed:
            self._marked = max(self._marked, mark)
            self._mark_wanted = 0
            recovered, self._fault, self._failed_ns = self._fault, None, None
        if recovered is not None:
            log.info("%s is written again", journal.file)

    def _pause_s(self, now_ns: int) -> float | None:
        """How long there is nothing to write; None: until something changes."""
        if self._failed_ns is not None:
            return max(0.0, _RETRY_S - (now_ns - self._failed_ns) / 1e9)
        if self._mark_wanted > self._marked:
            return 0
        first = next(iter(self._waiting), self._last + 1)
        if self._journal.size and first > self._written:
            return 0  # all of the file is delivered
        # What is not delivered, and what was delivered of the file, is written down a little later.
        due = [] if self._fresh_ns is None else [self._fresh_ns + self._spill_ns]
        if self._journal.size and first - 1 > self._journal.done:
            due.append(self._journal.written_ns + self._spill_ns)
        return max(0.0, (min(due) - now_ns) / 1e9) if due else None

    def _not_written(self) -> list[tuple[int, bytes]]:
        found = []
        for number in reversed(self._waiting):
            if number <= self._written:
                break
            found.append((number, self._waiting[number]))
        return found[::-1]

    def _fail(self, error: OSError) -> None:
        first, self._failed_ns = self._fault is None, time.monotonic_ns()
        self._fault = OutputError(
            f"{self._journal.file} cannot be written: {reason_of(error)}; what waits for its "
            "receiver is kept in memory alone, until that is mended"
        )
        if first:
            log.error("%s", self._fault)
