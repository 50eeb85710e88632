"""/metrics: the run's figures for Prometheus.

Names and units: https://prometheus.io/docs/practices/naming/.  The figures are read when they are
asked for; nothing is counted twice, and nothing is kept for the whole process.
"""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from edge_vision.outputs.web.scenes import objects_of
from edge_vision.outputs.web.shapes import State
from edge_vision.outputs.web.site import Site
from edge_vision.telemetry import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS_S = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Of the buckets; what is counted is off by up to 1.3 % of the bound, see Histogram.at_most."""


def text_of(state: State, site: Site) -> bytes:
    """Prometheus's text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(state, site))
    return generate_latest(registry)


class _Figures:
    """A collector of one look at the run."""

    def __init__(self, state: State, site: Site) -> None:
        self._state = state
        self._control = site.control
        self._begun = site.happenings.begun()

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        yield from self._counters()
        yield from self._times()
        yield from self._gauges()
        yield self._objects()
        yield from self._passed()
        yield self._faults()

    def _counters(self) -> Iterator[Metric]:
        state = self._state
        frames = CounterMetricFamily("edge_vision_frames", "Frames by stage.", labels=["stage"])
        counts = state["counts"]
        frames.add_metric(["captured"], counts["captured"])
        frames.add_metric(["analysed"], counts["analysed"])
        frames.add_metric(["shown"], counts["shown"])
        yield frames
        drops = CounterMetricFamily(
            "edge_vision_drops", "Frames and results not used, by reason.", labels=["reason"]
        )
        for reason, count in sorted(state["drops"].items()):
            drops.add_metric([reason], count)
        yield drops

    def _times(self) -> Iterator[Metric]:
        telemetry = self._control.telemetry
        stages = HistogramMetricFamily(
            "edge_vision_stage_duration_seconds",
            "From the stage before to this one.",
            labels=["stage"],
        )
        for stage, histogram in telemetry.stages.items():
            buckets, sum_s = _buckets(histogram)
            stages.add_metric([stage], buckets, sum_s)
        yield stages
        for name, text, histogram in (
            ("inference_duration", "One run of the network.", telemetry.invoke),
            ("result_latency", "From exposure to the finished result.", telemetry.latency),
            (
                "sent_latency",
                "From exposure to the picture's first sending.",
                telemetry.shown_latency,
            ),
        ):
            buckets, sum_s = _buckets(histogram)
            yield HistogramMetricFamily(f"edge_vision_{name}_seconds", text, buckets, sum_s)

    def _gauges(self) -> Iterator[Metric]:
        state = self._state
        camera, board, model = state["camera"], state["board"], state["model"]
        values: list[tuple[str, str, float | None]] = [
            ("viewers", "Pictures' receivers.", state["viewers"]),
            ("listeners", "Receivers of /api/events.", state["listeners"]),
            ("temperature_celsius", "The board's hottest sensor.", board["temperature_c"]),
            ("resident_memory_bytes", "Memory of the process.", state["memory_mb"] * 1e6),
            ("uptime_seconds", "Since the start of the run.", state["uptime_s"]),
            ("camera_up", "1 while the camera is open.", camera["up"]),
            ("healthy", "1 while frames and results advance.", state["healthy"]),
            ("idle", "1 while detection rests, as nothing moves.", board["idle"]),
            ("held_back", "1 while the board does less than configured.", bool(board["held_back"])),
            ("faults", "Outputs and camera parts that have failed.", len(state["faults"])),
        ]
        for name, text, value in values:
            if value is not None:
                yield GaugeMetricFamily(f"edge_vision_{name}", text, float(value))
        alarms = GaugeMetricFamily(
            "edge_vision_board_alarm", "1 for what the firmware complains of.", labels=["alarm"]
        )
        for alarm in board["alarms"]:
            alarms.add_metric([alarm], 1)
        yield alarms
        info = {
            "version": state["version"],
            "node": state["node"],
            "board": board["name"],
            "model": model["name"],
            "size": model["size"],
            "engine": model["engine"],
        }
        built = GaugeMetricFamily("edge_vision_info", "What runs.", labels=list(info))
        built.add_metric(list(info.values()), 1)
        yield built

    def _objects(self) -> Metric:
        found = GaugeMetricFamily("edge_vision_objects", "Seen now.", labels=["class"])
        newest = self._control.analysed.read()[0]
        if newest is not None and self._state["camera"]["up"]:
            tracked = self._control.config.tracking.enabled
            seen = objects_of(newest.scene, tracked=tracked)
            for label, count in sorted(Counter(thing["label"] for thing in seen).items()):
                found.add_metric([label], count)
        return found

    def _passed(self) -> Iterator[Metric]:
        """Events, crossings, and who is where."""
        happened = CounterMetricFamily(
            "edge_vision_events", "Events begun since the start, by rule.", labels=["rule"]
        )
        rules = (rule.name for rule in self._control.config.watch.rules)
        for name in sorted({*rules, *self._begun}):
            happened.add_metric([name], self._begun.get(name, 0))
        yield happened
        counts = self._control.counts()
        crossings = CounterMetricFamily(
            "edge_vision_line_crossings",
            "Objects that crossed a line; goes on after a restart.",
            labels=["line", "direction", "class"],
        )
        for line, ways in sorted(counts.lines.items()):
            for way, classes in sorted(ways.items()):
                for label, count in sorted(classes.items()):
                    crossings.add_metric([line, way, label], count)
        yield crossings
        inside = GaugeMetricFamily(
            "edge_vision_zone_objects", "Objects in a zone now.", labels=["zone", "class"]
        )
        for zone, classes in sorted(counts.now.items()):
            if zone:  # the whole picture is edge_vision_objects
                for label in sorted({*classes, *counts.zones.get(zone, ())}):
                    inside.add_metric([zone, label], classes.get(label, 0))
        yield inside

    def _faults(self) -> Metric:
        faults = GaugeMetricFamily(
            "edge_vision_output_fault", "1 while an output has failed.", labels=["output"]
        )
        for name, said in sorted(self._control.output_faults().items()):
            faults.add_metric([name], bool(said))
        return faults


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """Upper bounds with what does not exceed them, and the sum in seconds."""
    *counts, whole = histogram.at_most([bound * 1e3 for bound in _BOUNDS_S])
    names = [str(bound) for bound in _BOUNDS_S]
    buckets: list[tuple[str, float]] = list(zip(names, counts, strict=True))
    return [*buckets, ("+Inf", whole)], histogram.total_ms / 1e3
