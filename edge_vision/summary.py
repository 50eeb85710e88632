"""What a run did, in figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_vision.camera.base import Camera
from edge_vision.errors import EdgeVisionError
from edge_vision.outputs.base import Output
from edge_vision.telemetry import Percentiles, Telemetry


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did.

    captured, analysed, shown: frames.  drops: frames not used, by reason.  Rates are per second,
    from the first to the last event.  latency: exposure to finished result, ms.  faults: what went
    wrong without ending the run: the camera's, then the outputs'.
    """

    captured: int
    analysed: int
    shown: int
    drops: dict[str, int]
    capture_per_s: float
    analysed_per_s: float
    shown_per_s: float
    latency_ms: Percentiles
    invoke_ms: Percentiles
    faults: list[EdgeVisionError] = field(default_factory=list)


def faults_of(camera: Camera, outputs: Sequence[Output]) -> list[EdgeVisionError]:
    """What went wrong without ending the run: the camera's faults, then the outputs'."""
    faults = [*camera.faults()]
    faults += [fault for output in outputs if (fault := output.fault()) is not None]
    return faults


def summary_of(telemetry: Telemetry, camera: Camera, outputs: Sequence[Output]) -> Summary:
    """The figures up to now."""
    return Summary(
        captured=telemetry.captured.count,
        analysed=telemetry.analysed.count,
        shown=telemetry.shown.count,
        drops=telemetry.drops(),
        capture_per_s=telemetry.captured.overall_per_s(),
        analysed_per_s=telemetry.analysed.overall_per_s(),
        shown_per_s=telemetry.shown.overall_per_s(),
        latency_ms=telemetry.percentiles(telemetry.latency),
        invoke_ms=telemetry.percentiles(telemetry.invoke),
        faults=faults_of(camera, outputs),
    )
