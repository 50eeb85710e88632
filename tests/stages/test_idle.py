"""When detection may rest: real pictures with noise, lamps, dusk, and things that move."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config_board import PowerConfig
from edge_vision.frame import Image, PixelFormat
from edge_vision.results import Detections, Scene, Track
from edge_vision.stages.idle import IdleGate

FPS = 15
WIDTH, HEIGHT = 320, 180
Picture = NDArray[np.float32]
Showing = Callable[[float], Picture]


@pytest.fixture(scope="module")
def room(pictures: Path) -> Picture:
    """What a camera looks at: float32 (180, 320, 3)."""
    return cv2.resize(_read(pictures / "cat.jpg"), (WIDTH, HEIGHT)).astype(np.float32)


@pytest.fixture(scope="module")
def visitor(pictures: Path) -> Picture:
    """Two per cent of the room's picture: float32 (25, 46, 3)."""
    face = _read(pictures / "astronaut.jpg")[:256, 100:356]
    return cv2.resize(face, (46, 25)).astype(np.float32)


def _read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture.astype(np.uint8)


class Watch:
    """A gate before a camera with a noisy sensor."""

    def __init__(self, noise: float = 4.0, **power: float) -> None:
        self.gate = IdleGate(PowerConfig(**{"idle_after_s": 2.0, **power}))
        self.frame = 0
        self._random = np.random.default_rng(5)
        shape = (HEIGHT, WIDTH, 3)
        self._noise = [self._random.normal(0, noise, shape).astype(np.float32) for _ in range(9)]

    @property
    def media_ns(self) -> int:
        """Of the next frame."""
        return self.frame * 1_000_000_000 // FPS

    def show(self, picture: Picture) -> bool:
        """One more frame; whether it is wanted."""
        shift = (int(self._random.integers(HEIGHT)), int(self._random.integers(WIDTH)))
        noise = np.roll(self._noise[self.frame % 9], shift, (0, 1))
        image = Image.from_array(np.clip(picture + noise, 0, 255).astype(np.uint8))
        wanted = self.gate.wants(image, self.media_ns)
        self.frame += 1
        return wanted

    def idle_share(self, showing: Showing, seconds: float) -> float:
        """How much of so many seconds it rests."""
        idle = []
        for k in range(round(seconds * FPS)):
            self.show(showing(k / FPS))
            idle.append(self.gate.idle)
        return float(np.mean(idle))


def with_visitor(room: Picture, visitor: Picture, x: int, y: int) -> Picture:
    """The room with the visitor's top left corner at x, y; parts outside are not seen."""
    wide = np.pad(room, ((0, 0), (64, 64), (0, 0)))
    wide[y : y + len(visitor), x + 64 : x + 64 + visitor.shape[1]] = visitor
    return np.ascontiguousarray(wide[:, 64:-64])


@pytest.mark.parametrize("noise", [0.0, 4.0, 10.0])
def test_nothing_moves_so_it_rests_and_looks_once_a_second(room: Picture, noise: float) -> None:
    watch = Watch(noise)
    watch.idle_share(lambda _: room, 8)
    wanted = [watch.show(room) for _ in range(20 * FPS)]
    assert watch.gate.idle
    assert [k for k, want in enumerate(wanted) if want] == list(range(wanted.index(True), 300, FPS))


def test_it_rests_exactly_when_it_may(room: Picture) -> None:
    watch = Watch(0.0)
    assert all(watch.show(room) and not watch.gate.idle for _ in range(2 * FPS))
    assert [watch.show(room) for _ in range(2)] == [False, False]
    assert watch.gate.idle


def test_it_never_rests_unless_asked_to(room: Picture) -> None:
    watch = Watch(idle_after_s=0.0)
    assert all(watch.show(room) for _ in range(10 * FPS))
    assert not watch.gate.idle


@pytest.mark.parametrize("noise", [0.0, 4.0, 10.0])
@pytest.mark.parametrize("at", [(10, 10), (140, 80), (250, 140), (20, 140), (260, 10)])
def test_a_small_thing_wakes_it_with_its_very_frame(
    room: Picture, visitor: Picture, noise: float, at: tuple[int, int]
) -> None:
    watch = Watch(noise)
    watch.idle_share(lambda _: room, 12)
    assert watch.gate.idle
    watch.show(room)
    assert watch.show(with_visitor(room, visitor, *at))
    assert not watch.gate.idle


def test_a_thing_that_walks_in_is_noticed_before_it_is_wholly_there(
    room: Picture, visitor: Picture
) -> None:
    watch = Watch()
    watch.idle_share(lambda _: room, 10)
    seen_at = next(
        x for x in range(-46, WIDTH, 3) if watch.show(with_visitor(room, visitor, x, 90))
        and not watch.gate.idle
    )  # fmt: skip
    assert seen_at < -10


def test_while_something_walks_about_it_never_rests(room: Picture, visitor: Picture) -> None:
    watch = Watch()

    def walking(at_s: float) -> Picture:
        x = 135 + 130 * np.sin(at_s * 0.8)
        return with_visitor(room, visitor, int(x), 60 + int(50 * np.sin(at_s * 0.31)))

    watch.idle_share(walking, 5)
    assert watch.idle_share(walking, 60) == 0


def test_what_came_and_stays_is_soon_part_of_the_room(room: Picture, visitor: Picture) -> None:
    watch = Watch()
    watch.idle_share(lambda _: room, 10)
    there = with_visitor(room, visitor, 140, 80)
    assert watch.idle_share(lambda _: there, 1) == 0
    watch.idle_share(lambda _: there, 11)
    assert watch.idle_share(lambda _: there, 10) == 1
    # It leaves half a minute later, and that is seen too.
    watch.idle_share(lambda _: there, 20)
    watch.show(room)
    assert not watch.gate.idle


def lamp(room: Picture, on: Callable[[float], bool], brightness: float = 60) -> Showing:
    """A light on a part of the room."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    spot = np.exp(-(((x - 225) / 60.0) ** 2) - ((y - 50) / 45.0) ** 2)[:, :, np.newaxis]
    lit = (room + spot * brightness).astype(np.float32)
    return lambda at_s: lit if on(at_s) else room


def test_lights_wake_it_but_not_for_ever(room: Picture) -> None:
    chance = np.random.default_rng(3)
    rows = np.arange(HEIGHT)[:, np.newaxis, np.newaxis]
    shows: dict[str, Showing] = {
        "a dying lamp": lamp(room, lambda _: bool(chance.random() < 0.5)),
        "a warning light": lamp(room, lambda at_s: at_s % 2 < 0.6),
        "a bright flicker": lamp(room, lambda at_s: at_s * 7 % 1 < 0.5, 120),
        "the only lamp": lambda at_s: room * np.float32(1 if at_s * 3 % 1 < 0.5 else 0.8),
        "mains bands": lambda at_s: (
            room * (1 + 0.08 * np.sin(rows / 30 + 4.4 * at_s)).astype(np.float32)
        ),
        "dusk": lambda at_s: room * np.float32(1 - at_s / 120),
    }
    for name, showing in shows.items():
        watch = Watch()
        watch.idle_share(showing, 25)
        assert watch.idle_share(lambda at_s, s=showing: s(at_s + 25), 15) == 1, name


def test_light_switched_on_wakes_it(room: Picture) -> None:
    watch = Watch()
    watch.idle_share(lambda _: room * np.float32(0.2), 10)
    assert watch.gate.idle
    watch.show(room)
    assert not watch.gate.idle


def track(x0: float, number: int = 1, state: str = "confirmed") -> Track:
    box = np.array([x0, 0.2, x0 + 0.2, 0.6], np.float32)
    return Track(number, box, np.zeros(4, np.float32), 0.8, 1, state, 0, 0)  # type: ignore[arg-type]


def test_a_followed_object_that_moves_keeps_it_awake(room: Picture) -> None:
    watch = Watch()

    def seen(*tracks: Track) -> None:
        watch.gate.seen(Scene(0, 0, watch.media_ns, Detections.empty(), "", {}, tracks))

    def idle_while(tracks: Callable[[int], tuple[Track, ...]], seconds: int) -> list[bool]:
        idle = []
        for k in range(seconds * FPS):
            seen(*tracks(k))
            watch.show(room)
            idle.append(watch.gate.idle)
        return idle

    # Slowly across the picture, in steps that are small one by one.
    assert not any(idle_while(lambda k: (track(k * 0.002),), 30))
    # It stands, and its box trembles.
    still = idle_while(lambda k: (track(0.67 + 0.025 * (k % 2)),), 10)
    assert not any(still[:FPS])
    assert all(still[3 * FPS :])
    # Another one comes; what is not certain or not seen any more does not count.
    assert all(idle_while(lambda k: (track(0.01 * k, 2, "tentative"),), 2))
    assert all(idle_while(lambda k: (track(0.01 * k, 3, "coasting"),), 2))
    assert not any(idle_while(lambda k: (track(0.67), track(0.1, 4)), 1))


def test_a_source_that_begins_again_and_a_camera_that_changes(room: Picture) -> None:
    watch = Watch(0.0)
    watch.idle_share(lambda _: room, 5)
    assert watch.gate.idle
    watch.frame = 0
    assert watch.show(room)
    assert not watch.gate.idle
    watch.idle_share(lambda _: room, 5)
    assert watch.gate.idle
    smaller = Image.from_array(cv2.resize(room, (160, 90)).astype(np.uint8))
    assert watch.gate.wants(smaller, watch.media_ns)
    assert not watch.gate.idle


@pytest.mark.parametrize("size", [(2, 2), (16, 16), (1280, 720), (8192, 16), (640, 272), (98, 54)])
@pytest.mark.parametrize("format", [f for f in PixelFormat if f is not PixelFormat.RGBA])
def test_any_format_and_size(format: PixelFormat, size: tuple[int, int]) -> None:
    width, height = size
    tall = format is PixelFormat.YUV420

    def image(level: int) -> Image:
        shape = (height * 3 // 2, width) if tall else (height, width, 3)
        data = np.full(shape, level, np.uint8)
        data[: height // 2, : width // 2] = 200 - level
        return Image.from_array(data, format)

    gate = IdleGate(PowerConfig(idle_after_s=0.5))
    for k in range(20):
        gate.wants(image(50), k * 50_000_000)
    assert gate.idle
    gate.wants(image(100), 1_000_000_000)
    # A picture of one cell has nothing but its own brightness, which tells nothing.
    assert gate.idle == (size == (2, 2))


def test_what_lies_beside_the_visible_picture_is_not_looked_at() -> None:
    gate = IdleGate(PowerConfig(idle_after_s=0.5))
    for k in range(40):
        data = np.full((48 * 3 // 2, 128), 90, np.uint8)
        data[:, 64:] = 90 + 100 * (k % 2)
        data[48:] = 90 + 100 * (k % 2)
        gate.wants(Image(data, PixelFormat.YUV420, 64, 48, 128), k * 50_000_000)
    assert gate.idle
