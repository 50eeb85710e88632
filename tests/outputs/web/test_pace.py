"""Floods are answered at a rate, everybody else at once."""

import pytest

from edge_vision.outputs.web.pace import Pace


def test_a_burst_is_answered_at_once_and_the_rest_at_the_rate() -> None:
    pace = Pace(1000, burst_s=0.02)
    waits = [pace.wait_s(5.0) for _ in range(120)]
    assert waits[:20] == pytest.approx([0.0] * 20, abs=1e-9)
    assert waits[20:] == pytest.approx([n / 1000 for n in range(1, 101)])


def test_below_the_rate_nobody_waits() -> None:
    pace = Pace(1000)
    assert max(pace.wait_s(5 + n / 900) for n in range(5000)) == 0


def test_a_flood_is_forgotten_when_it_is_over() -> None:
    pace = Pace(1000, burst_s=0.02)
    for _ in range(500):
        pace.wait_s(5.0)
    assert pace.wait_s(5.4) == pytest.approx(0.081)
    assert pace.wait_s(5.6) == 0


def test_over_a_second_no_more_than_the_rate_are_let_through() -> None:
    pace, let_through = Pace(1000, burst_s=0.02), 0
    for n in range(5000):  # five times the rate
        now_s = 5 + n / 5000
        let_through += now_s + pace.wait_s(now_s) <= 6
    assert 1000 <= let_through <= 1021
