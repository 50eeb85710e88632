"""Score and class of one object over its sightings."""

import pytest

from edge_vision.track.life import Life

S = 1_000_000_000


def life(score: float = 0.8, class_id: int = 17) -> Life:
    return Life(1, class_id, score, 0, 0, True)


def see(one: Life, score: float, class_id: int, step_ns: int = S // 10) -> None:
    one.see(score, class_id, True, one.last_seen_ns + step_ns, S)


@pytest.mark.parametrize("rate", [2, 10, 30])
def test_the_score_follows_in_seconds_not_in_frames(rate: int) -> None:
    one = life(score=0.2)
    for _ in range(rate // 2):
        see(one, 0.9, 17, S // rate)
    assert one.score == pytest.approx(0.9 - 0.7 * 0.3679, abs=1e-3)


def test_the_same_time_again_changes_no_score() -> None:
    one = life(score=0.2)
    see(one, 0.9, 17, 0)
    assert one.score == 0.2


def test_long_seen_it_takes_long_to_become_another_class() -> None:
    one = life()
    for _ in range(100):
        see(one, 0.8, 17)
    changes = 0
    while one.class_id == 17:
        see(one, 0.8, 18)
        changes += 1
    assert 20 < changes < 30  # two seconds, at a score of 0.8
    assert one.score == 0.8


def test_hardly_seen_it_changes_at_once() -> None:
    one = life()
    see(one, 0.8, 18)
    assert (one.class_id, one.state(one.last_seen_ns)) == (18, "confirmed")


def test_one_look_after_a_long_time_is_one_look() -> None:
    one = life()
    for _ in range(10):
        see(one, 0.8, 17)
    see(one, 0.9, 18, 2 * S)
    assert one.class_id == 17
