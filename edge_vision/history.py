"""The log of events as web page and command line see it: what is asked for, and what is found."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge_vision.events import Event


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with what is kept of it; its start_ns and end_ns mean nothing any more (0, None).

    thumbnail: JPEG, at most 320 px wide and high.  snapshot: JPEG of full size.  clip: MP4, which
    other events may share; clip_done: it has been finished.  clip_offset_s: where in the clip the
    event begins.  None and 0 where there is none.
    """

    event: Event
    thumbnail: Path | None = None
    snapshot: Path | None = None
    clip: Path | None = None
    clip_done: bool = False
    clip_offset_s: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON; files as paths."""
        files = {"thumbnail": self.thumbnail, "snapshot": self.snapshot, "clip": self.clip}
        paths = {name: str(path) if path is not None else None for name, path in files.items()}
        return {
            **self.event.to_dict(),
            **paths,
            "clip_done": self.clip_done,
            "clip_offset_s": round(self.clip_offset_s, 3),
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: those that fit everything given.

    since_s, until_s: Unix time of the beginning, since <= start < until.  place: a zone or line
    that the rule is about, or a zone the object was in.  before: an id, for the next page.
    limit: at most so many, from 1.
    """

    since_s: float | None = None
    until_s: float | None = None
    kind: str | None = None
    rule: str | None = None
    label: str | None = None
    place: str | None = None
    node: str | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Totals:
    """How many events there are, and the bytes of their pictures and clips."""

    events: int
    bytes: int


class History(Protocol):
    """The log of events.  Everything may be called from any thread, and reads files: it may wait.

    Reading raises OutputError where the log cannot be read.
    """

    def find(self, wanted: Wanted) -> Sequence[Recorded]:
        """The newest first."""
        ...

    def get(self, event_id: str) -> Recorded | None:
        """One event, or None."""
        ...

    def totals(self) -> Totals:
        """Of the whole log."""
        ...

    def delete(self, event_id: str) -> "Future[bool]":
        """Remove an event and its files, but for a clip that others share; False: no such event.

        Done within some tenths of a second, where the disk is well; the future raises OutputError
        where it cannot be.
        """
        ...
