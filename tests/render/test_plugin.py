"""A renderer of the user's own: found, called, and never able to stop the picture."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edge_vision.render.clock import Clock
from edge_vision.render.plugin import Plugin, Shown
from edge_vision.render.surface import BgrSurface
from edge_vision.render.surface_yuv import Yuv420Surface
from edge_vision.results import Track

LABELS = {1: "person", 17: "cat"}
SECOND = 1_000_000_000
Make = Callable[[Callable[..., object]], Plugin]


def _track(box: tuple[float, ...], class_id: int = 1, number: int = 1) -> Track:
    still = np.zeros(4, np.float32)
    return Track(number, np.array(box, np.float32), still, 0.9, class_id, "confirmed", 0, 0)


def _surface(width: int = 100, height: int = 60) -> BgrSurface:
    return BgrSurface(np.full((height, width, 3), 7, np.uint8))


def _clock(now_s: float = 0.0, seq: int = 0) -> Clock:
    now_ns = int(now_s * SECOND)
    return Clock(seq, now_ns, now_ns, now_ns)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, no_thread_left: None) -> Iterator[Make]:
    """plugin(function): a Plugin whose patience never ends by chance."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    made: list[Plugin] = []

    def make(function: Callable[..., object]) -> Plugin:
        module = ModuleType("my_renderer")
        module.draw = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "my_renderer", module)
        made.append(Plugin("my_renderer:draw", LABELS))
        made[-1].patience_s = 30.0
        return made[-1]

    yield make
    for plugin in made:
        plugin.close(5.0)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a slow function waits for; opened at the end, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


def _until_drawn(plugin: Plugin, surface: BgrSurface, clock: Clock) -> None:
    """As the renderer does with frame after frame: until an earlier call has ended."""
    plugin.patience_s = 30.0
    deadline = time.monotonic() + 30
    while not plugin.draw(surface, [], clock):
        assert time.monotonic() < deadline


def test_it_draws_on_the_picture(plugin: Make) -> None:
    surface, seen = _surface(), []

    def draw(canvas: Any, tracks: tuple[Shown, ...], clock: Clock) -> None:
        seen.append((canvas.shape, canvas.dtype, tracks, clock, threading.current_thread().name))
        assert not np.shares_memory(canvas, surface.image.data)
        canvas[10, 20] = (1, 2, 3)

    clock = Clock(3, 5, 7, 11)
    assert plugin(draw).draw(surface, [], clock)
    assert surface.image.data[10, 20].tolist() == [1, 2, 3]
    assert (surface.image.data == 7).all(axis=2).sum() == 100 * 60 - 1
    assert seen == [((60, 100, 3), np.uint8, (), clock, "renderer")]


def test_it_is_told_what_is_in_the_picture(plugin: Make) -> None:
    seen: list[Shown] = []

    def draw(canvas: Any, tracks: tuple[Shown, ...], clock: Clock) -> None:
        seen.extend(tracks)
        for shown in tracks:
            shown.track.box[:] = np.nan  # its own: nobody else may see this

    tracks = [
        _track((0.1, 0.5, 0.3, 1.25), 17, 4),
        _track((0.1, np.nan, 0.3, 1)),
        _track((-1e30, 0, np.inf, 1)),
        _track((-1e30, 0, 1e30, 1), 99),
    ]
    assert plugin(draw).draw(_surface(), tracks, _clock())
    assert [(shown.label, shown.box_px) for shown in seen] == [
        ("cat", (10, 30, 30, 75)), ("class 99", (-100, 0, 200, 60)),
    ]  # fmt: skip
    assert (seen[0].track.id, seen[0].track.score) == (4, 0.9)
    assert np.isfinite(tracks[0].box).all()


def test_the_size_may_change(plugin: Make) -> None:
    shapes: list[tuple[int, ...]] = []
    drawn = plugin(lambda canvas, tracks, clock: shapes.append(canvas.shape))
    for size in ((100, 60), (1, 1), (64, 200)):
        assert drawn.draw(_surface(*size), [], _clock())
    assert shapes == [(60, 100, 3), (1, 1, 3), (200, 64, 3)]


def test_a_slow_call_is_not_waited_for_and_never_shown(
    plugin: Make, gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    calls, begun = [], threading.Event()

    def draw(canvas: Any, tracks: object, clock: Clock) -> None:
        if clock.seq == 0:
            return
        calls.append(clock.seq)
        canvas[0, clock.seq] = 255
        begun.set()
        gate.wait(30)

    slow, surface = plugin(draw), _surface()
    assert slow.draw(surface, [], _clock())
    slow.patience_s = 0.01
    assert not slow.draw(surface, [], _clock(seq=1))
    assert begun.wait(30)
    for seq in range(2, 20):  # the picture goes on
        assert not slow.draw(surface, [], _clock(seq=seq))
    assert calls == [1]
    assert (surface.image.data == 7).all()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert (
        "overlay.renderer my_renderer:draw (strike 1 of 3) takes longer than 0.01 s" in caplog.text
    )
    gate.set()
    _until_drawn(slow, surface, _clock(seq=50))
    assert calls == [1, 50]
    assert np.argwhere((surface.image.data == 255).all(axis=2)).tolist() == [[0, 50]]


def test_one_that_raises_is_named_and_switched_off_after_three_times(
    plugin: Make, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def draw(canvas: Any, tracks: object, clock: Clock) -> None:
        calls.append(clock.seq)
        canvas[:] = 0
        raise (ZeroDivisionError("by nothing"), SystemExit(3), ValueError("odd"))[len(calls) - 1]

    bad, surface = plugin(draw), _surface()
    for seq in range(10):
        assert not bad.draw(surface, [], _clock(seq=seq))
        assert bad.active == (seq < 2)
    assert calls == [0, 1, 2]
    assert (surface.image.data == 7).all()
    messages = [record.getMessage() for record in caplog.records]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3 + [logging.ERROR]
    assert "my_renderer:draw (strike 1 of 3) raises" in messages[0]
    assert "ZeroDivisionError: by nothing" in messages[0]
    assert f'"{__file__}", line ' in messages[0]
    assert "SystemExit: 3" in messages[1]
    assert "my_renderer:draw is switched off" in messages[3]


def test_one_that_is_slow_is_switched_off_after_three_times(plugin: Make) -> None:
    gates = [threading.Event() for _ in range(4)]
    calls: list[int] = []

    def draw(canvas: Any, tracks: object, clock: Clock) -> None:
        calls.append(clock.seq)
        gates[len(calls) - 1].wait(30)

    slow, surface = plugin(draw), _surface()
    gates[0].set()
    assert slow.draw(surface, [], _clock())
    slow.patience_s = 0.01
    deadline = time.monotonic() + 30
    while slow.active:
        slow.draw(surface, [], _clock(len(calls)))
        if slow.active:
            gates[len(calls) - 1].set()
        assert time.monotonic() < deadline
    # The last call may still hang, and the picture goes on.
    assert not slow.draw(surface, [], _clock())
    assert 3 <= len(calls) <= 4
    gates[3].set()


@pytest.mark.parametrize(("good_until_s", "active"), [(61.5, True), (59.0, False)])
def test_a_minute_of_good_work_forgives(plugin: Make, good_until_s: float, active: bool) -> None:
    def draw(canvas: Any, tracks: object, clock: Clock) -> None:
        if clock.seq:
            raise ValueError("bad")

    some, surface = plugin(draw), _surface()
    for now_s in (0.0, 1.0):
        assert not some.draw(surface, [], _clock(now_s, seq=1))
    for now_s in (2.0, good_until_s):
        assert some.draw(surface, [], _clock(now_s))
    assert not some.draw(surface, [], _clock(good_until_s, seq=1))
    assert some.active == active


def test_one_that_is_late_and_then_raises_is_told_of_once_more(
    plugin: Make, gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    def draw(canvas: Any, tracks: object, clock: Clock) -> None:
        if clock.seq == 0:
            gate.wait(30)
            raise KeyError("late and bad")

    both, surface = plugin(draw), _surface()
    assert both.draw(surface, [], _clock(seq=1))
    both.patience_s = 0.01
    assert not both.draw(surface, [], _clock())
    gate.set()
    _until_drawn(both, surface, _clock(seq=1))
    assert "KeyError: 'late and bad'" in caplog.text
    assert "strike 2" not in caplog.text
    assert both.active


@pytest.mark.parametrize(("after_s", "told"), [(1.9, False), (2.1, True)])
def test_the_first_call_may_take_two_seconds(
    plugin: Make,
    gate: threading.Event,
    caplog: pytest.LogCaptureFixture,
    after_s: float,
    told: bool,
) -> None:
    slow, surface = plugin(lambda canvas, tracks, clock: gate.wait(30)), _surface()
    slow.patience_s = 0.01
    for now_s in (10.0, 11.0, 10 + after_s, 10 + after_s, 10 + after_s):
        assert not slow.draw(surface, [], _clock(now_s))
    assert len(caplog.records) == told
    assert ("my_renderer:draw (strike 1 of 3) takes longer than 2 s" in caplog.text) == told
    gate.set()
    _until_drawn(slow, surface, _clock(20))


def test_one_that_hangs_does_not_keep_the_program(plugin: Make, gate: threading.Event) -> None:
    hangs = plugin(lambda canvas, tracks, clock: gate.wait(30))
    hangs.patience_s = 0.01
    assert not hangs.draw(_surface(), [], _clock())
    hangs.close()
    assert not hangs.draw(_surface(), [], _clock())


def test_only_bgr(plugin: Make) -> None:
    planes = Yuv420Surface(np.zeros((12, 8), np.uint8))
    with pytest.raises(ValueError, match="YUV420 surface; expected BGR"):
        plugin(lambda canvas, tracks, clock: None).draw(planes, [], _clock())
