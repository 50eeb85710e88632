"""Crossings, one fault at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Make = Callable[..., Any]
DOOR = {"lines": {"door": [[0.5, 0.95], [0.5, 0.3]]}}  # upwards: to the right of the picture is in
RULE = {"rules": [{"name": "r", "line": "door"}]}
RIGHTWARDS = [0.3, 0.38, 0.46, 0.54, 0.62, 0.7]


def counted(place: Any, line: str = "door") -> tuple[int, int]:
    ways = place.engine.counts.lines[line]
    return sum(ways["in"].values()), sum(ways["out"].values())


def test_to_the_right_hand_is_in_and_back_is_out(make_place: Make) -> None:
    place = make_place(**DOOR, **RULE)
    place.walk([*RIGHTWARDS, *RIGHTWARDS[::-1]])
    assert counted(place) == (1, 1)
    assert [event.direction for event in place.told] == ["in", "out"]
    event = place.told[0]
    assert (event.kind, event.rule, event.place, event.label) == ("cross", "r", "door", "person")
    assert (event.track_id, event.count, event.node) == (1, 1, "board")
    assert event.start_s == event.end_s == 1000.3
    assert event.start_ns == event.end_ns == 300_000_000
    assert event.box == pytest.approx((0.49, 0.5, 0.59, 0.8), abs=1e-6)


def test_any_slant(make_place: Make) -> None:
    """A level line from left to right: down, towards who stands there, is in."""
    place = make_place(lines={"step": [[0.1, 0.5], [0.9, 0.5]]})
    for y in np.arange(0.35, 0.7, 0.03):
        place.walk([0.5], float(y))
    assert counted(place, "step") == (1, 0)


def test_one_way_only(make_place: Make) -> None:
    rule = {"name": "r", "line": "door", "direction": "out"}
    place = make_place(**DOOR, rules=[rule])
    place.walk([*RIGHTWARDS, *RIGHTWARDS[::-1]])
    assert [event.direction for event in place.told] == ["out"]
    assert counted(place) == (1, 1)


def test_trembling_on_the_line_counts_nothing(make_place: Make) -> None:
    rng = np.random.default_rng(0)
    place = make_place(**DOOR, **RULE)
    place.walk([0.45, *(0.5 + rng.uniform(-0.011, 0.011, 200)), 0.45])
    assert counted(place) == (0, 0)
    place.walk([*(0.5 + rng.uniform(-0.011, 0.011, 200)), 0.55])
    assert counted(place) == (1, 0)


def test_in_one_step_from_side_to_side(make_place: Make) -> None:
    place = make_place(**DOOR, step_s=0.5)
    place.walk([0.1, 0.4, 0.7])
    assert counted(place) == (1, 0)


def test_past_the_end_of_the_line(make_place: Make) -> None:
    place = make_place(**DOOR)
    place.walk(RIGHTWARDS, y=0.2)  # above it
    assert counted(place) == (0, 0)
    place.walk(RIGHTWARDS[::-1], y=0.5)
    assert counted(place) == (0, 1)


def test_a_guess_of_where_it_is_counts_nothing(make_place: Make) -> None:
    place = make_place(**DOOR)
    place.walk([0.3, 0.38, 0.46])
    place.walk([0.54, 0.62, 0.7], state="coasting")
    assert counted(place) == (0, 0)
    place.walk([0.74])
    assert counted(place) == (1, 0)


def test_a_doubtful_one_counts_once_it_is_believed(make_place: Make) -> None:
    place = make_place(**DOOR)
    place.walk([0.38, 0.46, 0.54, 0.62], state="tentative")
    assert counted(place) == (0, 0)
    place.walk([0.7])
    assert counted(place) == (1, 0)


def test_what_was_not_seen_for_long_has_not_crossed(make_place: Make) -> None:
    place = make_place(**DOOR, step_s=1.0)
    place.walk([0.3, 0.4])
    place.see()
    place.walk([0.6, 0.7])
    assert counted(place) == (0, 0)


@pytest.mark.parametrize("hidden", [0, 1, 5])
@pytest.mark.parametrize("breaks_after", [2, 3, 4])
def test_another_id_right_at_the_line(
    make_place: Make, track: Make, breaks_after: int, hidden: int
) -> None:
    """The old track is still guessed at for a while, as a tracker does."""
    place = make_place(**DOOR, **RULE)
    xs = np.arange(0.3, 0.9, 0.03)
    to_go = breaks_after + 4
    place.walk(xs[:to_go], speed=0.3)
    for x in xs[to_go : to_go + hidden]:
        place.walk([x], state="coasting", speed=0.3)
    for x in xs[to_go + hidden :]:
        place.see(track(x, state="coasting", speed=0.3), track(x, id=2, speed=0.3))
    assert counted(place) == (1, 0)
    assert len(place.told) == 1


def test_somebody_else_begins_elsewhere(make_place: Make, track: Make) -> None:
    """One is lost on the left, another is met far on the right: nobody crossed."""
    place = make_place(**DOOR)
    place.walk([0.2, 0.22, 0.24])
    for _ in range(5):
        place.see(track(0.24, state="coasting"), track(0.8, id=2))
    assert counted(place) == (0, 0)


def test_the_same_number_at_the_other_side_of_the_picture(make_place: Make) -> None:
    """A tracker gives the number of one that left to one that comes in like it."""
    place = make_place(**DOOR, step_s=0.1)
    place.walk([0.3, 0.2, 0.1, 0.05])
    for _ in range(10):
        place.see()
    place.walk([0.95, 0.9, 0.85])
    assert counted(place) == (0, 0)


def test_a_number_that_goes_to_somebody_else(make_place: Make, track: Make) -> None:
    """One hides at the line, and who comes from the other side gets that one's number."""
    place = make_place(**DOOR, **RULE, step_s=0.25)
    place.walk([0.8, 0.72, 0.64, 0.56])
    for x in (0.28, 0.34):
        place.see(track(x, id=1, speed=0.24))
    assert counted(place) == (0, 0)
    place.see(track(0.4, id=1, speed=0.24), track(0.34, id=2))
    assert counted(place) == (0, 1)
    assert place.told[0].box[0] == pytest.approx(0.29)  # the one who went over the line
    for x in (0.46, 0.52, 0.58):
        place.see(track(x, id=1, speed=0.24))
    assert counted(place) == (1, 1)


def test_two_that_swap_numbers(make_place: Make, track: Make) -> None:
    place = make_place(**DOOR)
    for k in range(20):
        left, right = (1, 2) if k < 6 else (2, 1)
        x = 0.2 + 0.03 * k
        place.see(track(x, id=left, speed=0.3), track(1 - x, 0.7, id=right, speed=-0.3))
    assert counted(place) == (1, 1)


@pytest.mark.parametrize("other", [1, 17])
def test_two_boxes_on_one_object_count_once(make_place: Make, track: Make, other: int) -> None:
    place = make_place(**DOOR, **RULE)
    for x in np.arange(0.3, 0.7, 0.03):
        place.see(track(x), track(x + 0.004, id=2, class_id=other))
    assert counted(place) == (1, 0)


def test_a_second_box_that_is_seen_again_later_counts_nothing(
    make_place: Make, track: Make
) -> None:
    """A detector that wavers sees one object as a person, and at times as a cat, too."""
    place = make_place(**DOOR, **RULE)
    for x in (0.38, 0.42, 0.46, 0.505):  # the last is not clear of the line
        place.see(track(x), track(x, id=2, class_id=17))
    for x in (0.54, *[0.57] * 20):
        place.see(track(x), track(x, id=2, class_id=17, state="coasting"))
    assert counted(place) == (1, 0)
    place.see(track(0.57), track(0.57, id=2, class_id=17))
    assert counted(place) == (1, 0)


def test_two_people_side_by_side_count_twice(make_place: Make, track: Make) -> None:
    place = make_place(**DOOR)
    for x in np.arange(0.3, 0.7, 0.03):
        place.see(track(x, 0.7), track(x, 0.9, id=2, size=(0.12, 0.4)))
    assert counted(place) == (2, 0)


def test_a_rider_and_the_bicycle_count_both(make_place: Make, track: Make) -> None:
    place = make_place(**DOOR)
    for x in np.arange(0.3, 0.7, 0.03):
        place.see(track(x, 0.78, size=(0.1, 0.32)), track(x, 0.8, id=2, class_id=18,
                                                          size=(0.16, 0.16)))  # fmt: skip
    assert place.engine.counts.lines["door"]["in"] == {"person": 1, "dog": 1}


def test_its_class_is_that_of_most_sightings(make_place: Make) -> None:
    place = make_place(**DOOR)
    place.walk(RIGHTWARDS[:3], class_id=17)
    place.walk(RIGHTWARDS[3:5], class_id=18)
    assert place.engine.counts.lines["door"]["in"] == {"cat": 1}
