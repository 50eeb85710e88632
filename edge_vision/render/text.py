"""Text as small kept pictures: whole where it stays, put together from letters where it changes."""

import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.render.fonts import Fonts, Mask, line_height_px, margin_px
from edge_vision.render.style import Colour

__all__ = [
    "Letters",
    "Mask",
    "PictureCache",
    "inked",
    "line_height_px",
    "margin_px",
    "premultiplied",
]

_MASK_BYTES = 4 << 20
_DIGITS = "0123456789"
_LONGEST_TEXT = 4000
# Thin stems fade when they are less than a pixel wide.
_LEAST_REGULAR_CAP_PX = 11


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Kept = TypeVar("Kept", bound=_Sized)


class PictureCache(Generic[Kept]):
    """Pictures by key, the least recently used dropped beyond `max_bytes`; used by one thread."""

    def __init__(self, max_bytes: int) -> None:
        self._pictures: OrderedDict[Hashable, Kept] = OrderedDict()
        self._max_bytes = max_bytes
        self.bytes = 0

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """The picture stored under `key`, made first where there is none.  Do not write to it."""
        picture = self._pictures.get(key)
        if picture is not None:
            self._pictures.move_to_end(key)
            return picture
        picture = make()
        self._pictures[key] = picture
        self.bytes += picture.nbytes
        while self.bytes > self._max_bytes and len(self._pictures) > 1:
            self.bytes -= self._pictures.popitem(last=False)[1].nbytes
        return picture


class Letters:
    """Masks of text; every one is line_height_px(cap_px) high.  Used by one thread.

    font: overlay.font, or None for one of the system's.  ConfigError where it cannot be used.
    """

    def __init__(self, font: str | None = None) -> None:
        self._fonts = Fonts(font)
        self._masks: PictureCache[Mask] = PictureCache(_MASK_BYTES)

    def mask(self, text: str, cap_px: int, *, bold: bool = False) -> Mask:
        """One line of text in any language, capitals `cap_px` high: uint8 (height, width >= 1).

        Control characters become "?".
        """
        return self._masks.get((text, cap_px, bold), lambda: self._draw(text, cap_px, bold))

    def figures(self, text: str, cap_px: int, *, bold: bool = False) -> Mask:
        """Text that changes all the time, put together from kept letters.

        All digits are equally wide, so that nothing behind them trembles.
        """
        if not text:
            return self.mask("", cap_px, bold=bold)
        return np.concatenate([self._cell(letter, cap_px, bold) for letter in text], axis=1)

    def fitted(self, text: str, cap_px: int, width_px: int) -> str:
        """The text, its end replaced by "..." where it would be wider than `width_px`."""
        width = self.mask(text, cap_px).shape[1]
        if width <= width_px:
            return text
        keep = int(len(text) * width_px / width) - 2
        while keep > 0 and self.mask(text[:keep] + "...", cap_px).shape[1] > width_px:
            keep -= 1
        return text[:keep].rstrip() + "..." if keep > 0 else ""

    def _draw(self, text: str, cap_px: int, bold: bool) -> Mask:
        printable = "".join(map(_printable, text[:_LONGEST_TEXT]))
        heavy = bold or cap_px < _LEAST_REGULAR_CAP_PX
        runs = self._fonts.runs(printable, bold=heavy)
        masks = [face.draw(run, cap_px) for run, face in runs]
        return masks[0] if len(masks) == 1 else np.concatenate(masks, axis=1)

    def _cell(self, letter: str, cap_px: int, bold: bool) -> Mask:
        key = ("cell", letter, cap_px, bold)
        return self._masks.get(key, lambda: self._make_cell(letter, cap_px, bold))

    def _make_cell(self, letter: str, cap_px: int, bold: bool) -> Mask:
        mask = self.mask(letter, cap_px, bold=bold)
        if letter not in _DIGITS:
            return mask
        widest = max(self.mask(digit, cap_px, bold=bold).shape[1] for digit in _DIGITS)
        left = (widest - mask.shape[1]) // 2
        return np.pad(mask, ((0, 0), (left, widest - mask.shape[1] - left)))


def inked(mask: Mask, background: Colour, ink: Colour) -> NDArray[np.uint8]:
    """The mask as a BGR picture (height, width, 3) in two colours."""
    return np.asarray(cv2.LUT(cv2.merge([mask] * 3), _steps(background, ink)), np.uint8)


@lru_cache(maxsize=256)
def _steps(background: Colour, ink: Colour) -> NDArray[np.uint8]:
    return np.round(np.linspace(background, ink, 256)).astype(np.uint8)[None]


def premultiplied(bgr: NDArray[np.uint8], alpha: Mask) -> NDArray[np.uint8]:
    """bgr * alpha / 255, as patches with alpha must be: uint8 (h, w, 3), alpha uint8 (h, w)."""
    return np.asarray(cv2.multiply(bgr, cv2.merge([alpha] * 3), scale=1 / 255), np.uint8)


def _printable(letter: str) -> str:
    return "?" if unicodedata.category(letter) in ("Cc", "Cs") else letter
