"""Text as small cached pictures, drawn with the font that OpenCV brings (ASCII).

OpenCV 4 draws Hershey stroke fonts, OpenCV 5 an outline font under the same names; both are drawn
large and scaled down, which gives even edges at small sizes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.render.style import Colour

Mask = NDArray[np.uint8]
"""uint8 (height, width): 0 = background, 255 = ink."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_OUTLINE_FONT = int(cv2.__version__.split(".")[0]) >= 5
_OVERSAMPLING = 4
# Hershey letters are wide; narrowed to the proportions of common sans-serif fonts.
_NARROWING = 1.0 if _OUTLINE_FONT else 0.86
_CACHE_BYTES = 8 << 20


class PictureCache:
    """Arrays by key, the least recently used dropped beyond `max_bytes`; used by one thread."""

    def __init__(self, max_bytes: int = _CACHE_BYTES) -> None:
        self._arrays: OrderedDict[Hashable, NDArray[np.uint8]] = OrderedDict()
        self._max_bytes = max_bytes
        self.bytes = 0

    def get(self, key: Hashable, make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """The array stored under `key`, made first where there is none.  Do not write to it."""
        array = self._arrays.get(key)
        if array is not None:
            self._arrays.move_to_end(key)
            return array
        array = make()
        self._arrays[key] = array
        self.bytes += array.nbytes
        while self.bytes > self._max_bytes and len(self._arrays) > 1:
            self.bytes -= self._arrays.popitem(last=False)[1].nbytes
        return array


def margin_px(cap_px: int) -> int:
    """Space above and below the capitals in every mask: enough for descenders."""
    return -(-cap_px * 9 // 20)


def line_height_px(cap_px: int) -> int:
    """Height of every mask of this size."""
    return cap_px + 2 * margin_px(cap_px)


def text_mask(cache: PictureCache, text: str, cap_px: int, *, bold: bool = False) -> Mask:
    """A line of text, capitals `cap_px` high: uint8 (line_height_px(cap_px), width).

    What is not printable ASCII becomes "?".
    """
    return cache.get((text, cap_px, bold), lambda: _draw(text, cap_px, bold))


def number_picture(
    cache: PictureCache, text: str, cap_px: int, background: Colour, ink: Colour
) -> NDArray[np.uint8]:
    """Text that changes all the time, put together from cached letters: uint8 (h, w, 3) BGR."""

    def letter_picture(letter: str) -> NDArray[np.uint8]:
        return cache.get(
            ("letter", letter, cap_px, background, ink),
            lambda: inked(text_mask(cache, letter, cap_px), background, ink),
        )

    return np.concatenate([letter_picture(letter) for letter in text], axis=1)


def fitted(cache: PictureCache, text: str, cap_px: int, width_px: int) -> str:
    """The text, its end replaced by "..." where it would be wider than `width_px`."""
    width = text_mask(cache, text, cap_px).shape[1]
    if width <= width_px:
        return text
    keep = int(len(text) * width_px / width) - 2
    while keep > 0 and text_mask(cache, text[:keep] + "...", cap_px).shape[1] > width_px:
        keep -= 1
    return text[:keep].rstrip() + "..." if keep > 0 else ""


def inked(mask: Mask, background: Colour, ink: Colour) -> NDArray[np.uint8]:
    """The mask as a BGR picture (height, width, 3) in two colours."""
    steps = np.linspace(background, ink, 256)
    return np.take(np.round(steps).astype(np.uint8), mask, axis=0)


def _draw(text: str, cap_px: int, bold: bool) -> Mask:
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    big_cap = cap_px * _OVERSAMPLING
    margin = margin_px(cap_px) * _OVERSAMPLING
    if _OUTLINE_FONT:
        # Chooses the weight; thin stems fade when they are less than a pixel wide.
        thickness = 2 if bold or cap_px < 11 else 1
        scale = big_cap / 20.4
    else:
        thickness = max(2, round(big_cap * (0.17 if bold else 0.13)))
        scale = (big_cap - thickness) / 20.9
    advance = _advance(text, scale, thickness)
    width = max(1, round(advance / _OVERSAMPLING * _NARROWING))
    big = np.zeros((big_cap + 2 * margin, max(1, round(advance))), np.uint8)
    baseline = margin + big_cap - (0 if _OUTLINE_FONT else thickness // 2)
    cv2.putText(big, text, (0, baseline), _FONT, scale, 255, thickness, cv2.LINE_AA)
    small = cv2.resize(big, (width, line_height_px(cap_px)), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(line_height_px(cap_px), width)


def _advance(text: str, scale: float, thickness: int) -> float:
    """Width up to where the next letter would begin; getTextSize adds a rim once per call."""
    return float(
        cv2.getTextSize(text * 2, _FONT, scale, thickness)[0][0]
        - cv2.getTextSize(text, _FONT, scale, thickness)[0][0]
    )
