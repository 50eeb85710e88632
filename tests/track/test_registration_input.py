"""The registrar with strange clocks, pictures and boxes, and on a board that is too slow."""

import logging
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.frame import Image
from edge_vision.results import Detections, Scene, Track
from edge_vision.track import registration
from edge_vision.track.paths import Paths
from edge_vision.track.registration import Method, Registrar

FRAME_NS = 33_333_333
BEGIN_NS = 5_000_000_000
BOX = (0.3, 0.3, 0.5, 0.7)


def at(frame: float) -> int:
    return BEGIN_NS + round(frame * FRAME_NS)


def track(
    box: tuple[float, ...] = BOX,
    id: int = 1,
    *,
    frame: float = 0,
    velocity: tuple[float, ...] = (0, 0, 0, 0),
) -> Track:
    """One last seen in `frame`."""
    corners, speed = np.array(box, np.float32), np.array(velocity, np.float32)
    return Track(id, corners, speed, 0.9, 1, "confirmed", BEGIN_NS, at(frame), 0.004)


def scene(frame: float, *tracks: Track) -> Scene:
    return Scene(int(frame), at(frame), at(frame), Detections.empty(), "", {}, tracks)


def registrar(method: Method = "flow") -> Registrar:
    """Its clock is not the real one: a slow test machine does not make it step down."""
    return Registrar(method, Paths(), linger_s=0.4, may_step_down=False)


def _texture(seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (500, 900, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


GROUND, THING = _texture(1), _texture(2)


def world(x_px: float, pan_px: int = 0) -> Image:
    """640 x 360: a textured thing of 128 x 144 pixels, left edge at x_px, on textured ground."""
    picture = GROUND[60:420, 60 + pan_px : 700 + pan_px].copy()
    left = round(x_px)
    width = min(640 - left, 128)
    if left < 640 and width > 0 and left > -128:
        first = max(0, -left)
        picture[108:252, max(0, left) : left + width] = THING[:144, first:width]
    return Image.from_array(picture)


def world_box(x_px: float) -> tuple[float, float, float, float]:
    return (x_px / 640, 0.3, (x_px + 128) / 640, 0.7)


def left_px(tracks: tuple[Track, ...]) -> float:
    (one,) = tracks
    return float(one.box[0]) * 640


def test_time_that_jumps_back_or_stands_still() -> None:
    carried = registrar()
    first = scene(100, track(world_box(200), frame=100))
    for frame in range(100, 110):
        carried.step(world(200), at(frame), first)
    again = carried.step(world(200), at(109), scene(105, track(world_box(206), frame=105)))
    assert left_px(again) == pytest.approx(203, abs=0.5)
    # The clip begins again; the newest scene is still one of its end.
    assert carried.step(world(200), at(0), scene(105, track(frame=105))) == ()
    drawn = carried.step(world(205), at(1), scene(0, track(world_box(200))))
    assert left_px(drawn) == pytest.approx(205, abs=1)


def test_scenes_of_the_future_and_of_long_ago() -> None:
    carried = registrar()
    carried.step(world(200), at(0), None)
    drawn = carried.step(world(200), at(1), scene(3, track(world_box(200), frame=3)))
    assert left_px(drawn) == pytest.approx(200, abs=1)
    assert carried.step(world(200), at(2), scene(60, track(frame=60))) == ()
    # Older than the pictures that are kept: all there is is its speed.
    for frame in range(3, 80):
        carried.step(world(200), at(frame), None)
    old = scene(20, track(world_box(200), frame=20, velocity=(0.1, 0, 0.1, 0)))
    (one,) = carried.step(world(200), at(80), old)
    assert one.box[0] * 640 == pytest.approx(200 + 64, abs=1)
    assert one.sigma > 0.2
    assert carried.step(world(200), at(300), old) == ()


def test_pictures_of_changing_size() -> None:
    carried = registrar()
    newest = scene(0, track(world_box(200)))
    for frame in range(12):
        image = world(200)
        if frame % 3 == 0:
            image = Image.from_array(cv2.resize(image.data, (321, 181)).astype(np.uint8))
        drawn = carried.step(image, at(frame), newest)
    assert left_px(drawn) == pytest.approx(200, abs=1)


@pytest.mark.parametrize("size", [(1, 1), (16, 3000), (40, 24)])
@pytest.mark.parametrize("method", ["none", "predict", "flow"])
def test_tiny_and_strange_pictures(size: tuple[int, int], method: Method) -> None:
    carried, first = registrar(method), scene(0, track())
    image = Image.from_array(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
    for frame in range(5):
        drawn = carried.step(image, at(frame), first)
    assert [one.id for one in drawn] == [1]
    assert np.isfinite(drawn[0].box).all()


@pytest.mark.parametrize("method", ["none", "predict", "flow"])
def test_what_is_no_box_is_left_out(method: Method) -> None:
    nan, inf = float("nan"), float("inf")
    bad = (
        track((nan, 0, 1, 1), 2),
        track((0, 0, inf, 1), 3),
        track((0.5, 0.5, 0.4, 0.6), 4),
        track((1e30, 0, 2e30, 1), 5),
        track(id=6, velocity=(nan, 0, 0, 0)),
        track((0.5, 0.5, 0.5, 0.5), 7),
    )
    carried = registrar(method)
    for frame in range(4):
        drawn = carried.step(world(200), at(frame), scene(0, track(), *bad))
        assert [one.id for one in drawn] == [1]


def test_hundreds_of_tracks() -> None:
    low = np.random.default_rng(3).uniform(0, 0.9, (400, 2))
    low[:, 1] /= 2  # the lower half of the picture is background
    tracks = [track((x, y, x + 0.08, y + 0.1), id + 1) for id, (x, y) in enumerate(low)]
    carried, crowd = registrar(), scene(0, *tracks)
    for frame in range(6):
        drawn = carried.step(world(200, 2 * frame), at(frame), crowd)
    assert len(drawn) > 380
    assert all(np.isfinite(one.box).all() and np.isfinite(one.sigma) for one in drawn)
    moved = np.array([one.box[0] - tracks[one.id - 1].box[0] for one in drawn]) * 640
    assert np.median(moved) == pytest.approx(-10, abs=1)


def test_any_order_of_events_gives_finite_boxes_and_single_ids() -> None:
    rng = np.random.default_rng(11)
    images = [world(x, int(x) % 20) for x in range(0, 640, 80)]
    images.append(Image.from_array(np.zeros((360, 640, 3), np.uint8)))
    images.append(Image.from_array(np.zeros((90, 160, 3), np.uint8)))
    for method in ("none", "predict", "flow"):
        carried = registrar(method)
        now, newest = 0.0, None
        for _ in range(400):
            now += float(rng.choice([1, 1, 1, 1, 0, 2, 40, -30]))
            if rng.random() < 0.4:
                ids = rng.permutation(6)[: rng.integers(0, 6)] + 1
                boxes = np.sort(rng.uniform(-0.5, 1.5, (len(ids), 2, 2)), axis=1).reshape(-1, 4)
                speeds = rng.normal(0, 3, (len(ids), 4))
                newest = scene(
                    now - rng.uniform(-10, 40),
                    *(
                        track(tuple(box), int(id), velocity=tuple(speed))
                        for id, box, speed in zip(ids, boxes, speeds, strict=True)
                    ),
                )
            drawn = carried.step(images[rng.integers(len(images))], at(now), newest)
            assert len({one.id for one in drawn}) == len(drawn)
            for one in drawn:
                assert np.isfinite(one.box).all()
                assert np.isfinite(one.velocity).all()
                assert np.isfinite(one.sigma)
                assert one.box.dtype == one.velocity.dtype == np.float32


def test_flow_that_costs_too_much_becomes_prediction(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    spent_ns = 0

    def slow_clock() -> int:
        nonlocal spent_ns
        spent_ns += 20_000_000
        return spent_ns

    carried = Registrar("flow", Paths(), linger_s=0.4)
    clock: Callable[[], int] = slow_clock
    monkeypatch.setattr(registration.time, "perf_counter_ns", clock)
    for frame in range(70):
        newest = scene(max(0, frame - 3), track(world_box(200), frame=max(0, frame - 3)))
        drawn = carried.step(world(200), at(frame), newest)
        assert left_px(drawn) == pytest.approx(200, abs=1)
    assert carried.last_cost_ms == 20
    assert carried.active_method == "predict"
    assert "prediction alone" in caplog.text
    for frame in range(70, 70 + 400, 20):
        newest = scene(frame, track(world_box(200), frame=frame))
        drawn = carried.step(world(200), at(frame), newest)
        assert left_px(drawn) == pytest.approx(200, abs=1)
    assert carried.active_method == "flow"


def test_nothing_grows() -> None:
    carried = registrar()
    image = world(200)
    for frame in range(400):
        at_ns = at(frame / 8)  # 240 frames a second
        newest = scene(frame // 8, track(world_box(200), 1 + frame // 40, frame=frame / 8))
        carried.step(image, at_ns, newest)
    assert len(carried._past) <= 80
    assert len(carried._rows) == 1
