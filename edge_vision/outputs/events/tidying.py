"""Keeping the folder of events within its space, and in order after a power cut."""

import logging
import os
from pathlib import Path

from edge_vision.config_events import EventsConfig
from edge_vision.outputs.events.store import CLIPS, FILE, PICTURES, ClipRow, Store

log = logging.getLogger(__name__)

_MB = 1_000_000
_DAY_S = 86_400.0
BATCH = 100
"""Removed at most at once; the rest the next time, so that recording goes on meanwhile."""


def free_bytes(folder: Path) -> int:
    """What a user's program may still write there.  Raises OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def make_room(store: Store, folder: Path, config: EventsConfig, now_s: float, free: int) -> int:
    """Remove what is too old or too much, the oldest first; returns how many things were removed.

    now_s: Unix time.  free: see `free_bytes`.  May raise sqlite3.Error.
    """
    held = store.totals().bytes
    lacking = config.min_free_mb * _MB - free
    # Where others have filled the disk nothing is gained by losing everything.
    surplus = max(held - config.max_mb * _MB, lacking if lacking <= held else 0)
    limit_s = now_s - config.keep_days * _DAY_S
    removed = 0
    with store.changing():
        for start_s, name, is_event in store.oldest(BATCH, limit_s):
            if start_s >= limit_s and surplus <= 0:
                break
            gone = store.remove(name)[1] if is_event else store.remove_clip(name)
            surplus -= sum(_size(folder / file) for file in gone)
            unlink(folder, gone)
            removed += 1
    return removed


def unlink(folder: Path, files: list[str]) -> None:
    """Remove files that the log has forgotten; one that cannot be goes at the next start."""
    for file in files:
        try:
            (folder / file).unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be removed: %s", folder / file, error.strerror)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def mend(store: Store, folder: Path, config: EventsConfig, now_s: float) -> None:
    """At the start: what a sudden end has left becomes whole, or goes.

    Clips without an end get their true length or go, rows forget files that are not there, clips
    that nobody knows of are kept as clips without an event (they may be those of a log set aside),
    and so are pictures, as long as events are kept.  Raises OSError or sqlite3.Error.
    """
    known, there = store.names(), _files(folder)
    gone = known - there
    clips = [clip for clip in store.unfinished() if f"{CLIPS}/{clip.name}" in there]
    for name in sorted(there - known):
        file = folder / name
        begun_s = file.stat().st_mtime
        if file.suffix == ".mp4":
            clips.append(ClipRow(file.name, begun_s))
        elif file.suffix != ".jpg" or begun_s < now_s - config.keep_days * _DAY_S:
            unlink(folder, [name])
    whole = {}
    for clip in clips:
        from edge_vision.outputs.events.clip import duration_s  # FFmpeg: only where it is needed

        file = folder / CLIPS / clip.name
        lasts_s = duration_s(file)
        if lasts_s > 0:
            row = ClipRow(clip.name, clip.start_s, file.stat().st_size, done=True)
            whole[clip.name] = row, clip.start_s + lasts_s
        else:
            gone.add(f"{CLIPS}/{clip.name}")
            unlink(folder, [f"{CLIPS}/{clip.name}"])
    store.mend(gone, whole)
    if gone:
        log.info("events: %d files that are not whole, or not there, were forgotten", len(gone))


def _files(folder: Path) -> set[str]:
    return {
        f"{kind}/{entry.name}"
        for kind in (CLIPS, PICTURES)
        for entry in os.scandir(folder / kind)
        if entry.is_file(follow_symlinks=False)
    }


def set_aside(folder: Path, why: str, stamp: str) -> Path:
    """Give the database, with all that SQLite keeps beside it, another name; returns it.

    stamp: the time, as a part of a name.  Raises OSError.
    """
    new = folder / f"events-{stamp}-{why}.db"
    for end in ("-wal", "-shm", ""):
        old = folder / f"{FILE}{end}"
        if old.exists():
            os.rename(old, f"{new}{end}")
    return new
