"""One run over a source on a virtual clock, with all ways of drawing side by side."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from edge_vision.camera.base import Camera, EndOfStream
from edge_vision.camera.demo import DemoCamera
from edge_vision.config import Config
from edge_vision.detect.detector import SsdDetector
from edge_vision.frame import Frame
from edge_vision.measure.metrics import Scores
from edge_vision.measure.rows import CarriedRow, LateDetector, Result, Row
from edge_vision.measure.truth import BRIDGE_NS, Moment, bridge, clip_truth, demo_truth, steady
from edge_vision.results import Track

ROWS = ("none", "predict", "flow", "exact")
"""none: the newest finished detections.  predict, flow: tracks carried to the shown frame.  exact:
each frame's own detections, as a detector without delay would have them."""
_READ_S = 0.25


@dataclass(frozen=True, slots=True)
class RowReport:
    """What one way of drawing reached, what placing its boxes took, and its error frame by frame.

    cost_ms_p50: wall time for each shown frame, median.
    errors_px: mean distance of the centres in each frame; None where no box was to be compared.
    """

    scores: Scores
    cost_ms_p50: float
    errors_px: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One run.  times_s: when each shown frame was exposed.  detections_per_s: results, not boxes;
    None with less than two."""

    rows: Mapping[str, RowReport]
    times_s: tuple[float, ...]
    detections_per_s: float | None

    def removed(self, row: str) -> float | None:
        """Share of the centre error made by the delay that a row takes away.

        (none - row) / (none - exact): 1 means as good as without delay.  None where the delay made
        no error.
        """
        none, this, exact = (self.rows[name].scores.centre_px for name in ("none", row, "exact"))
        if none is None or this is None or exact is None or none <= exact:
            return None
        return (none - this) / (none - exact)


class Comparison:
    """A source shown by all rows at once.

    camera: its `media_ns` is the clock, so it must give every frame (pace "fast").
    detector: tells from `least_score` on.  inference_ms: see LateDetector.
    """

    def __init__(
        self, camera: Camera, detector: SsdDetector, config: Config, inference_ms: float
    ) -> None:
        self._camera = camera
        self._detector = detector
        self._min_score = config.model.min_score
        wanted = config.model.classes
        self._class_ids = {
            label: class_id
            for class_id, label in detector.labels.items()
            if not wanted or label in wanted
        }
        self._late = LateDetector(round(inference_ms * 1e6))
        self.rows: dict[str, Row] = {
            "none": Row(detector, config),
            "predict": CarriedRow(detector, config, "predict"),
            "flow": CarriedRow(detector, config, "flow"),
            "exact": Row(detector, config),
        }
        self._moments: deque[Moment] = deque()
        self._judged: Moment | None = None
        self._times_s: list[float] = []

    def run(
        self,
        seconds: float,
        on_frame: Callable[[Frame, Mapping[str, tuple[Track, ...]]], None] | None = None,
    ) -> Report:
        """Until the source ends, or so many seconds of it were shown.

        on_frame: called with each frame and what each row draws on it; the frame must not be kept.
        Raises what the camera and the detector raise.
        """
        self._camera.open()
        try:
            while True:
                frame = self._camera.read(_READ_S)
                if frame is None:
                    continue
                try:
                    # The end is half a frame's rounding away from a frame's time.
                    if frame.media_ns >= seconds * 1e9 - 1000:
                        break
                    drawn = self._step(frame)
                    if on_frame is not None:
                        on_frame(frame, drawn)
                finally:
                    frame.release()
        except EndOfStream:
            pass
        finally:
            self._camera.close()
        return self._report()

    def _step(self, frame: Frame) -> dict[str, tuple[Track, ...]]:
        image, now_ns = frame.main, frame.media_ns
        found = self._detector.detect(image)
        result = Result(frame.seq, now_ns, found)
        late = [row for name, row in self.rows.items() if name != "exact"]
        self._deliver(late, now_ns)
        if self._late.take(result):
            for row in late:
                row.take(image, now_ns)
            self._deliver(late, now_ns)  # a detector without delay
        exact = self.rows["exact"]
        exact.take(image, now_ns)
        exact.learn(result)
        drawn = {name: row.show(image, now_ns) for name, row in self.rows.items()}
        moment = Moment(now_ns, image.width_px, image.height_px, drawn, [])
        self._moments.append(moment)
        if isinstance(self._camera, DemoCamera):
            moment.truth.extend(demo_truth(self._camera.truth(frame.seq), self._class_ids))
        else:
            moment.truth.extend(clip_truth(drawn["exact"], found, self._min_score))
            bridge(self._moments)
        self._judge(now_ns - BRIDGE_NS)
        self._times_s.append(now_ns / 1e9)
        return drawn

    def _judge(self, before_ns: int) -> None:
        """Add up the frames of which all is known that ever will be."""
        while self._moments and self._moments[0].at_ns < before_ns:
            moment = self._moments.popleft()
            truth = moment.truth
            if not isinstance(self._camera, DemoCamera):
                after = self._moments[0] if self._moments else None
                truth = steady(self._judged, moment, after)
                self._judged = moment
            for name, row in self.rows.items():
                row.tally.add(truth, moment.drawn[name], moment.width_px, moment.height_px)

    def _deliver(self, late: list[Row], now_ns: int) -> None:
        result = self._late.deliver(now_ns)
        if result is not None:
            for row in late:
                row.learn(result)

    def _report(self) -> Report:
        if self._moments:
            self._judge(self._moments[-1].at_ns + 1)
        delivered = self._late.delivered_ns
        rate = None
        if len(delivered) > 1:
            rate = (len(delivered) - 1) * 1e9 / (delivered[-1] - delivered[0])
        rows = {
            name: RowReport(
                row.tally.scores(), float(np.median(row.took_ms)), tuple(row.tally.errors_px)
            )
            for name, row in self.rows.items()
        }
        return Report(rows, tuple(self._times_s), rate)
