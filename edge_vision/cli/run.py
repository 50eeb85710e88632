"""`edge-vision run`: the live picture."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge_vision.app import App, prepare_process
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
    default_config_file,
    output_settings,
    size_settings,
    source_settings,
    tell_faults,
)
from edge_vision.cli.replay import run_replay
from edge_vision.config import Config
from edge_vision.config_load import load_config
from edge_vision.notify import Notifier
from edge_vision.service import Service, handle_signals, state_line
from edge_vision.summary import Summary

AsService = Annotated[
    bool,
    typer.Option(
        "--service",
        help="As a systemd service: no window, wait for the camera, tell the state, feed the "
        "watchdog, read the configuration again when it changes.",
    ),
]


def command(
    config: ConfigFile = None,
    set_: Settings = None,
    source: Source = None,
    size: Size = None,
    threads: Threads = None,
    save: Save = None,
    jsonl: Jsonl = None,
    window: Annotated[
        bool | None, typer.Option("--window/--no-window", help="Show a window, or never do.")
    ] = None,
    frames: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after N analysed frames.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.01, metavar="SECONDS", help="End after so many seconds.")
    ] = None,
    simulate_inference_ms: Annotated[float | None, InferenceMs] = None,
    service: AsService = False,
) -> None:
    """Find objects in a live picture.

    Without options: a USB camera if there is one, else the built-in demo scene, in a window if
    there is a screen.  Ctrl-C ends it; files are closed and a summary is printed.

    \b
    Examples:
      edge-vision run --source demo --save demo.mp4 --duration 10
      edge-vision run --source street.mp4 --set camera.pace=fast --jsonl street.jsonl
      edge-vision run --source rtsp://camera.local/stream --set model.size=small
    """
    settings = [*(set_ or []), *size_settings(size, threads)]
    settings += source_settings(source) if source else []
    settings += output_settings(save, jsonl, window)
    settings += output_settings(None, None, False) if service else []
    loaded = configuration(config, settings)
    if simulate_inference_ms is not None:
        run_replay(loaded, simulate_inference_ms, frames, duration)
        return
    again = None
    file = config or default_config_file()
    if service:
        again = Service(Notifier(), file, lambda: load_config(file, settings))
    summary = _run(loaded, frames, duration, again, file)
    print_summary(summary)
    tell_faults([fault for fault in summary.faults if not getattr(fault, "reader_gone", False)])


def _run(
    config: Config,
    frames: int | None,
    duration_s: float | None,
    service: Service | None,
    file: Path,
) -> Summary:
    """The run itself, ended by SIGINT and SIGTERM."""
    prepare_process()
    status = StatusLine() if sys.stderr.isatty() and service is None else None
    tells = service or status
    app = App(
        config,
        frames=frames,
        duration_s=duration_s,
        on_tick=tells.tick if tells is not None else None,
        unattended=service is not None,
        page=True,
        file=file,
    )
    handle_signals(app, service)
    try:
        return app.run()
    finally:
        if tells is not None:
            tells.end()


class StatusLine:
    """One line on a terminal that says what is seen and how fast, once a second."""

    def __init__(self) -> None:
        self._next_ns = 0

    def tick(self, app: App, now_ns: int) -> None:
        """Rewrite the line if a second has passed."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + 1_000_000_000
        text = state_line(app, now_ns)
        sys.stderr.write(f"\r\x1b[K{text[:118]}")
        sys.stderr.flush()

    def end(self) -> None:
        """Make room for what is printed next."""
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def print_summary(summary: Summary) -> None:
    """The figures of a run, on standard error (standard output may carry JSON lines)."""
    drops = ", ".join(f"{n} {reason}" for reason, n in sorted(summary.drops.items())) or "none"
    latency, invoke = summary.latency_ms, summary.invoke_ms
    share = f" ({summary.shown / summary.captured:.1%} of captured)" if summary.shown else ""
    lines = (
        f"frames   {summary.captured} captured, {summary.analysed} analysed, {summary.shown} shown"
        f"{share}",
        f"dropped  {drops}",
        f"rates    {summary.capture_per_s:.1f} captured/s, "
        f"{summary.analysed_per_s:.1f} analysed/s, {summary.shown_per_s:.1f} shown/s",
        f"latency  p50 {latency.p50:.1f} ms, p95 {latency.p95:.1f} ms, p99 {latency.p99:.1f} ms "
        "(exposed to result)",
        f"invoke   p50 {invoke.p50:.1f} ms, p95 {invoke.p95:.1f} ms",
    )
    print("\n".join(lines), file=sys.stderr)
