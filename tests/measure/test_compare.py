"""Whole runs: the real detector on the demo scene and on a clip."""

from pathlib import Path
from typing import Any

import pytest

from edge_vision.camera import make_camera
from edge_vision.config import Config
from edge_vision.config_load import parse_config
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.measure.compare import ROWS, Comparison, Report, RowReport
from edge_vision.measure.metrics import Scores
from edge_vision.stages.follow import least_score

DEMO = {"kind": "demo", "pace": "fast", "size_px": [640, 360]}


def configured(camera: dict[str, Any], **model: Any) -> Config:
    return parse_config({"camera": camera, "model": {"threads": 1, **model}})


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    config = configured(DEMO)
    least = least_score(config.tracking, config.model.min_score)
    return build_detector(config.model.model_copy(update={"min_score": least}))


def compared(detector: SsdDetector, config: Config, ms: float, seconds: float) -> Report:
    return Comparison(make_camera(config.camera), detector, config, ms).run(seconds)


def test_flow_takes_most_of_the_delay_away(detector: SsdDetector) -> None:
    report = compared(detector, configured(DEMO), 100, 6)
    assert tuple(report.rows) == ROWS
    assert len(report.times_s) == 180
    assert report.times_s[:2] == (0.0, pytest.approx(1 / 30))
    assert report.detections_per_s == pytest.approx(10)
    scores = {name: row.scores for name, row in report.rows.items()}
    assert scores["none"].centre_px > 1.5 * scores["exact"].centre_px
    predict, flow = report.removed("predict"), report.removed("flow")
    assert predict is not None
    assert flow is not None
    assert 0.3 < predict < flow
    assert flow > 0.7
    assert scores["flow"].iou_mean > 0.95 * scores["exact"].iou_mean
    for row in report.rows.values():
        assert len(row.errors_px) == 180
        assert row.cost_ms_p50 > 0


def test_two_runs_give_the_same_scores(detector: SsdDetector) -> None:
    one, other = (compared(detector, configured(DEMO), 200, 2) for _ in range(2))
    assert {name: row.scores for name, row in one.rows.items()} == {
        name: row.scores for name, row in other.rows.items()
    }


def test_without_delay_nothing_is_lost(detector: SsdDetector) -> None:
    report = compared(detector, configured(DEMO), 0, 2)
    assert report.rows["none"].scores == report.rows["exact"].scores
    assert report.rows["none"].errors_px == report.rows["exact"].errors_px
    assert report.detections_per_s == pytest.approx(30)
    assert report.removed("flow") is None


def test_a_clip_is_measured_against_its_own_detections(detector: SsdDetector, bikes: Path) -> None:
    config = configured({"kind": "clip", "source": str(bikes), "pace": "fast"})
    report = compared(detector, config, 100, 4)
    assert len(report.times_s) == 100  # 25 frames a second, its own
    none, predict, flow, exact = (report.rows[name].scores for name in ROWS)
    assert (exact.iou_mean, exact.centre_px) == (pytest.approx(1), pytest.approx(0))
    assert (exact.missed, exact.ghosts, exact.id_switches) == (0, 0, 0)
    for late in (none, predict, flow):
        assert late.centre_px > 1
        assert late.iou_mean < 0.95
        assert late.missed > 0


def test_the_end_of_a_clip_ends_the_run(detector: SsdDetector, pictures: Path) -> None:
    camera = {"kind": "clip", "source": [str(pictures / "cat.jpg")] * 3, "pace": "fast", "fps": 5}
    report = compared(detector, configured(camera), 400, 60)
    assert len(report.times_s) == 3
    assert report.detections_per_s is None
    assert report.rows["exact"].scores.missed == 0
    assert report.rows["none"].scores.missed == pytest.approx(2 / 3)  # 400 ms are two frames


def test_only_wanted_classes_are_truth(detector: SsdDetector) -> None:
    """The detector still tells of all: what is no cat then stands for nothing."""
    config = configured(DEMO, classes=["cat"])
    scores = compared(detector, config, 0, 0.5).rows["exact"].scores
    assert scores.missed is not None
    assert scores.missed < 0.5
    assert scores.ghosts is not None
    assert scores.ghosts > 0.5


def test_no_detections_at_all(detector: SsdDetector) -> None:
    report = compared(detector, configured(DEMO, min_score=1.0), 100, 1)
    for row in report.rows.values():
        assert row.scores == Scores(None, None, None, 0.0, 0, 1.0, None)
    assert report.removed("flow") is None


def made(none: float | None, flow: float | None, exact: float | None) -> Report:
    rows = {
        name: RowReport(Scores(1, 1, error, 1, 0, 0, 0), 0, ())
        for name, error in (("none", none), ("flow", flow), ("exact", exact))
    }
    return Report(rows, (), None)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((50, 20, 10), 0.75),
        ((50, 5, 10), 1.125),  # better than the detector's own boxes: smoothed
        ((50, 70, 10), -0.5),
        ((10, 5, 10), None),
        ((None, 5, 10), None),
        ((50, None, 10), None),
    ],
)
def test_share_of_the_error_removed(errors, expected) -> None:
    assert made(*errors).removed("flow") == expected
