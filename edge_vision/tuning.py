"""Which setting of which model suits this board: what is tried, and what is chosen and why."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vision.config import DELEGATES, ModelConfig
from edge_vision.detect.delegate import compiled_for_edgetpu
from edge_vision.detect.detector import SsdDetector
from edge_vision.detect.zoo import ModelEntry
from edge_vision.sweep import Candidate, Timing

DEFAULT_FPS = 10.0
"""Wanted when no target is named: below it an overlay visibly lags behind what moves."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What can be chosen.  size: the manifest's name of input_hw_px (height, width), or None."""

    model: str
    size: str | None
    input_hw_px: tuple[int, int]
    threads: int
    delegate: str

    def __str__(self) -> str:
        height, width = self.input_hw_px
        size = f"{self.size} ({width}x{height})" if self.size else f"{width}x{height}"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.model}, {size}, {threads}, {self.delegate}"


@dataclass(frozen=True, slots=True)
class Row:
    """A setting and its figures.

    map: mAP on COCO pictures.  recall: of a model that has no mAP.  Both 0..1, from the manifest.
    cpu_ms: CPU time of all cores for one picture.
    """

    setting: Setting
    timing: Timing[Setting]
    map: float | None
    recall: float | None
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted: pictures a second, or a latency that 95 % of them keep; and an mAP."""

    fps: float | None = None
    latency_ms: float | None = None
    min_map: float | None = None

    def met_by(self, timing: Timing[Setting]) -> bool:
        """Whether it is fast enough."""
        if self.latency_ms is not None:
            return timing.p95_ms <= self.latency_ms
        return self.fps is None or timing.rate_per_s >= self.fps

    def __str__(self) -> str:
        if self.latency_ms is not None:
            return f"the target of at most {self.latency_ms:g} ms for 95 % of the pictures"
        return f"the target of at least {self.fps:g} pictures a second"


@dataclass(frozen=True, slots=True)
class Choice:
    """The row chosen, None where nothing meets the target; reason: a sentence for both."""

    row: Row | None
    reason: str


def settings_to_try(
    entries: Sequence[ModelEntry], config: ModelConfig, threads: Sequence[int]
) -> list[Setting]:
    """Models x sizes (the named ones, and others that were measured) x delegates x threads."""
    return [
        Setting(entry.name, size, hw, count, delegate)
        for entry in entries
        for hw, size in _sizes(entry).items()
        for delegate in _delegates(entry, config)
        for count in threads
    ]


def _sizes(entry: ModelEntry) -> dict[tuple[int, int], str | None]:
    """Input (height, width) -> name, smallest first."""
    named: dict[tuple[int, int], str | None] = {hw: name for name, hw in entry.sizes_hw_px.items()}
    measured = {(hw[0], hw[1]): None for row in entry.facts["measured"] for hw in [row_hw(row)]}
    every = {**measured, **named}
    return {hw: every[hw] for hw in sorted(every, key=lambda hw: hw[0] * hw[1])}


def row_hw(row: Mapping[str, Any]) -> tuple[int, int]:
    """Input height and width of a row of the manifest's `measured`."""
    height, width = row["input_hw_px"]
    return height, width


def _delegates(entry: ModelEntry, config: ModelConfig) -> Iterator[str]:
    # XNNPACK cannot run a file compiled for the Edge TPU, nor the other way round.
    yield "edgetpu" if compiled_for_edgetpu(entry.file) else "xnnpack"
    if config.delegate not in DELEGATES:
        yield config.delegate


def candidates(
    settings: Sequence[Setting],
    entries: Sequence[ModelEntry],
    config: ModelConfig,
    picture: NDArray[np.uint8],
) -> list[Candidate[Setting]]:
    """What `sweep` times: `detect()` on a picture, so input, network and decoding.

    picture: uint8 (H, W, 3) BGR.
    """
    by_name = {entry.name: entry for entry in entries}

    def opener(setting: Setting) -> Callable[[], Callable[[], object]]:
        def open_detector() -> Callable[[], object]:
            changed = config.model_copy(update=model_settings(setting, config))
            # Not build_detector: it would go on with another delegate where this one fails.
            detector = SsdDetector(by_name[setting.model], changed)
            return lambda: detector.detect(picture)

        return open_detector

    return [Candidate(setting, opener(setting)) for setting in settings]


def model_settings(setting: Setting, config: ModelConfig) -> dict[str, Any]:
    """The keys of the `model` section that a setting stands for."""
    return {
        "name": setting.model,
        "input_hw_px": setting.input_hw_px,
        "threads": setting.threads,
        "delegate": setting.delegate,
        "delegate_options": delegate_options(setting, config),
        "classes": [],  # of one model; another may not know them
    }


def delegate_options(setting: Setting, config: ModelConfig) -> dict[str, Any]:
    """The configured options where they belong to the setting's delegate."""
    return dict(config.delegate_options) if setting.delegate == config.delegate else {}


def rows_of(
    timings: Sequence[Timing[Setting]], entries: Sequence[ModelEntry], cores: int
) -> list[Row]:
    """The timings beside what the manifest says of accuracy."""
    facts = {(entry.name, row_hw(row)): row for entry in entries for row in entry.facts["measured"]}
    rows = []
    for timing in timings:
        known = facts.get((timing.key.model, timing.key.input_hw_px), {})
        cpu_ms = timing.cpu_share * cores * 1e3 / timing.rate_per_s
        rows.append(Row(timing.key, timing, known.get("map"), known.get("recall"), cpu_ms))
    return rows


def choose(rows: Sequence[Row], target: Target) -> Choice:
    """The most accurate row that meets the target; of equally accurate ones the least CPU."""
    if not rows:
        return Choice(None, "nothing was measured")
    able, wanted = list(rows), ""
    if target.min_map is not None:
        wanted = f" with an mAP of at least {target.min_map:g}"
        able = [row for row in rows if row.map is not None and row.map >= target.min_map]
    if not able:
        best = max(rows, key=lambda row: row.map or 0.0)
        found = "none is known" if best.map is None else f"the best, {best.setting}, {best.map:.3f}"
        return Choice(None, f"there is no setting{wanted}: {found}")
    meeting = [row for row in able if target.met_by(row.timing)]
    if not meeting:
        return Choice(None, f"no setting{wanted} meets {target}; {_closest(able, target)}")
    best = max(meeting, key=_merit)
    count = f"{len(meeting)} of {len(rows)}"
    reason = f"{_accuracy(best)} of the settings{wanted} that meet {target} ({count})"
    if any(row is not best and _merit(row)[:2] == _merit(best)[:2] for row in meeting):
        reason += f"; among those as accurate, the least CPU ({best.cpu_ms:.1f} ms a picture)"
    return Choice(best, reason)


def _merit(row: Row) -> tuple[bool, float, float]:
    """Recall and mAP do not compare: a model with an mAP goes first."""
    return row.map is not None, row.map or row.recall or 0.0, -row.cpu_ms


def _accuracy(row: Row) -> str:
    if row.map is not None:
        return f"the most accurate (mAP {row.map:.3f})"
    if row.recall is not None:
        return f"the most accurate (recall {row.recall:.3f})"
    return "the least CPU, as no accuracy is known,"


def _closest(rows: Sequence[Row], target: Target) -> str:
    if target.latency_ms is not None:
        best = min(rows, key=lambda row: row.timing.p95_ms)
        return f"the closest, {best.setting}, takes {best.timing.p95_ms:.1f} ms"
    best = max(rows, key=lambda row: row.timing.rate_per_s)
    return f"the closest, {best.setting}, reaches {best.timing.rate_per_s:.1f} a second"
