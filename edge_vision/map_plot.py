"""Heat maps of numbers as a PNG, several side by side with one colour scale, drawn with OpenCV."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import OutputError
from edge_vision.render.style import Colour, text_colour
from edge_vision.render.text import Letters, inked

_PAPER: Colour = (255, 255, 255)
_INK: Colour = (48, 40, 36)
_FAINT: Colour = (130, 122, 118)
_ABSENT: Colour = (236, 234, 232)

_CELL_W, _CELL_H, _GAP = 124, 86, 3
_LEFT, _RIGHT, _BETWEEN = 132, 36, 44
_HEAD, _PANEL_HEAD, _PANEL_FOOT, _LEGEND = 104, 92, 20, 96
_BAR_H = 16
_SMALLEST = (cv2.IMWRITE_PNG_COMPRESSION, 9)


@dataclass(frozen=True, slots=True)
class Panel:
    """One heat map.

    values: float (rows, columns), above 0; NaN = not measured.  notes: a small line for each cell.
    rows, columns: two lines of text each, the second one small.  corner: names of the axes,
    (down, across).
    """

    title: str
    values: NDArray[np.float64]
    notes: Sequence[Sequence[str]]
    rows: Sequence[tuple[str, str]]
    columns: Sequence[tuple[str, str]]
    corner: tuple[str, str]


def draw_map(
    title: str, subtitle: str, unit: str, panels: Sequence[Sequence[Panel]]
) -> NDArray[np.uint8]:
    """The panels in rows and columns as they are given: uint8 (height, width, 3) BGR.

    All share one logarithmic colour scale, explained by a bar below; unit: what the values are.
    """
    widths = [
        max(_panel_width(row[at]) for row in panels if at < len(row))
        for at in range(max(map(len, panels)))
    ]
    heights = [max(map(_panel_height, row)) for row in panels]
    width = sum(widths) + _BETWEEN * (len(widths) - 1)
    sheet = Sheet(max(width, 900), _HEAD + sum(heights) + _LEGEND)
    scale = _Scale([panel for row in panels for panel in row])
    sheet.text(title, (28, 24), 22, bold=True)
    sheet.text(subtitle, (28, 64), 14, colour=_FAINT)
    top = _HEAD
    for row, height in zip(panels, heights, strict=True):
        left = 0
        for panel, panel_width in zip(row, widths, strict=False):
            _draw_panel(sheet, panel, left, top, scale)
            left += panel_width + _BETWEEN
        top += height
    _draw_legend(sheet, _LEFT, top + 20, unit, scale)
    return sheet.pixels


def check_png(path: Path) -> None:
    """Raises OutputError when a PNG could not be written there; leaves nothing behind."""
    if path.suffix.lower() != ".png":
        raise OutputError(f"{path} does not end in .png, which is what is written; name it so")
    if os.path.isdir(path):  # unlike Path.is_dir, false for a name that is too long
        raise OutputError(f"{path} is a folder; expected the name of a .png file")
    partial = _partial(path)
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def write_png(picture: NDArray[np.uint8], path: Path) -> None:
    """Replaces `path` as a whole; raises OutputError when it cannot be written."""
    partial = _partial(path)
    try:
        # Beside the target and then renamed: a full disk leaves no half picture.
        partial.write_bytes(cv2.imencode(".png", picture, _SMALLEST)[1].tobytes())
        partial.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None


def three_digits(value: float) -> str:
    """0.912, 9.12, 91.2, 912."""
    digits = 3 if value < 0.9995 else 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}"


class Sheet:
    """White paper with text."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.pixels = np.full((height_px, width_px, 3), _PAPER, np.uint8)
        self._letters = Letters()

    def fill(self, box: tuple[int, int, int, int], colour: Colour) -> None:
        """box: left, top, width, height in pixels."""
        left, top, width, height = box
        self.pixels[top : top + height, left : left + width] = colour

    def text(
        self, text: str, at: tuple[int, int], cap_px: int, *, colour: Colour = _INK,
        paper: Colour = _PAPER, bold: bool = False, align: float = 0.0,
    ) -> None:  # fmt: skip
        """at: x and y of its upper edge.  align: part of its width that lies left of x."""
        picture = inked(self._letters.mask(text, cap_px, bold=bold), paper, colour)
        left, top = max(0, round(at[0] - picture.shape[1] * align)), at[1]
        room = self.pixels[top : top + picture.shape[0], left : left + picture.shape[1]]
        room[:] = picture[: room.shape[0], : room.shape[1]]


class _Scale:
    """Colours for values, logarithmic from the least to the greatest of all panels."""

    def __init__(self, panels: Sequence[Panel]) -> None:
        values = np.concatenate([panel.values.ravel() for panel in panels])
        values = values[np.isfinite(values)]
        self.least, self.greatest = (
            (float(values.min()), float(values.max())) if values.size else (1.0, 1.0)
        )
        # Reversed: light is fast.  Its darkest end would drown small text.
        steps = np.linspace(245, 40, 256).astype(np.uint8).reshape(-1, 1)
        self.ramp = cv2.applyColorMap(steps, cv2.COLORMAP_VIRIDIS).reshape(-1, 3)

    def part(self, value: float) -> float:
        """Where a value lies: 0 = least, 1 = greatest."""
        if self.greatest <= self.least:
            return 0.0
        return math.log(value / self.least) / math.log(self.greatest / self.least)

    def colour(self, value: float) -> Colour:
        """Blue, green, red."""
        blue, green, red = self.ramp[round(255 * self.part(value))].tolist()
        return blue, green, red

    def marks(self) -> list[float]:
        """1, 2 and 5 times powers of ten within the range."""
        powers = range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.greatest)) + 1)
        round_ones = (step * 10.0**power for power in powers for step in (1, 2, 5))
        return [value for value in round_ones if self.least <= value <= self.greatest]


def _panel_width(panel: Panel) -> int:
    return _LEFT + len(panel.columns) * _CELL_W + _RIGHT


def _panel_height(panel: Panel) -> int:
    return _PANEL_HEAD + len(panel.rows) * _CELL_H + _PANEL_FOOT


def _draw_panel(sheet: Sheet, panel: Panel, left: int, top: int, scale: _Scale) -> None:
    down, across = panel.corner
    x0, y0 = left + _LEFT, top + _PANEL_HEAD
    sheet.text(panel.title, (x0, top), 17, bold=True)
    sheet.text(down, (x0 - 14, y0 - 24), 11, colour=_FAINT, align=1.0)
    sheet.text(across, (x0 - 14, y0 - 46), 11, colour=_FAINT, align=1.0)
    for column, (label, small) in enumerate(panel.columns):
        middle = x0 + column * _CELL_W + _CELL_W // 2
        sheet.text(label, (middle, y0 - 50), 14, align=0.5)
        sheet.text(small, (middle, y0 - 25), 11, colour=_FAINT, align=0.5)
    for row, (label, small) in enumerate(panel.rows):
        y = y0 + row * _CELL_H
        sheet.text(label, (x0 - 14, y + 20), 14, align=1.0)
        sheet.text(small, (x0 - 14, y + 46), 11, colour=_FAINT, align=1.0)
        for column in range(len(panel.columns)):
            value = float(panel.values[row, column])
            _draw_cell(sheet, (x0 + column * _CELL_W, y), value, panel.notes[row][column], scale)


def _draw_cell(sheet: Sheet, at: tuple[int, int], value: float, note: str, scale: _Scale) -> None:
    measured = math.isfinite(value)
    paper = scale.colour(value) if measured else _ABSENT
    sheet.fill((*at, _CELL_W - _GAP, _CELL_H - _GAP), paper)
    ink = text_colour(paper) if measured else _FAINT
    middle = at[0] + (_CELL_W - _GAP) // 2
    text = three_digits(value) if measured else "-"
    sheet.text(text, (middle, at[1] + 14), 18, colour=ink, paper=paper, bold=measured, align=0.5)
    sheet.text(note, (middle, at[1] + 48), 11, colour=ink, paper=paper, align=0.5)


def _draw_legend(sheet: Sheet, left: int, top: int, unit: str, scale: _Scale) -> None:
    width = min(560, sheet.pixels.shape[1] - left - _RIGHT)
    parts = np.linspace(0, 255, width).round().astype(int)
    sheet.pixels[top : top + _BAR_H, left : left + width] = scale.ramp[parts]
    for value in scale.marks():
        x = left + round(scale.part(value) * (width - 1))
        sheet.fill((x, top + _BAR_H, 1, 5), _FAINT)
        sheet.text(f"{value:g}", (x, top + _BAR_H + 6), 11, align=0.5)
    sheet.text(unit, (left, top + _BAR_H + 30), 11, colour=_FAINT)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path} cannot be written: {error.strerror}")
