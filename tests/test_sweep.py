"""Timing in turns, on made-up clocks."""

from collections.abc import Callable

import pytest

from edge_vision.errors import BackendMissing, DetectorError, EdgeVisionError
from edge_vision.sweep import LEAST_RUNS, Candidate, Clocks, Swept, sweep


class World:
    """A clock that only the candidates' runs move, and what happened in which order."""

    def __init__(self) -> None:
        self.wall_ms = 0.0
        self.cpu_ms = 0.0
        self.slowdown = 1.0
        self.log: list[str] = []

    def clocks(self, cores: int = 2) -> Clocks:
        return Clocks(lambda: round(self.wall_ms * 1e6), lambda: round(self.cpu_ms * 1e6), cores)

    def candidate(
        self, key: str, ms: float, cpu_ms: float = 0.0, cold_ms: float = 0.0, end: int | None = None
    ) -> Candidate[str]:
        """cold_ms: what the first run after opening takes more.  end: the run that Ctrl-C hits."""
        runs = 0

        def opened() -> Callable[[], object]:
            self.log.append(f"open {key}")
            self.wall_ms += 1000
            cold = True

            def run() -> None:
                nonlocal runs, cold
                runs += 1
                if runs == end:
                    raise KeyboardInterrupt
                self.log.append(key)
                self.wall_ms += ms * self.slowdown + (cold_ms if cold else 0)
                self.cpu_ms += cpu_ms
                cold = False

            return run

        return Candidate(key, opened)

    def order(self) -> list[str]:
        """The keys, each turn once."""
        return [entry.removeprefix("open ") for entry in self.log if entry.startswith("open ")]


def measure(world: World, *candidates: Candidate[str], **more: object) -> Swept[str]:
    options: dict[str, object] = {"rounds": 2, "round_s": 0.1, "warm_up": 1, **more}
    return sweep(candidates, clocks=world.clocks(), **options)  # type: ignore[arg-type]


def test_the_figures() -> None:
    world = World()
    swept = measure(world, world.candidate("a", 10, cpu_ms=15))
    (timing,) = swept.timings
    assert swept.complete
    assert not swept.refused
    assert timing.runs == 2 * 10
    assert timing.p50_ms == timing.p95_ms == pytest.approx(10)
    assert timing.rate_per_s == pytest.approx(100)
    assert timing.cpu_share == pytest.approx(0.75), "15 ms of CPU in 10 ms on two cores"


def test_percentiles_are_of_single_runs() -> None:
    world = World()
    steps = iter([10.0] * 94 + [50.0] * 6)

    def run() -> None:
        world.wall_ms += next(steps)

    swept = measure(world, Candidate("a", lambda: run), rounds=1, round_s=1.2, warm_up=0)
    (timing,) = swept.timings
    assert timing.runs == 100
    assert (timing.p50_ms, timing.p95_ms) == (10, 50)
    assert timing.rate_per_s == pytest.approx(100 / 1.24)


def test_candidates_take_turns() -> None:
    world = World()
    measure(world, world.candidate("a", 30), world.candidate("b", 60), rounds=3)
    assert world.order() == ["a", "b"] * 3


def test_a_machine_that_slows_down_slows_all_alike() -> None:
    world = World()
    rounds = 4

    def throttle(done: int, _total: int, _key: str) -> None:
        world.slowdown = 1 + done // 2  # once a round

    swept = measure(
        world, world.candidate("a", 10), world.candidate("b", 20),
        rounds=rounds, round_s=0.001, on_progress=throttle,
    )  # fmt: skip
    a, b = swept.timings
    assert a.p50_ms == pytest.approx(25)
    assert b.p50_ms / a.p50_ms == pytest.approx(2)


def test_opening_and_the_first_runs_do_not_count() -> None:
    world = World()
    (warm,) = measure(world, world.candidate("a", 10, cold_ms=500), warm_up=1).timings
    assert warm.rate_per_s == pytest.approx(100)
    (cold,) = measure(world, world.candidate("a", 10, cold_ms=500), warm_up=0, round_s=1).timings
    assert cold.rate_per_s == pytest.approx(50)


def test_a_slow_candidate_runs_often_enough() -> None:
    world = World()
    assert measure(world, world.candidate("a", 900)).timings[0].runs == 2 * LEAST_RUNS


def test_progress_counts_turns_and_names_the_next() -> None:
    world = World()
    told: list[tuple[int, int, str]] = []
    measure(
        world, world.candidate("a", 10), world.candidate("b", 10),
        on_progress=lambda *now: told.append(now),
    )  # fmt: skip
    assert told == [(0, 4, "a"), (1, 4, "b"), (2, 4, "a"), (3, 4, "b"), (4, 4, "b")]


def test_only_one_candidate_is_open_at_a_time() -> None:
    alive: list[str] = []

    class Heavy:
        def __init__(self, key: str) -> None:
            self.key = key
            alive.append(key)
            assert len(alive) == 1, f"{alive} at once"

        def __call__(self) -> None:
            world.wall_ms += 10

        def __del__(self) -> None:
            alive.remove(self.key)

    world = World()
    measure(world, *(Candidate(key, lambda key=key: Heavy(key)) for key in "abc"))
    assert alive == []


def test_ctrl_c_keeps_what_was_measured() -> None:
    world = World()
    # b's first turn has a warm-up run and ten timed ones; Ctrl-C hits the fourth timed one of its
    # second turn.
    swept = measure(
        world, world.candidate("a", 10), world.candidate("b", 10, end=11 + 1 + 4),
        world.candidate("c", 10),
    )  # fmt: skip
    assert not swept.complete
    assert {timing.key: timing.runs for timing in swept.timings} == {"a": 20, "b": 13, "c": 10}


def test_ctrl_c_before_anything_was_measured() -> None:
    world = World()
    swept = measure(world, world.candidate("a", 10, end=1), world.candidate("b", 10))
    assert swept == Swept((), {}, False)


def test_ctrl_c_while_the_progress_is_shown() -> None:
    world = World()

    def show(done: int, _total: int, _key: str) -> None:
        if done == 1:
            raise KeyboardInterrupt

    swept = measure(
        world, world.candidate("a", 10), world.candidate("b", 10), on_progress=show
    )  # fmt: skip
    assert ([timing.key for timing in swept.timings], swept.complete) == (["a"], False)


@pytest.mark.parametrize("error", [BackendMissing("no delegate"), DetectorError("gave up")])
def test_what_cannot_be_opened_or_breaks_off_is_left_out(error: EdgeVisionError) -> None:
    world = World()

    def broken() -> Callable[[], object]:
        world.log.append("open broken")
        if isinstance(error, BackendMissing):
            raise error

        def run() -> None:
            world.wall_ms += 1
            if world.wall_ms > 5:
                raise error

        return run

    swept = measure(world, Candidate("broken", broken), world.candidate("a", 10))
    assert [timing.key for timing in swept.timings] == ["a"]
    assert swept.refused == {"broken": error}
    assert swept.complete
    assert world.order() == ["broken", "a", "a"], "it is not tried again"


def test_other_errors_are_not_hidden() -> None:
    def broken() -> Callable[[], object]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sweep([Candidate("a", broken)], rounds=1, round_s=0.1)


def test_the_real_clocks_measure_this_process() -> None:
    def burn() -> int:
        return sum(range(100_000))

    (timing,) = sweep([Candidate("burn", lambda: burn)], rounds=1, round_s=0.05).timings
    assert timing.runs >= LEAST_RUNS
    assert 0 < timing.p50_ms <= timing.p95_ms
    assert 0 < timing.cpu_share <= 1.05
