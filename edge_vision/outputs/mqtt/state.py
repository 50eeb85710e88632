"""What a board tells of itself: the messages of the topics state and counts."""

from collections.abc import Mapping
from typing import Any

from edge_vision import __version__
from edge_vision.config_watch import WatchConfig
from edge_vision.control import Control
from edge_vision.events import Counts

ROOT = "edge-vision"
"""First part of every topic; the second is the node's name."""


def state_of(control: Control, now_ns: int) -> dict[str, Any]:
    """Camera, model, rates, heat and faults as plain values for JSON; rates are per second."""
    camera, model, board = control.camera(), control.model(), control.board()
    telemetry = control.telemetry
    return {
        "version": __version__,
        "up_s": round((now_ns - control.started_ns) / 1e9),
        "camera": {
            "up": camera.up,
            "reason": camera.reason,
            "name": camera.name,
            "size_px": [camera.width_px, camera.height_px],
        },
        "model": {"name": model.name, "size": model.size, "engine": model.engine},
        "min_score": control.config.model.min_score,
        "rates": {
            "camera": round(telemetry.captured.per_s(now_ns), 1),
            "detector": round(telemetry.analysed.per_s(now_ns), 1),
            "shown": round(telemetry.shown.per_s(now_ns), 1),
        },
        "board": board.name,
        "temperature_c": board.temperature_c,
        "alarms": list(board.alarms),
        "held_back": board.held_back,
        "idle": board.idle,
        "drops": telemetry.drops(),
        "faults": control.faults(),
    }


def essence(state: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of a state is worth telling at once when it changes."""
    names = ("model", "min_score", "alarms", "held_back", "idle", "faults", "paused", "rules")
    return (state["camera"]["up"], *(repr(state.get(name)) for name in names))


def counts_of(counts: Counts, watch: WatchConfig) -> dict[str, Any]:
    """The message of the counts topic; every place is in it, also where nothing was counted.

    lines: line -> direction -> label -> crossings.  zones: zone -> label -> objects that came.
    now: zone, or "" for the whole picture -> label -> objects there.
    """
    return {
        "since_s": counts.since_s,
        "lines": {
            line: {way: dict(counts.lines.get(line, {}).get(way, {})) for way in ("in", "out")}
            for line in watch.lines
        },
        "zones": {zone: dict(counts.zones.get(zone, {})) for zone in watch.zones},
        "now": {zone: dict(counts.now.get(zone, {})) for zone in ("", *watch.zones)},
    }
