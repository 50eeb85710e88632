"""The picture that is shown while there is no picture."""

import textwrap

import numpy as np
from numpy.typing import NDArray

from edge_vision.render.style import Colour, sizes_for
from edge_vision.render.text import Letters, inked, line_height_px

_GROUND: Colour = (38, 32, 28)
_TITLE: Colour = (255, 255, 255)
_TEXT: Colour = (190, 184, 178)


def status_picture(width_px: int, height_px: int, message: str) -> NDArray[np.uint8]:
    """A plain picture with a message in its middle: uint8 (height, width, 3) BGR.

    message: "what: why" puts what comes before the first ": " above the rest, as a title.
    """
    picture = np.full((height_px, width_px, 3), _GROUND, np.uint8)
    letters = Letters()
    cap = sizes_for(width_px, height_px).cap_px
    title, _, rest = message.partition(": ")
    room = max(1, width_px * 9 // 10)
    rows = [(text, cap * 5 // 4, _TITLE) for text in _wrapped(letters, title, cap * 5 // 4, room)]
    rows += [(text, cap, _TEXT) for text in _wrapped(letters, rest, cap, room)]
    heights = [line_height_px(row_cap) for _, row_cap, _ in rows]
    top = max(0, (height_px - sum(heights)) // 2)
    for (text, row_cap, colour), high in zip(rows, heights, strict=True):
        drawn = inked(letters.mask(text, row_cap, bold=True), _GROUND, colour)
        left = max(0, (width_px - drawn.shape[1]) // 2)
        target = picture[top : top + high, left : left + drawn.shape[1]]
        target[:] = drawn[: target.shape[0], : target.shape[1]]
        top += high
    return picture


def _wrapped(letters: Letters, text: str, cap_px: int, room_px: int) -> list[str]:
    """Lines no wider than `room_px`, going by the mean width of this text's letters."""
    if not text:
        return []
    letter_px = letters.mask(text, cap_px, bold=True).shape[1] / len(text)
    return textwrap.wrap(text, max(1, int(room_px / letter_px)))
