"""What really happened: counters, drops by reason, rates and latencies, in constant memory."""

import math
import threading
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from edge_vision.frame import Stamps

_FLOOR_MS = 0.001
_STEPS_PER_E = 40
"""Histogram cells per factor e: neighbours differ by 2.5 %, the error of a percentile."""
ANALYSIS = ("arrived", "taken", "prepared", "inferred", "tracked")
"""Stages of the frames analysed; the rest are of those shown, which the renderer adds."""
_CELLS = 720
"""Cells from 1 us to 66 s; a longer duration counts as 66 s."""


class Histogram:
    """Durations in ms in logarithmic cells: constant memory however long it runs.

    Not locked: one writer; a reader may miss the value being added.
    """

    def __init__(self) -> None:
        self._cells = [0] * _CELLS
        self.count = 0
        self.total_ms = 0.0

    def add(self, value_ms: float) -> None:
        """Count one duration."""
        cell = int(math.log(value_ms / _FLOOR_MS) * _STEPS_PER_E) if value_ms > _FLOOR_MS else 0
        self._cells[min(cell, _CELLS - 1)] += 1
        self.count += 1
        self.total_ms += max(0.0, value_ms)

    def percentile(self, percent: float) -> float:
        """What `percent` (0..100) of the values do not exceed, in ms, +-1.3 %; 0 without values."""
        return self.percentiles(percent)[0]

    def percentiles(self, *percents: float) -> list[float]:
        """`percentile` of each, in one go."""
        up_to = list(accumulate(self._cells))
        if up_to[-1] == 0:
            return [0.0] * len(percents)
        cells = [bisect_left(up_to, max(1, math.ceil(up_to[-1] * p / 100))) for p in percents]
        return [_FLOOR_MS * math.exp((cell + 0.5) / _STEPS_PER_E) for cell in cells]

    def at_most(self, bounds_ms: Sequence[float]) -> list[int]:
        """How many values do not exceed each bound, and last how many there are.

        A bound is taken for the nearest border between two cells: it is off by up to 1.3 %.
        """
        up_to = [0, *accumulate(self._cells)]
        cells = [round(math.log(bound / _FLOOR_MS) * _STEPS_PER_E) for bound in bounds_ms]
        return [*(up_to[min(max(cell, 0), _CELLS)] for cell in cells), up_to[-1]]


class Rate:
    """Events a second over the last stamps: n - 1 gaps over n stamps, never a reset counter."""

    def __init__(self, keep: int = 90) -> None:
        self._stamps: deque[int] = deque(maxlen=keep)
        self.first_ns = 0
        self.last_ns = 0
        self.count = 0

    def tick(self, now_ns: int) -> None:
        """One event at `now_ns`."""
        if self.count == 0:
            self.first_ns = now_ns
        self.last_ns = now_ns
        self.count += 1
        self._stamps.append(now_ns)

    def per_s(self, now_ns: int) -> float:
        """Rate over the window; sinks towards 0 when the events stop coming."""
        stamps = tuple(self._stamps)
        if len(stamps) < 2:
            return 0.0
        gap_ns = (stamps[-1] - stamps[0]) / (len(stamps) - 1)
        # Silence longer than two gaps counts as one long gap: a dead camera must not show 30 fps.
        silence_ns = now_ns - stamps[-1]
        return 1e9 / max(gap_ns, silence_ns if silence_ns > 2 * gap_ns else 0.0, 1.0)

    def overall_per_s(self) -> float:
        """Rate from the first event to the last."""
        span_ns = self.last_ns - self.first_ns
        return (self.count - 1) * 1e9 / span_ns if span_ns > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """p50, p95 and p99 of a duration, in ms."""

    p50: float
    p95: float
    p99: float


class Telemetry:
    """The figures of one run.  Each rate and histogram has one writing thread."""

    def __init__(self) -> None:
        self.captured = Rate()
        self.analysed = Rate()
        self.shown = Rate()
        self.latency = Histogram()
        self.shown_latency = Histogram()
        """Exposed to sent: how old a picture is when the first viewer's connection has it."""
        self.invoke = Histogram()
        self.overhead_cpu = Histogram()
        self.stages: dict[str, Histogram] = {stage: Histogram() for stage in Stamps.stages()[1:]}
        self.last_invoke_ms = 0.0
        self._drops: Counter[str] = Counter()
        self._lock = threading.Lock()

    def drop(self, reason: str, count: int = 1) -> None:
        """Count frames (or results) that were not used, by reason; any thread."""
        with self._lock:
            self._drops[reason] += count

    def drops(self) -> dict[str, int]:
        """Drops by reason so far."""
        with self._lock:
            return dict(self._drops)

    def add_invoke(self, duration_ms: float) -> None:
        """One interpreter run."""
        self.last_invoke_ms = duration_ms
        self.invoke.add(duration_ms)

    def add_analysed(self, stamps: Stamps, now_ns: int) -> None:
        """A frame's result is there: count it, and what each stage took."""
        self.analysed.tick(now_ns)
        self.latency.add((now_ns - stamps.exposed) / 1e6)
        before = stamps.exposed
        for stage, histogram in self.stages.items():
            at = getattr(stamps, stage)
            if at and stage in ANALYSIS:
                histogram.add((at - before) / 1e6)
                before = at

    def percentiles(self, histogram: Histogram) -> Percentiles:
        """p50, p95, p99 of a histogram."""
        return Percentiles(*histogram.percentiles(50, 95, 99))
