"""The ring of encoded pictures."""

import pytest
from made_up import SECOND

from edge_vision.outputs.events.ring import Ring, Stream

STREAM = Stream("h264", 320, 240)


def _filled(ring: Ring, pictures: int, each_bytes: int = 100, key_every: int = 10) -> Ring:
    for number in range(pictures):
        ring.add(STREAM, number * SECOND // 10, b"x" * each_bytes, number % key_every == 0)
    return ring


def test_it_keeps_the_seconds_asked_for_and_begins_with_a_key_picture() -> None:
    ring = _filled(Ring(5.0, 10**6), 200)
    pieces = ring.since(0)
    assert pieces[0].is_key
    assert [piece.number for piece in pieces] == list(range(pieces[0].number, 200))
    assert 5.0 <= (pieces[-1].at_ns - pieces[0].at_ns) / SECOND <= 6.1


@pytest.mark.parametrize("most", [1000, 2500, 5050])
def test_it_never_holds_more_bytes_than_allowed(most: int) -> None:
    ring = Ring(5.0, most)
    for number in range(200):
        ring.add(STREAM, number * SECOND // 10, b"x" * 100, number % 10 == 0)
        assert ring.bytes <= most
        pieces = ring.since(0)
        assert ring.bytes == sum(len(piece.data) for piece in pieces)
        assert not pieces or pieces[0].is_key


def test_one_picture_that_is_too_large_is_not_kept() -> None:
    ring = _filled(Ring(5.0, 1000), 5)
    ring.add(STREAM, SECOND, b"x" * 2000, True)
    assert ring.since(0) == []
    assert ring.bytes == 0
    ring.add(STREAM, 2 * SECOND, b"x", False)  # nothing before it: no player could show it
    assert ring.since(0) == []
    ring.add(STREAM, 3 * SECOND, b"x", True)
    assert len(ring.since(0)) == 1


@pytest.mark.parametrize(("at_s", "expected"), [(-1.0, 0), (0.0, 0), (0.95, 0), (1.0, 10), (9, 20)])
def test_where_a_clip_begins(at_s: float, expected: int) -> None:
    ring = _filled(Ring(60.0, 10**6), 25)
    assert ring.start_for(round(at_s * SECOND)) == expected
    assert [piece.number for piece in ring.since(23)] == [23, 24]
    assert ring.since(99) == []


def test_an_empty_one() -> None:
    ring = Ring(5.0, 1000)
    assert ring.start_for(0) is None
    assert ring.since(0) == []


def test_after_a_long_gap_nothing_of_before_is_kept() -> None:
    ring = _filled(Ring(5.0, 10**6), 30)
    ring.add(STREAM, 3600 * SECOND, b"x", True)
    assert [piece.number for piece in ring.since(0)] == [30]
    assert ring.bytes == 1
    assert ring.start_for(3597 * SECOND) == 30
