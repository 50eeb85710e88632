"""Reading the log of events, also while another process writes it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from edge_vision.errors import OutputError
from edge_vision.history import Recorded, Totals, Wanted
from edge_vision.outputs.events.store import CLIPS, FILE, PICTURES, VERSION, event_of, totals_of

_BUSY_S = 2.0
_PLACE = "(e.place = :place OR EXISTS (SELECT 1 FROM json_each(e.zones) WHERE value = :place))"
_CONDITIONS = {
    "since_s": "e.start_s >= :since_s",
    "until_s": "e.start_s < :until_s",
    "kind": "e.kind = :kind",
    "rule": "e.rule = :rule",
    "label": "e.label = :label",
    "place": _PLACE,
    "node": "e.node = :node",
    "before": "e.id < :before",
}
_SELECT = """
SELECT e.*, c.start_s AS clip_start_s, c.done AS clip_done
FROM events AS e LEFT JOIN clips AS c ON c.name = e.clip
"""


class Archive:
    """The part of History that reads; each call opens the database for itself.

    A folder without a log is an empty log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, wanted: Wanted) -> list[Recorded]:
        """See History."""
        given = {name: getattr(wanted, name) for name in _CONDITIONS}
        conditions = [_CONDITIONS[name] for name, value in given.items() if value is not None]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"{_SELECT} {where} ORDER BY e.id DESC LIMIT :limit"
        with self._reading() as db:
            if db is None:
                return []
            rows = db.execute(sql, {**given, "limit": max(1, wanted.limit)})
            return [self._recorded(row) for row in rows]

    def get(self, event_id: str) -> Recorded | None:
        """See History."""
        with self._reading() as db:
            if db is None:
                return None
            row = db.execute(f"{_SELECT} WHERE e.id = ?", (event_id,)).fetchone()
            return self._recorded(row) if row is not None else None

    def totals(self) -> Totals:
        """See History."""
        with self._reading() as db:
            return totals_of(db) if db is not None else Totals(0, 0)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        file = self.folder / FILE
        try:
            if not file.exists():
                yield None
                return
            with closing(self._open(file)) as db:
                db.row_factory = sqlite3.Row
                # Version 0: it is being made just now.
                yield db if db.execute("PRAGMA user_version").fetchone()[0] else None
        except (sqlite3.Error, OSError) as error:
            raise OutputError(
                f"{file} cannot be read: {error}; expected a log of events of this version, in a "
                "folder you may read"
            ) from error

    def _open(self, file: Path) -> sqlite3.Connection:
        uri = f"file:{quote(str(file))}?mode=ro"
        # Where nobody writes and the folder may not be written, the log cannot share its index.
        for more in ("", "&immutable=1"):
            db = sqlite3.connect(uri + more, uri=True, timeout=_BUSY_S)
            try:
                (version,) = db.execute("PRAGMA user_version").fetchone()
                if version > VERSION:
                    raise OutputError(
                        f"{file} is of version {version}; this program knows {VERSION}: update it"
                    )
            except sqlite3.OperationalError:
                db.close()
                if more or file.with_name(f"{FILE}-wal").exists():
                    raise
            except BaseException:
                db.close()
                raise
            else:
                return db
        raise AssertionError("the last attempt returns or raises")

    def _recorded(self, row: sqlite3.Row) -> Recorded:
        def path(kind: str, name: str | None) -> Path | None:
            return self.folder / kind / name if name is not None else None

        began, start_s = row["clip_start_s"], row["start_s"]
        return Recorded(
            event_of(row),
            path(PICTURES, row["thumbnail"]),
            path(PICTURES, row["snapshot"]),
            path(CLIPS, row["clip"]) if began is not None else None,
            bool(row["clip_done"]),
            max(0.0, start_s - began) if began is not None else 0.0,
        )
