"""`edge-vision registration`: how well the overlay stays on the object."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer

from edge_vision.app import prepare_process
from edge_vision.camera import make_camera
from edge_vision.camera.address import scheme_of
from edge_vision.camera.base import Camera
from edge_vision.cli.options import (
    AsJson,
    ConfigFile,
    Settings,
    Size,
    Threads,
    configuration,
    print_json,
    size_settings,
    source_settings,
    tell_faults,
)
from edge_vision.config import Config
from edge_vision.detect.detector import build_detector
from edge_vision.errors import ConfigError, OutputError
from edge_vision.measure.chart import draw_chart
from edge_vision.measure.compare import Comparison, Report
from edge_vision.stages.follow import least_score

_REPEATABLE = ("camera.kind=demo", "camera.kind=clip")
_DIGITS = {"iou_mean": 4, "iou_p5": 4, "centre_px": 2, "idf1": 4, "missed": 4, "ghosts": 4}


def _finite(value: float) -> float:
    # Not every click refuses NaN, which is neither below `min` nor above `max`.
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number.")
    return value


InferenceMs = Annotated[
    float,
    typer.Option(
        min=0, max=10000, metavar="N", callback=_finite, help="How late results arrive, ms."
    ),
]
Fps = Annotated[
    float | None,
    typer.Option(
        metavar="F", help="Frames a second of the demo scene or a folder (30); a video has its own."
    ),
]
Seconds = Annotated[
    float,
    typer.Option(
        min=0.01, max=86400, metavar="S", callback=_finite, help="Most of the source to show."
    ),
]
Seed = Annotated[int | None, typer.Option(metavar="N", help="Seed of the demo scene (0).")]
Plot = Annotated[Path | None, typer.Option(metavar="OUT.png", help="Write a chart of the run.")]
OneSource = Annotated[
    str, typer.Option(metavar="SOURCE", help="demo, a video file, or a folder of pictures.")
]


def command(
    config: ConfigFile = None,
    set_: Settings = None,
    source: OneSource = "demo",
    inference_ms: InferenceMs = 100.0,
    fps: Fps = None,
    seconds: Seconds = 60.0,
    size: Size = None,
    threads: Threads = None,
    seed: Seed = None,
    json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Measure how far boxes drawn from late results are from the objects.

    One run on a virtual clock in four ways of drawing: none (the newest finished detections, as
    everybody does), predict (carried on at their speed), flow (followed from frame to frame), and
    exact (each frame with its own detections, as without delay).  The demo scene knows the truth;
    that of a clip is what the detector sees on every frame, so there `exact` has no error.

    iou_mean, iou_p5: overlap with the true box, mean and 5th percentile.  centre_px: distance of
    the centres.  idf1: share of boxes with the right identity.  missed, ghosts: shares of objects
    without a box, of boxes without an object.  cost_ms_p50: time to place a frame's boxes.
    removed: share of the centre error made by the delay that a row takes away.

    \b
    Examples:
      edge-vision registration --inference-ms 400 --plot late.png
      edge-vision registration --source street.mp4 --json
    """
    settings = [*(set_ or []), *size_settings(size, threads), *_camera_settings(source, fps, seed)]
    loaded = configuration(config, settings)
    if plot is not None:
        _check_plot(plot)
    prepare_process()
    report, camera = measure(loaded, inference_ms, seconds, told_fps=fps)
    title = f"{_source_name(source)}, results {inference_ms:g} ms late"
    if plot is not None:
        _write_plot(plot, report, title)
    if json:
        print_json(as_json(report, source, inference_ms))
    else:
        print_table(report, title)
    tell_faults(camera.faults())


def _camera_settings(source: str, fps: float | None, seed: int | None) -> list[str]:
    settings = source_settings([source])
    if scheme_of(source) is not None or settings[0] not in _REPEATABLE:
        raise ConfigError(
            f"--source {source} does not give the same pictures every time; "
            "give demo, a video file, or a folder of pictures"
        )
    settings += ["camera.pace=fast", "camera.loop=false"]
    settings += [f"camera.fps={fps}"] if fps is not None else []
    settings += [f"camera.seed={seed}"] if seed is not None else []
    return settings


def measure(
    config: Config, inference_ms: float, seconds: float, told_fps: float | None
) -> tuple[Report, Camera]:
    """The run, and the source it was of."""
    camera = make_camera(config.camera)
    own_fps = camera.open().fps  # a source that is not there is told before the model is loaded
    camera.close()
    if told_fps is not None and own_fps and abs(own_fps - told_fps) > 0.01:
        print(
            f"edge-vision: --fps {told_fps:g} is for the demo scene and picture folders; "
            f"this video has {own_fps:g} frames a second, and they are used",
            file=sys.stderr,
        )
    least = least_score(config.tracking, config.model.min_score)
    detector = build_detector(config.model.model_copy(update={"min_score": least}))
    comparison = Comparison(camera, detector, config, inference_ms)
    with _progress(seconds) as tell:
        report = comparison.run(seconds, lambda frame, _: tell(frame.media_ns / 1e9))
    return report, camera


def as_json(report: Report, source: str, inference_ms: float) -> dict[str, Any]:
    """A report as plain values; null where there was nothing to measure."""
    rows = {
        name: {**_rounded(asdict(row.scores)), "cost_ms_p50": round(row.cost_ms_p50, 3)}
        for name, row in report.rows.items()
    }
    return {
        **rows,
        "removed": _rounded({name: report.removed(name) for name in ("predict", "flow")}),
        "source": source,
        "inference_ms": inference_ms,
        "frames": len(report.times_s),
        **_rounded({"detections_per_s": report.detections_per_s}),
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, _DIGITS.get(name, 3)) if isinstance(value, float) else value
        for name, value in values.items()
    }


def print_table(report: Report, title: str) -> None:
    """A report for people."""
    rate = report.detections_per_s
    told = f"{rate:.1f} results a second" if rate is not None else "fewer than two results"
    print(f"{title}: {len(report.times_s)} frames, {told}")
    names = [*_rounded(asdict(next(iter(report.rows.values())).scores)), "cost_ms_p50", "removed"]
    print(f"{'':8}" + "".join(f"{name:>12}" for name in names))
    for name, row in report.rows.items():
        removed = report.removed(name) if name in ("predict", "flow") else None
        values = {**asdict(row.scores), "cost_ms_p50": row.cost_ms_p50, "removed": removed}
        print(f"{name:8}" + "".join(f"{_cell(values[column]):>12}" for column in names))


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def _progress(seconds: float) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal's standard error; gives what to call with the seconds shown so far."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("measuring", total=seconds)
        yield lambda shown_s: progress.update(task, completed=shown_s)


def _check_plot(plot: Path) -> None:
    """Refuse a plot that could not be written before anything is measured."""
    if plot.suffix.lower() != ".png":
        raise OutputError(f"--plot {plot} must be a PNG file; give a name that ends in .png")
    if plot.is_dir():
        raise OutputError(f"--plot {plot} is a folder; give the name of a PNG file")
    partial = plot.with_name(plot.name + ".partial")
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise OutputError(f"--plot {plot} cannot be written: {error.strerror}") from None


def _write_plot(plot: Path, report: Report, title: str) -> None:
    coded = cv2.imencode(".png", draw_chart(report, title))[1]
    partial = plot.with_name(plot.name + ".partial")
    try:
        # Beside the target and then renamed: a full disk leaves no half picture.
        partial.write_bytes(coded.tobytes())
        partial.replace(plot)
    except OSError as error:
        raise OutputError(f"--plot {plot} cannot be written: {error.strerror}") from None


def _source_name(source: str) -> str:
    """For people, and in letters that the chart's font has."""
    name = "demo scene" if source == "demo" else Path(source).name
    return name.encode("ascii", "replace").decode()
