"""A report as a picture: the error of each row over time, and the overlap each row reached."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.measure.compare import Report, RowReport

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

SIZE_PX = (1280, 800)
_COLOURS: dict[str, Colour] = {
    "none": (60, 60, 220),
    "predict": (0, 140, 235),
    "flow": (190, 100, 20),
    "exact": (110, 150, 60),
}
_INK, _GRID = (40, 40, 40), (222, 222, 222)
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 1250, 96, 520
"""The error plot."""
_BAR_TOP, _BAR_STEP, _BAR_HIGH, _BAR_FROM, _BAR_TO = 602, 46, 30, 190, 1130
_MOST_POINTS = 290
"""A line of four pixels a point: finer, four of them on top of one another cannot be told apart."""


def draw_chart(report: Report, title: str) -> Pixels:
    """The chart of a run, uint8 (800, 1280, 3) BGR.

    Above: mean distance of the centres in pixels on a logarithmic axis, from 1 px, over seconds; a
    gap where nothing was to be compared.  Below: iou_mean.  title: ASCII.
    """
    canvas = np.full((SIZE_PX[1], SIZE_PX[0], 3), 255, np.uint8)
    _text(canvas, title, (_LEFT, 38), 0.75, _INK, 2)
    _text(canvas, "distance of box centre from true centre, px", (_LEFT, 74), 0.55, _INK)
    lines = {name: _thinned(report.times_s, row.errors_px) for name, row in report.rows.items()}
    worst = max((error for line in lines.values() for _, error in line if error), default=10.0)
    top = max(10.0, worst * 1.1)
    last_s = max(report.times_s[-1] if report.times_s else 0.0, 1e-3)
    _axes(canvas, top, last_s)
    for name, line in lines.items():
        _line(canvas, [(t / last_s, e) for t, e in line], top, _COLOURS[name])
    _legend(canvas, report.rows)
    _bars(canvas, report.rows)
    return canvas


def _thinned(
    times_s: Sequence[float], errors_px: Sequence[float | None]
) -> list[tuple[float, float | None]]:
    """Means over neighbouring frames, so that there are no more points than can be seen."""
    step = max(1, math.ceil(len(times_s) / _MOST_POINTS))
    points = []
    for begin in range(0, len(times_s), step):
        known = [error for error in errors_px[begin : begin + step] if error is not None]
        points.append((times_s[begin], sum(known) / len(known) if known else None))
    return points


def _y(error_px: float, top: float) -> int:
    share = math.log(max(error_px, 1.0)) / math.log(top)
    return round(_BOTTOM - min(share, 1.0) * (_BOTTOM - _TOP))


def _axes(canvas: Pixels, top: float, last_s: float) -> None:
    for mark in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000):
        if mark <= top:
            y = _y(mark, top)
            cv2.line(canvas, (_LEFT, y), (_RIGHT, y), _GRID, 1)
            _text(canvas, f"{mark}", (_LEFT - 12, y + 5), 0.5, _INK, align=1.0)
    step = next(s for s in (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, math.inf) if last_s / s <= 12)
    for i in range(math.floor(last_s / step) + 1):
        x = round(_LEFT + i * step / last_s * (_RIGHT - _LEFT)) if i else _LEFT
        cv2.line(canvas, (x, _BOTTOM), (x, _BOTTOM + 6), _INK, 1)
        text = f"{i * step:g} s" if i else "0 s"
        _text(canvas, text, (x, _BOTTOM + 26), 0.5, _INK, align=0.5)
    cv2.line(canvas, (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM), _INK, 1)


def _line(
    canvas: Pixels, points: Sequence[tuple[float, float | None]], top: float, colour: Colour
) -> None:
    run: list[tuple[int, int]] = []
    for share, error in [*points, (0.0, None)]:
        if error is not None:
            run.append((round(_LEFT + share * (_RIGHT - _LEFT)), _y(error, top)))
        elif run:
            cv2.polylines(canvas, [np.array(run)], False, colour, 2, cv2.LINE_AA)
            run = []


def _legend(canvas: Pixels, rows: Mapping[str, RowReport]) -> None:
    x = _RIGHT
    for name, row in reversed(list(rows.items())):
        mean = row.scores.centre_px
        text = f"{name} -" if mean is None else f"{name} {mean:.1f}"
        x -= _text(canvas, text, (x, 74), 0.55, _INK, align=1.0) + 12
        cv2.line(canvas, (x - 26, 69), (x, 69), _COLOURS[name], 4, cv2.LINE_AA)
        x -= 50
    _text(canvas, "means:", (x + 14, 74), 0.55, _INK, align=1.0)


def _bars(canvas: Pixels, rows: Mapping[str, RowReport]) -> None:
    _text(canvas, "overlap of box and true box, mean IoU", (_LEFT, _BAR_TOP - 22), 0.55, _INK)
    for i, (name, row) in enumerate(rows.items()):
        y = _BAR_TOP + i * _BAR_STEP
        middle = y + _BAR_HIGH // 2 + 6
        _text(canvas, name, (_BAR_FROM - 14, middle), 0.6, _INK, align=1.0)
        cv2.rectangle(canvas, (_BAR_FROM, y), (_BAR_TO, y + _BAR_HIGH), (240, 240, 240), -1)
        iou = row.scores.iou_mean
        if iou is not None:
            end = round(_BAR_FROM + iou * (_BAR_TO - _BAR_FROM))
            cv2.rectangle(canvas, (_BAR_FROM, y), (end, y + _BAR_HIGH), _COLOURS[name], -1)
        _text(canvas, "-" if iou is None else f"{iou:.3f}", (_BAR_TO + 16, middle), 0.6, _INK)


def _text(
    canvas: Pixels,
    text: str,
    at: tuple[int, int],
    scale: float,
    colour: Colour,
    weight: int = 1,
    align: float = 0.0,
) -> int:
    """Write with the baseline at `at`, which is the text's left end (align 0), middle or right end;
    returns the width in pixels."""
    font: Any = cv2.FONT_HERSHEY_SIMPLEX
    width = int(cv2.getTextSize(text, font, scale, weight)[0][0])
    place = (round(at[0] - align * width), at[1])
    cv2.putText(canvas, text, place, font, scale, colour, weight, cv2.LINE_AA)
    return width
