"""The panel of figures in the corner of the picture."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.render.style import Colour, Sizes
from edge_vision.render.text import (
    PictureCache,
    fitted,
    inked,
    line_height_px,
    number_picture,
    text_mask,
)

Rect = tuple[int, int, int, int]
"""x0 y0 x1 y1 in pixels, x1 and y1 just outside."""

_KEY: Colour = (190, 190, 190)
_VALUE: Colour = (255, 255, 255)
_MESSAGE: Colour = (70, 190, 255)
_BLACK: Colour = (0, 0, 0)
# What shines through the panel, and its own grey: white text keeps a contrast above 7 on white.
_THROUGH, _GREY = 0.25, 14.0
_WIDEST_VALUE = "000.0"


@dataclass(frozen=True, slots=True)
class Hud:
    """What the panel says; NaN stands for "not known yet" and is shown as a dash.

    capture_fps, detect_fps, display_fps: frames per second.  inference_ms: of one frame.
    age_ms: age of what is shown, now minus the exposure of the analysed frame.
    model: with its input size ("ssdlite_mobilenet_v2_coco 300x300").
    drops: frames dropped since the start.  message: a state to point out, or empty.
    engine: what runs the network ("XNNPACK, 2 threads, ai-edge-litert 2.3.0"), or empty.
    """

    capture_fps: float = math.nan
    detect_fps: float = math.nan
    display_fps: float = math.nan
    inference_ms: float = math.nan
    age_ms: float = math.nan
    model: str = ""
    drops: int = 0
    message: str = ""
    engine: str = ""


_NAMES = ("camera", "detect", "display", "inference", "age", "drops")
_UNITS = ("fps", "fps", "fps", "ms", "ms", "")


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A panel for one picture size: all that stays from frame to frame."""

    rect: Rect
    fixed: NDArray[np.uint8]
    values_at: tuple[tuple[int, int], ...]
    cap_px: int


class HudPanel:
    """Draws a Hud at the top left; used by one thread."""

    def __init__(self, cache: PictureCache) -> None:
        self._cache = cache
        self._plan: _Plan | None = None
        self._plan_of: object = None

    def place(self, width_px: int, height_px: int, sizes: Sizes, hud: Hud) -> Rect:
        """Where the panel will lie in a picture of this size; empty where it does not fit."""
        made_of = (width_px, height_px, sizes, hud.model, hud.message, hud.engine)
        if made_of != self._plan_of:
            self._plan = self._layout(width_px, height_px, sizes, hud)
            self._plan_of = made_of
        return self._plan.rect if self._plan is not None else (0, 0, 0, 0)

    def draw(self, canvas: NDArray[np.uint8], sizes: Sizes, hud: Hud) -> None:
        """Draw onto a BGR picture, uint8 (height, width, 3)."""
        self.place(canvas.shape[1], canvas.shape[0], sizes, hud)
        plan = self._plan
        if plan is None:
            return
        x0, y0, x1, y1 = plan.rect
        panel = canvas[y0:y1, x0:x1]
        cv2.convertScaleAbs(panel, dst=panel, alpha=_THROUGH, beta=_GREY)
        # Letters lie on black, so the brighter of both is a blend, for a fifth of its price.
        cv2.max(panel, plan.fixed, dst=panel)
        for text, (right, top) in zip(_values(hud), plan.values_at, strict=True):
            picture = number_picture(self._cache, text, plan.cap_px, _BLACK, _VALUE)
            left = max(0, right - picture.shape[1])
            target = panel[top : top + picture.shape[0], left:right]
            cv2.max(target, picture[:, : right - left], dst=target)

    def _layout(self, width_px: int, height_px: int, sizes: Sizes, hud: Hud) -> _Plan | None:
        """Two columns of three figures, or one of six in a narrow picture; None if none fits."""
        cap = max(7, round(sizes.cap_px * 0.85))
        pad, gap, inset = cap, 2 * cap, round(cap * 0.8)
        name, unit, value = (
            max(text_mask(self._cache, text, cap).shape[1] for text in texts)
            for texts in (_NAMES, _UNITS, (_WIDEST_VALUE,))
        )
        column = name + cap // 2 + value + cap // 2 + unit
        line = line_height_px(cap)
        for columns in (2, 1):
            rows = len(_NAMES) // columns
            inner = columns * column + (columns - 1) * gap
            room = width_px - 2 * inset - 2 * pad
            footers = self._footers(hud, cap, inner, room)
            inner = max([inner, *(mask.shape[1] for mask, _ in footers)])
            wide, high = inner + 2 * pad, (rows + len(footers)) * line + pad
            if inner <= room and high + 2 * inset <= height_px:
                break
        else:
            return None
        fixed = np.zeros((high, wide, 3), np.uint8)
        values_at = []
        for place, (name_text, unit_text) in enumerate(zip(_NAMES, _UNITS, strict=True)):
            left = pad + place // rows * (column + gap)
            top = pad // 2 + place % rows * line
            right = left + name + cap // 2 + value
            self._put(fixed, name_text, (left, top), cap)
            self._put(fixed, unit_text, (right + cap // 2, top), cap)
            values_at.append((right, top))
        for row, (mask, colour) in enumerate(footers):
            top = pad // 2 + (rows + row) * line
            fixed[top : top + line, pad : pad + mask.shape[1]] = inked(mask, _BLACK, colour)
        return _Plan((inset, inset, inset + wide, inset + high), fixed, tuple(values_at), cap)

    def _footers(
        self, hud: Hud, cap: int, inner: int, room: int
    ) -> list[tuple[NDArray[np.uint8], Colour]]:
        """Model, engine and message, cut to the panel's width (message: to the picture's)."""
        model = fitted(self._cache, hud.model, cap, inner)
        engine = fitted(self._cache, hud.engine, cap, inner)
        message = fitted(self._cache, hud.message, cap, room)
        return [
            (text_mask(self._cache, text, cap), colour)
            for text, colour in ((model, _KEY), (engine, _KEY), (message, _MESSAGE))
            if text
        ]

    def _put(self, panel: NDArray[np.uint8], text: str, at: tuple[int, int], cap: int) -> None:
        if text:
            mask = text_mask(self._cache, text, cap)
            left, top = at
            panel[top : top + mask.shape[0], left : left + mask.shape[1]] = inked(
                mask, _BLACK, _KEY
            )


def _values(hud: Hud) -> tuple[str, ...]:
    rates = (hud.capture_fps, hud.detect_fps, hud.display_fps)
    times = (hud.inference_ms, hud.age_ms)
    return (*map(_figure, rates), *map(_figure, times), str(hud.drops))


def _figure(value: float) -> str:
    """Three digits at most where they say something: 7.6, 41.3, 120."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.1f}" if abs(value) < 99.95 else f"{value:.0f}"
