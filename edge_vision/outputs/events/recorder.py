"""Which clip is being written, and until when."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge_vision.config_events import RecorderConfig
from edge_vision.events import Event
from edge_vision.outputs.events.ring import Ring
from edge_vision.outputs.events.store import ClipRow

if TYPE_CHECKING:
    from edge_vision.outputs.events.clip import Clip

log = logging.getLogger(__name__)

_SILENCE_NS = 2_000_000_000
"""A clip whose last picture should have come so long ago ends without it."""
_LATE_NS = 2_000_000_000
"""How long an event waits for the first picture of its clip."""


class Recorder:
    """Writes one clip at a time from the ring; used by one thread.

    Methods raise OSError; then `abandon`.  Times are of time.monotonic_ns, as the events' own.
    """

    def __init__(self, config: RecorderConfig, ring: Ring) -> None:
        self._config = config
        self._ring = ring
        self._clip: Clip | None = None
        self._row: ClipRow | None = None
        self._going: set[str] = set()
        self._until_ns = 0
        self.changed: dict[str, ClipRow] = {}
        """Rows to be written to the log."""

    @property
    def recording(self) -> bool:
        """A clip is being written."""
        return self._clip is not None

    def take(self, event: Event, now_ns: int, folder: Path) -> str | None:
        """An event that has no clip yet: the name of the one that it is in now, if any.

        It joins the clip being written where it and what comes after it fit; else another begins.
        """
        if not self._config.enabled or now_ns - event.start_ns > self._ns("pre_s") + _LATE_NS:
            return None
        clip = self._clip
        if clip is not None and event.start_ns + self._ns("post_s") > self._limit_ns(clip):
            self.finish()
        if self._clip is None and not self._begin(event, folder):
            return None
        assert self._row is not None
        self._going.add(event.id)
        self.follow(event)
        return self._row.name

    def follow(self, event: Event) -> None:
        """News of an event: where it has ended, its clip ends some time after it."""
        if event.id in self._going and event.end_ns is not None:
            self._going.discard(event.id)
            self._until_ns = max(self._until_ns, event.end_ns + self._ns("post_s"))

    def forget(self, event_id: str) -> None:
        """An event that is not wanted any more."""
        self._going.discard(event_id)

    def pump(self, now_ns: int) -> None:
        """Write what has come since."""
        clip, row = self._clip, self._row
        if clip is None or row is None:
            return
        end_ns = self._limit_ns(clip)
        if not self._going:
            end_ns = min(end_ns, self._until_ns)
        pieces = self._ring.since(clip.next_number)
        wanted = [piece for piece in pieces if piece.stream is clip.stream]
        fitting = [piece for piece in wanted if piece.at_ns <= end_ns]
        clip.write(fitting)
        if len(fitting) < len(pieces) or now_ns > end_ns + _SILENCE_NS:
            self.finish()

    def finish(self) -> None:
        """End the clip being written, if there is one."""
        clip, row = self._clip, self._row
        if clip is None or row is None:
            return
        if clip.missed:
            log.warning(
                "%s lacks %d pictures: the disk was too slow for recorder.ring_mb",
                clip.path, clip.missed,
            )  # fmt: skip
        clip.close()
        self._clip = self._row = None
        self._going.clear()
        row.bytes, row.done = clip.path.stat().st_size, True
        self.changed[row.name] = row

    def abandon(self) -> None:
        """Close what can be closed after a failure; what is whole is kept."""
        clip, row = self._clip, self._row
        self._clip = self._row = None
        self._going.clear()
        if clip is None or row is None:
            return
        from edge_vision.outputs.events.clip import duration_s

        with suppress(OSError):
            clip.close()
        self.changed.pop(row.name, None)
        if duration_s(clip.path) > 0:
            row.bytes, row.done = clip.path.stat().st_size, True
            self.changed[row.name] = row
        else:
            with suppress(OSError):
                clip.path.unlink(missing_ok=True)

    def _begin(self, event: Event, folder: Path) -> bool:
        number = self._ring.start_for(event.start_ns - self._ns("pre_s"))
        pieces = self._ring.since(number) if number is not None else []
        first = next((piece for piece in pieces if piece.is_key), None)
        if first is None:
            return False
        # FFmpeg is loaded with the first clip.
        from edge_vision.outputs.events.clip import Clip

        path = _free_name(folder, event.id)
        self._clip = Clip(path, first)
        begun_s = event.start_s - (event.start_ns - first.at_ns) / 1e9
        self._row = ClipRow(path.name, begun_s)
        self._until_ns = first.at_ns
        self.changed[path.name] = self._row
        return True

    def _limit_ns(self, clip: "Clip") -> int:
        return clip.begin_ns + self._ns("max_s")

    def _ns(self, key: str) -> int:
        seconds: float = getattr(self._config, key)
        return round(seconds * 1e9)


def _free_name(folder: Path, event_id: str) -> Path:
    """A name that sorts by time, as the event's id does; a clip broken off may have the first."""
    names = (folder / f"{event_id}{more}.mp4" for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if not name.exists())
