"""Pictures that are not of the stream: why there is no camera, and snapshots."""

import asyncio

import pytest
from watching import (
    DRAWN,
    PLAIN,
    SMALL,
    S,
    count_encodes,
    level_of,
    picture,
    served,
    show,
    viewer,
    within,
)

from edge_vision.outputs.web.hub import Hub
from edge_vision.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("no_thread_left")


def test_a_status_goes_to_everybody_at_once_and_is_kept() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        watching = [viewer(DRAWN, 0.1), viewer(PLAIN, 0.1), viewer(SMALL, 0.1)]
        for one in watching:
            hub.join(one)
        show(hub, picture(1, plain=1), 1 * S)
        for one in watching:
            await within(one.next())
        assert hub.offer(picture(-1, 33), 1 * S)
        for one in watching:
            assert (shot := await within(one.next())).about.seq == -1
            assert abs(level_of(shot) - 33) < 3
        late = viewer()
        hub.join(late)
        hub.show_status()
        assert (await within(late.next())).about.seq == -1

    served(body)


def test_a_status_comes_before_anybody_watches() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        assert hub.offer(picture(-1), 1)
        watching = viewer()
        hub.join(watching)
        hub.show_status()
        assert (await within(watching.next())).about.seq == -1
        assert telemetry.stages["encoded"].count == telemetry.shown_latency.count == 0

    served(body)


def test_a_status_is_over_with_the_next_picture() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        hub.offer(picture(-1), 1)
        show(hub, picture(5))
        watching = viewer()
        hub.join(watching)
        hub.show_status()
        show(hub, picture(6))
        assert (await within(watching.next())).about.seq == 6

    served(body)


def test_snapshots_share_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        asked = [asyncio.ensure_future(hub.snapshot(SMALL, 5)) for _ in range(30)]
        await asyncio.sleep(0)
        assert hub.wanted(1)
        assert set(hub.takes(1)) == {"drawn"}
        hub.offer(picture(-1), 1)  # says only that there is no camera
        show(hub, picture(7))
        shots = await within(asyncio.gather(*asked))
        assert {id(shot) for shot in shots} == {id(shots[0])}
        assert shots[0].about.seq == 7
        assert not hub.wanted(1)

    made = count_encodes(monkeypatch)
    served(body)
    assert len(made) == 1


def test_a_snapshot_that_nobody_waits_for_any_more_is_forgotten() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        with pytest.raises(TimeoutError):
            await hub.snapshot(DRAWN, 0.01)
        gone = asyncio.ensure_future(hub.snapshot(DRAWN, 5))
        await asyncio.sleep(0)
        assert hub.wanted(1)
        gone.cancel()
        await asyncio.wait({gone})
        assert not hub.wanted(1)
        assert not hub.takes(1)

    served(body)
