"""What `edge-vision explore` shows: tables, JSON and a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_vision.board import board_name
from edge_vision.map_plot import Panel, draw_map, three_digits
from edge_vision.skeletons import Skeleton
from edge_vision.sweep import Swept

TRAINED_PX = 300
"""rho is 1 here, the size the COCO model was trained at."""
_NAMES = {"ssdlite_mobilenet_v2": "SSDLite MobileNet v2", "ssd_mobilenet_v1": "SSD MobileNet v1"}


class Cell(NamedTuple):
    """One cell of the map."""

    skeleton: Skeleton
    input_hw_px: tuple[int, int]
    threads: int


@dataclass(frozen=True, slots=True)
class LatencyMap:
    """What was measured.  cells: all asked for, by width, size and threads.

    runtime: package, version and delegate.
    """

    cells: Sequence[Cell]
    multiply_adds: dict[Cell, int]
    runtime: str
    swept: Swept[Cell]


def report(found: LatencyMap) -> dict[str, Any]:
    """What --json prints."""
    return {
        "board": board_name(),
        "runtime": found.runtime,
        "complete": found.swept.complete,
        "cells": [
            {
                **_facts(timing.key),
                "rho": round(_rho(timing.key.input_hw_px), 3),
                "parameters": timing.key.skeleton.parameters,
                "multiply_adds": found.multiply_adds[timing.key],
                "p50_ms": round(timing.p50_ms, 3),
                "p95_ms": round(timing.p95_ms, 3),
                "rate_per_s": round(timing.rate_per_s, 1),
                "cpu_share": round(timing.cpu_share, 3),
                "runs": timing.runs,
            }
            for timing in found.swept.timings
        ],
        "refused": [
            {**_facts(cell), "reason": str(why)} for cell, why in found.swept.refused.items()
        ],
    }


def print_tables(found: LatencyMap) -> None:
    """A table for each number of threads and each family."""
    print(f"{board_name()}, {found.runtime}: ms of invoke(), p50, and multiply-adds")
    for panel in (panel for row in _panels(found) for panel in row):
        print(f"\n{panel.title}")
        print(f"{'alpha':>5}{'params':>10}" + "".join(f"{size:>16}" for size, _ in panel.columns))
        print(f"{'':15}" + "".join(f"{rho:>16}" for _, rho in panel.columns))
        for (alpha, parameters), values, notes in zip(
            panel.rows, panel.values.tolist(), panel.notes, strict=True
        ):
            shown = ["-" if np.isnan(value) else three_digits(value) for value in values]
            cells = "".join(f"{ms:>8}{note:>8}" for ms, note in zip(shown, notes, strict=True))
            print(f"{alpha:>5}{parameters.removesuffix(' param.'):>10}{cells}")


def picture(found: LatencyMap) -> NDArray[np.uint8]:
    """The map as a picture, uint8 (height, width, 3) BGR; see `map_plot.draw_map`."""
    return draw_map(
        "What MobileNet's two dials cost",
        f"{board_name()}   |   {found.runtime}, int8",
        "milliseconds of one invoke(), p50; below it multiply-adds.  alpha: width of every layer.  "
        f"rho: input size / {TRAINED_PX} px",
        _panels(found),
    )


def size_text(hw: tuple[int, int]) -> str:
    """Width first, as people say it; one number for a square."""
    return str(hw[0]) if hw[0] == hw[1] else f"{hw[1]}x{hw[0]}"


def _panels(found: LatencyMap) -> list[list[Panel]]:
    """A row for each number of threads, in it a panel for each family."""
    families = dict.fromkeys(cell.skeleton.family for cell in found.cells)
    counts = dict.fromkeys(cell.threads for cell in found.cells)
    return [[_panel(found, family, threads) for family in families] for threads in counts]


def _panel(found: LatencyMap, family: str, threads: int) -> Panel:
    skeletons = dict.fromkeys(c.skeleton for c in found.cells if c.skeleton.family == family)
    sizes = dict.fromkeys(cell.input_hw_px for cell in found.cells)
    rows = [[Cell(skeleton, hw, threads) for hw in sizes] for skeleton in skeletons]
    p50_ms = {timing.key: timing.p50_ms for timing in found.swept.timings}
    return Panel(
        title=f"{_NAMES.get(family, family)}, {threads} thread{'' if threads == 1 else 's'}",
        values=np.array([[p50_ms.get(cell, np.nan) for cell in row] for row in rows]),
        notes=[[_millions(found.multiply_adds[cell]) for cell in row] for row in rows],
        rows=[(f"{s.alpha:g}", f"{_millions(s.parameters)} param.") for s in skeletons],
        columns=[(f"{size_text(hw)} px", f"rho {_rho(hw):.2f}") for hw in sizes],
        corner=("alpha", "input size"),
    )


def _facts(cell: Cell) -> dict[str, Any]:
    skeleton = cell.skeleton
    return {
        "family": skeleton.family,
        "alpha": skeleton.alpha,
        "input_hw_px": list(cell.input_hw_px),
        "threads": cell.threads,
    }


def _rho(hw: tuple[int, int]) -> float:
    """Resolution multiplier: of the side of a square with as many pixels."""
    return float((hw[0] * hw[1]) ** 0.5 / TRAINED_PX)


def _millions(count: int) -> str:
    return f"{three_digits(count / 1e6)} M"
