"""The overlay by itself looks, over a photograph, as the overlay drawn on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.config_overlay import OverlayConfig
from edge_vision.errors import ConfigError
from edge_vision.render.clock import Clock
from edge_vision.render.hud import Hud
from edge_vision.render.overlay import Overlay
from edge_vision.render.sheet import Sheet
from edge_vision.render.surface import BgrSurface
from edge_vision.results import Track

LABELS = {1: "person", 17: "cat"}
Found = Callable[..., list[Track]]


@pytest.mark.parametrize("style", ["boxes", "corners", "minimal", "hud"])
@pytest.mark.parametrize("state", ["confirmed", "coasting"])
def test_it_is_the_overlay(found: Found, hud: Hud, pictures: Path, style: str, state: str) -> None:
    picture = np.asarray(cv2.imread(str(pictures / "cat.jpg")), np.uint8)
    height, width = picture.shape[:2]
    config = OverlayConfig(style=style, trails_s=2.0)
    sheet, overlay = Sheet(config, LABELS), Overlay(config)
    for step in range(3):
        clock = Clock(step, 0, step * 40_000_000, step * 40_000_000)
        move = 0.02 * step
        tracks = found(
            (0.2 + move, 0.2, 0.7, 0.9), (0.5, 0.1 + move, 0.95, 0.6), class_ids=[17, 1],
            ids=[1, 2], state=state,
        )  # fmt: skip
        drawn = picture.copy()
        overlay.draw(BgrSurface(drawn), tracks, LABELS, clock, hud)
        rgba = sheet.draw(width, height, tracks, clock, hud)
    alpha = rgba[:, :, 3:] / 255
    shown = rgba[:, :, 2::-1] * alpha + picture * (1 - alpha)
    difference = np.abs(shown - drawn)
    assert (difference.max(axis=2) > 0).mean() < 1, "something was drawn"
    assert np.abs(picture.astype(int) - drawn).max() > 100
    assert difference.max() <= 6


def test_what_was_drawn_before_is_gone(found: Found) -> None:
    sheet = Sheet(OverlayConfig(hud=False), LABELS)
    clock = Clock(0, 0, 0, 0)
    first = sheet.draw(320, 240, found((0.1, 0.1, 0.4, 0.4)), clock, None).copy()
    second = sheet.draw(320, 240, found((0.6, 0.6, 0.9, 0.9)), clock, None).copy()
    assert first.any()
    assert second.any()
    assert not (first.any(axis=2) & second.any(axis=2)).any()
    assert not sheet.draw(320, 240, [], clock, None).any()
    assert sheet.draw(640, 480, [], clock, None).shape == (480, 640, 4)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"blur": ["person"]}, "overlay.blur"),
        ({"masks": [[(0.0, 0.0), (0.5, 0.0), (0.5, 0.5)]]}, "overlay.masks"),
        ({"renderer": "my_module:draw"}, "overlay.renderer"),
        ({"timing": "exact"}, "overlay.timing: exact"),
        ({"timing": "exact", "blur": ["cat"]}, "overlay.blur and no overlay.timing: exact"),
    ],
)
def test_what_needs_the_picture_is_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=f"so there can be no {named} with it"):
        Sheet(OverlayConfig(**settings), LABELS)
