"""Clips: what is in them, and which events share one."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import World, ended, event_at, times_of

from edge_vision.history import Recorded, Wanted
from edge_vision.outputs.events.archive import Archive
from edge_vision.outputs.events.encoding import _jpeg_of_planes

Make = Callable[..., World]


def _found(world: World) -> list[Recorded]:
    world.end()
    return list(reversed(Archive(world.folder).find(Wanted())))


def _clip_of(recorded: Recorded) -> Path:
    assert recorded.clip is not None
    assert recorded.clip_done
    return recorded.clip


def test_a_clip_begins_before_its_event_and_ends_after_it(world: Make) -> None:
    here = world(pre_s=2.0, post_s=1.0)
    event = event_at(5)
    here.run_to(12, (event, ended(event, 2)))
    (found,) = _found(here)
    times = times_of(_clip_of(found))
    # From a key picture, one each second, at most so long before the two seconds.
    assert 2 <= found.clip_offset_s <= 3.1
    assert times[0] == 0
    assert times[-1] == pytest.approx(found.clip_offset_s + 3, abs=0.11)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) == pytest.approx(0.1, abs=0.01)
    assert found.event.end_s == ended(event, 2).end_s


def test_events_that_overlap_share_a_clip(world: Make) -> None:
    here = world()
    first, second = event_at(3, 1), event_at(5.5, 2, track_id=2)
    here.run_to(14, (first, ended(first, 2), second, ended(second, 3)))
    one, two = _found(here)
    assert one.clip == two.clip
    assert two.clip_offset_s - one.clip_offset_s == pytest.approx(2.5, abs=0.01)
    assert times_of(_clip_of(one))[-1] == pytest.approx(two.clip_offset_s + 4, abs=0.11)


def test_events_apart_have_clips_of_their_own(world: Make) -> None:
    here = world()
    first, second = event_at(3, 1), event_at(9, 2)
    here.run_to(16, (first, ended(first, 1), second, ended(second, 1)))
    one, two = _found(here)
    assert _clip_of(one) != _clip_of(two)
    assert sorted(p.name for p in (here.folder / "clips").iterdir()) == [
        f"{first.id}.mp4",
        f"{second.id}.mp4",
    ]


def test_a_clip_is_never_longer_than_max_s(world: Make) -> None:
    here = world(max_s=6.0)
    first, second = event_at(3, 1), event_at(8.5, 2)
    here.run_to(20, (first, second, ended(second, 1)))  # the first one never ends
    one, two = _found(here)
    assert times_of(_clip_of(one))[-1] <= 6.01
    assert _clip_of(two) != one.clip  # it and its second after would not have fitted
    assert times_of(_clip_of(two))[-1] == pytest.approx(two.clip_offset_s + 2, abs=0.11)


def test_a_clip_ends_where_the_camera_is_lost(world: Make) -> None:
    here = world(post_s=3.0)
    event = event_at(3)
    here.run_to(4, (event, ended(event, 0.5)))
    here.now_s = 9.0  # no picture came since
    here.step()
    (found,) = _found(here)
    assert times_of(_clip_of(found))[-1] == pytest.approx(found.clip_offset_s + 1, abs=0.11)


def test_a_disk_that_stalls_for_5_s_costs_no_picture(world: Make) -> None:
    here = world()
    event = event_at(4)
    here.run_to(5, (event,))
    here.run_to(10, (), step=False)  # the thread that writes stands
    here.run_to(14, (ended(event, 8),))
    (found,) = _found(here)
    times = times_of(_clip_of(found))
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.11


def test_a_disk_that_stalls_for_longer_costs_pictures_and_says_so(
    world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    here = world()
    event = event_at(4)
    here.run_to(5, (event,))
    here.run_to(25, (), step=False)
    here.run_to(29, (ended(event, 24),))
    (found,) = _found(here)
    times = times_of(_clip_of(found))
    assert max(b - a for a, b in itertools.pairwise(times)) > 5
    assert times[-1] == pytest.approx(found.clip_offset_s + 25, abs=0.11)
    assert "the disk was too slow" in caplog.text


def test_without_the_recorder_there_is_no_clip(world: Make) -> None:
    here = world(clips=False)
    event = event_at(3)
    here.run_to(6, (event, ended(event, 1)))
    (found,) = _found(here)
    assert found.clip is None
    assert found.thumbnail is not None
    assert list((here.folder / "clips").iterdir()) == []


def test_single_jpeg_pictures(world: Make) -> None:
    if _jpeg_of_planes() is None:
        pytest.skip("simplejpeg before 1.9")
    here = world(encoder="mjpeg")
    event = event_at(3)
    here.run_to(8, (event, ended(event, 1)))
    (found,) = _found(here)
    times = times_of(_clip_of(found))
    assert found.clip_offset_s == pytest.approx(2, abs=0.11)
    assert len(times) == pytest.approx(40, abs=2)
