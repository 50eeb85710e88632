"""What `edge-vision tune` says: the table, the choice, and the same for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_vision.board import temperature_c, throttling
from edge_vision.detect.zoo import ModelEntry
from edge_vision.profile import profile_file
from edge_vision.sweep import Swept
from edge_vision.tuning import Choice, Row, Setting, Target

QUIET_SHARE = 0.1
"""What other programs may take of the CPU before the figures are doubted."""


@dataclass(frozen=True, slots=True)
class Feeling:
    """How the board feels: its hottest sensor, and its words on clock and power (see `board`)."""

    temperature_c: float | None
    throttling: tuple[str, ...] | None

    @classmethod
    def now(cls) -> "Feeling":
        """At this moment."""
        return cls(temperature_c(), throttling())

    def __str__(self) -> str:
        heat_c = self.temperature_c
        heat = "no temperature sensor" if heat_c is None else f"{heat_c:.0f} C"
        return ", ".join([heat, *(self.throttling or ())])


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """What was measured, and on what.

    others_share: CPU that other programs took meanwhile, as a part (0..1) of all cores; None if the
    system does not tell.
    """

    entries: Sequence[ModelEntry]
    board: str
    runtime: str
    before: Feeling
    after: Feeling
    others_share: float | None
    swept: Swept[Setting]
    rows: list[Row]


def report(tuned: Tuned, target: Target, choice: Choice, written: Path | None) -> dict[str, object]:
    """What --json prints."""
    refused = tuned.swept.refused
    return {
        "board": tuned.board,
        "runtime": tuned.runtime,
        "before": asdict(tuned.before),
        "after": asdict(tuned.after),
        "others_cpu_share": None if tuned.others_share is None else round(tuned.others_share, 3),
        "complete": tuned.swept.complete,
        "target": asdict(target),
        "settings": [_figures(row) for row in tuned.rows],
        "refused": [{**asdict(key), "reason": str(error)} for key, error in refused.items()],
        "choice": None if choice.row is None else _figures(choice.row),
        "reason": choice.reason,
        "written": None if written is None else str(written),
    }


def _figures(row: Row) -> dict[str, Any]:
    timing = row.timing
    return {
        **asdict(row.setting),
        "runs": timing.runs,
        "rate_per_s": round(timing.rate_per_s, 2),
        "p50_ms": round(timing.p50_ms, 3),
        "p95_ms": round(timing.p95_ms, 3),
        "cpu_share": round(timing.cpu_share, 3),
        "cpu_ms": round(row.cpu_ms, 3),
        "map": row.map,
        "recall": row.recall,
    }


def print_tuned(
    tuned: Tuned, target: Target, choice: Choice, write: bool, written: Path | None
) -> None:
    before, after = tuned.before, tuned.after
    felt = str(after) if before == after else f"{before} before, {after} after"
    print(f"{tuned.board}; {tuned.runtime}; {felt}")
    if tuned.after.throttling:
        print("the board was slowed down or short of power: these figures may be too low")
    if (tuned.others_share or 0.0) > QUIET_SHARE:
        print(
            f"other programs took {tuned.others_share:.0%} of the CPU meanwhile: end them (a "
            "service: sudo systemctl stop edge-vision) and measure again"
        )
    if not tuned.swept.complete:
        print("stopped by Ctrl-C: what was measured until then")
    _print_table(tuned, choice)
    for setting, error in tuned.swept.refused.items():
        print(f"left out: {setting}: {error}")
    print(
        "Measured one picture after the other: input filled from 1280x720, inference, decoding.\n"
        "The live pipeline overlaps these, and draws beside them."
    )
    if choice.row is None:
        print(f"No choice: {choice.reason}.")
    else:
        print(f"Choice: {choice.row.setting}: {choice.reason}.")
    if written is not None:
        print(f"Written to {written}; used where model.size is auto.")
    elif write:
        print(f"Nothing was written to {profile_file()}.")
    elif choice.row is not None:
        print("Keep it for model.size: auto with: edge-vision tune --write")


def _print_table(tuned: Tuned, choice: Choice) -> None:
    for entry in tuned.entries:
        print(f"\n{entry.name}")
        print(
            "    size     input    threads  delegate       rate/s   p50 ms   p95 ms   CPU"
            "  CPU ms  accuracy"
        )
        for row in (row for row in tuned.rows if row.setting.model == entry.name):
            setting, timing = row.setting, row.timing
            height, width = setting.input_hw_px
            print(
                f"{'->' if row is choice.row else '':3} {setting.size or '-':8} "
                f"{f'{width}x{height}':9} {setting.threads:6}  {Path(setting.delegate).name:12} "
                f"{timing.rate_per_s:8.1f} {timing.p50_ms:8.2f} {timing.p95_ms:8.2f} "
                f"{timing.cpu_share:5.0%} {row.cpu_ms:7.2f}  {_accuracy(row)}"
            )
    print()


def _accuracy(row: Row) -> str:
    if row.map is not None:
        return f"mAP {row.map:.3f}"
    return "-" if row.recall is None else f"recall {row.recall:.3f}"
