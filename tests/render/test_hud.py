"""The panel of figures."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from edge_vision.render.hud import Hud, HudPanel, _figure
from edge_vision.render.style import contrast, sizes_for
from edge_vision.render.surface import BgrSurface
from edge_vision.render.text import Letters

LETTERS = Letters()


def _draw(width: int, height: int, hud: Hud, ground: int = 128) -> tuple[np.ndarray, tuple]:
    picture = np.full((height, width, 3), ground, np.uint8)
    panel = HudPanel(LETTERS)
    sizes = sizes_for(width, height)
    panel.draw(BgrSurface(picture), sizes, hud, 0)
    return picture, panel.place(width, height, sizes, hud)


@pytest.mark.parametrize(
    ("size", "most"),
    [((320, 240), 0.30), ((640, 272), 0.13), ((1280, 720), 0.06), ((1920, 1080), 0.04)],
)
def test_it_covers_little_of_the_picture(hud: Hud, size: tuple[int, int], most: float) -> None:
    picture, (x0, y0, x1, y1) = _draw(*size, hud)
    assert 0 < x0 < x1 < size[0]
    assert 0 < y0 < y1 < size[1]
    assert (x1 - x0) * (y1 - y0) <= most * size[0] * size[1]
    outside = picture.copy()
    outside[y0:y1, x0:x1] = 128
    assert np.all(outside == 128)


@pytest.mark.parametrize("ground", [0, 255])
def test_figures_can_be_read_on_any_ground(hud: Hud, ground: int) -> None:
    picture, (x0, y0, x1, y1) = _draw(1280, 720, hud, ground)
    panel = picture[y0:y1, x0:x1]
    back = tuple(int(value) for value in panel[1, 1])
    assert contrast(back, tuple(int(v) for v in panel.max(axis=(0, 1)))) > 7
    assert contrast(back, (190, 190, 190)) > 4.4  # names and units


def test_it_is_translucent(hud: Hud) -> None:
    on_white, (x0, y0, _, _) = _draw(640, 360, hud, 255)
    on_black, _ = _draw(640, 360, hud, 0)
    assert int(on_white[y0 + 1, x0 + 1, 0]) > int(on_black[y0 + 1, x0 + 1, 0]) + 40


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Hud)])
def test_every_figure_shows(hud: Hud, name: str) -> None:
    other = {
        "model": "another 96x96",
        "message": "no camera",
        "drops": 13,
        "engine": "plain CPU",
    }.get(name, 88.8)
    before, _ = _draw(640, 360, hud)
    after, _ = _draw(640, 360, dataclasses.replace(hud, **{name: other}))
    assert not np.array_equal(before, after)


def test_what_is_not_known_is_a_dash() -> None:
    assert [_figure(value) for value in (math.nan, math.inf, -math.inf)] == ["-", "-", "-"]
    assert [_figure(value) for value in (0, 7.62, 99.94, 99.96, 1234.6)] == [
        "0.0", "7.6", "99.9", "100", "1235",
    ]  # fmt: skip
    _draw(640, 360, Hud())


def test_extreme_figures_stay_in_their_panel() -> None:
    hud = Hud(1e12, -1e12, 1e300, 1e9, 1e15, "m" * 500, 10**30, "x" * 900)
    for size in ((320, 240), (1280, 720)):
        picture, (x0, y0, x1, y1) = _draw(*size, hud)
        assert x1 <= size[0]
        assert y1 <= size[1]
        picture[y0:y1, x0:x1] = 128
        assert np.all(picture == 128)


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (64, 48), (5000, 3), (3, 5000)])
def test_where_it_does_not_fit_there_is_none(hud: Hud, size: tuple[int, int]) -> None:
    picture, rect = _draw(*size, hud)
    assert rect == (0, 0, 0, 0)
    assert np.all(picture == 128)


def test_a_panel_follows_the_picture_size(hud: Hud) -> None:
    panel = HudPanel(LETTERS)
    for size in ((1280, 720), (320, 240), (1280, 720)):
        picture = np.full((size[1], size[0], 3), 128, np.uint8)
        panel.draw(BgrSurface(picture), sizes_for(*size), hud, 0)
        assert np.array_equal(picture, _draw(*size, hud)[0])


def test_figures_stand_still_for_a_fifth_of_a_second(hud: Hud) -> None:
    """Numbers that change with every frame cannot be read."""
    panel, pictures = HudPanel(LETTERS), []
    for frame in range(12):
        figures = dataclasses.replace(hud, age_ms=40.0 + frame)
        picture = np.full((360, 640, 3), 128, np.uint8)
        panel.draw(BgrSurface(picture), sizes_for(640, 360), figures, frame * 33_333_333)
        pictures.append(picture)
    changes = [not np.array_equal(a, b) for a, b in itertools.pairwise(pictures)]
    assert [place + 1 for place, changed in enumerate(changes) if changed] == [7]


def test_time_that_jumps_back_does_not_stop_the_figures(hud: Hud) -> None:
    panel = HudPanel(LETTERS)
    drawn = []
    for now_ns, age_ms in ((10**12, 1.0), (10**9, 2.0)):
        drawn.append(np.full((360, 640, 3), 128, np.uint8))
        figures = dataclasses.replace(hud, age_ms=age_ms)
        panel.draw(BgrSurface(drawn[-1]), sizes_for(640, 360), figures, now_ns)
    assert not np.array_equal(*drawn)


def test_a_new_message_shows_at_once(hud: Hud) -> None:
    panel = HudPanel(LETTERS)
    for message in ("", "flow is too slow"):
        picture = np.full((360, 640, 3), 128, np.uint8)
        said = dataclasses.replace(hud, message=message)
        panel.draw(BgrSurface(picture), sizes_for(640, 360), said, 0)
        assert np.array_equal(picture, _draw(640, 360, said)[0])
