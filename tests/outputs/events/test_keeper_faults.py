"""Logs that cannot be used, and disks that fail, fill up, vanish and come back."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up import World, ended, event_at, times_of

from edge_vision.errors import OutputError
from edge_vision.history import Recorded, Wanted
from edge_vision.outputs.events import clip as clip_module
from edge_vision.outputs.events.archive import Archive
from edge_vision.outputs.events.store import VERSION, Store

Make = Callable[..., World]


def _log(world: World) -> list[Recorded]:
    return list(reversed(Archive(world.folder).find(Wanted(limit=5000))))


def test_a_log_that_breaks_while_it_is_open_is_kept_aside(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world(clips=False)
    here.tell(event_at(0, 1))
    here.step()
    write, fails = Store.write, [True]

    def breaking(store: Store, *rows: Any) -> None:
        if fails.pop() if fails else False:
            raise sqlite3.DatabaseError("database disk image is malformed")
        write(store, *rows)

    monkeypatch.setattr(Store, "write", breaking)
    here.now_s = 2
    here.tell(event_at(2, 2))
    here.step()
    here.now_s = 2.5
    here.step()
    assert "database disk image is malformed" in (here.keeper.trouble or "")
    assert "a new log was begun" in (here.keeper.trouble or "")
    assert [found.event.id[-4:] for found in _log(here)] == ["0001", "0002"]  # both go on
    assert len(list(here.folder.glob("events-*-corrupt.db"))) == 1


@pytest.mark.parametrize("how", ["garbage", "newer", "foreign", "torn"])
def test_a_log_that_cannot_be_used_is_kept_aside(
    world: Make, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = world()
    event = event_at(3)
    here.run_to(8, (event, ended(event, 1)))
    here.end()
    file = here.folder / "events.db"
    if how == "garbage":
        file.write_bytes(os.urandom(20_000))
    elif how == "torn":
        with file.open("r+b") as db:
            db.seek(4096)
            db.write(os.urandom(16_000))
    else:
        db = sqlite3.connect(file)
        number = f"user_version = {VERSION + 1}" if how == "newer" else "application_id = 7"
        db.execute(f"PRAGMA {number}")
        db.close()
    before = file.read_bytes()
    again = world(folder=here.folder)
    later = event_at(20)
    again.now_s = 19.0
    again.run_to(25, (later, ended(later, 1)))
    assert [found.event.id for found in _log(again)] == [later.id]
    (kept,) = here.folder.glob("events-*.db")
    assert kept.read_bytes() == before
    assert "is kept as events-20261122-1200" in caplog.text
    assert again.keeper.trouble is not None
    assert "a new log was begun" in again.keeper.trouble
    # What belongs to the older log is not thrown away.
    assert len(list((here.folder / "clips").iterdir())) == 2
    again.run_to(26)
    again.now_s += 3601
    again.step()
    assert again.keeper.trouble is None


def test_a_log_that_another_program_has_locked_is_kept_aside(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_vision.outputs.events.store._BUSY_S", 0.05)
    here = world(clips=False)
    here.tell(event_at(0, 1))
    here.end()
    other = sqlite3.connect(here.folder / "events.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    again = world(folder=here.folder, clips=False)
    again.tell(event_at(1, 2))
    again.step()
    assert "database is locked" in (again.keeper.trouble or "")
    again.now_s = 11
    again.step()
    assert "another program has locked it" in (again.keeper.trouble or "")
    assert [found.event.id for found in _log(again)] == [event_at(1, 2).id]
    other.close()


def test_a_second_writer_is_told_so_and_goes_on_when_the_first_has_ended(world: Make) -> None:
    here = world(clips=False)
    here.step()
    other = world(folder=here.folder, clips=False)
    other.tell(event_at(0))
    other.step()
    assert "another edge-vision writes to" in (other.keeper.trouble or "")
    here.end()
    other.now_s = 6
    other.step()
    assert other.keeper.trouble is None
    assert len(_log(other)) == 1


def test_a_folder_that_cannot_be_made(world: Make) -> None:
    here = world(folder=Path("/proc/edge-vision"))
    here.tell(event_at(0))
    here.step()
    assert (here.keeper.trouble or "").startswith(
        "events: /proc/edge-vision cannot be written: its folder does not exist; nothing is"
    )


def test_a_disk_that_vanishes_and_comes_back_loses_no_event(world: Make) -> None:
    here = world()
    first, second, third = event_at(3, 1), event_at(9, 2), event_at(22, 3)
    here.run_to(8, (first, ended(first, 1)))
    away = here.folder.with_name("away")
    here.folder.rename(away)
    here.run_to(14, (second, ended(second, 1)))
    assert "its folder does not exist" in (here.keeper.trouble or "")
    assert not here.folder.exists()  # it is not made on the disk below
    away.rename(here.folder)
    here.run_to(28, (third, ended(third, 1)))
    assert here.keeper.trouble is None
    here.end()
    assert [found.event.id for found in _log(here)] == [first.id, second.id, third.id]
    assert [found.clip is not None for found in _log(here)] == [True, False, True]
    for found in _log(here):
        assert found.event.end_s is not None
        assert found.clip is None or times_of(found.clip)


def test_a_full_disk_keeps_what_is_whole_and_resumes(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world()
    full = False
    put = clip_module.CarefulFile._put

    def guarded(file: Any, place: int, data: bytes) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(file, place, data)

    monkeypatch.setattr(clip_module.CarefulFile, "_put", guarded)
    first, second = event_at(4, 1), event_at(20, 2)
    here.run_to(7, (first,))
    full = True
    here.run_to(9)
    assert "no space left on the device" in (here.keeper.trouble or "")
    full = False
    here.run_to(26, (ended(first, 4), second, ended(second, 1)))
    assert here.keeper.trouble is None
    one, two = _log(here)
    assert one.clip is not None
    assert one.clip_done
    assert len(times_of(one.clip)) >= 30
    assert two.clip is not None
    assert one.event.end_s == first.start_s + 4


def test_what_is_held_meanwhile_is_bounded(world: Make, tmp_path: Path) -> None:
    here = world(folder=tmp_path / "none" / "events", clips=False)
    for number in range(1500):
        here.tell(ended(event_at(0.001 * number, number), 0.1))
        if number % 100 == 0:
            here.step()
    (tmp_path / "none").mkdir()
    here.now_s = 30
    here.step()
    assert here.keeper.lost == 500
    assert [int(found.event.id[-4:]) for found in _log(here)] == list(range(500, 1500))


def test_a_removal_is_refused_while_the_disk_fails(world: Make) -> None:
    here = world(folder=Path("/proc/edge-vision"))
    answer = here.keeper.remove("x")
    here.step()
    with pytest.raises(OutputError, match="cannot be removed; events: /proc/edge-vision"):
        answer.result(0)


def test_a_log_taken_away_is_begun_again_only_where_its_folder_is(world: Make) -> None:
    here = world(clips=False)
    here.tell(event_at(0, 1))
    here.step()
    shutil.rmtree(here.folder)
    here.now_s = 2
    here.tell(event_at(2, 2))
    here.step()
    assert here.keeper.trouble is not None
    here.folder.mkdir()
    here.now_s = 10
    here.step()
    assert here.keeper.trouble is None
    # The first one still goes on, so it is written again.
    assert [found.event.id for found in _log(here)] == [event_at(0, 1).id, event_at(2, 2).id]
