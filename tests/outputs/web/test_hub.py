"""From the renderer to those who watch: whom a picture is made for, and how often it is encoded."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
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

from edge_vision.config_web import WebConfig
from edge_vision.frame import Image, PixelFormat, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.jpeg import JpegEncoder
from edge_vision.telemetry import Telemetry

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture
def slow_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, Any]]:
    """(begun, go): tells that a picture is being encoded, and waits for go."""
    begun, go = threading.Event(), threading.Event()
    encode = JpegEncoder.encode

    def waiting(self: JpegEncoder, image: Image) -> bytes:
        begun.set()
        assert go.wait(10)
        return encode(self, image)

    monkeypatch.setattr(JpegEncoder, "encode", waiting)
    yield begun, go
    go.set()


def test_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        assert not hub.wanted(1)
        assert not hub.takes(1)
        monkeypatch.setattr(hub, "_copy", lambda _: pytest.fail("copied for nobody"))
        show(hub, picture(1))

    made = count_encodes(monkeypatch)
    served(body)
    assert made == []


def test_what_is_wanted_follows_the_viewers() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        drawn, plain = viewer(DRAWN), viewer(PLAIN)
        hub.join(plain)
        assert set(hub.takes(1)) == {"plain"}
        hub.join(drawn)
        assert hub.wanted(1)
        assert set(hub.takes(1)) == {"drawn", "plain"}
        assert hub.viewers == 2
        hub.leave(plain)
        assert set(hub.takes(1)) == {"drawn"}
        hub.leave(drawn)
        assert not hub.takes(1)
        assert hub.viewers == 0

    served(body)


def test_a_picture_nobody_is_due_for_is_not_wanted() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        fast, slow = viewer(DRAWN, 20), viewer(PLAIN, 1)
        for one in (fast, slow):
            hub.join(one)
        show(hub, picture(1, plain=1), 100 * S)
        show(hub, picture(2, plain=2), 100 * S + S // 100)  # one may be early
        assert not hub.wanted(100 * S + S // 50)
        assert not hub.takes(100 * S + S // 50)
        assert set(hub.takes(100 * S + S // 20)) == {"drawn"}
        assert set(hub.takes(102 * S)) == {"drawn", "plain"}

    served(body)


def test_each_wish_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        watching = [viewer(DRAWN) for _ in range(5)] + [viewer(SMALL), viewer(SMALL, objects=True)]
        watching.append(viewer(PLAIN))
        for one in watching:
            assert hub.join(one)
        for seq in range(3):
            show(hub, picture(seq, 50, plain=200), (seq + 1) * S)
            shots = [await within(one.next()) for one in watching]
            assert [shot.about.seq for shot in shots] == [seq] * 8
            assert len({id(shot) for shot in shots}) == 3
            assert [round(level_of(shot), -1) for shot in shots] == [50] * 7 + [200]

    made = count_encodes(monkeypatch)
    served(body)
    assert len(made) == 3 * 3


def test_no_more_than_max_viewers() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        first, second, third = viewer(), viewer(), viewer()
        assert hub.join(first)
        assert hub.join(second)
        assert not hub.join(third)
        assert hub.viewers == 2
        hub.leave(first)
        assert hub.join(third)

    served(body, max_viewers=2)


def test_while_one_is_encoded_the_newest_waits_and_the_others_are_counted(
    slow_encoder: tuple[threading.Event, threading.Event],
) -> None:
    begun, go = slow_encoder

    async def body(hub: Hub, telemetry: Telemetry) -> None:
        watching = viewer()
        hub.join(watching)
        show(hub, picture(1), 1 * S)
        assert begun.wait(5)
        for seq in (2, 3, 4):
            show(hub, picture(seq), seq * S)
        assert telemetry.drops() == {"web busy": 2}
        go.set()
        while (await within(watching.next())).about.seq != 4:
            pass

    served(body)


def test_the_renderer_may_draw_on_at_once(
    slow_encoder: tuple[threading.Event, threading.Event],
) -> None:
    """The image is copied."""
    _, go = slow_encoder

    async def body(hub: Hub, telemetry: Telemetry) -> None:
        watching = viewer()
        hub.join(watching)
        shown = picture(1, 40)
        show(hub, shown)
        shown.image.data[:] = 250
        go.set()
        assert abs(level_of(await within(watching.next())) - 40) < 3

    served(body)


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.YUV420])
def test_memory_goes_round(monkeypatch: pytest.MonkeyPatch, format: PixelFormat) -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        watching = viewer()
        hub.join(watching)
        shape = (48, 64, 3) if format is PixelFormat.BGR else (72, 64)
        for seq in range(20):
            image = Image.from_array(np.zeros(shape, np.uint8), format)
            show(hub, Picture(image, seq, 0, Stamps(exposed=1, drawn=2)), (seq + 1) * S)
            await within(watching.next())
        assert len(addresses) == 20
        assert len(set(addresses)) <= 3
        hub.leave(watching)
        assert not hub._spare

    addresses: list[int] = []
    encode = JpegEncoder.encode

    def noting(self: JpegEncoder, image: Image) -> bytes:
        addresses.append(image.data.ctypes.data)
        return encode(self, image)

    monkeypatch.setattr(JpegEncoder, "encode", noting)
    served(body)


def test_stamps_are_written_once_and_counted() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        watching = [viewer(DRAWN), viewer(SMALL)]
        for one in watching:
            hub.join(one)
        shown = picture(1)
        show(hub, shown)
        shots = [await within(one.next()) for one in watching]
        assert shown.stamps.encoded == min(shot.encoded_ns for shot in shots)
        hub.sent(shots[1], shots[1].encoded_ns + 3_000_000)
        sent = shown.stamps.sent
        hub.sent(shots[0], shots[0].encoded_ns + 9_000_000)
        assert shown.stamps.sent == sent == shots[1].encoded_ns + 3_000_000
        assert telemetry.stages["encoded"].count == telemetry.stages["sent"].count == 1
        assert telemetry.stages["sent"].percentile(50) == pytest.approx(3, rel=0.03)
        expected_ms = (sent - shown.stamps.exposed) / 1e6
        assert telemetry.shown_latency.percentile(50) == pytest.approx(expected_ms, rel=0.03)

    served(body)


def test_the_end_is_told() -> None:
    async def body(hub: Hub, telemetry: Telemetry) -> None:
        watching = viewer()
        hub.join(watching)
        asked = asyncio.ensure_future(hub.snapshot(DRAWN, 60))
        await asyncio.sleep(0)
        hub.end_all()
        assert await within(watching.next()) is None
        with pytest.raises(TimeoutError):
            await within(asked)

    served(body)


def test_an_encoder_that_fails_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> bytes:
        raise ValueError("no such picture")

    monkeypatch.setattr(JpegEncoder, "encode", fail)
    hub = Hub(WebConfig())
    hub.start(Telemetry())

    async def body() -> None:
        hub.join(viewer())
        show(hub, picture(1))
        assert hub._worker.join(5)

    asyncio.run(body())
    assert "no such picture" in str(hub.fault)
    assert not hub.wanted(1)
    assert hub.offer(picture(2), 1) is False
    hub.close(1)


def test_a_server_that_has_gone_is_no_failure(
    slow_encoder: tuple[threading.Event, threading.Event],
) -> None:
    begun, go = slow_encoder

    async def body(hub: Hub, telemetry: Telemetry) -> None:
        hub.join(viewer())
        show(hub, picture(1))
        assert begun.wait(5)

    hub = Hub(WebConfig())
    hub.start(Telemetry())
    asyncio.run(body(hub, Telemetry()))
    go.set()
    hub.close(5)
    assert hub.fault is None
