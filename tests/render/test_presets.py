"""What the styles share, and how they differ."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config_overlay import OverlayConfig
from edge_vision.render.clock import Clock
from edge_vision.render.hud import Hud
from edge_vision.render.overlay import Overlay
from edge_vision.render.style import class_colour
from edge_vision.render.surface import BgrSurface
from edge_vision.render.surface_yuv import Yuv420Surface
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


@pytest.mark.parametrize("style", STYLES)
def test_what_is_not_seen_now_is_fainter(found: Found, style: str) -> None:
    ground = _ground(640, 480, 255)
    drawn = []
    for state in ("confirmed", "coasting"):
        drawn.append(ground.copy())
        _draw(drawn[-1], found([0.3, 0.3, 0.7, 0.7], state=state), style=style, label="")
    strong, faint = (255 - picture.astype(int) for picture in drawn)
    assert 0 < faint.sum() < 0.75 * strong.sum()
    assert not _is(drawn[1], 1).any()


@pytest.mark.parametrize("style", STYLES)
def test_styles_differ_and_keep_the_object_visible(found: Found, style: str) -> None:
    picture, other = _ground(1280, 720), _ground(1280, 720)
    box = found([0.3, 0.3, 0.6, 0.8], class_ids=[3], ids=[7])
    _draw(picture, box, style=style)
    changed = (picture != 128).any(axis=-1)
    inside = changed[230:560, 400:750]
    assert changed.sum() > 800
    assert inside.mean() < 0.02
    for name in set(STYLES) - {style}:
        other[:] = 128
        _draw(other, box, style=name)
        assert not np.array_equal(picture, other)


@pytest.mark.parametrize("style", STYLES)
def test_yuv_looks_like_bgr(found: Found, hud: Hud, style: str, pictures: Path) -> None:
    photo = cv2.imread(str(pictures / "astronaut.jpg"))
    assert photo is not None
    photo = cv2.resize(photo, (640, 480))
    tracks = found([0.2, 0.3, 0.5, 0.8], [0.55, 0.4, 0.95, 0.7], ids=[1, 2])
    tracks += found([0.4, 0.1, 0.8, 0.3], class_ids=[17], ids=[3], state="coasting")
    planes = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    plain = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    overlay = Overlay(OverlayConfig(style=style, trails_s=1))
    overlay.draw(Yuv420Surface(planes), tracks, LABELS, CLOCK, hud)
    bgr = plain.copy()
    Overlay(OverlayConfig(style=style, trails_s=1)).draw(
        BgrSurface(bgr), tracks, LABELS, CLOCK, hud
    )
    drawn = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
    changed = (bgr != plain).any(axis=-1)
    off = np.abs(drawn.astype(int) - bgr).mean(axis=-1)
    assert off[~changed].mean() < 1
    assert off[changed].mean() < 20
    # One overlay serves both formats in turn.
    overlay.draw(BgrSurface(plain), tracks, LABELS, CLOCK, hud)
    assert np.array_equal(plain, bgr)


def test_what_is_seen_lies_on_what_is_not(found: Found) -> None:
    picture = _ground(640, 480)
    box = [0.2, 0.4, 0.8, 0.9]
    unseen = found(box, class_ids=[3], scores=[0.9], state="coasting", ids=[1])
    _draw(picture, unseen + found(box, class_ids=[2], scores=[0.4], ids=[2]), label="")
    assert _is(picture[425:440, 300], 2).sum() >= 2
