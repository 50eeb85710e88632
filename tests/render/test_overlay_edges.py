"""Boxes over the border, far out, or no boxes at all: no harm to the picture."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_vision.config_overlay import OverlayConfig
from edge_vision.render.clock import Clock
from edge_vision.render.hud import Hud
from edge_vision.render.overlay import Overlay
from edge_vision.render.style import class_colour
from edge_vision.render.surface import BgrSurface
from edge_vision.results import Track

Pixels = NDArray[np.uint8]
Found = Callable[..., list[Track]]
STYLES = ["boxes", "corners", "minimal", "hud"]
CLOCK = Clock(0, 0, 0, 0)
LABELS = {1: "person", 2: "bicycle", 3: "car", 17: "cat"}


def _draw(picture: Pixels, tracks: Sequence[Track], **settings: Any) -> None:
    """Draw once on a BGR picture with a new overlay."""
    Overlay(OverlayConfig(**settings)).draw(BgrSurface(picture), tracks, LABELS, CLOCK)


def _ground(width: int, height: int, level: int = 128) -> Pixels:
    return np.full((height, width, 3), level, np.uint8)


def _is(pixels: Pixels, class_id: int) -> NDArray[np.bool_]:
    return np.asarray((pixels == class_colour(class_id)).all(axis=-1))


sides = st.integers(1, 200)
edge = st.floats(-(2.0**100), 2.0**100, width=32) | st.floats(-0.5, 1.5, width=32)
boxes = st.tuples(edge, edge, edge, edge).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


@settings(max_examples=150)
@given(
    sides, sides, st.lists(boxes, max_size=8), st.integers(0, 32), st.booleans(),
    st.sampled_from(STYLES), st.booleans(),
)  # fmt: skip
def test_any_boxes_on_any_picture(
    width: int,
    height: int,
    drawn: list[tuple[float, ...]],
    thickness: int,
    with_hud: bool,
    style: str,
    coasting: bool,
) -> None:
    still = np.zeros(4, np.float32)
    state = "coasting" if coasting else "confirmed"
    tracks = [
        Track(number, np.array(box, np.float32), still, 0.5, number - 3, state, 0, 0)
        for number, box in enumerate(drawn)
    ]
    # The picture is the middle of larger memory: nothing may be drawn beyond its edges.
    memory = np.full((height + 8, width + 8, 3), 7, np.uint8)
    view = memory[4:-4, 4:-4]
    settings = {"style": style, "thickness_px": thickness, "trails_s": 1.0}
    overlay = Overlay(OverlayConfig(**settings))
    for ns in (0, 10**8):
        overlay.draw(
            BgrSurface(view), tracks, {}, Clock(0, ns, ns, ns), Hud() if with_hud else None
        )
    assert overlay.left_out == 0
    view[:] = 7
    assert (memory == 7).all()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "box",
    [
        [math.nan, 0.1, 0.2, 0.3], [0.1, 0.1, math.inf, 0.3], [-math.inf, 0.1, 0.5, 0.3],
        [-math.inf, -math.inf, math.inf, math.inf], [0.5, 0.1, 0.4, 0.3], [0.1, 0.3, 0.2, 0.2],
    ],
)  # fmt: skip
def test_what_is_no_box_is_left_out_and_counted(found: Found, style: str, box: list[float]) -> None:
    picture = _ground(640, 480)
    overlay = Overlay(OverlayConfig(style=style, trails_s=1))
    overlay.draw(BgrSurface(picture), found(box, ids=[1]), LABELS, CLOCK)
    assert overlay.left_out == 1
    assert (picture == 128).all()


def test_a_score_that_is_no_number_is_left_out(found: Found) -> None:
    picture = _ground(640, 480)
    _draw(picture, found([0.1, 0.1, 0.2, 0.2], scores=[math.nan]))
    assert (picture == 128).all()


@pytest.mark.parametrize("style", STYLES)
def test_what_is_out_of_the_picture_leaves_no_trace(found: Found, style: str) -> None:
    picture = _ground(640, 480)
    boxes = [-0.3, 0.2, -0.1, 0.6], [1.01, 0.2, 1.5, 0.6], [0.2, -3, 0.4, -1], [0.2, 1.2, 0.4, 1.3]
    _draw(picture, found(*boxes), style=style)
    assert (picture == 128).all()


def test_over_the_border_the_visible_part_is_drawn(found: Found) -> None:
    """The side that lies outside is not seen; the others run up to the border."""
    picture = _ground(1280, 720)
    _draw(picture, found([-0.2, 0.3, 0.2, 0.8], class_ids=[3]), label="")
    assert not _is(picture[230:560, :8], 3)[5:-5].any()
    assert _is(picture[213:219, :250], 3).any(axis=0).all()
    assert _is(picture[300, 250:262], 3).sum() == 3


def test_a_side_just_over_the_border_is_drawn_at_it(found: Found) -> None:
    for box in ([0.0, 0.3, 0.2, 0.8], [-0.008, 0.3, 0.2, 0.8]):
        picture = _ground(1280, 720)
        _draw(picture, found(box, class_ids=[3]), label="")
        assert _is(picture[300, :8], 3).sum() == 3


def test_the_side_leaves_without_a_jump(found: Found) -> None:
    """Box by box a pixel further out: the line is cut pixel by pixel, not from whole to none."""
    seen = []
    for out_px in range(40):
        picture = _ground(1280, 720)
        _draw(picture, found([-out_px / 1280, 0.3, 0.2, 0.8], class_ids=[3]), label="")
        seen.append(int(_is(picture[300, :20], 3).sum()))
    assert seen[0] == 3
    assert seen[-1] == 0
    assert all(0 <= before - after <= 1 for before, after in itertools.pairwise(seen))


def test_a_box_larger_than_the_picture_has_only_its_label(found: Found) -> None:
    picture = _ground(1280, 720)
    _draw(picture, found([-0.5, -0.5, 1.5, 1.5], class_ids=[17]))
    ys, xs = np.nonzero((picture != 128).any(axis=-1))
    assert ys.max() < 40
    assert 60 < xs.max() < 140
    assert _is(picture[:40, :140], 17).sum() > 500
