"""Figures that are shown to people: right within their stated error, in constant memory."""

import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_vision.frame import Stamps
from edge_vision.telemetry import Histogram, Rate, Telemetry

MS = 1_000_000


def _filled(values: "np.ndarray | list[float]") -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(float(value))
    return histogram


@pytest.mark.parametrize("percent", [1, 50, 90, 95, 99, 99.9, 100])
@pytest.mark.parametrize("shape", ["lognormal", "uniform", "two peaks", "constant", "microseconds"])
def test_percentiles_agree_with_numpy(shape: str, percent: float) -> None:
    rng = np.random.default_rng(4)
    values = {
        "lognormal": rng.lognormal(2, 0.6, 5000),
        "uniform": rng.uniform(1, 40, 5000),
        "two peaks": np.concatenate([rng.normal(8, 0.2, 4000), rng.normal(30, 0.5, 1000)]),
        "constant": np.full(1000, 7.6),
        "microseconds": rng.uniform(0.002, 0.2, 5000),
    }[shape]
    expected = np.percentile(values, percent, method="inverted_cdf")
    assert _filled(values).percentile(percent) == pytest.approx(expected, rel=0.013)


@given(
    st.lists(st.floats(0.0011, 6e4), min_size=1, max_size=60),
    st.floats(0, 100, exclude_min=True),
)
def test_a_percentile_is_one_of_the_values(values: list[float], percent: float) -> None:
    got = _filled(values).percentile(percent)
    expected = np.percentile(values, percent, method="inverted_cdf")
    rank = sorted(values).index(expected)
    # Where percent falls on a border between two values, either is right.
    near = sorted(values)[max(0, rank - 1) : rank + 2]
    assert any(got == pytest.approx(value, rel=0.013) for value in near)


def test_histogram_without_values_and_with_odd_ones() -> None:
    assert Histogram().percentile(50) == 0.0
    odd = _filled([0.0, -5.0, 1e-9])
    assert odd.count == 3
    assert 0 < odd.percentile(100) < 0.002
    assert _filled([1e12]).percentile(50) == pytest.approx(65.7e3, rel=0.02)


def test_rate_is_gaps_not_stamps() -> None:
    rate = Rate()
    for k in range(31):
        rate.tick(5 + k * 100 * MS)
    # 31 stamps, 30 gaps of 100 ms: 10 a second exactly, not 10.33.
    assert rate.per_s(5 + 3000 * MS) == pytest.approx(10, rel=1e-12)
    assert rate.overall_per_s() == pytest.approx(10, rel=1e-12)
    assert rate.count == 31
    assert (rate.first_ns, rate.last_ns) == (5, 5 + 3000 * MS)


def test_rate_without_two_events_is_zero() -> None:
    rate = Rate()
    assert (rate.per_s(0), rate.overall_per_s()) == (0.0, 0.0)
    rate.tick(7)
    assert (rate.per_s(10**12), rate.overall_per_s()) == (0.0, 0.0)


def test_rate_sinks_when_nothing_comes() -> None:
    rate = Rate()
    for k in range(10):
        rate.tick(k * 33 * MS)
    last = 9 * 33 * MS
    steady = rate.per_s(last)
    assert rate.per_s(last + 60 * MS) == steady  # late, not yet silent
    silent = [rate.per_s(last + seconds * 1000 * MS) for seconds in (1, 2, 10, 1000)]
    assert silent == pytest.approx([1, 0.5, 0.1, 0.001])
    assert rate.overall_per_s() == pytest.approx(steady)


def test_rate_looks_at_the_last_stamps_only() -> None:
    rate = Rate(keep=10)
    for k in range(100):
        rate.tick(k * 100 * MS)
    for k in range(1, 11):
        rate.tick(9900 * MS + k * 10 * MS)
    assert rate.per_s(10_000 * MS) == pytest.approx(100)
    assert rate.count == 110


def test_rate_survives_events_at_one_instant() -> None:
    rate = Rate()
    rate.tick(5)
    rate.tick(5)
    assert 0 < rate.per_s(5) <= 1e9
    assert rate.overall_per_s() == 0.0


def test_stages_are_what_passed_between_stamps() -> None:
    telemetry = Telemetry()
    ms = {"exposed": 100, "arrived": 103, "taken": 104, "prepared": 106, "inferred": 126}
    stamps = Stamps(**{name: at * MS for name, at in ms.items()}, tracked=127 * MS)
    telemetry.add_analysed(stamps, 127 * MS)
    took = {name: h.percentile(50) for name, h in telemetry.stages.items() if h.count}
    expected = {"arrived": 3, "taken": 1, "prepared": 2, "inferred": 20, "tracked": 1}
    assert took == pytest.approx(expected, rel=0.013)
    assert telemetry.latency.percentile(50) == pytest.approx(27, rel=0.013)
    assert telemetry.analysed.count == 1
    assert set(telemetry.stages) == set(Stamps.stages()) - {"exposed"}


def test_a_stage_that_was_skipped_is_not_counted() -> None:
    telemetry = Telemetry()
    telemetry.add_analysed(Stamps(exposed=10 * MS, arrived=12 * MS, inferred=20 * MS), 20 * MS)
    assert telemetry.stages["taken"].count == 0
    assert telemetry.stages["inferred"].percentile(50) == pytest.approx(8, rel=0.013)


def test_percentiles_of_an_invoke() -> None:
    telemetry = Telemetry()
    for value in range(1, 101):
        telemetry.add_invoke(float(value))
    got = telemetry.percentiles(telemetry.invoke)
    assert (got.p50, got.p95, got.p99) == pytest.approx((50, 95, 99), rel=0.013)
    assert telemetry.last_invoke_ms == 100.0


def test_drops_from_many_threads_are_all_counted() -> None:
    telemetry = Telemetry()
    together = threading.Barrier(4, timeout=20)

    def drop() -> None:
        together.wait()
        for _ in range(2000):
            telemetry.drop("detector busy")
        telemetry.drop("stopping", 3)

    threads = [threading.Thread(target=drop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    drops = telemetry.drops()
    assert drops == {"detector busy": 8000, "stopping": 12}
    drops["detector busy"] = 0
    assert telemetry.drops()["detector busy"] == 8000


def test_memory_is_constant() -> None:
    telemetry = Telemetry()

    def run(first: int, frames: int) -> None:
        for k in range(first, first + frames):
            at = k * 33 * MS
            telemetry.captured.tick(at)
            telemetry.shown.tick(at)
            telemetry.drop("detector busy")
            telemetry.add_invoke(7.6 + k % 50)
            telemetry.add_analysed(Stamps(exposed=at, arrived=at + MS), at + (k % 90) * MS)

    run(1, 3000)
    tracemalloc.start()
    try:
        run(3001, 200)
        before = tracemalloc.get_traced_memory()[0]
        run(3201, 5000)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # A list of stamps would have grown by more than 100 kB.
    assert grown < 8_000


def test_what_does_not_exceed_bounds_and_the_sum() -> None:
    values = np.random.default_rng(3).lognormal(2, 1, 2000)
    histogram = _filled(values)
    bounds = [0.0005, 1.0, 5.0, 7.5, 20.0, 1e6]
    *counts, whole = histogram.at_most(bounds)
    for bound, count in zip(bounds, counts, strict=True):
        least, most = (np.count_nonzero(values <= bound * off) for off in (0.987, 1.013))
        assert least <= count <= most
    assert whole == histogram.count == 2000
    assert histogram.total_ms == pytest.approx(values.sum())
    assert Histogram().at_most([1.0]) == [0, 0]
