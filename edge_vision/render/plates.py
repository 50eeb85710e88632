"""Labels as pictures: plates of the object's colour, bare text with a halo, dark glass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge_vision.render.label import Part
from edge_vision.render.style import BLACK, WHITE, Colour, Sizes, text_colour
from edge_vision.render.surface import Patch, Surface
from edge_vision.render.text import Letters, Mask, PictureCache, inked, premultiplied

# Few are used at a time; texts that change with every frame push out each other.
_PLATE_BYTES = 4 << 20
_GLASS: Colour = (26, 20, 16)
_GLASS_ALPHA = 168
_DETAIL: Colour = (214, 208, 202)
_HALO_SHARE = 0.78
_FAINT = 0.7
# Heights of letters, as shares of those on plates.
_BARE_SHARE, _NAME_SHARE, _DETAIL_SHARE = 0.85, 0.9, 0.72


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label to make; faint: of an object that is not seen now."""

    parts: tuple[Part, ...]
    colour: Colour
    sizes: Sizes
    faint: bool


class Plates:
    """Makes labels and keeps those in use; used by one thread."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters
        self._kept: PictureCache[Patch] = PictureCache(_PLATE_BYTES)

    def solid(self, surface: Surface, wanted: Wanted) -> Patch:
        """Black or white on the colour with a dark rim; faint: the colour on black.  Opaque."""
        return self._get("solid", surface, wanted, self._make_solid)

    def bare(self, surface: Surface, wanted: Wanted) -> Patch:
        """Small white letters with a dark halo and no ground."""
        return self._get("bare", surface, wanted, self._make_bare)

    def glass(self, surface: Surface, wanted: Wanted) -> Patch:
        """Dark translucent ground with an edge of the colour: the class's name above the rest."""
        return self._get("glass", surface, wanted, self._make_glass)

    def _get(
        self, kind: str, surface: Surface, wanted: Wanted, make: Callable[[Surface, Wanted], Patch]
    ) -> Patch:
        key = (kind, surface.format, wanted.parts, wanted.colour, wanted.sizes, wanted.faint)
        return self._kept.get(key, lambda: make(surface, wanted))

    def _make_solid(self, surface: Surface, wanted: Wanted) -> Patch:
        cap, rim = wanted.sizes.cap_px, wanted.sizes.outline_px
        ground, ink = wanted.colour, text_colour(wanted.colour)
        if wanted.faint:
            ground, ink = BLACK, wanted.colour
        side = -(-cap // 2)
        row = _widened(self._row(wanted.parts, cap, bold=True), side, side)
        return surface.patch(_bordered(inked(row, ground, ink), (rim, rim, rim, rim), BLACK))

    def _make_bare(self, surface: Surface, wanted: Wanted) -> Patch:
        cap = max(7, round(wanted.sizes.cap_px * _BARE_SHARE))
        reach = max(1, round(cap / 7))
        mask = _widened(self._row(wanted.parts, cap, bold=True), 2 * reach, 2 * reach)
        grown = cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        halo = cv2.blur(grown, (2 * reach + 1, 2 * reach + 1))
        alpha = np.maximum(mask, _scaled(halo, _HALO_SHARE))
        picture = inked(mask, BLACK, WHITE)
        if wanted.faint:
            alpha = _scaled(alpha, _FAINT)
        return surface.patch(premultiplied(picture, alpha), alpha)

    def _make_glass(self, surface: Surface, wanted: Wanted) -> Patch:
        cap = max(7, round(wanted.sizes.cap_px * _NAME_SHARE))
        rows = _rows(wanted.parts)
        masks = [self._row(rows[0], cap, bold=True)]
        detail_cap = max(7, round(wanted.sizes.cap_px * _DETAIL_SHARE))
        masks += [self._row(row, detail_cap, bold=False) for row in rows[1:]]
        pad, edge = -(-cap // 2), max(2, wanted.sizes.line_px)
        wide = max(mask.shape[1] for mask in masks)
        masks = [_widened(mask, edge + pad, pad + wide - mask.shape[1]) for mask in masks]
        # Two rows may touch: there is room above and below the letters of each.
        inks = (WHITE, _DETAIL)
        pictures = [inked(mask, _GLASS, ink) for mask, ink in zip(masks, inks, strict=False)]
        glass, alpha = np.concatenate(pictures), np.maximum(np.concatenate(masks), _GLASS_ALPHA)
        glass[:, :edge], alpha[:, :edge] = wanted.colour, 255
        if wanted.faint:
            alpha = _scaled(alpha, _FAINT)
        return surface.patch(premultiplied(glass, alpha), alpha)

    def _row(self, parts: Sequence[Part], cap_px: int, *, bold: bool) -> Mask:
        """Pieces side by side; what may change is put together from letters."""
        letters = self._letters
        draw = {"figure": letters.figures, "text": letters.mask, "label": letters.mask}
        masks = [draw[part.kind](part.text, cap_px, bold=bold) for part in parts]
        return np.concatenate(masks, axis=1)


def _widened(mask: Mask, left_px: int, right_px: int) -> Mask:
    return _bordered(mask, (0, 0, left_px, right_px), (0, 0, 0))


def _bordered(picture: Mask, borders: tuple[int, int, int, int], colour: Colour) -> Mask:
    """Borders: top, bottom, left, right, in pixels."""
    made = cv2.copyMakeBorder(picture, *borders, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(made, np.uint8)


def _scaled(mask: Any, share: float) -> Mask:
    return np.asarray(cv2.convertScaleAbs(mask, alpha=share), np.uint8)


def _rows(parts: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """Up to and with the class's name, and the rest; one row where either is empty."""
    cut = next((place + 1 for place, part in enumerate(parts) if part.kind == "label"), 0)
    rest = list(parts[cut:])
    if rest and rest[0].kind == "text":
        rest[0] = Part(rest[0].text.lstrip(), "text")
    rest = [part for part in rest if part.text]
    return [parts[:cut], tuple(rest)] if cut and rest else [parts]
