"""Less work for a board that is hot, throttled or short of power, and more when it is well again.

The work that can be saved is a ladder, from full work at its upper end to the least at its lower:
every second picture shown, detection at a limited rate, then the model sizes one by one.  Trouble
moves one step down within ten seconds; a long calm moves one step up.  A step up that leads to
trouble again doubles the calm that the next one needs.

Time and readings are arguments; only `read_board` looks at the board.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vision.board import ROOT, THROTTLED, temperature_c, throttling
from edge_vision.config_board import GovernorConfig

log = logging.getLogger(__name__)

_ALARMS = tuple(THROTTLED[bit] for bit in (0, 1, 2))
"""What calls for less work at once.  Not what was so once, since the start, and not the soft limit,
which a Raspberry Pi 3B+ reaches at 60 degrees and is made to live with."""

_SURE_NS = 2_000_000_000
"""Trouble that lasts shorter than this may be a single wrong reading."""
_DWELL_NS = 7_000_000_000
"""Least time between two steps down: what one step saves is felt only after a while."""
_FELT_C = 0.5
"""A board that got cooler by this much in that time needs no further step yet."""
_PROBATION_NS = 600_000_000_000
"""Trouble within this time (or the calm that was asked for, if longer) is laid to the step up."""
_LONGEST_CALM_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Readings:
    """How the board feels.

    temperature_c: of the hottest sensor, degrees Celsius; None where there is none.
    alarms: what its firmware complains of now, in words.
    """

    temperature_c: float | None = None
    alarms: tuple[str, ...] = ()


def read_board(root: Path = ROOT) -> Readings:
    """Temperature, throttling and power supply as the kernel tells them below `root`."""
    told = throttling(root) or ()
    return Readings(temperature_c(root), tuple(words for words in told if words in _ALARMS))


@dataclass(frozen=True, slots=True)
class Level:
    """How much work is done.

    size: the model size's name.  detect_per_s: most detections a second, 0 = no limit.
    show_every: each so-manieth picture is shown.
    """

    size: str
    detect_per_s: float = 0.0
    show_every: int = 1

    @property
    def least_interval_ns(self) -> int:
        """Least time between two detections."""
        return round(1e9 / self.detect_per_s) if self.detect_per_s else 0


def sizes_from(
    configured: str, hw_px: tuple[int, int], offered: Mapping[str, tuple[int, int]]
) -> tuple[str, ...]:
    """The configured size's name and those of the smaller ones offered, the largest first.

    hw_px: (height, width) of the configured one.  offered: name -> (height, width), empty for a
    model that has but one size.
    """
    areas = {name: height * width for name, (height, width) in offered.items()}
    smaller = [name for name, area in areas.items() if area < hw_px[0] * hw_px[1]]
    return (configured, *sorted(smaller, key=areas.__getitem__, reverse=True))


class Governor:
    """Decides the level; used by one thread.

    sizes: names of model sizes, the configured one first, then smaller and smaller ones (see
    `sizes_from`).  Starts at full work.
    """

    def __init__(self, config: GovernorConfig, sizes: Sequence[str]) -> None:
        self._config = config
        first, rate = sizes[0], config.detect_fps
        self.ladder = (
            Level(first),
            Level(first, show_every=2),
            *(Level(size, rate, 2) for size in sizes),
        )
        self._step = 0
        self._readings = Readings()
        self._calm_ns = self._base_ns = round(config.calm_s * 1e9)
        self._hot_since_ns: int | None = None
        self._calm_since_ns: int | None = None
        self._down_ns: int | None = None
        """When the last step down was made, or was found not to be needed yet."""
        self._down_c = math.inf
        """The temperature then."""
        self._up_ns: int | None = None
        """When the last step up was made that may still prove to be wrong."""
        self.reason = ""
        """The last step and why it was made, for people; empty at full work."""

    @property
    def level(self) -> Level:
        """What holds now."""
        return self.ladder[self._step]

    def state(self) -> dict[str, object]:
        """For telemetry, as plain values; step: 0 = full work, lowest: the step of least work."""
        return {
            "step": self._step,
            "lowest": len(self.ladder) - 1,
            "size": self.level.size,
            "detect_per_s": self.level.detect_per_s,
            "show_every": self.level.show_every,
            "reason": self.reason,
            "temperature_c": self._readings.temperature_c,
            "alarms": list(self._readings.alarms),
        }

    def step(self, now_ns: int, readings: Readings) -> Level | None:
        """The new level if it changes, else None; to be called about once a second."""
        self._readings = readings
        if self._up_ns is not None and now_ns - self._up_ns > max(_PROBATION_NS, self._calm_ns):
            self._up_ns, self._calm_ns = None, self._base_ns
        heat_c, config = readings.temperature_c, self._config
        hot = bool(readings.alarms) or (heat_c is not None and heat_c >= config.hot_c)
        warm = heat_c is not None and heat_c > config.hot_c - config.cool_by_c
        self._hot_since_ns = _since(self._hot_since_ns, hot, now_ns)
        self._calm_since_ns = _since(self._calm_since_ns, not hot and not warm, now_ns)
        if self._hot_since_ns is not None:
            return self._hold_back(now_ns, self._hot_since_ns, readings)
        if self._calm_since_ns is not None and now_ns - self._calm_since_ns >= self._calm_ns:
            return self._let_go(now_ns, readings)
        return None

    def _hold_back(self, now_ns: int, since_ns: int, readings: Readings) -> Level | None:
        if self._step == len(self.ladder) - 1 or now_ns - since_ns < _SURE_NS:
            return None
        if self._down_ns is not None and now_ns - self._down_ns < _DWELL_NS:
            return None
        heat_c = math.inf if readings.temperature_c is None else readings.temperature_c
        same_trouble = self._down_ns is not None and self._down_ns >= since_ns
        cooler = not readings.alarms and heat_c <= self._down_c - _FELT_C
        self._down_ns, self._down_c = now_ns, heat_c
        if same_trouble and cooler:
            return None
        if self._up_ns is not None:
            self._calm_ns = min(2 * self._calm_ns, max(_LONGEST_CALM_NS, self._base_ns))
            self._up_ns = None
        why = ", ".join(readings.alarms) or f"{_heat(readings)}, limit {self._config.hot_c:g}"
        return self._move(1, why, logging.WARNING)

    def _let_go(self, now_ns: int, readings: Readings) -> Level | None:
        if self._step == 0:
            return None
        heat = f"{_heat(readings)}, " if readings.temperature_c is not None else ""
        why = f"{heat}calm for {self._calm_ns / 1e9:g} s"
        self._up_ns = self._calm_since_ns = now_ns
        return self._move(-1, why, logging.INFO)

    def _move(self, by: int, why: str, severity: int) -> Level:
        before = self.level
        self._step += by
        said = f"{why}: {_change(before, self.level)}"
        log.log(severity, "governor: %s", said)
        self.reason = said if self._step else ""
        return self.level


def _since(since_ns: int | None, holds: bool, now_ns: int) -> int | None:
    """Since when something holds that holds now or not."""
    if not holds:
        return None
    return now_ns if since_ns is None else since_ns


def _heat(readings: Readings) -> str:
    return f"{round(readings.temperature_c or 0.0, 1):g} C"


def _change(before: Level, after: Level) -> str:
    if before.size != after.size:
        return f"model size {before.size} -> {after.size}"
    if before.detect_per_s != after.detect_per_s:
        limited = f"detection limited to {after.detect_per_s:g} a second"
        return limited if after.detect_per_s else "detection no longer limited"
    return "every second picture shown" if after.show_every > 1 else "every picture shown"
