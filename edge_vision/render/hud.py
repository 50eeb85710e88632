"""The panel of figures in the corner of the picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vision.render.style import Colour, Sizes
from edge_vision.render.surface import Patch, Rect, Surface
from edge_vision.render.text import Letters, inked, line_height_px, premultiplied

_KEY: Colour = (190, 190, 190)
_VALUE: Colour = (255, 255, 255)
_MESSAGE: Colour = (70, 190, 255)
# The panel's own grey and what of it hides the picture: white text keeps a contrast above 7 on
# white.
_GREY: Colour = (19, 19, 19)
_GROUND_ALPHA = 191
_WIDEST_VALUE = "000.0"
_REFRESH_NS = 200_000_000
"""Figures that change more often cannot be read."""


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
    """A panel for one picture size: all that stays from frame to frame.

    names: the letters that stay, with their colours, uint8 (h, w, 3) on _GREY; mask: their ink.
    """

    rect: Rect
    names: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    values_at: tuple[tuple[int, int], ...]
    cap_px: int


class HudPanel:
    """Draws a Hud at the top left; used by one thread."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters
        self._plan: _Plan | None = None
        self._plan_of: object = None
        self._panel: Patch | None = None
        self._panel_of: object = None
        self._panel_ns = 0

    def place(self, width_px: int, height_px: int, sizes: Sizes, hud: Hud) -> Rect:
        """Where the panel will lie in a picture of this size; empty where it does not fit."""
        made_of = (width_px, height_px, sizes, hud.model, hud.message, hud.engine)
        if made_of != self._plan_of:
            self._plan = self._layout(width_px, height_px, sizes, hud)
            self._plan_of = made_of
            self._panel = None
        return self._plan.rect if self._plan is not None else (0, 0, 0, 0)

    def draw(self, surface: Surface, sizes: Sizes, hud: Hud, now_ns: int) -> None:
        """Draw the panel; its figures change five times a second at most."""
        self.place(surface.width_px, surface.height_px, sizes, hud)
        plan, panel = self._plan, self._panel
        if plan is None:
            return
        due = not 0 <= now_ns - self._panel_ns < _REFRESH_NS
        if panel is None or panel.format is not surface.format or due:
            panel = self._panel = self._filled(plan, surface, hud)
            self._panel_ns = now_ns
        surface.blend(panel, *plan.rect[:2])

    def _filled(self, plan: _Plan, surface: Surface, hud: Hud) -> Patch:
        """The whole panel, ground and letters, as one patch: one blend a frame."""
        picture, mask = plan.names.copy(), plan.mask.copy()
        for text, (right, top) in zip(_values(hud), plan.values_at, strict=True):
            figures = self._letters.figures(text, plan.cap_px)
            left = max(0, right - figures.shape[1])
            part = np.s_[top : top + figures.shape[0], left:right]
            mask[part] = figures[:, : right - left]
            picture[part] = inked(mask[part], _GREY, _VALUE)
        alpha = np.maximum(mask, _GROUND_ALPHA)
        return surface.patch(premultiplied(picture, alpha), alpha)

    def _layout(self, width_px: int, height_px: int, sizes: Sizes, hud: Hud) -> _Plan | None:
        """Two columns of three figures, or one of six in a narrow picture; None if none fits."""
        cap = max(7, round(sizes.cap_px * 0.85))
        pad, gap, inset = cap, 2 * cap, round(cap * 0.8)
        name, unit = (
            max(self._letters.mask(text, cap).shape[1] for text in texts)
            for texts in (_NAMES, _UNITS)
        )
        value = self._letters.figures(_WIDEST_VALUE, cap).shape[1]
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
        names = np.full((high, wide, 3), _GREY, np.uint8)
        ink = np.zeros((high, wide), np.uint8)
        values_at = []
        for place, (name_text, unit_text) in enumerate(zip(_NAMES, _UNITS, strict=True)):
            left = pad + place // rows * (column + gap)
            top = pad // 2 + place % rows * line
            right = left + name + cap // 2 + value
            _put(names, ink, self._letters.mask(name_text, cap), (left, top), _KEY)
            _put(names, ink, self._letters.mask(unit_text, cap), (right + cap // 2, top), _KEY)
            values_at.append((right, top))
        for row, (mask, colour) in enumerate(footers):
            _put(names, ink, mask, (pad, pad // 2 + (rows + row) * line), colour)
        rect = (inset, inset, inset + wide, inset + high)
        return _Plan(rect, names, ink, tuple(values_at), cap)

    def _footers(
        self, hud: Hud, cap: int, inner: int, room: int
    ) -> list[tuple[NDArray[np.uint8], Colour]]:
        """Model, engine and message, cut to the panel's width (message: to the picture's)."""
        texts = ((hud.model, _KEY, inner), (hud.engine, _KEY, inner), (hud.message, _MESSAGE, room))
        fitted = [(self._letters.fitted(text, cap, most), ink) for text, ink, most in texts if text]
        return [(self._letters.mask(text, cap), colour) for text, colour in fitted if text]


def _put(
    picture: NDArray[np.uint8],
    ink: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    at: tuple[int, int],
    colour: Colour,
) -> None:
    left, top = at
    part = np.s_[top : top + mask.shape[0], left : left + mask.shape[1]]
    ink[part] = mask
    picture[part] = inked(mask, _GREY, colour)


def _values(hud: Hud) -> tuple[str, ...]:
    rates = (hud.capture_fps, hud.detect_fps, hud.display_fps)
    times = (hud.inference_ms, hud.age_ms)
    return (*map(_figure, rates), *map(_figure, times), str(hud.drops))


def _figure(value: float) -> str:
    """Three digits at most where they say something: 7.6, 41.3, 120."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.1f}" if abs(value) < 99.95 else f"{value:.0f}"
