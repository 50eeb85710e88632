"""The simulated detector, on a clock of its own."""

import pytest

from edge_vision.measure.rows import LateDetector, Result
from edge_vision.results import Detections


def arrivals(busy_ms: float, fps: float, frames: int) -> list[tuple[int, int]]:
    """(frame shown, frame whose result arrived by then), as a comparison asks for them."""
    late, seen = LateDetector(round(busy_ms * 1e6)), []
    for n in range(frames):
        now_ns = round(n * 1e9 / fps)
        results = [late.deliver(now_ns)]
        if late.take(Result(n, now_ns, Detections.empty())):
            results.append(late.deliver(now_ns))
        seen += [(n, result.seq) for result in results if result is not None]
    return seen


@pytest.mark.parametrize(
    ("busy_ms", "fps", "expected"),
    [
        (100, 30, [(3, 0), (6, 3), (9, 6)]),
        (0, 30, [(n, n) for n in range(10)]),
        (33.3, 30, [(n + 1, n) for n in range(9)]),
        # Between two frames: it waits for the next one.
        (50, 30, [(2, 0), (4, 2), (6, 4), (8, 6)]),
        (100, 25, [(3, 0), (6, 3), (9, 6)]),
        (400, 30, []),
    ],
)
def test_results_are_as_late_as_was_said(busy_ms, fps, expected) -> None:
    assert arrivals(busy_ms, fps, 10) == expected


@pytest.mark.parametrize("fps", [24, 29.97, 30, 50, 60])
@pytest.mark.parametrize("busy_ms", [50, 100, 200, 400])
def test_a_long_run_keeps_its_rate(busy_ms: int, fps: float) -> None:
    """Rounding to ns must not make a result miss the frame that it is due at."""
    seen = arrivals(busy_ms, fps, 3000)
    steps = {shown - of for shown, of in seen}
    assert len(steps) == 1
    assert steps.pop() == -(-busy_ms * fps // 1000)
