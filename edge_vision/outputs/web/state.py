"""/api/state: everything about the run in figures and words."""

import os
import time
from pathlib import Path

from edge_vision import __version__
from edge_vision.board import node_name
from edge_vision.control import BoardStatus, CameraStatus, ModelStatus
from edge_vision.health import ailing
from edge_vision.outputs.web.shapes import (
    BoardShape,
    CameraShape,
    Counts,
    ModelShape,
    Quantiles,
    Rates,
    State,
)
from edge_vision.outputs.web.site import Site
from edge_vision.telemetry import Histogram, Telemetry

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def state_of(site: Site, listeners: int) -> State:
    """The run now.  listeners: of /api/events."""
    control = site.control
    telemetry, camera = control.telemetry, control.camera()
    now_ns = time.monotonic_ns()
    health = ailing(camera, telemetry, control.config, now_ns)
    return {
        "version": __version__,
        "node": node_name(control.config.node.name),
        "uptime_s": round((now_ns - control.started_ns) / 1e9, 1),
        "now_ns": now_ns,
        "healthy": not health,
        "health": health,
        "camera": _camera(camera, now_ns),
        "model": _model(control.model()),
        "board": _board(control.board()),
        "rates": _rates(telemetry, now_ns),
        "counts": _counts(telemetry),
        "drops": telemetry.drops(),
        "latency_ms": _quantiles(telemetry.latency),
        "stages_ms": {stage: _quantiles(took) for stage, took in telemetry.stages.items()},
        "viewers": site.hub.viewers,
        "max_viewers": site.config.max_viewers,
        "listeners": listeners,
        "memory_mb": round(resident_bytes() / 1e6, 1),
        "faults": control.faults(),
    }


def _camera(camera: CameraStatus, now_ns: int) -> CameraShape:
    return {
        "up": camera.up,
        "reason": camera.reason,
        "since_s": round((now_ns - camera.since_ns) / 1e9, 1),
        "name": camera.name,
        "width_px": camera.width_px,
        "height_px": camera.height_px,
        "fps": camera.fps,
    }


def _model(model: ModelStatus) -> ModelShape:
    return {
        "name": model.name,
        "description": model.description,
        "engine": model.engine,
        "size": model.size,
        "input_hw_px": model.input_hw_px,
    }


def _board(board: BoardStatus) -> BoardShape:
    return {
        "name": board.name,
        "temperature_c": board.temperature_c,
        "alarms": list(board.alarms),
        "held_back": board.held_back,
        "idle": board.idle,
    }


def _rates(telemetry: Telemetry, now_ns: int) -> Rates:
    return {
        "captured_per_s": round(telemetry.captured.per_s(now_ns), 2),
        "analysed_per_s": round(telemetry.analysed.per_s(now_ns), 2),
        "shown_per_s": round(telemetry.shown.per_s(now_ns), 2),
    }


def _counts(telemetry: Telemetry) -> Counts:
    return {
        "captured": telemetry.captured.count,
        "analysed": telemetry.analysed.count,
        "shown": telemetry.shown.count,
    }


def _quantiles(histogram: Histogram) -> Quantiles:
    p50, p95, p99 = (round(value, 3) for value in histogram.percentiles(50, 95, 99))
    return {"p50": p50, "p95": p95, "p99": p99}


def resident_bytes() -> int:
    """Memory that this process holds, proc(5); 0 where it is not told."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
