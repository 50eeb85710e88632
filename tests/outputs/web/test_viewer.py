"""One viewer: how often it wants a picture, and when it is given up."""

import asyncio
from typing import Any

import pytest

from edge_vision.frame import Stamps
from edge_vision.outputs.web.shot import About, Shot
from edge_vision.outputs.web.viewer import Variant, Viewer

S = 1_000_000_000
WISH = Variant("drawn", 1.0)


class Connection:
    """A transport whose state is set by the test."""

    closing = False
    left_bytes = 0
    aborted = False

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return self.left_bytes

    def abort(self) -> None:
        self.aborted = True


def viewer(fps: float = 30.0, connection: Any = None) -> Viewer:
    return Viewer(WISH, fps, connection or Connection())


def shot(seq: int) -> Shot:
    return Shot(About(seq, -1, Stamps(), (), {}), b"jpeg", 0)


def taken(fps: float, camera_fps: float, jitter_s: float, frames: int = 300) -> int:
    """How many of so many frames a viewer takes."""
    made = viewer(fps)
    count = 0
    for number in range(frames):
        late_s = jitter_s * (number * 7 % 5) / 4  # 0, 2/4, 4/4, 1/4, 3/4, ...
        now_ns = 5 * S + round((number / camera_fps + late_s) * S)
        if made.due(now_ns):
            made.served(now_ns)
            count += 1
    return count


@pytest.mark.parametrize("jitter_s", [0.0, 0.008, 0.025])
def test_a_camera_as_fast_as_the_viewer_loses_nothing(jitter_s: float) -> None:
    assert taken(30, 30, jitter_s) == 300


@pytest.mark.parametrize("jitter_s", [0.0, 0.008, 0.025])
@pytest.mark.parametrize(
    ("fps", "expected"), [(15, 150), (10, 100), (20, 200), (1, 10), (240, 300)]
)
def test_no_more_than_it_asked_for(fps: float, expected: int, jitter_s: float) -> None:
    assert expected - 1 <= taken(fps, 30, jitter_s) <= min(300, expected + 2)


def test_after_a_pause_there_is_no_burst() -> None:
    made = viewer(10)
    for now_s in (1.0, 100.0):
        times = [round((now_s + n / 100) * S) for n in range(30)]
        count = 0
        for now_ns in times:
            if made.due(now_ns):
                made.served(now_ns)
                count += 1
        assert count <= 4  # 0.3 s at 10 a second, and one early


def test_for_one_whose_picture_is_stuck_none_is_made() -> None:
    made = viewer()
    made.begin_to_send(1 * S)
    assert made.due(1 * S + S // 10)  # the next may be made while this one is under way
    assert not made.due(1 * S + S // 2)
    made.has_sent(1 * S + S // 2)
    assert made.due(2 * S)


def test_the_newest_picture_wins() -> None:
    async def run() -> None:
        made = viewer()
        for seq in (1, 2, 3):
            made.give(shot(seq))
        got = await made.next()
        assert got is not None
        assert got.about.seq == 3
        later = asyncio.ensure_future(made.next())
        done, _ = await asyncio.wait({later}, timeout=0.05)
        assert not done  # the older ones are forgotten
        made.end()
        assert await later is None

    asyncio.run(run())


def test_after_a_stuck_picture_none_comes_that_is_old() -> None:
    async def run() -> None:
        made = viewer()
        for sent_ns, expected in ((1 * S + 1, 8), (9 * S, None)):
            made.begin_to_send(1 * S)
            made.give(shot(8))
            made.has_sent(sent_ns)
            later = asyncio.ensure_future(made.next())
            done, _ = await asyncio.wait({later}, timeout=0.05)
            assert [one.result().about.seq for one in done] == ([expected] if expected else [])
        made.begin_to_send(1 * S)
        made.give(shot(-1))  # says what holds still
        made.has_sent(9 * S)
        got = await later
        assert got is not None
        assert got.about.seq == -1

    asyncio.run(run())


def test_one_that_left_is_noticed_without_a_picture() -> None:
    async def run() -> None:
        connection = Connection()
        made = viewer(connection=connection)
        made.check(1 * S)
        connection.closing = True
        made.check(2 * S)
        assert await made.next() is None

    asyncio.run(run())


def test_a_socket_that_takes_nothing_for_ten_seconds_is_dropped() -> None:
    connection = Connection()
    made = viewer(connection=connection)
    made.begin_to_send(1 * S)
    connection.left_bytes = 5000
    for second in range(2, 12):
        made.check(second * S)
    assert not connection.aborted
    made.check(12 * S)
    assert connection.aborted


def test_a_slow_socket_is_not_dropped() -> None:
    connection = Connection()
    made = viewer(connection=connection)
    made.begin_to_send(1 * S)
    for second in range(2, 60):
        connection.left_bytes = 100_000 - 1000 * (second // 8)
        made.check(second * S)
    assert not connection.aborted


def test_an_idle_viewer_is_not_dropped() -> None:
    connection = Connection()
    made = viewer(connection=connection)
    made.begin_to_send(1 * S)
    made.has_sent(1 * S)
    for second in range(2, 60):
        made.check(second * S)
    assert not connection.aborted
