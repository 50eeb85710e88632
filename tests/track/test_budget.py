"""What following the image may cost."""

import logging

import pytest

from edge_vision.track.budget import FIRST_PAUSE_NS, LONGEST_PAUSE_NS, Budget

S = 1_000_000_000
FRAME_NS = S // 30


def _spend(budget: Budget, from_ns: int, seconds: float, cost_ms: float) -> int:
    """Frames for so long, or until a pause; returns the time of the next frame."""
    now_ns = from_ns
    while now_ns < from_ns + seconds * S and budget.allows(now_ns):
        budget.spent(now_ns, cost_ms)
        now_ns += FRAME_NS
    return now_ns


def test_what_is_affordable_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    budget = Budget()
    end_ns = _spend(budget, 0, 20, 0.38 * FRAME_NS / 1e6)
    assert end_ns >= 20 * S
    assert not caplog.records


def test_too_much_for_two_seconds_begins_a_pause_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    budget = Budget()
    end_ns = _spend(budget, 0, 20, 14.0)
    assert 1.8 * S < end_ns < 2.2 * S
    (record,) = caplog.records
    assert "takes 14.0 ms of the 33.3 ms" in record.getMessage()
    assert "prediction alone, next try in 10 s" in record.getMessage()
    assert not budget.allows(end_ns + FIRST_PAUSE_NS - 2 * FRAME_NS)
    assert budget.allows(end_ns + FIRST_PAUSE_NS)


def test_a_few_slow_frames_are_no_reason() -> None:
    budget = Budget()
    now_ns = 0
    for frame in range(300):
        assert budget.allows(now_ns)
        budget.spent(now_ns, 30.0 if frame % 3 == 0 else 2.0)
        now_ns += FRAME_NS


def test_pauses_grow_and_become_short_again_after_a_good_time() -> None:
    budget = Budget()
    now_ns, pauses = 0, []
    for _ in range(8):
        end_ns = _spend(budget, now_ns, 60, 20.0)
        now_ns = end_ns
        while not budget.allows(now_ns):
            now_ns += S
        pauses.append(round((now_ns - end_ns) / S))
    assert pauses == [10, 20, 40, 80, 160, 320, 640, LONGEST_PAUSE_NS // S]
    now_ns = _spend(budget, now_ns, 70, 2.0)
    end_ns = _spend(budget, now_ns, 60, 20.0)
    assert not budget.allows(end_ns + FIRST_PAUSE_NS - S)
    assert budget.allows(end_ns + FIRST_PAUSE_NS)


def test_time_that_jumps_back_ends_a_pause() -> None:
    budget = Budget()
    end_ns = _spend(budget, 100 * S, 20, 20.0)
    assert not budget.allows(end_ns)
    assert budget.allows(5 * S)
    budget.spent(5 * S, 20.0)
    assert budget.allows(5 * S + FRAME_NS)
