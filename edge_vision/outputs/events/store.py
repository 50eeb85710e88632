"""The log of events as an SQLite file, and the names of what lies beside it.

Write-ahead log, so that others read while it is written.  Each commit is carried to the disk
(synchronous FULL): there is at most about one a second, and the newest one outlives a power cut.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_vision.events import Event
from edge_vision.history import Totals

FILE = "events.db"
CLIPS, PICTURES = "clips", "pictures"
VERSION = 1
_APPLICATION = 0x65766576  # "evev", so that another program's database is not taken for ours
_BUSY_S = 2.0
_SCHEMA = """
CREATE TABLE events (
  id TEXT PRIMARY KEY, node TEXT, kind TEXT, rule TEXT, place TEXT, direction TEXT,
  track_id INTEGER, label TEXT, score REAL, box TEXT, count INTEGER, zones TEXT,
  start_s REAL, end_s REAL, changed_s REAL, thumbnail TEXT, snapshot TEXT, clip TEXT, bytes INTEGER
) WITHOUT ROWID;
CREATE TABLE clips (
  name TEXT PRIMARY KEY, start_s REAL, bytes INTEGER, done INTEGER
) WITHOUT ROWID;
CREATE INDEX events_by_clip ON events (clip);
"""
_COLUMNS = 19
_ALONE = "NOT EXISTS (SELECT 1 FROM events WHERE clip = clips.name)"


@dataclass(slots=True)
class EventRow:
    """An event with the names of its files; bytes: of its pictures.  changed_s: Unix time."""

    event: Event
    changed_s: float
    thumbnail: str | None = None
    snapshot: str | None = None
    clip: str | None = None
    bytes: int = 0


@dataclass(slots=True)
class ClipRow:
    """name: of the file.  start_s: Unix time of its first picture.  done: it was finished."""

    name: str
    start_s: float
    bytes: int = 0
    done: bool = False


class Unusable(Exception):
    """The database cannot be used; `why` is one word for its new name, the text a reason."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


class Store:
    """The database, opened for writing; used by one thread.

    Everything may raise sqlite3.Error.  Opening raises Unusable for a file that is corrupt, of
    another program, or of a newer edge-vision.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE
        self._db = sqlite3.connect(
            self.file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except sqlite3.OperationalError:
            self._db.close()
            raise
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise Unusable("corrupt", str(error)) from error
        except Unusable:
            self._db.close()
            raise
        self.inode = self.file.stat().st_ino

    def _prepare(self) -> None:
        db = self._db
        version, application, tables = (
            db.execute(f"SELECT {what}").fetchone()[0]
            for what in (
                "user_version FROM pragma_user_version",
                "application_id FROM pragma_application_id",
                "count(*) FROM sqlite_master",
            )
        )
        if tables and application != _APPLICATION:
            raise Unusable("foreign", "it was made by another program")
        if version > VERSION:
            raise Unusable("newer", f"it is of version {version}; this program knows {VERSION}")
        damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise Unusable("corrupt", damage)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.execute("BEGIN IMMEDIATE")  # also finds out whether it may be written
        if not tables:
            for statement in _SCHEMA.split(";")[:-1]:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")

    def close(self) -> None:
        """Close; what was not committed is gone."""
        with suppress(sqlite3.Error):
            self._db.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """What is done within is kept as a whole, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def write(self, events: Iterable[EventRow], clips: Iterable[ClipRow]) -> None:
        """Put rows in place of those with the same name."""
        marks = ", ".join("?" * _COLUMNS)
        with self.changing():
            self._db.executemany(
                f"INSERT OR REPLACE INTO events VALUES ({marks})", [_values(row) for row in events]
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO clips VALUES (?, ?, ?, ?)",
                [(clip.name, clip.start_s, clip.bytes, clip.done) for clip in clips],
            )

    def remove(self, event_id: str) -> tuple[bool, list[str]]:
        """Remove an event; whether it was there, and the files that nothing needs any more.

        Files are relative to the folder.  A clip that is being written stays.  Within `changing`.
        """
        db = self._db
        row = db.execute(
            "SELECT thumbnail, snapshot, clip FROM events WHERE id = ?", (event_id,)
        ).fetchone()
        if row is None:
            return False, []
        db.execute("DELETE FROM events WHERE id = ?", (event_id,))
        files = [f"{PICTURES}/{name}" for name in row[:2] if name is not None]
        clip = f"SELECT name FROM clips WHERE name = ? AND done AND {_ALONE}"
        if db.execute(clip, (row[2],)).fetchone() is not None:
            files += self.remove_clip(row[2])
        return True, files

    def remove_clip(self, name: str) -> list[str]:
        """Remove a clip that no event has; returns its file.  Within `changing`."""
        self._db.execute("DELETE FROM clips WHERE name = ?", (name,))
        return [f"{CLIPS}/{name}"]

    def oldest(self, most: int, limit_s: float) -> list[tuple[float, str, bool]]:
        """What is finished, the oldest first: Unix time, id or name, and whether it is an event.

        Events that are over and have files or began before limit_s, and clips that no event has.
        """
        events = (
            "SELECT start_s, id, 1 FROM events WHERE end_s IS NOT NULL AND NOT EXISTS "
            "(SELECT 1 FROM clips WHERE name = events.clip AND NOT done) "
            "AND (bytes > 0 OR clip IS NOT NULL OR start_s < :limit) ORDER BY id LIMIT :most"
        )
        clips = (
            f"SELECT start_s, name, 0 FROM clips WHERE done AND {_ALONE} ORDER BY name LIMIT :most"
        )
        given = {"most": most, "limit": limit_s}
        found = [row for sql in (events, clips) for row in self._db.execute(sql, given)]
        return sorted((start, name, bool(event)) for start, name, event in found)[:most]

    def totals(self) -> Totals:
        """Of all events, and the bytes of all pictures and clips."""
        return totals_of(self._db)

    def mend(self, gone: set[str], clips: Mapping[str, tuple[ClipRow, float]]) -> None:
        """Forget files that are not there (relative names), take clips as they were found.

        clips: by name, with the Unix time of their end.  An event that never ended has ended with
        its clip, or when it was written last.
        """
        db = self._db
        missing = [(name.partition("/")[2],) for name in gone]
        with self.changing():
            db.executemany("DELETE FROM clips WHERE name = ?", missing)
            for column in ("clip", "thumbnail", "snapshot"):
                db.executemany(f"UPDATE events SET {column} = NULL WHERE {column} = ?", missing)
            db.execute("UPDATE events SET clip = NULL WHERE clip NOT IN (SELECT name FROM clips)")
            db.executemany(
                "UPDATE events SET end_s = max(start_s, ?) WHERE end_s IS NULL AND clip = ?",
                [(end_s, name) for name, (_, end_s) in clips.items()],
            )
            db.execute("UPDATE events SET end_s = max(start_s, changed_s) WHERE end_s IS NULL")
        self.write((), [row for row, _ in clips.values()])

    def names(self) -> set[str]:
        """Every file it knows of, relative to the folder."""
        pictures = self._db.execute("SELECT thumbnail, snapshot FROM events")
        found = {f"{PICTURES}/{name}" for row in pictures for name in row if name is not None}
        return found | {f"{CLIPS}/{name}" for (name,) in self._db.execute("SELECT name FROM clips")}

    def unfinished(self) -> list[ClipRow]:
        """Clips whose end was never written."""
        rows = self._db.execute("SELECT * FROM clips WHERE NOT done")
        return [ClipRow(name, start, size, bool(done)) for name, start, size, done in rows]


def totals_of(db: sqlite3.Connection) -> Totals:
    """How many events, and the bytes of pictures and clips."""
    events, pictures = db.execute("SELECT count(*), total(bytes) FROM events").fetchone()
    (clips,) = db.execute("SELECT total(bytes) FROM clips").fetchone()
    return Totals(events, int(pictures + clips))


def event_of(row: sqlite3.Row) -> Event:
    """The event of a row of the table."""
    x0, y0, x1, y1 = json.loads(row["box"])
    return Event(
        row["id"],
        row["node"],
        row["kind"],
        row["rule"],
        row["place"],
        row["direction"],
        row["track_id"],
        row["label"],
        row["score"],
        (x0, y0, x1, y1),
        row["count"],
        tuple(json.loads(row["zones"])),
        row["start_s"],
        0,
        row["end_s"],
    )


def _values(row: EventRow) -> tuple[Any, ...]:
    event = row.event
    return (
        event.id,
        event.node,
        event.kind,
        event.rule,
        event.place,
        event.direction,
        event.track_id,
        event.label,
        round(event.score, 4),
        json.dumps([round(side, 5) for side in event.box]),
        event.count,
        json.dumps(event.zones),
        event.start_s,
        event.end_s,
        row.changed_s,
        row.thumbnail,
        row.snapshot,
        row.clip,
        row.bytes,
    )
