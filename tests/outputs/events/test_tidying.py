"""The folder's space, and its order after a sudden end."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import NOON, World, ended, event_at, times_of

from edge_vision.history import Recorded, Wanted
from edge_vision.outputs.events import shelf as shelf_module
from edge_vision.outputs.events.archive import Archive
from edge_vision.outputs.events.store import ClipRow, EventRow

Make = Callable[..., World]
MB = 1_000_000


def _log(world: World) -> list[Recorded]:
    return list(reversed(Archive(world.folder).find(Wanted(limit=5000))))


def _fill(world: World, count: int, each_mb: int) -> None:
    """Events an hour apart, each with a clip of so many (sparse) megabytes."""
    world.step()
    for number in range(count):
        event = ended(event_at(3600 * number, number), 2)
        clip = world.folder / "clips" / f"{event.id}.mp4"
        with clip.open("wb") as file:
            file.truncate(each_mb * MB)
        row = EventRow(event, event.start_s, clip=clip.name)
        done = ClipRow(clip.name, event.start_s, each_mb * MB, done=True)
        world.shelf.store.write([row], [done])


def _numbers(world: World) -> list[int]:
    return [int(found.event.id[-4:]) for found in _log(world)]


def test_what_is_older_than_keep_days_goes(world: Make) -> None:
    here = world(keep_days=1.0)
    _fill(here, 48, 1)
    here.now_s = 48 * 3600.0
    here.step()
    assert _numbers(here) == list(range(24, 48))
    assert len(list((here.folder / "clips").iterdir())) == 24


def test_the_oldest_make_room_within_max_mb(world: Make) -> None:
    here = world(max_mb=100)
    _fill(here, 20, 7)
    here.now_s = 20 * 3600.0
    here.step()
    assert _numbers(here) == list(range(6, 20))  # 14 * 7 MB = 98 MB
    assert Archive(here.folder).totals().bytes == 98 * MB
    assert len(list((here.folder / "clips").iterdir())) == 14


def test_thousands_are_removed_bit_by_bit(world: Make) -> None:
    here = world(keep_days=1.0, clips=False)
    here.step()
    rows = [EventRow(ended(event_at(0.01 * n, n), 1), 0.0) for n in range(350)]
    here.shelf.store.write(rows, ())
    here.now_s = 2 * 86_400
    left = []
    for _ in range(5):
        here.step()
        left.append(Archive(here.folder).totals().events)
    assert left == [250, 150, 50, 0, 0]


def test_a_disk_too_full_for_others_stops_clips_until_there_is_room(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world(min_free_mb=100)
    disk_mb = 1000

    def free_bytes(folder: Path) -> int:
        used = sum(file.stat().st_size for file in (folder / "clips").iterdir())
        return disk_mb * MB - used

    monkeypatch.setattr(shelf_module, "free_bytes", free_bytes)
    _fill(here, 9, 100)
    here.now_s = 9 * 3600.0
    here.step()
    assert _numbers(here) == list(range(9))
    disk_mb = 700
    here.now_s += 61
    here.step()
    assert _numbers(here) == list(range(3, 9))
    assert here.keeper.trouble is None
    disk_mb = 50  # others have filled it
    event = event_at(here.now_s + 65)
    here.run_to(here.now_s + 70, (event, ended(event, 1)))
    assert _numbers(here) == [*range(3, 9), 0]  # to lose them all would not be enough
    assert "50 MB are free" in (here.keeper.trouble or "")
    assert "no clip is recorded" in (here.keeper.trouble or "")
    assert _log(here)[-1].clip is None
    disk_mb = 1000
    later = event_at(here.now_s + 15, 1)
    here.run_to(here.now_s + 20, (later, ended(later, 1)))
    assert here.keeper.trouble is None
    assert _log(here)[-1].clip is not None


def test_the_clip_being_written_is_never_removed(world: Make) -> None:
    here = world(max_mb=10)
    event = event_at(3)
    here.run_to(5, (event,))
    (clip,) = (here.folder / "clips").iterdir()
    _fill(here, 3, 8)
    here.run_to(25, (ended(event, 18),))
    assert clip.exists()
    assert times_of(clip)[-1] > 18
    assert _numbers(here) == [0] or event.id in [found.event.id for found in _log(here)]


def test_a_sudden_end_is_mended(world: Make, tmp_path: Path) -> None:
    here = world()
    first, second = event_at(3, 1), event_at(10, 2)
    here.run_to(14, (first, ended(first, 1), second))
    # As after a kill: copied while the second clip is being written.
    copy = tmp_path / "copy"
    shutil.copytree(here.folder, copy)
    (copy / "clips" / "0-stray.mp4").write_bytes(b"")
    (copy / "pictures" / "x.part").write_bytes(b"half")
    (copy / "pictures" / f"{first.id}.jpg").unlink()
    again = world(folder=copy)
    again.now_s = 20
    again.step()
    one, two = _log(again)
    assert one.thumbnail is None
    assert one.clip is not None
    assert len(times_of(one.clip)) > 30
    assert two.clip_done
    assert two.clip is not None
    assert times_of(two.clip)[-1] > 3
    assert two.event.end_s == pytest.approx(NOON.timestamp() + 13.5, abs=1)
    assert {file.name for file in (copy / "clips").iterdir()} == {one.clip.name, two.clip.name}
    assert {file.name for file in (copy / "pictures").iterdir()} == {f"{second.id}.jpg"}
    sizes = sum(f.stat().st_size for kind in ("clips", "pictures") for f in (copy / kind).iterdir())
    # What a picture took is kept beside its row, also once it is gone.
    assert sizes <= Archive(copy).totals().bytes <= sizes + 3000


def test_a_clip_that_nobody_knows_of_is_kept_as_long_as_events_are(world: Make) -> None:
    here = world(keep_days=1.0)
    event = event_at(3)
    here.run_to(8, (event, ended(event, 1)))
    here.end()
    (clip,) = (here.folder / "clips").iterdir()
    db = sqlite3.connect(here.folder / "events.db")
    db.execute("DELETE FROM clips")
    db.execute("DELETE FROM events")
    db.commit()
    db.close()
    os.utime(clip, (NOON.timestamp(),) * 2)
    again = world(folder=here.folder, keep_days=1.0)
    again.now_s = 3600
    again.step()
    assert clip.exists()
    assert Archive(here.folder).totals().bytes == clip.stat().st_size
    again.now_s = 90_000
    again.step()
    assert not clip.exists()
