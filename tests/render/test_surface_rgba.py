"""The transparent surface: laid over any picture it looks as if drawn on the picture itself."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_vision.frame import PixelFormat
from edge_vision.render.shapes import line_mask
from edge_vision.render.surface import BgrSurface, Surface
from edge_vision.render.surface_rgba import RgbaSurface

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 96, 64
ORANGE, BLUE = (20, 140, 250), (250, 60, 10)


def laid_over(rgba: Pixels, ground: Pixels) -> NDArray[np.float64]:
    """What a display shows that blends by coverage: (height, width, 3) BGR."""
    alpha = rgba[:, :, 3:] / 255
    shown: NDArray[np.float64] = rgba[:, :, 2::-1] * alpha + ground * (1 - alpha)
    return shown


def noise(height: int, width: int, channels: int = 3, seed: int = 1) -> Pixels:
    made = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return np.asarray(made, np.uint8)


def letters(surface: Surface) -> Any:
    """A patch with soft edges, multiplied by its alpha as patches must be."""
    alpha = noise(9, 17, 1, seed=2)[:, :, 0]
    alpha[:3], alpha[6:] = 0, 255
    colour = noise(9, 17, 3, seed=3)
    return surface.patch(np.rint(colour * (alpha[:, :, None] / 255)).astype(np.uint8), alpha)


def plate(surface: Surface) -> Any:
    return surface.patch(noise(7, 20, 3, seed=4))


def draw_one(surface: Surface, what: str, x: int, y: int) -> None:
    if what == "rect":
        surface.fill_rect((x, y, x + 20, y + 13), ORANGE)
    elif what == "tint":
        surface.tint((x, y, x + 20, y + 13), BLUE, 0.6)
    elif what == "paste":
        surface.paste(plate(surface), x, y)
    elif what == "blend":
        surface.blend(letters(surface), x, y)
    elif what == "opaque blend":
        surface.blend(plate(surface), x, y)
    elif what == "polygon":
        surface.fill_polygon(np.array([[x, y], [x + 30, y + 4], [x + 9, y + 25]]), BLUE)
    elif what == "line":
        surface.polyline(np.array([[x, y], [x + 30.5, y + 9.3]]), ORANGE, 3)
    else:
        points = np.array([[x, y], [x + 10.0, y + 20], [x + 30.5, y + 9.3]])
        drawn = line_mask(points, [80, 200], 4, WIDTH, HEIGHT)
        if drawn is not None:
            surface.cover(*drawn, BLUE)


KINDS = ["rect", "tint", "paste", "blend", "opaque blend", "polygon", "line", "trail"]
PLACE = st.tuples(st.sampled_from(KINDS), st.integers(-40, WIDTH + 9), st.integers(-40, HEIGHT + 9))


@settings(max_examples=60)
@given(st.lists(PLACE, min_size=1, max_size=6))
def test_laid_over_a_picture_it_is_as_if_drawn_on_it(drawn: list[tuple[str, int, int]]) -> None:
    ground = noise(HEIGHT, WIDTH)
    on_picture, alone = BgrSurface(ground.copy()), RgbaSurface(WIDTH, HEIGHT)
    for what, x, y in drawn:
        draw_one(on_picture, what, x, y)
        draw_one(alone, what, x, y)
    shown = laid_over(alone.image.data, ground)
    # Each layer is rounded to whole levels; premultiplied patches more so where nearly transparent.
    assert np.abs(shown - on_picture.image.data).max() <= 2 + len(drawn)


@pytest.mark.parametrize("what", KINDS)
def test_clearing_leaves_nothing(what: str) -> None:
    surface = RgbaSurface(WIDTH, HEIGHT)
    for x, y in ((5, 7), (-9, -9), (WIDTH - 12, HEIGHT - 8), (WIDTH + 50, 0)):
        draw_one(surface, what, x, y)
    assert surface.image.data.any()
    surface.clear()
    assert not surface.image.data.any()


def test_clearing_touches_only_what_was_drawn_on() -> None:
    surface = RgbaSurface(WIDTH, HEIGHT)
    surface.fill_rect((10, 10, 20, 20), ORANGE)
    surface.image.data[40, 40] = 7  # by somebody else
    surface.clear()
    assert (surface.image.data[40, 40] == 7).all()
    assert surface.image.data.sum() == 4 * 7


def test_its_bytes_are_red_green_blue_alpha() -> None:
    surface = RgbaSurface(4, 4)
    surface.fill_rect((1, 1, 2, 2), ORANGE)
    assert surface.image.data[1, 1].tolist() == [250, 140, 20, 255]
    assert surface.image.data[0, 0].tolist() == [0, 0, 0, 0]
    surface.tint((2, 2, 3, 3), ORANGE, 0.5)
    assert surface.image.data[2, 2].tolist() == [250, 140, 20, 128]
    assert surface.image.format is PixelFormat.RGBA


def test_a_sprite_s_soft_edge_stays_its_own_colour(pictures: Path) -> None:
    """Straight alpha: a half transparent red is red, not dark red."""
    surface = RgbaSurface(40, 40)
    alpha = np.asarray(cv2.GaussianBlur(np.pad(np.full((20, 20), 255, np.uint8), 10), (9, 9), 0))
    red = np.zeros((40, 40, 3), np.uint8)
    red[:, :, 2] = alpha
    surface.blend(surface.patch(red, alpha), 0, 0)
    data = surface.image.data
    edge = (data[:, :, 3] > 20) & (data[:, :, 3] < 235)
    assert edge.any()
    assert (data[edge][:, 0] == 255).all()
    assert (data[:, :, 3] == alpha).all()


def test_there_is_nothing_to_blur() -> None:
    with pytest.raises(ValueError, match="transparent"):
        RgbaSurface(8, 8).blur((0, 0, 4, 4))


def test_what_is_no_patch() -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        RgbaSurface(8, 8).patch(np.zeros((4, 4), np.uint8))
