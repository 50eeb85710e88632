"""The demo scene's pictures, made ready for drawing: stickers with a shadow, and lit ground."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import SourceBroken, SourceMissing

Pixels = NDArray[np.uint8]

FOLDER = Path(__file__).parent / "demo_pictures"

RIM, SHADOW_BLUR, SHADOW_DROP = 0.0075, 0.017, 0.019
"""Width of a sticker's white rim, sigma and downward offset of its shadow, in scene units."""
SHADOW_STRENGTH = 0.6
RIM_BGR = (240, 246, 248)


@dataclass(frozen=True, slots=True)
class Cutout:
    """One object's picture as stored.

    bgra: uint8 (H, W, 4), straight alpha.
    solid: uint8 (H, W), 255 where alpha > 0.5.
    outline: float64 (N, 2), x y of the corners of the solid pixels at the edge, in pixels measured
    from the picture's top left corner (so the first pixel spans 0 to 1).
    """

    bgra: Pixels
    solid: Pixels
    outline: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sprite:
    """A sticker ready for drawing at some scale.

    bgrt: uint8 (H, W, 4): colour times opacity, then transmittance (255 minus opacity).  The
    shadow is part of it: black that lets some light through.
    scale: sprite pixels per picture pixel.  left_px, top_px: where the picture begins in it.
    """

    bgrt: Pixels
    scale: float
    left_px: int
    top_px: int


def read_picture(name: str, mode: int) -> Pixels:
    """A stored picture, read with an IMREAD_* mode.

    Raises SourceMissing when the installation lacks it, SourceBroken when OpenCV cannot read it.
    """
    path = FOLDER / f"{name}.webp"
    try:
        packed = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SourceMissing(
            f"the demo scene's picture {path} cannot be read ({error.strerror}); "
            "install edge-vision again"
        ) from error
    picture = cv2.imdecode(packed, mode) if len(packed) else None
    if picture is None:
        raise SourceBroken(
            f"the demo scene's picture {path} is damaged, or this OpenCV reads no WebP; "
            "install edge-vision and opencv-python-headless again"
        )
    return np.asarray(picture, np.uint8)


@cache
def cutout(name: str) -> Cutout:
    """Read one object's picture (once per process)."""
    bgra = read_picture(name, cv2.IMREAD_UNCHANGED)
    inside = np.asarray(bgra[:, :, 3] > 127)
    solid = np.where(inside, 255, 0).astype(np.uint8)
    edges, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    edge = np.concatenate(edges)[:, 0, :].astype(np.float64)
    # Every pixel is a square: its four corners, not its centre, bound the object.
    outline = np.concatenate([edge + np.array((dx, dy)) for dx in (0, 1) for dy in (0, 1)])
    return Cutout(bgra, solid, outline)


def make_sprite(picture: Cutout, height_px: float, unit_px: float) -> Sprite:
    """Scale a picture to `height_px` and give it its rim and its shadow."""
    rows, columns = picture.bgra.shape[:2]
    scale = height_px / rows
    rim_px, blur_px, drop_px = RIM * unit_px, SHADOW_BLUR * unit_px, SHADOW_DROP * unit_px
    margin = round(3 * blur_px + drop_px + rim_px) + 2
    size = (round(columns * scale) + 2 * margin, round(rows * scale) + 2 * margin)
    premultiplied: NDArray[Any] = picture.bgra.astype(np.float32)
    premultiplied[:, :, :3] *= premultiplied[:, :, 3:] / 255
    # Minifying by area avoids glitter; warpAffine has no such mode, hence two steps.
    if scale < 1:
        small = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        premultiplied = cv2.resize(premultiplied, small, interpolation=cv2.INTER_AREA)
    step = (size[0] - 2 * margin) / premultiplied.shape[1]
    place = np.array([[step, 0, margin + step / 2 - 0.5], [0, step, margin + step / 2 - 0.5]])
    flat = cv2.warpAffine(premultiplied, place, size, flags=cv2.INTER_LINEAR)
    alpha = flat[:, :, 3] / 255
    outside = cv2.distanceTransform((alpha < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.GaussianBlur(outside, (0, 0), max(0.5, rim_px / 3))  # rounds the pixel stairs
    sticker = np.maximum(alpha, np.clip(rim_px + 0.5 - outside, 0, 1))
    drop = np.array([[1, 0, 0], [0, 1, drop_px]], np.float64)
    shadow = cv2.warpAffine(sticker, drop, size)
    shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.3, blur_px))
    bgrt = np.empty((size[1], size[0], 4), np.uint8)
    rim = np.array(RIM_BGR, np.float32) * (sticker - alpha)[:, :, None]
    bgrt[:, :, :3] = np.clip(flat[:, :, :3] + rim + 0.5, 0, 255)
    bgrt[:, :, 3] = 255 * (1 - sticker) * (1 - SHADOW_STRENGTH * shadow) + 0.5
    # Every pixel is resampled for every frame: leave out what shows nothing.
    x, y, wide, high = cv2.boundingRect((bgrt[:, :, 3] < 251).astype(np.uint8))
    bgrt = bgrt[y : y + high, x : x + wide].copy()
    bgrt[[0, -1]] = bgrt[:, [0, -1]] = (0, 0, 0, 255)
    return Sprite(bgrt, scale, margin - x, margin - y)


@dataclass(frozen=True, slots=True)
class Ground:
    """A texture and its grading: side of its tile in scene units, contrast, darkest and lightest
    colour (BGR)."""

    texture: str
    tile: float
    contrast: float
    dark: tuple[int, int, int]
    light: tuple[int, int, int]


GROUNDS = (
    Ground("gravel", 0.95, 0.50, (62, 48, 40), (178, 164, 150)),
    Ground("grass", 1.05, 0.60, (34, 58, 42), (110, 178, 148)),
    Ground("gravel", 1.05, 0.50, (62, 78, 92), (150, 176, 196)),
)


def make_ground(look: Ground, size_px: tuple[int, int], unit_px: float) -> Pixels:
    """The ground under the scene: a graded texture with a pool of light, uint8 (H, W, 3) BGR."""
    width, height = size_px
    grey = read_picture(look.texture, cv2.IMREAD_GRAYSCALE)
    side = max(8, round(look.tile * unit_px))
    smooth = cv2.INTER_AREA if side < grey.shape[0] else cv2.INTER_CUBIC
    grey = np.asarray(cv2.resize(grey, (side, side), interpolation=smooth), np.uint8)
    grey = np.tile(grey, (-(-height // side), -(-width // side)))[:height, :width]
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    levels = np.clip(0.5 + (np.arange(256) - mean) / (deviation * 4) * look.contrast, 0, 1)
    dark, light = np.array(look.dark, np.float64), np.array(look.light, np.float64)
    ramp = dark + levels[:, None] * (light - dark)
    table = np.clip(ramp + 0.5, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    ground = cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), table)
    return _lit(np.asarray(ground, np.uint8))


def _lit(ground: Pixels) -> Pixels:
    """Light from the upper left, falling off to the corners; worked in strips to save memory."""
    height, width = ground.shape[:2]
    x = (np.arange(width, dtype=np.float32) / width - 0.42)[None, :]
    for top in range(0, height, 64):
        rows = np.arange(top, min(top + 64, height), dtype=np.float32)
        y = (rows / height - 0.38)[:, None]
        fall = np.exp(-(x * x * 2.4 + y * y * 2.8))[:, :, None]
        warm = np.array([0.90, 1.0, 1.06], np.float32) * fall + np.array([0.08, 0.0, -0.04])
        strip = ground[top : top + 64]
        strip[:] = np.clip(strip * (0.12 + 1.15 * warm) + 0.5, 0, 255).astype(np.uint8)
    return ground
