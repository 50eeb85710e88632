"""Colours and sizes."""

import itertools
import math
from collections.abc import Iterable

import pytest

from edge_vision.config_overlay import OverlayConfig
from edge_vision.render.style import (
    BLACK,
    WHITE,
    Colour,
    Colours,
    class_colour,
    contrast,
    luminance,
    sizes_for,
    text_colour,
)


def _oklab(colour: Colour) -> tuple[float, float, float]:
    """Björn Ottosson's OKLab (bottosson.github.io/posts/oklab): distances as the eye sees them."""
    values = (channel / 255 for channel in colour)
    blue, green, red = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _nearest(ids: Iterable[int]) -> float:
    points = [_oklab(class_colour(class_id)) for class_id in ids]
    return min(math.dist(one, other) for one, other in itertools.combinations(points, 2))


def test_the_first_dozen_classes_are_far_apart() -> None:
    # COCO has no class 12.  For scale: red (255, 0, 0) and orange (255, 128, 0) are 0.16 apart,
    # the reds 255 and 230 are 0.05.
    assert _nearest([*range(1, 12), 13]) > 0.11


def test_sixty_classes_have_colours_of_their_own() -> None:
    assert len({class_colour(class_id) for class_id in range(1, 61)}) == 60
    assert _nearest(range(1, 61)) > 0.04


def test_colours_are_pinned() -> None:
    """The same in every run and on every board: recordings stay comparable."""
    assert class_colour(1) == (0x9B, 0xE0, 0x2F)
    assert class_colour(3) == (0x24, 0xB2, 0xFF)
    assert class_colour(17) == (0xDA, 0x84, 0x77)


@pytest.mark.parametrize("class_id", [-5, 0, 61, 90, 10_000_019])
def test_any_class_id_has_a_colour(class_id: int) -> None:
    assert all(0 <= channel <= 255 for channel in class_colour(class_id))


def test_later_ids_do_not_share_with_the_most_frequent() -> None:
    frequent = {class_colour(class_id) for class_id in range(1, 31)}
    assert not frequent & {class_colour(class_id) for class_id in range(61, 91)}


def test_colours_as_the_configuration_asks() -> None:
    plain = Colours(OverlayConfig())
    assert plain.of(3, "car") == class_colour(3)
    some = Colours(OverlayConfig(colours={"car": "#FF8001"}))
    assert some.of(3, "car") == (0x01, 0x80, 0xFF)
    assert some.of(1, "person") == class_colour(1)
    both = Colours(OverlayConfig(colour="#000000", colours={"car": "#ff8001"}))
    assert both.of(3, "car") == (0x01, 0x80, 0xFF)
    assert both.of(1, "person") == (0, 0, 0)


def test_luminance_and_contrast_as_wcag_gives_them() -> None:
    assert luminance((0, 0, 0)) == 0
    assert luminance((255, 255, 255)) == pytest.approx(1)
    assert luminance((0, 0, 255)) == pytest.approx(0.2126)
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    # #777777 on white is WCAG's well-known near miss of 4.5.
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


def test_every_label_can_be_read() -> None:
    for class_id in range(1, 91):
        colour = class_colour(class_id)
        assert contrast(text_colour(colour), colour) >= 4.3, class_id
    assert text_colour((0, 0, 120)) == WHITE
    assert text_colour((200, 255, 255)) == BLACK


def test_sizes_grow_with_the_picture() -> None:
    sides = (1, 20, 240, 272, 480, 720, 1080, 2160, 6000)
    sizes = [sizes_for(side * 2, side) for side in sides]
    assert [s.line_px for s in sizes] == sorted(s.line_px for s in sizes)
    assert [s.cap_px for s in sizes] == sorted(s.cap_px for s in sizes)
    assert sizes[0].line_px == 1
    assert sizes_for(1280, 720).line_px == 3
    assert all(s.outline_px >= 1 and s.cap_px >= 7 for s in sizes)
    assert sizes_for(1280, 720) == sizes_for(720, 1280)


def test_the_line_width_can_be_fixed() -> None:
    assert sizes_for(1280, 720, 7).line_px == 7
    assert sizes_for(1280, 720, 7).cap_px == sizes_for(1280, 720).cap_px
