"""Timing many settings of a detector on a machine whose speed drifts.

Every candidate gets one turn a round, so that heat, another program or a changing clock hit all of
them alike.  A candidate is opened for its turn and dropped after it: however many there are, the
memory of one interpreter is in use.  What opening leaves cold (caches, a network's first run) is
run off before the clock starts.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from edge_vision.board import core_count
from edge_vision.errors import EdgeVisionError

K = TypeVar("K", bound=Hashable)

LEAST_RUNS = 3
"""Timed runs of a turn, however long they take."""


@dataclass(frozen=True, slots=True)
class Candidate(Generic[K]):
    """Something to time.

    key: what tells it from the others.  open: makes it ready and returns the call to time, for
    example a detector's `invoke`; called once a turn.  It may raise EdgeVisionError.
    """

    key: K
    open: Callable[[], Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Timing(Generic[K]):
    """What a candidate's runs took.

    p50_ms, p95_ms: of one run.  rate_per_s: runs a second, one after the other.  cpu_share: CPU
    time of this process as a part (0..1) of what all cores it may use could give.
    """

    key: K
    runs: int
    p50_ms: float
    p95_ms: float
    rate_per_s: float
    cpu_share: float


@dataclass(frozen=True, slots=True)
class Swept(Generic[K]):
    """The result of a sweep.

    timings: of every candidate that ran, in their order.  refused: why others could not be opened,
    or broke off.  complete: False when Ctrl-C ended the sweep; then timings hold what was measured
    until then, of fewer rounds.
    """

    timings: tuple[Timing[K], ...]
    refused: dict[K, EdgeVisionError]
    complete: bool


@dataclass(frozen=True, slots=True)
class Clocks:
    """What `sweep` reads: a steady clock, and the CPU time of all threads of this process, in ns.

    cores: how many this process may use.
    """

    wall_ns: Callable[[], int] = time.perf_counter_ns
    cpu_ns: Callable[[], int] = time.process_time_ns
    cores: int = field(default_factory=core_count)


@dataclass(slots=True)
class _Tally:
    """The runs of one candidate so far."""

    took_ns: list[int]
    cpu_ns: int = 0

    def timing(self, key: K, cores: int) -> Timing[K]:
        took_ms = np.array(self.took_ns) / 1e6
        p50_ms, p95_ms = np.percentile(took_ms, (50, 95)).tolist()
        total_ns = max(1, sum(self.took_ns))
        rate_per_s = len(self.took_ns) * 1e9 / total_ns
        share = self.cpu_ns / total_ns / cores
        return Timing(key, len(self.took_ns), p50_ms, p95_ms, rate_per_s, share)


def sweep(
    candidates: Sequence[Candidate[K]],
    *,
    rounds: int,
    round_s: float,
    warm_up: int = 3,
    on_progress: Callable[[int, int, K], None] | None = None,
    clocks: Clocks | None = None,
) -> Swept[K]:
    """Time the candidates in turns; Ctrl-C (KeyboardInterrupt) ends it early, and is not raised.

    rounds: turns of each candidate.  round_s: what the timed runs of a turn take, in seconds, at
    least LEAST_RUNS runs.  warm_up: runs of a turn before its clock starts.  on_progress: called
    before each turn with the number of turns finished, that of all, and the key; after the last
    turn again, with both numbers the same.
    A candidate whose `open` or run raises EdgeVisionError is left out of later rounds.
    """
    clocks = clocks or Clocks()
    tallies: dict[K, _Tally] = {candidate.key: _Tally([]) for candidate in candidates}
    refused: dict[K, EdgeVisionError] = {}
    turns = [candidate for _ in range(rounds) for candidate in candidates]
    complete = False
    try:
        for done, candidate in enumerate(turns):
            key = candidate.key
            if on_progress is not None:
                on_progress(done, len(turns), key)
            if key not in refused:
                try:
                    _turn(candidate, round_s, warm_up, tallies[key], clocks)
                except EdgeVisionError as error:
                    refused[key] = error
        if on_progress is not None and turns:
            on_progress(len(turns), len(turns), turns[-1].key)
        complete = True
    except KeyboardInterrupt:
        pass  # what was measured is the result
    ran = {key: tally for key, tally in tallies.items() if tally.took_ns and key not in refused}
    timings = tuple(tally.timing(key, clocks.cores) for key, tally in ran.items())
    return Swept(timings, refused, complete)


def _turn(
    candidate: Candidate[K], round_s: float, warm_up: int, tally: _Tally, clocks: Clocks
) -> None:
    """One candidate's turn, added to its tally; a run that is interrupted does not count."""
    run = candidate.open()
    for _ in range(warm_up):
        run()
    begin_ns = before_ns = clocks.wall_ns()
    cpu_ns, runs = clocks.cpu_ns(), 0
    while runs < LEAST_RUNS or before_ns - begin_ns < round_s * 1e9:
        run()
        now_ns, now_cpu_ns = clocks.wall_ns(), clocks.cpu_ns()
        tally.took_ns.append(now_ns - before_ns)
        tally.cpu_ns += now_cpu_ns - cpu_ns
        before_ns, cpu_ns, runs = now_ns, now_cpu_ns, runs + 1
