"""Pictures on objects: where they lie, how they turn, and that nothing trembles."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_vision.config_overlay import SpriteConfig
from edge_vision.errors import ConfigError
from edge_vision.render.sprites import Headings, Sprites
from edge_vision.render.surface import BgrSurface
from edge_vision.render.surface_yuv import Yuv420Surface
from edge_vision.results import Track

LABELS = {1: "person", 17: "cat"}
MS = 1_000_000
Pixels = NDArray[np.uint8]
Make = Callable[..., Sprites]


def _track(
    box: tuple[float, ...],
    velocity: tuple[float, float] = (0.0, 0.0),
    class_id: int = 1,
    number: int = 1,
) -> Track:
    moving = np.array(velocity * 2, np.float32)
    return Track(number, np.array(box, np.float32), moving, 0.9, class_id, "confirmed", 0, 0)


@pytest.fixture
def sprites(tmp_path: Path) -> Make:
    """sprites(BGRA picture, **settings): Sprites of the class person."""

    def make(picture: Pixels, **settings: Any) -> Sprites:
        cv2.imwrite(str(tmp_path / "a.png"), picture)
        config = SpriteConfig(label="person", picture=str(tmp_path / "a.png"), **settings)
        return Sprites([config], LABELS)

    return make


def _opaque(width: int, height: int, bgr: tuple[int, int, int] = (0, 0, 255)) -> Pixels:
    return np.full((height, width, 4), (*bgr, 255), np.uint8)


def _drawn(sprites: Sprites, track: Track, size: tuple[int, int] = (200, 100)) -> Pixels:
    """What is drawn on white, (height, width, 3)."""
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    sprites.draw(BgrSurface(pixels), [track], 0)
    return pixels


def _rect(changed: NDArray[Any]) -> list[int]:
    ys, xs = np.nonzero(changed)
    return [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]


@pytest.mark.parametrize("surface", ["bgr", "yuv"])
@pytest.mark.parametrize(
    ("settings", "rect"),
    [
        ({}, [60, 30, 140, 70]),
        ({"scale": 0.5}, [80, 40, 120, 60]),
        ({"scale": 0.5, "anchor": (0.5, 0.0), "pivot": (0.5, 1.0)}, [80, 10, 120, 30]),
        ({"scale": 0.5, "anchor": (0.0, 1.0), "pivot": (0.0, 0.0)}, [60, 70, 100, 90]),
        ({"anchor": (1.0, 0.5), "pivot": (0.0, 0.5)}, [140, 30, 200, 70]),
        ({"scale": 2.5}, [0, 0, 200, 100]),
    ],
)
def test_its_pivot_lies_on_the_anchor(
    sprites: Make, surface: str, settings: dict[str, Any], rect: list[int]
) -> None:
    """A picture twice as wide as high, on a box from 60, 30 to 140, 70."""
    drawer = sprites(_opaque(512, 256), **settings)
    track = _track((0.3, 0.3, 0.7, 0.7))
    if surface == "bgr":
        assert _rect((_drawn(drawer, track) != 255).any(axis=2)) == rect
    else:
        planes = np.full((150, 200), 128, np.uint8)
        drawer.draw(Yuv420Surface(planes), [track], 0)
        assert _rect(planes[:100] != 128) == rect


def test_it_moves_by_fractions_of_a_pixel(sprites: Make) -> None:
    drawer = sprites(_opaque(256, 128, (0, 0, 0)))
    for step in range(40):
        left, top = 20 + step * 0.1, 10 + step * 0.07
        box = (left / 200, top / 100, (left + 40.4) / 200, (top + 20) / 100)
        covered = 255.0 - _drawn(drawer, _track(box))[:, :, 0]
        ys, xs = np.mgrid[: covered.shape[0], : covered.shape[1]] + 0.5
        assert (xs * covered).sum() / covered.sum() == pytest.approx(left + 20.2, abs=0.06)
        assert (ys * covered).sum() / covered.sum() == pytest.approx(top + 10, abs=0.06)
        assert covered.sum() / 255 == pytest.approx(40.4 * 20.2, rel=0.02)


def test_it_grows_without_steps(sprites: Make) -> None:
    """Also where the next halved copy of the picture takes over, at 32 and 64 px."""
    rng = np.random.default_rng(0)
    photo = cv2.GaussianBlur(rng.integers(0, 256, (128, 128, 4), np.uint8), (0, 0), 3)
    photo[:, :, 3] = 255
    drawer = sprites(cv2.normalize(photo, None, 0, 255, cv2.NORM_MINMAX))
    before, changes = None, []
    for wide in np.arange(28.0, 72.0, 0.1):
        half_x, half_y = wide / 400, wide / 200
        box = (0.5 - half_x, 0.5 - half_y, 0.5 + half_x, 0.5 + half_y)
        now = _drawn(drawer, _track(box)).astype(float)
        if before is not None:
            changes.append(np.abs(now - before).sum() / wide)
        before = now
    assert max(changes) < 4 * float(np.median(changes))


def test_fine_detail_becomes_its_mean(sprites: Make) -> None:
    picture = _opaque(300, 300, (0, 0, 0))
    picture[::2, ::2, :3] = picture[1::2, 1::2, :3] = 255
    for wide in (20.0, 33.3, 70.0):
        drawn = _drawn(sprites(picture), _track((0.3, 0.2, 0.3 + wide / 200, 0.5)))
        inside = drawn[_middle(0.35 - wide / 200, wide), 60 + 2 : 60 + int(wide) - 2]
        assert inside.size > 100
        assert np.abs(inside.astype(int) - 128).max() <= 20


def _middle(centre: float, wide: float) -> slice:
    return slice(int(35 - wide / 2 + 2), int(35 + wide / 2 - 2))


@pytest.mark.parametrize("hidden", [0, 255])
def test_what_is_transparent_does_not_shine_through(sprites: Make, hidden: int) -> None:
    """White on white stays white, whatever colour hides behind alpha 0."""
    picture = np.full((90, 90, 4), (hidden, hidden, hidden, 0), np.uint8)
    cv2.circle(picture, (45, 45), 30, (255, 255, 255, 255), -1)
    drawn = _drawn(sprites(picture, turn="motion"), _track((0.2, 0.1, 0.43, 0.7), (0.2, 0.1)))
    assert drawn.min() >= 253


@pytest.mark.parametrize(
    ("velocity", "towards"),
    [((0.3, 0), (1, 0)), ((-0.3, 0), (-1, 0)), ((0, 0.3), (0, 1)), ((0.3, -0.6), (1, -1)),
     ((0.001, -0.001), (1, 0))],
)  # fmt: skip
def test_its_right_side_points_where_the_object_goes(
    sprites: Make, velocity: tuple[float, float], towards: tuple[int, int]
) -> None:
    """In pixels: on a picture twice as wide as high, (0.3, -0.6) goes up by 45 degrees."""
    picture = _opaque(40, 10, (0, 0, 0))
    picture[:, 30:, 2] = 255
    track = _track((0.4, 0.4, 0.6, 0.6), velocity)
    drawn = _drawn(sprites(picture, turn="motion"), track).astype(int)
    tip = np.argwhere((drawn[:, :, 2] > 200) & (drawn[:, :, 0] < 50)) + 0.5
    down, right = tip.mean(axis=0) - (50, 100)
    expected = np.array(towards) / np.hypot(*towards) * 15
    assert (right, down) == pytest.approx(tuple(expected), abs=0.5)
    still = _drawn(sprites(picture), track)
    assert _rect((still != 255).any(axis=2)) == [80, 45, 120, 55]


def _turning(headings: Headings, velocity: tuple[float, float], at_ms: float) -> float:
    (angle,) = headings.update([_track((0, 0, 1, 1), velocity)], 100, 100, int(at_ms * MS))
    return math.degrees(angle)


def test_a_turn_goes_with_time_and_not_with_frames() -> None:
    ends = []
    for frames in (1, 6, 20):
        headings = Headings()
        assert _turning(headings, (0.3, 0), 0) == 0
        for frame in range(1, frames + 1):
            angle = _turning(headings, (0, 0.3), 200 * frame / frames)
        ends.append(angle)
    assert ends == pytest.approx([90 * (1 - math.exp(-1))] * 3)


def test_a_turn_takes_the_shorter_way() -> None:
    headings = Headings()
    start = _turning(headings, (-0.3, 0.05), 0)
    seen = [_turning(headings, (-0.3, -0.05), 33 * n) for n in range(1, 60)]
    assert start == pytest.approx(170.5, abs=0.1)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(189.5, abs=0.1)


def test_what_slows_down_keeps_its_heading() -> None:
    headings = Headings()
    angle = _turning(headings, (0.3, 0.3), 0)
    for frame in range(1, 300):
        velocity = (0.02 * math.sin(frame), 0.02 * math.cos(frame))
        assert _turning(headings, velocity, 33 * frame) == angle
    assert _turning(headings, (0.0, 0.0), 33 * 300) == angle


def test_a_gap_is_bridged_and_time_that_jumps_back_forgets() -> None:
    headings = Headings()
    angle = _turning(headings, (0.3, 0.3), 0)
    headings.update([], 100, 100, 500 * MS)
    assert _turning(headings, (0, 0), 1000) == angle
    assert _turning(headings, (0, 0), 1000) == angle
    assert _turning(headings, (0, 0), 900) == 0


def test_no_state_for_what_nobody_follows_and_none_that_grows() -> None:
    headings = Headings()
    loose = [_track((0, 0, 1, 1), (x, 0.0), number=0) for x in (0.3, -0.3, 0.0)]
    assert headings.update(loose, 100, 100, 0) == pytest.approx([0, math.pi, 0])
    for number in range(1, 5000):
        headings.update([_track((0, 0, 1, 1), number=number)], 100, 100, number * 100 * MS)
    assert len(headings._known) <= 20


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_nan_is_drawn(sprites: Make, value: float) -> None:
    drawer = sprites(_opaque(8, 8), turn="motion")
    whole = (0.25, 0.25, 0.75, 0.75)
    for place in range(4):
        box = (*whole[:place], value, *whole[place + 1 :])
        assert (_drawn(drawer, _track(box)) == 255).all()
    assert (_drawn(drawer, _track(whole, (value, 0.3))) == 0).any()


def test_only_its_class_and_older_tracks_on_top(tmp_path: Path) -> None:
    configs = []
    for label, bgr in (("person", (0, 0, 255)), ("cat", (255, 0, 0))):
        cv2.imwrite(str(tmp_path / f"{label}.png"), _opaque(8, 8, bgr))
        configs.append(SpriteConfig(label=label, picture=str(tmp_path / f"{label}.png")))
    drawer, pixels = Sprites(configs, {**LABELS, 5: "cat"}), np.zeros((40, 80, 3), np.uint8)
    box, aside = (0.1, 0.2, 0.4, 0.8), (0.6, 0.2, 0.9, 0.8)
    tracks = [_track(box, class_id=17, number=2), _track(box, number=1)]
    tracks += [_track(aside, class_id=5, number=3), _track(aside, class_id=99, number=4)]
    drawer.draw(BgrSurface(pixels), tracks, 0)
    assert pixels[20, 20].tolist() == [0, 0, 255]
    assert pixels[20, 60].tolist() == [255, 0, 0]


def test_mistakes_are_told_with_their_key(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), _opaque(4, 4))
    good = SpriteConfig(label="cat", picture=str(tmp_path / "a.png"))
    with pytest.raises(ConfigError, match=r"^overlay\.sprites\.1\.label names cta.*mean cat\?$"):
        Sprites([good, SpriteConfig(label="cta", picture="a.png")], LABELS)
    with pytest.raises(ConfigError, match=r"^overlay\.sprites\.1\.picture: there is no file"):
        Sprites([good, SpriteConfig(label="cat", picture="no.png")], LABELS)


side = st.floats(-3, 4, width=32)
speed = st.floats(-50, 50, width=32)


@settings(max_examples=150)
@given(
    st.tuples(side, side, side, side), st.tuples(speed, speed), st.floats(0.01, 20), st.booleans()
)
def test_any_box_on_any_surface(
    tmp_path_factory: pytest.TempPathFactory,
    box: tuple[float, ...],
    velocity: tuple[float, float],
    scale: float,
    yuv: bool,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.png"
    if not path.exists():
        cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (31, 57, 4), np.uint8))
    config = SpriteConfig(label="person", picture=str(path), scale=scale, turn="motion")
    drawer, track = Sprites([config], LABELS), _track(box, velocity)
    if yuv:
        drawer.draw(Yuv420Surface(np.zeros((60, 64), np.uint8)), [track], 0)
        return
    # The picture is the middle of larger memory: nothing may be drawn beyond its edges.
    memory = np.full((48, 72, 3), 7, np.uint8)
    drawer.draw(BgrSurface(memory[4:-4, 4:-4]), [track], 0)
    memory[4:-4, 4:-4] = 7
    assert (memory == 7).all()
