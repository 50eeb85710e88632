"""`edge-vision replay`: the whole pipeline on a virtual clock, as a slower board would show it."""

import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from edge_vision.app import detector_config, prepare_process
from edge_vision.camera import make_camera
from edge_vision.cli.options import (
    ConfigFile,
    InferenceMs,
    Jsonl,
    Save,
    Settings,
    Size,
    Source,
    Threads,
    configuration,
    output_settings,
    size_settings,
    source_settings,
    tell_faults,
)
from edge_vision.config import Config
from edge_vision.detect.detector import build_detector
from edge_vision.errors import ConfigError
from edge_vision.events import Counts, Event, OnEvent
from edge_vision.outputs import make_outputs
from edge_vision.replay import Replay
from edge_vision.results import Scene
from edge_vision.summary import Summary, summary_of


def command(
    config: ConfigFile = None,
    set_: Settings = None,
    source: Source = None,
    size: Size = None,
    threads: Threads = None,
    inference_ms: Annotated[float, InferenceMs] = 100.0,
    fps: Annotated[
        float | None,
        typer.Option(min=0.1, max=240, metavar="F", help="Frames a second of the demo scene."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.01, metavar="S", help="Seconds of the source to replay.")
    ] = 10.0,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it was recorded, for schedules; else now."),
    ] = None,
    save: Save = None,
    jsonl: Jsonl = None,
) -> None:
    """Replay the demo scene or a clip as a board with a slower detector would show it.

    Nothing waits: the clock is the source's own, results arrive so many milliseconds after the
    exposure of their frame, and two runs give the same pictures.  Events of rules are printed, and
    at the end what was counted; neither is logged, sent or added to the board's own counts.

    \b
    Examples:
      edge-vision replay --config my.yaml --source evening.mp4 --at 2026-11-21T18:00 --seconds 7200
      edge-vision replay --inference-ms 400 --save pi3.mp4
      edge-vision replay --inference-ms 400 --set overlay.registration=none --save others.mp4
    """
    settings = [*(set_ or []), *size_settings(size, threads), *source_settings(source or ["demo"])]
    settings += output_settings(save, jsonl, False if save or jsonl else None)
    settings += [f"camera.fps={fps}"] if fps is not None else []
    begin_s = None
    if at is not None:
        from edge_vision.cli.events import moment  # with SQLite, which nothing else here needs

        begin_s = moment("--at", at, datetime.now().astimezone())
    run_replay(configuration(config, settings), inference_ms, None, seconds, begin_s)


def run_replay(
    config: Config,
    inference_ms: float,
    frames: int | None,
    duration_s: float | None,
    begin_s: float | None = None,
) -> None:
    """The replay itself, ended by SIGINT and SIGTERM, and what there was, on standard error.

    begin_s: Unix time of the source's beginning; None: now.
    """
    prepare_process()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    begin_s = datetime.now(UTC).timestamp() if begin_s is None else begin_s

    def tell(event: Event) -> None:
        if event.end_s is not None:
            print(_line(event, begin_s), file=sys.stderr)

    summary, counts = replay(
        config, inference_ms, stop, frames=frames, duration_s=duration_s, on_event=tell,
        begin_s=begin_s,
    )  # fmt: skip
    _tell_replay(summary)
    _tell_counts(counts)
    tell_faults(summary.faults)


def replay(
    config: Config,
    inference_ms: float,
    stop: threading.Event,
    *,
    frames: int | None = None,
    duration_s: float | None = None,
    on_scene: Callable[[Scene], None] | None = None,
    on_event: OnEvent | None = None,
    begin_s: float = 0.0,
) -> tuple[Summary, Counts]:
    """Run on a virtual clock, with a detector whose results are `inference_ms` late; see Replay.

    config: of a clip or the demo scene, else ConfigError; its pace is taken for "fast".
    duration_s: seconds of the source's own time.
    """
    if config.camera.kind not in ("demo", "clip"):
        raise ConfigError(
            f"a replay needs the demo scene or a clip; camera.kind is {config.camera.kind}, which "
            "cannot be made to wait (try --source demo)"
        )
    camera = make_camera(config.camera.model_copy(update={"pace": "fast"}))
    outputs = make_outputs(config.outputs, patient=True)
    run = Replay(
        camera,
        build_detector(detector_config(config)),
        outputs,
        config,
        inference_ms=inference_ms,
        on_scene=on_scene,
        on_event=on_event,
        begin_s=begin_s,
    )
    pumps = [output.pump for output in outputs if hasattr(output, "pump")]

    def pump(_media_ns: int) -> None:
        if not all(pump(0.0) for pump in pumps):
            stop.set()  # the user closed the window

    run.run(stop, frames=frames, duration_s=duration_s, on_frame=pump)
    return summary_of(run.telemetry, camera, outputs), run.watch.counts


def _line(event: Event, begin_s: float) -> str:
    """An event that has ended, in a line; its time is that of the source."""
    what = f"{event.kind} {event.place or 'the picture'} {event.direction}".rstrip()
    lasted_s = (event.end_s or event.start_s) - event.start_s
    line = f"{event.start_s - begin_s:8.1f} s  {event.rule}: {what}, "
    line += f"{event.count} at once, " if event.kind == "occupancy" else ""
    line += f"{event.label} {event.score:.0%}"
    return f"{line}, for {lasted_s:.1f} s" if lasted_s > 0 else line


def _tell_replay(summary: Summary) -> None:
    """What was replayed; rates are of the virtual clock."""
    print(
        f"replayed {summary.captured} frames at {summary.capture_per_s:.1f} a second, "
        f"{summary.analysed} analysed ({summary.analysed_per_s:.1f} a second, results "
        f"{summary.latency_ms.p50:.0f} ms late), {summary.shown} shown",
        file=sys.stderr,
    )


def _tell_counts(counts: Counts) -> None:
    for line, ways in counts.lines.items():
        print(f"over {line}: {_sum(ways['in'])} in, {_sum(ways['out'])} out", file=sys.stderr)
    for zone, labels in counts.zones.items():
        print(f"into {zone}: {_sum(labels)}", file=sys.stderr)


def _sum(labels: Mapping[str, int]) -> str:
    """5 (cup 4, person 1)"""
    of_each = ", ".join(f"{label} {count}" for label, count in sorted(labels.items()))
    return f"{sum(labels.values())} ({of_each})" if labels else "0"
