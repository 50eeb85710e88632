"""`edge-vision tune`: which size, threads and delegate suit this board."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from edge_vision.app import prepare_process
from edge_vision.board import busy_s, core_count
from edge_vision.camera.demo_scene import DemoScene
from edge_vision.cli.options import AsJson, ConfigFile, Settings, configuration, print_json
from edge_vision.cli.progress import progress_bar
from edge_vision.cli.tune_report import Feeling, Tuned, print_tuned, report
from edge_vision.config import ModelConfig
from edge_vision.detect.runtime import runtime_name
from edge_vision.detect.zoo import ModelEntry, find_model
from edge_vision.profile import (
    Measured,
    Profile,
    board_identity,
    prepare_folder,
    profile_file,
    write_profile,
)
from edge_vision.sweep import sweep
from edge_vision.tuning import (
    DEFAULT_FPS,
    Row,
    Target,
    candidates,
    choose,
    delegate_options,
    rows_of,
    settings_to_try,
)

ROUNDS = 5
PICTURE_PX = (1280, 720)
MISSED, INTERRUPTED = 1, 130
"""Exit codes: nothing meets the target; Ctrl-C, as shells have it (128 + SIGINT)."""

TargetFps = Annotated[
    float | None, typer.Option(min=0.01, metavar="F", help="Pictures a second wanted.  [10]")
]
MaxLatency = Annotated[
    float | None,
    typer.Option(min=0.01, metavar="L", help="Instead: ms that 95 % of the pictures may take."),
]
MinMap = Annotated[float | None, typer.Option(min=0, max=1, metavar="M", help="Least mAP wanted.")]
Models = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Model to try; may be given again.  [model.name]"),
]
ThreadCounts = Annotated[
    list[int] | None,
    typer.Option(
        min=1,
        max=64,
        metavar="N",
        help="Threads to try; may be given again.  [1 up to the cores, at most 4]",
    ),
]
Seconds = Annotated[
    float, typer.Option(min=0.05, max=600, help="Seconds of measurement for each setting.")
]
Write = Annotated[bool, typer.Option("--write", help="Keep the choice, for model.size: auto.")]


def command(
    config: ConfigFile = None,
    set_: Settings = None,
    target_fps: TargetFps = None,
    max_latency_ms: MaxLatency = None,
    min_map: MinMap = None,
    models: Models = None,
    threads: ThreadCounts = None,
    seconds: Seconds = 5.0,
    write: Write = False,
    json: AsJson = False,
) -> None:
    """Measure models, sizes, threads and delegates on this board, and choose.

    The choice is the most accurate setting that meets the target; of equally accurate ones the one
    that takes the least CPU.  All are measured in turns, from a 1280x720 picture to detections.

    Exit codes: 0 chosen, 1 nothing meets the target, 130 after Ctrl-C (what was measured is shown).
    In the latter two --write writes nothing.

    \b
    Examples:
      edge-vision tune --target-fps 25 --write
      edge-vision tune --max-latency-ms 80 --min-map 0.25
    """
    if target_fps is not None and max_latency_ms is not None:
        raise typer.BadParameter("--target-fps and --max-latency-ms are two targets; name one")
    model = configuration(config, set_ or []).model
    if model.file is not None:
        raise typer.BadParameter("tune is for the installed models; leave model.file at null")
    target = Target(
        target_fps or (DEFAULT_FPS if max_latency_ms is None else None), max_latency_ms, min_map
    )
    entries = [find_model(name) for name in dict.fromkeys(models or [model.name])]
    if write:
        prepare_folder(profile_file())  # before minutes of measuring
    tuned = _measure(entries, model, threads, seconds)
    choice = choose(tuned.rows, target)
    written = _write(tuned, choice.row, model) if write else None
    if json:
        print_json(report(tuned, target, choice, written))
    else:
        print_tuned(tuned, target, choice, write, written)
    if not tuned.swept.complete:
        raise typer.Exit(INTERRUPTED)
    if choice.row is None:
        raise typer.Exit(MISSED)


def _measure(
    entries: Sequence[ModelEntry], model: ModelConfig, threads: list[int] | None, seconds: float
) -> Tuned:
    prepare_process()
    counts = sorted(set(threads or range(1, min(4, core_count()) + 1)))
    settings = settings_to_try(entries, model, counts)
    picture = DemoScene(PICTURE_PX, 30.0, 0).render(0)
    runtime, before = runtime_name(entries[0].file), Feeling.now()
    begin = _Meter.now()
    with progress_bar("measuring") as show:
        swept = sweep(
            candidates(settings, entries, model, picture),
            rounds=ROUNDS,
            round_s=seconds / ROUNDS,
            # Without the model's long name: the bar needs the room.
            on_progress=lambda done, total, setting: show(
                done, total, str(setting).partition(", ")[2]
            ),
        )
    share = _Meter.now().others_share(begin)
    rows = rows_of(swept.timings, entries, core_count())
    return Tuned(entries, board_identity(), runtime, before, Feeling.now(), share, swept, rows)


@dataclass(frozen=True, slots=True)
class _Meter:
    """Seconds: of a clock, of CPU time of all programs, and of this one with its children."""

    wall_s: float
    every_s: float | None
    own_s: float

    @classmethod
    def now(cls) -> "_Meter":
        own = os.times()
        own_s = own.user + own.system + own.children_user + own.children_system
        return cls(time.monotonic(), busy_s(), own_s)

    def others_share(self, before: "_Meter") -> float | None:
        if self.every_s is None or before.every_s is None:
            return None
        others_s = self.every_s - before.every_s - (self.own_s - before.own_s)
        return max(0.0, others_s / (self.wall_s - before.wall_s) / (os.cpu_count() or 1))


def _write(tuned: Tuned, row: Row | None, model: ModelConfig) -> Path | None:
    """Where the profile was written, None when there is nothing to keep."""
    if row is None or not tuned.swept.complete:
        return None
    setting, timing = row.setting, row.timing
    profile = Profile(
        board=tuned.board,
        runtime=tuned.runtime,
        model=setting.model,
        sha256=next(entry.sha256 for entry in tuned.entries if entry.name == setting.model),
        size=setting.size,
        input_hw_px=setting.input_hw_px,
        threads=setting.threads,
        delegate=setting.delegate,
        delegate_options=delegate_options(setting, model),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        measured=Measured(
            rate_per_s=round(timing.rate_per_s, 2),
            p50_ms=round(timing.p50_ms, 3),
            p95_ms=round(timing.p95_ms, 3),
            cpu_share=round(timing.cpu_share, 3),
            map=row.map,
        ),
    )
    file = profile_file()
    write_profile(profile, file)
    return file
