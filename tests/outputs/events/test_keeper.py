"""What is kept of events."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import pytest
from made_up import World, ended, event_at

from edge_vision.history import Recorded, Wanted
from edge_vision.outputs.events.archive import Archive
from edge_vision.outputs.events.store import Store

Make = Callable[..., World]


def _log(world: World) -> list[Recorded]:
    return list(reversed(Archive(world.folder).find(Wanted(limit=5000))))


def test_an_event_is_logged_when_it_begins_and_again_when_it_ends(world: Make) -> None:
    here = world(clips=False)
    event = event_at(1)
    here.run_to(2, (event,))
    assert [found.event.end_s for found in _log(here)] == [None]
    here.run_to(5, (replace(event, score=0.95), ended(replace(event, score=0.95), 2)))
    (found,) = _log(here)
    assert found.event.end_s == event.start_s + 2
    assert found.event.score == 0.95


def test_not_more_than_one_commit_a_second(world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[float] = []
    write = Store.write
    here = world(clips=False)

    def counted(store: Store, *rows: Any) -> None:
        commits.append(here.now_s)
        write(store, *rows)

    monkeypatch.setattr(Store, "write", counted)
    here.run_to(10, tuple(event_at(0.1 * n, n) for n in range(1, 90)))
    assert len(commits) <= 11
    assert len(_log(here)) >= 80
    here.end()
    assert len(_log(here)) == 89


def test_the_thumbnail_is_of_the_object(world: Make) -> None:
    here = world(clips=False, snapshot="crop")
    event = event_at(1)
    here.run_to(4, (event, ended(event, 1)))
    (found,) = _log(here)
    assert found.thumbnail is not None
    assert found.snapshot is not None
    for file in (found.thumbnail, found.snapshot):
        shown = cv2.imread(str(file))
        assert shown is not None
        height, width = shown.shape[:2]
        # The box is 80x120 of 320x240, with 15 % around it on each side.
        assert (width, height) == (pytest.approx(104, abs=4), pytest.approx(156, abs=4))
        assert shown[height // 2, width // 2].min() > 240
        assert shown[3, 3].max() < 100
    assert Archive(here.folder).totals().bytes == sum(
        file.stat().st_size for file in (found.thumbnail, found.snapshot)
    )


def test_an_event_is_removed_with_its_files(world: Make) -> None:
    here = world(snapshot="whole")
    one, two, three = event_at(3, 1), event_at(3.5, 2), event_at(12, 3)
    here.run_to(18, (one, two, ended(one, 1), ended(two, 1), three, ended(three, 1)))
    clips = here.folder / "clips"
    answers = []
    for event_id, left in ((one.id, 2), ("nothing", 2), (two.id, 1), (three.id, 0)):
        answers.append(here.keeper.remove(event_id))
        here.step()
        assert len(list(clips.iterdir())) == left
    assert [answer.result(0) for answer in answers] == [True, False, True, True]
    assert list((here.folder / "pictures").iterdir()) == []
    assert Archive(here.folder).totals().events == 0


def test_an_event_that_is_removed_while_it_goes_on_stays_away(world: Make) -> None:
    here = world()
    event = event_at(3)
    here.run_to(4, (event,))
    answer = here.keeper.remove(event.id)
    here.run_to(8, (ended(event, 1),))
    assert answer.result(0) is True
    assert _log(here) == []
    here.end()
    again = world(folder=here.folder)
    again.step()
    assert _log(again) == []


def test_a_better_score_alone_is_written_seldom(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[float] = []
    write = Store.write
    here = world(clips=False)

    def counted(store: Store, *rows: Any) -> None:
        commits.append(here.now_s)
        write(store, *rows)

    monkeypatch.setattr(Store, "write", counted)
    event = event_at(1)
    better = [replace(event, score=0.5 + n / 1000) for n in range(400)]
    for number, one in enumerate(better):
        here.run_to(1 + number / 10, (replace(one, start_ns=0),))
    assert 4 <= len(commits) <= 7
    here.end()
    assert _log(here)[0].event.score == better[-1].score
