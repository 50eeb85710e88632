"""The chart of a run."""

import numpy as np
import pytest

from edge_vision.measure.chart import draw_chart
from edge_vision.measure.compare import ROWS, Report, RowReport
from edge_vision.measure.metrics import Scores

BLUE, RED = (190, 100, 20), (60, 60, 220)


def report(none: list[float | None], flow: list[float | None], iou: float | None = 0.5) -> Report:
    def row(errors: list[float | None]) -> RowReport:
        return RowReport(Scores(iou, iou, 1.0, 1, 0, 0, 0), 0.1, tuple(errors))

    rows = dict.fromkeys(ROWS, row([None] * len(none))) | {"none": row(none), "flow": row(flow)}
    return Report(rows, tuple(n / 30 for n in range(len(none))), 10.0)


def heights(canvas: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Rows of the plot where a line's colour is."""
    return np.flatnonzero((canvas[96:520, 91:1250] == colour).all(axis=2).any(axis=1))


def test_larger_errors_lie_higher() -> None:
    canvas = draw_chart(report([100.0] * 50, [10.0] * 50), "t")
    assert canvas.shape == (800, 1280, 3)
    assert canvas.dtype == np.uint8
    red, blue = heights(canvas, RED), heights(canvas, BLUE)
    assert red.max() < blue.min()
    # Logarithmic: 10 lies half way between 1 (below) and 100 (nearly on top).
    assert blue.mean() == pytest.approx((424 + red.mean()) / 2, abs=3)


def test_a_gap_stays_a_gap() -> None:
    flow: list[float | None] = [10.0] * 20 + [None] * 20 + [10.0] * 20
    canvas = draw_chart(report([100.0] * 60, flow), "t")
    columns = np.flatnonzero((canvas[96:520, 91:1250] == BLUE).all(axis=2).any(axis=0))
    assert np.diff(columns).max() == pytest.approx(1160 * 20 / 59, abs=30)


def test_bars_are_as_long_as_the_overlap() -> None:
    canvas = draw_chart(report([5.0], [5.0], 0.25), "t")
    bar = (canvas[560:, 190:1131] == BLUE).all(axis=2).any(axis=0)
    assert bar.sum() == pytest.approx(0.25 * 940, abs=3)


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_runs_of_any_length(count: int) -> None:
    errors: list[float | None] = [float(n % 7) * 40 for n in range(count)]
    assert (draw_chart(report(errors, errors), "t") != 255).any()


def test_nothing_measured_is_drawn_as_nothing() -> None:
    canvas = draw_chart(report([None] * 9, [None] * 9, None), "t")
    assert len(heights(canvas, RED)) == 0


def test_errors_below_a_pixel_lie_on_the_axis() -> None:
    assert heights(draw_chart(report([0.0] * 9, [0.01] * 9), "t"), BLUE).min() > 418
