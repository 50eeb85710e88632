"""`edge-vision replay`: the whole pipeline on a virtual clock, as a slower board would show it."""

import signal
import sys
import threading
from typing import Annotated

import typer

from edge_vision.app import prepare_process, replay
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
from edge_vision.summary import Summary


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
    save: Save = None,
    jsonl: Jsonl = None,
) -> None:
    """Replay the demo scene or a clip as a board with a slower detector would show it.

    Nothing waits: the clock is the source's own, results arrive so many milliseconds after the
    exposure of their frame, and two runs give the same pictures.

    \b
    Examples:
      edge-vision replay --inference-ms 400 --save pi3.mp4
      edge-vision replay --inference-ms 400 --set overlay.registration=none --save others.mp4
    """
    settings = [*(set_ or []), *size_settings(size, threads), *source_settings(source or ["demo"])]
    settings += output_settings(save, jsonl, False if save or jsonl else None)
    settings += [f"camera.fps={fps}"] if fps is not None else []
    summary = run_replay(configuration(config, settings), inference_ms, None, seconds)
    tell_replay(summary)


def run_replay(
    config: Config, inference_ms: float, frames: int | None, duration_s: float | None
) -> Summary:
    """The replay itself, ended by SIGINT and SIGTERM."""
    prepare_process()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return replay(config, inference_ms, stop, frames=frames, duration_s=duration_s)


def tell_replay(summary: Summary) -> None:
    """What was replayed, on standard error; rates are of the virtual clock."""
    print(
        f"replayed {summary.captured} frames at {summary.capture_per_s:.1f} a second, "
        f"{summary.analysed} analysed ({summary.analysed_per_s:.1f} a second, results "
        f"{summary.latency_ms.p50:.0f} ms late), {summary.shown} shown",
        file=sys.stderr,
    )
    tell_faults(summary.faults)
