"""Counts that survive a restart: one small file, replaced as a whole, at most once a minute."""

import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from edge_vision.config_base import Section
from edge_vision.errors import OutputError
from edge_vision.events import Counts
from edge_vision.rules.tally import empty_counts
from edge_vision.whole_file import whole_file
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

_EVERY_S = 60.0
"""Memory cards wear with each write."""

ByLabel = dict[str, Annotated[int, Field(ge=0)]]


class _Written(Section):
    """What stands in the file; see Counts."""

    version: Literal[1] = 1
    since_s: float
    lines: dict[str, dict[Literal["in", "out"], ByLabel]]
    zones: dict[str, ByLabel]


def read_counts(file: Path, now_s: float) -> Counts:
    """The counts in a file, or none from now (Unix time) on; never raises.

    A file that cannot be understood is kept beside it as NAME.bad, and a sentence goes to the log.
    """
    try:
        written = _Written.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return empty_counts(now_s)
    except OSError as error:
        log.warning("the counts in %s cannot be read (%s); counting begins anew",
                    file, error.strerror)  # fmt: skip
        return empty_counts(now_s)
    except ValidationError:
        kept = file.with_name(file.name + ".bad")
        with suppress(OSError):  # a folder that cannot be written to is said when it is
            file.replace(kept)
        log.warning("the counts in %s are damaged; counting begins anew, and the file is kept as "
                    "%s", file, kept.name)  # fmt: skip
        return empty_counts(now_s)
    return Counts(written.since_s, written.lines, written.zones, {})  # type: ignore[arg-type]


def write_counts(file: Path, counts: Counts) -> None:
    """Replace the file: a power cut leaves the old or the new one.  Raises OutputError."""
    text = _Written(since_s=counts.since_s, lines=counts.lines, zones=counts.zones)  # type: ignore[arg-type]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as out:
            out.write(text.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise OutputError(
            f"the counts cannot be written to {file}: {error.strerror}; they go on, and are lost "
            "at the next start unless its folder becomes writable, or $STATE_DIRECTORY names "
            "another"
        ) from None


class CountsKeeper:
    """Writes counts in a thread of its own, so that a disk that stalls holds up nobody.

    `keep` may be called by any thread, as often as counts change.
    """

    def __init__(self, file: Path, *, every_s: float = _EVERY_S) -> None:
        self.fault: OutputError | None = None
        """Why the newest counts are not in the file; goes away by itself."""
        self._file = file
        self._every_s = every_s
        self._newest: Counts | None = None
        self._written: Counts | None = None
        self._changed = threading.Event()
        self._worker = Worker("counts", self._run)

    def start(self) -> None:
        """Start the thread."""
        self._worker.start()

    def keep(self, counts: Counts) -> None:
        """Write these counts when it is time; returns at once."""
        self._newest = counts
        self._changed.set()

    def close(self, timeout_s: float) -> None:
        """Write what is not written yet; waits up to `timeout_s`."""
        self._worker.stop()
        self._changed.set()
        if not self._worker.join(timeout_s):
            log.error("the newest counts are not in %s: the disk does not answer", self._file)

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._changed.wait()
            self._write()
            stop.wait(self._every_s)
        self._write()

    def _write(self) -> None:
        self._changed.clear()
        counts = self._newest
        if counts is None or counts is self._written:
            return
        try:
            write_counts(self._file, counts)
        except OutputError as error:
            if self.fault is None:
                log.error("%s", error)
            self.fault = error
        else:
            self.fault, self._written = None, counts
