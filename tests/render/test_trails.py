"""Lines behind objects: where they were, for as long as was asked for, and no longer."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.render.surface import BgrSurface
from edge_vision.render.trails import Trails
from edge_vision.results import Track

Pixels = NDArray[np.uint8]
RED = (0, 0, 255)
FRAME_NS = 33_333_333


def _at(x: float, track_id: int = 1) -> tuple[Track, tuple[int, int, int]]:
    """A track whose foot is at x, 0.5."""
    box = np.array([x - 0.05, 0.2, x + 0.05, 0.5], np.float32)
    return Track(track_id, box, np.zeros(4, np.float32), 0.9, 1, "confirmed", 0, 0), RED


def _drawn(trails: Trails, tracks: list[tuple[Track, tuple[int, int, int]]], ns: int) -> Pixels:
    picture = np.zeros((200, 400, 3), np.uint8)
    trails.draw(BgrSurface(picture), tracks, ns, 3)
    return picture


def _walk(trails: Trails, frames: int, speed: float = 0.3) -> Pixels:
    """`speed` widths a second to the right from x = 0.1; the last picture."""
    for frame in range(frames):
        ns = frame * FRAME_NS
        picture = _drawn(trails, [_at(0.1 + speed * ns / 1e9)], ns)
    return picture


def test_the_line_lies_on_the_path_of_the_foot() -> None:
    picture = _walk(Trails(10), 61)  # two seconds: x from 0.1 to 0.7
    xs = np.flatnonzero(picture[100, :, 2] > 30)
    assert 40 <= xs.min() < 75
    assert xs.max() == pytest.approx(0.7 * 400, abs=3)
    assert not picture[:96].any()
    assert not picture[104:].any()


def test_it_fades_towards_the_past() -> None:
    picture = _walk(Trails(10), 61)
    old, middle, new = (int(picture[98:102, x, 2].max()) for x in (70, 160, 270))
    assert old < middle < new
    assert new > 230


def test_it_is_as_long_as_asked_for_in_time_not_in_frames() -> None:
    for step in (1, 3):
        trails = Trails(1.0)
        for frame in range(0, 91, step):
            picture = _drawn(trails, [_at(0.1 + 0.01 * frame / 1.5)], frame * FRAME_NS)
        xs = np.flatnonzero(picture[100, :, 2] > 10)
        # The last 30 of 90 frames: 0.2 widths.
        assert xs.max() - xs.min() == pytest.approx(0.2 * 400, abs=12)


def test_memory_is_bounded() -> None:
    trails = Trails(60)
    for frame in range(3000):
        trails.draw(BgrSurface(np.zeros((2, 2, 3), np.uint8)), [_at(0.5)], frame * 5_000_000, 1)
    assert max(len(trail._points) for trail in trails._trails.values()) <= 50


def test_the_shortest_line_is_none() -> None:
    assert np.count_nonzero(_walk(Trails(1e-10), 5)) < 100


def test_nobody_is_remembered_who_is_gone() -> None:
    trails = Trails(5)
    for number in range(1, 200):
        _drawn(trails, [_at(0.5, number)], number * FRAME_NS)
    assert list(trails._trails) == [199]


def test_one_who_comes_back_starts_anew() -> None:
    trails = Trails(5)
    _walk(trails, 30)
    _drawn(trails, [], 30 * FRAME_NS)
    assert not _drawn(trails, [_at(0.9)], 31 * FRAME_NS).any()


def test_time_that_jumps_back_forgets_everything() -> None:
    trails = Trails(5)
    _walk(trails, 30)
    assert not _drawn(trails, [_at(0.9)], 5 * FRAME_NS).any()
    picture = _drawn(trails, [_at(0.8)], 6 * FRAME_NS)
    assert np.flatnonzero(picture[100, :, 2]).min() > 300


def test_the_same_frame_twice_is_the_same_picture() -> None:
    trails = Trails(5)
    picture = _walk(trails, 30)
    at = _at(0.1 + 0.3 * 29 * FRAME_NS / 1e9)
    assert np.array_equal(_drawn(trails, [at], 29 * FRAME_NS), picture)


def test_what_nobody_follows_has_no_line() -> None:
    trails = Trails(5)
    for frame in range(10):
        assert not _drawn(trails, [_at(0.1 * frame, 0)], frame * FRAME_NS).any()


def test_a_line_in_parts_looks_like_a_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two parts meet, nothing is laid over twice and nothing is left out."""

    def drawn(part_px: int) -> Pixels:
        monkeypatch.setattr("edge_vision.render.trails._PART_PX", part_px)
        trails, picture = Trails(5), np.zeros((200, 400, 3), np.uint8)
        for frame in range(90):
            at = 0.1 + 0.008 * frame
            box = np.array([at - 0.05, 0.1, at + 0.05, 0.2 + frame / 150], np.float32)
            track = Track(1, box, np.zeros(4, np.float32), 0.9, 1, "confirmed", 0, 0)
            picture[:] = 0
            trails.draw(BgrSurface(picture), [(track, RED)], frame * FRAME_NS, 3)
        return picture

    whole, parts = drawn(1 << 30).astype(int), drawn(1 << 8).astype(int)
    off = np.abs(whole - parts).max(axis=2)
    assert np.count_nonzero(off > 20) <= 40  # of 25 seams
    assert np.count_nonzero(whole) > 1000


def test_only_a_new_place_is_new_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a line covers is worked out when a place is added, eight times a second, not oftener."""
    made: list[int] = []
    monkeypatch.setattr(
        "edge_vision.render.trails._fading",
        lambda *_: made.append(1) or [],
    )
    _walk(Trails(3), 91)
    assert 20 <= len(made) <= 25
