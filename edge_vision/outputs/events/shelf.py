"""The folder of events, opened: locked, its log usable, and kept within its space."""

import fcntl
import logging
import os
import sqlite3
from datetime import datetime
from pathlib import Path

from edge_vision.config_events import EventsConfig
from edge_vision.errors import OutputError
from edge_vision.outputs.events.store import CLIPS, FILE, PICTURES, Store, Unusable
from edge_vision.outputs.events.tidying import BATCH, free_bytes, make_room, mend, set_aside

log = logging.getLogger(__name__)

_MB = 1_000_000
_LOCKED_NS = 10_000_000_000
"""A database that another program has locked for so long is set aside."""
_TIDY_NS, _LOOK_NS = 60_000_000_000, 10_000_000_000
"""How often old events are looked for, and while recording the space that is left."""
_TELL_ASIDE_NS = 3_600_000_000_000
"""How long it is told that a database was set aside."""


class Occupied(OutputError):
    """Another process writes to the folder."""


class Shelf:
    """Used by one thread.  Methods raise OSError, sqlite3.Error or OutputError; then `close`."""

    def __init__(self, folder: Path, config: EventsConfig) -> None:
        self.folder = folder
        self._config = config
        self._store: Store | None = None
        self._lock_fd = -1
        self._was_open = False
        self._locked_ns: int | None = None
        self._tidy_ns = self._look_ns = 0
        self.room: str | None = None
        """Why no clip is recorded: the disk is too full."""
        self._aside = ""
        self._aside_ns = 0

    @property
    def is_open(self) -> bool:
        """From `open` to `close`."""
        return self._store is not None

    @property
    def store(self) -> Store:
        """The log; only while it is open."""
        assert self._store is not None
        return self._store

    def has_log(self) -> bool:
        """There is something to look after, also where nothing is to be written."""
        return (self.folder / FILE).exists()

    def aside(self, now_ns: int) -> str | None:
        """That a log was set aside, for the hour after it."""
        return self._aside if self._aside and now_ns - self._aside_ns < _TELL_ASIDE_NS else None

    def open(self, now_ns: int, now: datetime) -> None:
        """Open the folder, made where it is not there; never again where it has vanished."""
        if not self._was_open:
            # The default folder with all above it; a disk that is not mounted is not made up for.
            self.folder.mkdir(0o750, parents=self._config.folder is None, exist_ok=True)
        for part in (CLIPS, PICTURES):
            (self.folder / part).mkdir(0o750, exist_ok=True)
        self._lock()
        try:
            store = Store(self.folder)
        except Unusable as error:
            self.set_aside(now_ns, now, error)
            store = Store(self.folder)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not self._locked_long(now_ns):
                raise
            self.set_aside(now_ns, now, Unusable("locked", "another program has locked it"))
            store = Store(self.folder)
        self._store = store
        self._locked_ns = None
        mend(store, self.folder, self._config, now.timestamp())
        self._was_open = True
        self._tidy_ns = self._look_ns = 0

    def check(self) -> None:
        """Raises OSError where the log that is open is not that of the folder any more."""
        if os.stat(self.store.file).st_ino != self.store.inode:
            raise OSError(f"{FILE} was replaced by another file")

    def set_aside(self, now_ns: int, now: datetime, why: Unusable) -> None:
        """Give the database another name, and say so; clips and pictures stay."""
        self._close_store()
        kept = set_aside(self.folder, why.why, now.strftime("%Y%m%d-%H%M%S"))
        self._aside = (
            f"events: {FILE} in {self.folder} cannot be used ({why}); it is kept as {kept.name}, "
            "and a new log was begun"
        )
        self._aside_ns = now_ns
        log.error("%s", self._aside)

    def tidy(self, now_ns: int, now_s: float, *, recording: bool) -> None:
        """Every so often: remove what is too old or too much.  now_s: Unix time."""
        if now_ns < self._look_ns:
            return
        floor = self._config.min_free_mb * _MB
        free = free_bytes(self.folder)
        removed = 0
        if now_ns >= self._tidy_ns or free < floor:
            self._tidy_ns = now_ns + _TIDY_NS
            removed = make_room(self.store, self.folder, self._config, now_s, free)
        if removed:
            log.info("events: %d were removed, as too old or to make room", removed)
            free = free_bytes(self.folder)
        if removed == BATCH:
            self._tidy_ns = now_ns
        before = self.room
        self.room = None
        if free < floor:
            self.room = (
                f"recorder: {free // _MB} MB are free in {self.folder}, {self._config.min_free_mb} "
                "are to stay so (events.min_free_mb), and removing events would not be enough; no "
                "clip is recorded until there is room"
            )
        if (before is None) != (self.room is None):
            log.warning("%s", self.room or "recorder: there is room again")
        often = recording or self.room is not None
        self._look_ns = min(self._tidy_ns, now_ns + (_LOOK_NS if often else _TIDY_NS))

    def close(self) -> None:
        """Close the log and let others in; never raises."""
        self._close_store()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _lock(self) -> None:
        if self._lock_fd < 0:
            self._lock_fd = os.open(
                self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640
            )
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Occupied(
                f"events: another edge-vision writes to {self.folder}; give each its own "
                "events.folder"
            ) from None

    def _locked_long(self, now_ns: int) -> bool:
        if self._locked_ns is None:
            self._locked_ns = now_ns
        return now_ns - self._locked_ns >= _LOCKED_NS
