"""Sprites: pictures with alpha that are attached to the objects of a class.

Every picture is scaled, turned and placed anew for each frame, to a fraction of a pixel: boxes
change a little with every frame, and cached steps of size or angle would be seen as trembling.  It
costs little, as the scaling starts from the smallest of several halved copies that is large enough.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.config_overlay import SpriteConfig
from edge_vision.render.class_names import class_ids
from edge_vision.render.shapes import clipped
from edge_vision.render.sprite_file import Pixels, read_sprite
from edge_vision.render.surface import Surface
from edge_vision.results import Track

_WIDEST_PX = 1 << 16
"""What is to be drawn wider is no object any more."""
_SLOW = 0.03
"""Picture widths per second below which noise tells more of the direction than the motion does."""
_TURN_S = 0.2
"""Time in which a sprite makes 63 % of a turn."""
_FORGET_NS = 2_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Sprite:
    config: SpriteConfig
    levels: tuple[Pixels, ...]
    """BGRA, premultiplied; each half the size of the one before."""


class Sprites:
    """Draws the pictures of `overlay.sprites`; used by one thread.

    labels: class id -> label.  Raises ConfigError when a class is not among them, or a picture
    cannot be used (missing, no PNG, no alpha, too large); the message names the key.
    """

    def __init__(self, configs: Sequence[SpriteConfig], labels: Mapping[int, str]) -> None:
        self._sprites: dict[int, list[_Sprite]] = {}
        for number, config in enumerate(configs):
            key = f"overlay.sprites.{number}"
            found = class_ids(f"{key}.label", config.label, labels)
            sprite = _Sprite(config, _halved(read_sprite(f"{key}.picture", config.picture)))
            for class_id in found:
                self._sprites.setdefault(class_id, []).append(sprite)
        self._headings = Headings()

    def draw(self, surface: Surface, tracks: Sequence[Track], at_ns: int) -> None:
        """Draw on every track that has a sprite; older tracks lie on top.

        at_ns: the time of the picture, by a clock that goes evenly; turning goes with it, not with
        frames.
        Tracks whose box is not finite are left out.
        """
        drawn = [track for track in tracks if track.class_id in self._sprites]
        angles = self._headings.update(drawn, surface.width_px, surface.height_px, at_ns)
        order = sorted(zip(drawn, angles, strict=True), key=lambda pair: -pair[0].id)
        for track, angle in order:
            for sprite in self._sprites[track.class_id]:
                turned = angle if sprite.config.turn == "motion" else 0.0
                _draw(surface, sprite, track.box, turned)


class Headings:
    """Where each track goes, in radians clockwise from "to the right", free of trembling."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, int]] = {}
        """Angle and time of each track id."""

    def update(
        self, tracks: Sequence[Track], width_px: int, height_px: int, at_ns: int
    ) -> list[float]:
        """The angle of each track on a picture of this size; 0 for what has not moved yet.

        A slow track keeps its angle, a quick one turns to its direction of motion by the shorter
        way.  Time that jumps back forgets everything.
        """
        self._known = {
            number: (angle, seen_ns)
            for number, (angle, seen_ns) in self._known.items()
            if 0 <= at_ns - seen_ns < _FORGET_NS
        }
        angles = []
        for track in tracks:
            x0, y0, x1, y1 = track.velocity.astype(float).tolist()
            right, down = (x0 + x1) / 2, (y0 + y1) / 2 * height_px / width_px  # in picture widths
            speed, target = math.hypot(right, down), math.atan2(down, right)
            # From slow to twice as fast the direction counts more and more; NaN counts nothing.
            weight = min(1.0, speed / _SLOW - 1) if speed > _SLOW else 0.0
            known = self._known.get(track.id) if track.id else None
            if known is None:
                angle = target if weight == 1.0 else 0.0
            else:
                angle, seen_ns = known
                share = weight * (1 - math.exp((seen_ns - at_ns) / 1e9 / _TURN_S))
                if share:
                    angle += share * math.remainder(target - angle, math.tau)
            if track.id:
                self._known[track.id] = (angle, at_ns)
            angles.append(angle)
        return angles


def _halved(picture: Pixels) -> tuple[Pixels, ...]:
    levels = [picture]
    while min(levels[-1].shape[:2]) > 1:
        height, width = levels[-1].shape[:2]
        size = (-(-width // 2), -(-height // 2))
        levels.append(np.asarray(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA)))
    return tuple(levels)


def _draw(surface: Surface, sprite: _Sprite, box: NDArray[np.float32], angle: float) -> None:
    """Scale, turn and lay over; only what is visible of it is computed."""
    config = sprite.config
    x0, y0, x1, y1 = box.astype(float).tolist()
    wide_px = config.scale * (x1 - x0) * surface.width_px
    at_x = (x0 + config.anchor[0] * (x1 - x0)) * surface.width_px
    at_y = (y0 + config.anchor[1] * (y1 - y0)) * surface.height_px
    if not (1 <= wide_px <= _WIDEST_PX and math.isfinite(at_x) and math.isfinite(at_y)):
        return
    height, width = sprite.levels[0].shape[:2]
    high_px = wide_px * height / width
    level = _scaled(sprite.levels, wide_px, high_px)
    matrix = _placed(level, (wide_px, high_px), config.pivot, angle, (at_x, at_y))
    # The outer edges of its outer pixels, in the same coordinates: pixel centres are whole numbers.
    right, down = level.shape[1] - 0.5, level.shape[0] - 0.5
    corners = matrix @ np.array([[-0.5, right, -0.5, right], [-0.5, -0.5, down, down], [1] * 4])
    left, top = np.floor(corners.min(axis=1)).tolist()
    after, below = (np.ceil(corners.max(axis=1)) + 1).tolist()
    rect = (int(left), int(top), int(after), int(below))
    shown = clipped(rect, surface.width_px, surface.height_px)
    if shown is None:
        return
    matrix[:, 2] -= shown[:2]
    size = (shown[2] - shown[0], shown[3] - shown[1])
    drawn = cv2.warpAffine(level, matrix, size, flags=cv2.INTER_LINEAR)
    bgr = np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGRA2BGR), np.uint8)
    alpha = np.asarray(cv2.extractChannel(drawn, 3), np.uint8)
    surface.blend(surface.patch(bgr, alpha), shown[0], shown[1])


def _scaled(levels: tuple[Pixels, ...], wide_px: float, high_px: float) -> Pixels:
    """The picture at the whole size nearest to what is wanted; the largest there is for more.

    Then placing it changes its size by next to nothing, and its edges move evenly.
    """
    level = next((p for p in reversed(levels) if p.shape[1] >= wide_px), levels[0])
    if level.shape[1] <= wide_px:
        return level
    size = max(1, round(wide_px)), max(1, round(high_px))
    return np.asarray(cv2.resize(level, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _placed(
    level: Pixels,
    size_px: tuple[float, float],
    pivot: tuple[float, float],
    angle: float,
    at_px: tuple[float, float],
) -> NDArray[np.float64]:
    """(2, 3): from pixel centres of `level` to those of the surface.

    The picture becomes `size_px` (width, height) large, is turned around `pivot` (0..1 of it), and
    `pivot` comes to lie on `at_px`, where 0 is the outer edge of the first pixel.
    """
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    steps = np.array(size_px) / (level.shape[1], level.shape[0])
    first = 0.5 * steps - np.array(pivot) * size_px  # centre of the first pixel, from the pivot
    return np.column_stack([turn * steps, turn @ first + at_px - 0.5])
