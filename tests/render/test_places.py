"""Zones and lines as they are drawn."""

from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.config_watch import WatchConfig
from edge_vision.render.places import PlaceMarks
from edge_vision.render.plates import Plates
from edge_vision.render.surface import BgrSurface
from edge_vision.render.surface_rgba import RgbaSurface
from edge_vision.render.surface_yuv import Yuv420Surface
from edge_vision.render.text import Letters

WATCH = WatchConfig(
    zones={"yard": [(0.05, 0.2), (0.4, 0.2), (0.4, 0.9), (0.05, 0.9)]},
    lines={"door": ((0.7, 0.9), (0.7, 0.1))},
)


def marks(watch: WatchConfig = WATCH, crossings: Any = None) -> PlaceMarks:
    return PlaceMarks(watch, Plates(Letters()), lambda: crossings or {}, 0)


def grey(width: int, height: int) -> Any:
    return np.full((height, width, 3), 100, np.uint8)


def drawn(format: str, width: int, height: int, made: PlaceMarks) -> Any:
    """What a grey picture looks like with places on it, as BGR."""
    picture = grey(width, height)
    if format == "yuv":
        surface: Any = Yuv420Surface(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420))
        made.draw(surface)
        return cv2.cvtColor(surface.image.data, cv2.COLOR_YUV2BGR_I420)
    if format == "rgba":
        surface = RgbaSurface(width, height)
        made.draw(surface)
        above = surface.image.data
        alpha = above[:, :, 3:] / 255
        return np.rint(above[:, :, 2::-1] * alpha + picture * (1 - alpha)).astype(np.uint8)
    surface = BgrSurface(picture)
    made.draw(surface)
    return picture


@pytest.mark.parametrize("format", ["bgr", "yuv", "rgba"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (320, 240), (64, 48)])
def test_where_what_is(format: str, width: int, height: int) -> None:
    picture = drawn(format, width, height, marks()).astype(int)
    changed = np.abs(picture - 100).max(axis=2)

    def around(x: float, y: float) -> int:
        left, top = round(x * width), round(y * height)
        return int(changed[max(0, top - 2) : top + 2, max(0, left - 2) : left + 2].max())

    assert around(0.05, 0.5) > 40, "the zone's left side"
    assert around(0.2, 0.9) > 40, "its lower side"
    assert around(0.7, 0.3) > 40, "the line"
    assert around(0.95, 0.95) <= 4, "nothing where there is nothing"
    assert 4 < around(0.1, 0.3) < 60, "the zone's light fill"


def test_the_arrow_points_in() -> None:
    """The line goes up, so in is to the right of the picture."""
    picture = drawn("bgr", 640, 360, marks(WatchConfig(lines=WATCH.lines))).astype(int)
    changed = np.abs(picture - 100).max(axis=2) > 20
    beside = changed[190:230]  # below the text and its letters
    right = int(np.flatnonzero(changed[170:190].any(axis=0)).max())
    assert right > 0.7 * 640 + 15
    assert np.flatnonzero(beside.any(axis=0)).min() >= 0.7 * 640 - 4


def test_counts_change_and_are_shown_behind_the_arrow() -> None:
    crossings: dict[str, Any] = {"door": {"in": {"person": 1}, "out": {}}}
    made = marks(crossings=crossings)
    first = drawn("bgr", 640, 360, made)
    again = drawn("bgr", 640, 360, made)
    crossings["door"] = {"in": {"person": 1, "cat": 41}, "out": {}}
    other = drawn("bgr", 640, 360, made)
    assert np.array_equal(first, again)
    different = np.flatnonzero((first != other).any(axis=(0, 2)))
    assert different.size
    assert different.max() < 0.7 * 640


def test_what_stays_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = marks()
    drawn("bgr", 320, 240, made)
    monkeypatch.setattr(PlaceMarks, "_make", lambda *_: pytest.fail("made again"))
    drawn("bgr", 320, 240, made)


def test_outlines_are_sharp_and_the_fill_is_light() -> None:
    picture = drawn("bgr", 640, 360, marks(WatchConfig(zones=WATCH.zones)))
    column = picture[100, : round(0.1 * 640)].astype(int)
    assert (np.abs(column - (255, 196, 64)).max(axis=1) < 30).any(), "its own colour"
    # What is inside can still be seen: a ninth of the colour.
    fill = picture[100, 60].astype(int)
    assert np.abs(fill - (100 + np.array([155, 96, -36]) * 28 / 255)).max() <= 2


@pytest.mark.parametrize(("width", "height"), [(2, 2), (16, 2), (2, 16)])
@pytest.mark.parametrize("format", ["bgr", "yuv", "rgba"])
def test_tiny_pictures(format: str, width: int, height: int) -> None:
    assert drawn(format, width, height, marks()).shape == (height, width, 3)
