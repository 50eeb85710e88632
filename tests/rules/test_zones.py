"""Zones and the whole picture: who enters, stays, is there at once, and leaves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Make = Callable[..., Any]
YARD = {"zones": {"yard": [[0.4, 0.2], [0.8, 0.2], [0.8, 1.0], [0.4, 1.0]]}}
IN, OUT = 0.6, 0.2


def yard(**rule: Any) -> dict[str, Any]:
    return {**YARD, "rules": [{"name": "r", "zone": "yard", **rule}]}


def test_enter_and_leave(make_place: Make) -> None:
    place = make_place(**yard())
    assert not place.walk([0.2, 0.3])
    (begun,) = place.walk([0.45, 0.48, 0.48])
    assert (begun.kind, begun.place, begun.zones, begun.end_s) == ("enter", "yard", ("yard",), None)
    assert begun.start_s == 1000.2
    assert place.engine.counts.zones == {"yard": {"person": 1}}
    assert place.engine.counts.now == {"": {"person": 1}, "yard": {"person": 1}}
    (ended,) = place.walk([0.385, *[0.3] * 7])
    assert (ended.id, ended.start_s) == (begun.id, begun.start_s)
    assert ended.end_s == pytest.approx(1000.5)  # when it was first seen outside
    assert place.engine.counts.now == {"": {"person": 1}, "yard": {}}


def test_trembling_on_the_edge_is_one_stay(make_place: Make) -> None:
    rng = np.random.default_rng(0)
    place = make_place(**yard())
    place.walk([0.3, 0.5, *(0.4 + rng.normal(0, 0.004, 300))])
    assert place.kinds() == [("r", False)]


def test_once_inside_by_a_hair_is_not_entered(make_place: Make) -> None:
    place = make_place(**yard())
    place.walk([0.3, 0.402, 0.38, 0.3, 0.402, 0.38])
    assert place.told == []
    place.walk([0.402, 0.403])
    assert place.kinds() == [("r", False)]


def test_a_short_look_outside_is_no_leaving(make_place: Make) -> None:
    place = make_place(**yard())
    place.walk([IN] * 5 + [0.3] * 4 + [IN] * 5)
    assert place.kinds() == [("r", False)]
    assert place.engine.counts.zones == {"yard": {"person": 1}}


def test_not_seen_is_not_gone_while_it_is_followed(make_place: Make, track: Make) -> None:
    place = make_place(**yard())
    place.walk([IN] * 5)
    place.walk([IN] * 40, state="coasting")
    assert place.kinds() == [("r", False)]
    for _ in range(12):
        place.see()
    assert place.kinds() == [("r", False), ("r", True)]
    assert place.told[-1].end_s == pytest.approx(1000.4)  # when it was seen last


def test_another_id_goes_on_with_the_stay(make_place: Make, track: Make) -> None:
    place = make_place(**yard())
    place.walk([IN] * 5)
    for _ in range(20):
        place.see(track(IN, state="coasting"), track(IN + 0.01, id=2))
    assert [(event.track_id, event.end_s) for event in place.told] == [(1, None), (2, None)]
    assert len({event.id for event in place.told}) == 1
    assert place.engine.counts.zones == {"yard": {"person": 1}}


def test_dwell(make_place: Make) -> None:
    place = make_place(**yard(dwell_s=1.0))
    assert not place.walk([IN] * 10)
    (begun,) = place.walk([IN] * 5)
    assert (begun.kind, begun.start_s) == ("dwell", 1001.0)


def test_who_it_is_about(make_place: Make, track: Make) -> None:
    place = make_place(**yard(classes=["cat", "dog"], min_score=0.6))
    for score in (0.5, 0.5, 0.7, 0.5):
        place.see(track(IN, score=score, class_id=17), track(0.5, id=2, score=0.9))
    (event,) = place.told
    assert (event.label, event.score, event.start_s) == ("cat", 0.7, 1000.2)


def test_doubtful_ones_do_not_enter(make_place: Make) -> None:
    place = make_place(**yard())
    place.walk([IN] * 5, state="tentative")
    assert place.told == []
    assert place.engine.counts.now == {"": {}, "yard": {}}


def test_it_is_told_when_it_is_seen_better(make_place: Make, track: Make) -> None:
    place = make_place(**yard())
    for score in (0.5, 0.52, 0.6, 0.58, 0.7):
        place.see(track(IN, score=score))
    assert [event.score for event in place.told] == [0.5, 0.6, 0.7]
    assert len({event.id for event in place.told}) == 1


def test_the_way_through_several_zones(make_place: Make) -> None:
    zones = {
        "a": [[0.0, 0.0], [0.3, 0.0], [0.3, 1.0], [0.0, 1.0]],
        "b": [[0.3, 0.0], [0.6, 0.0], [0.6, 1.0], [0.3, 1.0]],
    }
    place = make_place(zones=zones, rules=[{"name": "r"}])
    place.walk([0.1, 0.1, 0.2, 0.28, 0.38, *[0.45] * 8, 0.37, 0.27, 0.2])
    assert [event.zones for event in place.told] == [("a",), ("a", "b"), ("b", "a")]
    assert place.told[0].kind == "enter"
    assert place.told[0].place == ""


def test_so_many_at_once(make_place: Make, track: Make) -> None:
    place = make_place(**yard(count=2, classes=["person"]))
    one, two = track(0.5, size=(0.1, 0.2)), track(0.7, id=2, score=0.95)
    cat, three = track(0.45, id=4, class_id=17), track(0.6, id=3)
    for tracks in ((one, cat), (one, two, cat), (one, two), (one, two, three)):
        place.see(*tracks)
    begun, more = place.told
    assert (begun.kind, begun.track_id, begun.count, begun.score) == ("occupancy", 0, 2, 0.95)
    assert begun.box == pytest.approx((0.45, 0.5, 0.75, 0.8), abs=1e-6)
    assert (more.id, more.count, more.end_s) == (begun.id, 3, None)
    for _ in range(20):
        place.see(one)
    assert place.kinds() == [("r", False), ("r", False), ("r", True)]


def test_cool_down(make_place: Make, track: Make) -> None:
    """At most one event in so long; who is still there then is told."""
    place = make_place(**yard(cooldown_s=2.0))
    place.walk([IN] * 5)
    for _ in range(30):
        place.see(track(IN), track(0.5, id=2))
    begun = {event.track_id: event.start_s for event in place.told}
    assert begun == {1: 1000.0, 2: 1002.0}


def test_schedule(make_place: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unix time 1000 is 00:16:40 UTC of a Thursday."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        place = make_place(**yard(schedule="thu 00:17-00:18"), step_s=1.0)
        place.walk([IN] * 19)
        assert place.told == []
        (event,) = place.walk([IN] * 5)
        assert event.start_s == 1020.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_time_that_jumps_back_ends_everything(make_place: Make) -> None:
    place = make_place(**yard(cooldown_s=60))
    place.walk([IN] * 5)
    place.now_s = 0.0
    ended, begun = place.walk([IN] * 2)
    assert ended.end_s == pytest.approx(1000.4)
    assert begun.id != ended.id


def test_the_end_of_the_run_ends_everything(make_place: Make, track: Make) -> None:
    place = make_place(**YARD, rules=[{"name": "r", "zone": "yard"}, {"name": "two", "count": 2}])
    place.see(track(IN), track(0.5, id=2))
    assert [event.end_s for event in place.engine.end()] == [1000.0] * 3
    assert place.engine.counts.now == {"": {}, "yard": {}}
    assert place.engine.counts.zones == {"yard": {"person": 2}}


def test_other_places_and_rules_while_it_runs(make_place: Make) -> None:
    place = make_place(
        zones=YARD["zones"],
        lines={"door": [[0.5, 0.95], [0.5, 0.3]]},
        rules=[{"name": "r", "zone": "yard"}, {"name": "s", "zone": "yard"}],
    )
    place.walk([0.45, 0.45, 0.55])
    before = place.engine.counts
    new = make_place(
        zones={**YARD["zones"], "more": [[0.5, 0.5], [0.9, 0.5], [0.9, 1.0]]},
        rules=[{"name": "r", "zone": "yard"}, {"name": "s", "zone": "yard", "dwell_s": 9.0}],
    ).engine._watch
    ended = place.engine.use(new)
    assert [(event.rule, event.end_s) for event in ended] == [("s", pytest.approx(1000.2))]
    assert place.engine.counts.lines == {}
    assert place.engine.counts.zones == {**before.zones, "more": {}}
    assert place.walk([IN] * 3) == []  # it is still there: nothing new
    assert place.engine.counts.zones["yard"] == {"person": 1}


def test_ids_of_events_sort_by_time_and_are_never_given_twice(make_place: Make) -> None:
    ids = []
    for _ in range(2):  # two runs at the same times
        place = make_place(**yard())
        for n in range(20):
            place.walk([IN, IN], id=n + 1)
            for _ in range(12):
                place.see()
        ids.append([event.id for event in place.told if event.end_s is None])
    assert ids[0] == sorted(ids[0])
    assert len({*ids[0], *ids[1]}) == 40
