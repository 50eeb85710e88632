"""What a soak run shows: whether something grew, in words and as a picture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.map_plot import Sheet

Series = Mapping[str, NDArray[np.float64]]

FIGURES = {
    "memory_mb": "resident memory, MB",
    "own_mb": "of it, what is no file, MB",
    "descriptors": "open file descriptors",
    "threads": "threads",
    "frames_out": "camera frames that are out",
    "late_ms": "latency of results, p95 of each second, ms",
    "drops": "frames dropped since the start",
    "events_mb": "log, clips and pictures of events, MB",
}
"""What is read once a second, and what it is."""
GROWTH_MB_PER_H = 2.0
SHORT_MB = 3.0
"""In less than an hour memory may grow by so much in all: buffers are made when they are needed
for the first time, two or three in the minutes after a start."""
LATE_FACTOR, LATE_MORE_MS = 3.0, 100.0
"""Results may come so much later: generous, as other programs make them late as well."""
FRAMES_MORE = 2
"""One in each slot: how many more are out says how busy the computer is."""
SPACE_MORE_MB, SPACE_LEAST_MB = 80.0, 1.0
"""What events may hold above their limit: two minutes of film, as it is looked at once a minute and
a clip that is being made stays; and what a clip holds, without which nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure: what was found, how much it may be, and a sentence that says so."""

    figure: str
    found: float
    bound: float
    said: str

    @property
    def holds(self) -> bool:
        """Nothing grows, and there was something to look at."""
        return math.isfinite(self.found) and self.found <= self.bound


def slope(times: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Theil-Sen: the median of the slopes between all pairs of points, which outliers do not move.

    Of medians over at most 240 spans of the run, as pairs are many.  times: increasing.
    """
    count = min(240, len(times))
    t = np.array([np.median(part) for part in np.array_split(times, count)])
    v = np.array([np.median(part) for part in np.array_split(values, count)])
    first, second = np.triu_indices(count, 1)
    return float(np.median((v[second] - v[first]) / (t[second] - t[first])))


def warm(seconds: NDArray[np.float64]) -> int:
    """The first sample after the warm-up: a third of the run, at most ten minutes."""
    return int(np.searchsorted(seconds, min(600.0, seconds[-1] / 3)))


def judge(series: Series) -> list[Verdict]:
    """The verdicts on a run.

    series: float64 (samples,) each: `seconds` from 0 on, and the names of FIGURES.  The warm-up is
    not looked at.  Of the rest, memory's slope is bounded, and the other figures are compared
    between its first and its last third, by what they are in the quietest tenth of each.
    """
    seconds = series["seconds"]
    begin = warm(seconds)
    t = seconds[begin:]
    per_h = slope(t, series["memory_mb"][begin:]) * 3600
    short = SHORT_MB * 3600 / float(np.ptp(t)) if seconds[-1] < 3590 else 0.0
    bound = max(GROWTH_MB_PER_H, short)
    span = f"from minute {t[0] / 60:.1f} to {t[-1] / 60:.1f}"
    verdicts = [
        Verdict(
            "memory_mb", per_h, bound,
            f"resident memory: {per_h:+.1f} MB an hour {span}; at most {bound:.1f}",
        )
    ]  # fmt: skip
    part = max(1, len(t) // 3)
    for figure, factor, more in (
        ("descriptors", 1.0, 0.0),
        ("threads", 1.0, 0.0),
        ("frames_out", 1.0, FRAMES_MORE),
        ("late_ms", LATE_FACTOR, LATE_MORE_MS),
    ):
        values = series[figure][begin:]
        before, after = (_quiet(some) for some in (values[:part], values[-part:]))
        most = before * factor + more
        said = f"{FIGURES[figure]}: {before:.0f}, then {after:.0f} {span}; at most {most:.0f}"
        verdicts.append(Verdict(figure, after, most, said))
    return verdicts


def judge_space(series: Series, max_mb: float) -> Verdict:
    """The verdict on what log, clips and pictures of events hold.  max_mb: events.max_mb."""
    held_mb, most_mb = float(np.max(series["events_mb"])), max_mb + SPACE_MORE_MB
    said = f"{FIGURES['events_mb']}: {SPACE_LEAST_MB:.0f} to {most_mb:.0f}; found {held_mb:.1f}"
    return Verdict("events_mb", held_mb if held_mb >= SPACE_LEAST_MB else math.inf, most_mb, said)


def _quiet(values: NDArray[np.float64]) -> float:
    """What the quietest tenth does not exceed; infinite where nothing was read."""
    known = values[np.isfinite(values)]
    return float(np.percentile(known, 10)) if known.size else math.inf


def draw(series: Series, title: str) -> NDArray[np.uint8]:
    """Each figure over minutes, uint8 (height, 1280, 3) BGR.

    The scale is that of the time after the warm-up, which is grey.
    """
    begin = warm(series["seconds"])
    left, right, high, step = 90, 1240, 100, 156
    sheet = Sheet(1280, 90 + step * len(FIGURES))
    sheet.text(title, (left, 22), 20, bold=True)
    minutes = series["seconds"] / 60
    last = max(float(minutes[-1]), 1e-3)
    for row, (figure, text) in enumerate(FIGURES.items()):
        top = 90 + row * step
        values = series[figure]
        known = values[begin:][np.isfinite(values[begin:])]
        low, most = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        low, most = max(0.0, low - 1), most + 1
        sheet.text(text, (left, top - 24), 13)
        sheet.text(f"{most:.0f}", (left - 12, top), 11, align=1.0)
        sheet.text(f"{low:.0f}", (left - 12, top + high - 12), 11, align=1.0)
        sheet.text("0 min", (left, top + high + 6), 11)
        sheet.text(f"{last:.1f} min", (right, top + high + 6), 11, align=1.0)
        x = left + minutes / last * (right - left - 1)
        y = top + np.clip((most - values) / (most - low), 0, 1) * (high - 1)
        sheet.fill((left, top, right - left, high), (245, 245, 245))
        sheet.fill((left, top, int(x[begin]) - left, high), (222, 222, 222))
        points = np.stack((x, y), 1)[np.isfinite(y)].round().astype(np.int32)
        cv2.polylines(sheet.pixels, [points], False, (150, 90, 20), 1, cv2.LINE_AA)
    return sheet.pixels
