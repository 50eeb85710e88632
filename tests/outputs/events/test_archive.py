"""What the log answers."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up import NOON, World, ended, event_at

from edge_vision.errors import OutputError
from edge_vision.history import Totals, Wanted
from edge_vision.outputs.events.archive import Archive
from edge_vision.outputs.events.store import VERSION

Make = Callable[..., World]
START_S = NOON.timestamp()


@pytest.fixture
def archive(world: Make) -> Archive:
    """Ten events, one each second; the last one goes on."""
    here = world(clips=False)
    for number in range(10):
        event = event_at(
            number, number,
            label="cat" if number % 2 else "person", rule="visitor" if number < 5 else "through",
            kind="enter" if number < 5 else "cross", direction="" if number < 5 else "in",
            place="drive" if number < 5 else "door", zones=("lawn", "drive") if number == 7 else (),
            node="porch" if number < 8 else "yard",
        )  # fmt: skip
        here.tell(event if number == 9 else ended(event, 2.5))
    here.end()
    return Archive(here.folder)


def _numbers(archive: Archive, **wanted: Any) -> list[int]:
    return [int(found.event.id[-4:]) for found in archive.find(Wanted(**wanted))]


def test_the_newest_first_page_by_page(archive: Archive) -> None:
    assert _numbers(archive) == list(range(9, -1, -1))
    pages, before = [], None
    while found := archive.find(Wanted(limit=4, before=before)):
        pages.append([int(one.event.id[-4:]) for one in found])
        before = found[-1].event.id
    assert pages == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"since_s": START_S + 7}, [9, 8, 7]),
        ({"until_s": START_S + 2}, [1, 0]),
        ({"since_s": START_S + 3, "until_s": START_S + 5}, [4, 3]),
        ({"label": "cat"}, [9, 7, 5, 3, 1]),
        ({"rule": "visitor"}, [4, 3, 2, 1, 0]),
        ({"kind": "cross", "label": "person"}, [8, 6]),
        ({"place": "drive"}, [7, 4, 3, 2, 1, 0]),
        ({"place": "lawn"}, [7]),
        ({"node": "yard"}, [9, 8]),
        ({"label": "' OR 1 --"}, []),
    ],
)
def test_filters(archive: Archive, wanted: dict[str, Any], numbers: list[int]) -> None:
    assert _numbers(archive, **wanted) == numbers


def test_an_event_comes_back_as_it_was_told(archive: Archive) -> None:
    told = ended(event_at(7, 7), 2.5)
    found = archive.get(told.id)
    assert found is not None
    expected = replace(
        told, label="cat", rule="through", kind="cross", direction="in", place="door",
        zones=("lawn", "drive"), start_ns=0, end_ns=None,
    )  # fmt: skip
    assert found.event == expected
    assert found.to_dict() == {
        **expected.to_dict(),
        "thumbnail": None, "snapshot": None, "clip": None, "clip_done": False, "clip_offset_s": 0.0,
    }  # fmt: skip
    assert archive.get("nothing") is None
    assert archive.totals() == Totals(10, 0)


def test_an_empty_folder_is_an_empty_log(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "none")
    assert archive.find(Wanted()) == []
    assert archive.get("x") is None
    assert archive.totals() == Totals(0, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"no database, but long enough for a header" * 100)
    with pytest.raises(OutputError, match=r"events\.db cannot be read: file is not a database"):
        Archive(tmp_path).find(Wanted())


def test_a_newer_log_is_said_to_be_newer(archive: Archive) -> None:
    db = sqlite3.connect(archive.folder / "events.db")
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(OutputError, match=f"of version {VERSION + 1}; this program knows"):
        archive.totals()


def test_it_is_read_while_it_is_written(world: Make) -> None:
    here = world(clips=False)
    archive = Archive(here.folder)
    for number in range(3):
        here.now_s = 2.0 * number
        here.tell(event_at(here.now_s, number))
        here.step()
        assert archive.totals().events == number + 1
