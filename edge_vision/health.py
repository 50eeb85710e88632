"""Whether a run does what it is there for: frames come, and results follow."""

from typing import Protocol

from edge_vision.config import Config
from edge_vision.telemetry import Telemetry

_PATIENCE_S = 5.0
"""What the slowest board may take for one result, besides the pauses that are wanted."""
_SLACK_S = 1.0
"""The camera's own thread tells first that nothing comes: it knows why."""


class CameraState(Protocol):
    """up: the camera is open; since_ns: since when (time.monotonic_ns); reason: why it is not."""

    @property
    def up(self) -> bool: ...
    @property
    def since_ns(self) -> int: ...
    @property
    def reason(self) -> str: ...


def ailing(camera: CameraState, telemetry: Telemetry, config: Config, now_ns: int) -> str:
    """Why frames or results do not advance, in a few words; empty while they do.

    now_ns: time.monotonic_ns.  A rate that is held low on purpose, by the governor or because
    nothing moves, is no stop.
    """
    if not camera.up:
        return f"no camera: {camera.reason}"
    camera_s = config.camera.timeout_s + _SLACK_S
    if said := _silence("frame", telemetry.captured.last_ns, camera.since_ns, camera_s, now_ns):
        return said
    patience_s = _PATIENCE_S + longest_pause_s(config) + 2 * telemetry.last_invoke_ms / 1e3
    return _silence("result", telemetry.analysed.last_ns, camera.since_ns, patience_s, now_ns)


def longest_pause_s(config: Config) -> float:
    """Seconds between two results that are wanted by the configuration, at most."""
    pauses = [1 / config.camera.fps]
    if config.governor.enabled:
        pauses.append(1 / config.governor.detect_fps)
    if config.power.idle_after_s:
        pauses.append(1 / config.power.idle_fps)
    return max(pauses)


def _silence(what: str, last_ns: int, since_ns: int, limit_s: float, now_ns: int) -> str:
    """What to say of the newest one's age, if anything."""
    if last_ns < since_ns:  # none since the camera was opened
        return f"no {what} yet"
    silent_s = (now_ns - last_ns) / 1e9
    return f"no {what} for {silent_s:.0f} s" if silent_s > limit_s else ""
