"""Colour has half the resolution: where a sample is shared, what is bright keeps its colour."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.render.style import BLACK, class_colour
from edge_vision.render.surface_yuv import Yuv420Surface

Pixels = NDArray[np.uint8]
WHITE = (255, 255, 255)


def _on(bgr: Pixels) -> Yuv420Surface:
    return Yuv420Surface(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8))


def _seen(surface: Yuv420Surface) -> NDArray[np.int64]:
    return cv2.cvtColor(surface.image.data, cv2.COLOR_YUV2BGR_I420).astype(np.int64)


@pytest.mark.parametrize("class_id", [1, 2, 5, 17, 44])
@pytest.mark.parametrize("left", [20, 21])
@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_line_between_dark_rims_keeps_its_colour(class_id: int, left: int, line: int) -> None:
    colour, surface = class_colour(class_id), _on(np.full((40, 64, 3), WHITE, np.uint8))
    surface.fill_rect((left, 4, left + line + 2, 36), BLACK)
    surface.fill_rect((left + 1, 5, left + 1 + line, 35), colour)
    seen = _seen(surface)
    assert np.abs(seen[6:34, left + 1 : left + 1 + line] - colour).max() <= 3
    assert seen[6:34, left].mean(axis=1).max() < 70  # the rim stays dark
    assert seen[6:34, left + line + 1].mean(axis=1).max() < 70
    assert (seen[6:34, : left - 1] >= 253).all()
    assert (seen[6:34, left + line + 3 :] >= 253).all()
    assert (seen[6:34, left - 1] >= 253).all()  # the ground beside it has no fringe
    assert (seen[6:34, left + line + 2] >= 253).all()


@pytest.mark.parametrize("place", [20, 21])
def test_what_is_dark_takes_no_colour_from_its_neighbours(place: int) -> None:
    colour = (200, 40, 90)
    surface = _on(np.full((64, 64, 3), colour, np.uint8))
    surface.fill_rect((place, place, place + 7, place + 7), BLACK)
    surface.tint((place, place + 20, place + 1, place + 27), BLACK, 0.9)
    seen = _seen(surface)
    seen[place : place + 7, place : place + 7] = colour
    seen[place + 20 : place + 27, place] = colour
    assert np.abs(seen - colour).max() <= 3


@pytest.mark.parametrize("left", [10, 11])
def test_letters_do_not_take_the_colour_out_of_their_plate(left: int) -> None:
    colour = class_colour(1)
    plate = np.full((20, 40, 3), colour, np.uint8)
    plate[4:16, 5:35:3] = BLACK  # strokes one pixel wide
    surface = _on(np.full((40, 64, 3), 128, np.uint8))
    surface.paste(surface.patch(plate), left, 10)
    seen = _seen(surface)[10:30, left : left + 40]
    stroke = (plate == BLACK).all(axis=2)
    inner = np.zeros_like(stroke)
    inner[2:-2, 2:-2] = True
    assert np.abs(seen - colour).max(axis=2)[inner & ~stroke].max() <= 35
    assert seen[inner & stroke].mean(axis=1).max() < 90


def test_a_patch_is_converted_once_for_each_of_four_places() -> None:
    surface = _on(np.full((40, 64, 3), 128, np.uint8))
    patch = surface.patch(np.full((9, 9, 3), 200, np.uint8), np.full((9, 9), 220, np.uint8))
    for number in range(50):
        surface.blend(patch, -5 + number, 30 - number)
        surface.blend(patch, -5 + number, 31 - number)
    assert len(patch.chroma) == 4  # type: ignore[attr-defined]
    held = patch.colour.nbytes + patch.y.nbytes + patch.keep_y.nbytes  # type: ignore[attr-defined]
    chroma = patch.chroma.values()  # type: ignore[attr-defined]
    held += sum(plane.nbytes for planes in chroma for plane in planes)
    assert held <= patch.nbytes * 1.2


@pytest.mark.parametrize("thickness_px", [1, 2, 3])
def test_a_bright_line_on_a_dark_one_keeps_its_colour(thickness_px: int) -> None:
    """A leader: black below, the colour upon it, in between two pixels."""
    colour, surface = class_colour(2), _on(np.full((40, 64, 3), WHITE, np.uint8))
    line = np.array([[4.0, 20.5], [60.0, 20.5]])
    surface.polyline(line, BLACK, thickness_px + 2)
    surface.polyline(line, colour, thickness_px)
    seen = _seen(surface)
    brightest = seen[18:24, 8:56].max(axis=0).mean(axis=0)
    assert np.argmax(brightest) == np.argmax(colour)
    ground = np.delete(seen, range(16, 27), axis=0)
    assert (ground >= 253).all()


@pytest.mark.parametrize("rect", [(31, 21, 90, 81), (30, 20, 90, 80), (33, 22, 40, 31)])
def test_a_blur_leaves_no_colour_of_what_it_covers(
    rect: tuple[int, int, int, int], pictures: Path
) -> None:
    photo = cv2.imread(str(pictures / "astronaut.jpg"))
    assert photo is not None
    surface = _on(photo)
    before = surface.image.data[512:].reshape(2, 256, 256).copy()
    surface.blur(rect)
    after = surface.image.data[512:].reshape(2, 256, 256)
    x0, y0, x1, y1 = rect[0] // 2, rect[1] // 2, -(-rect[2] // 2), -(-rect[3] // 2)
    changed = (before != after).any(axis=0)
    assert not changed[:y0].any()
    assert not changed[y1:].any()
    assert not changed[:, :x0].any()
    assert not changed[:, x1:].any()
    inside = after[:, y0:y1, x0:x1].astype(int)
    assert np.median(np.abs(np.diff(inside, 2, axis=2))) <= 1
