"""From a configuration to a running program and its summary."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2

from edge_vision.camera import make_camera
from edge_vision.config import Config
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.errors import CameraUnavailable, EdgeVisionError
from edge_vision.outputs import make_outputs
from edge_vision.outputs.base import Output
from edge_vision.pipeline import Pipeline
from edge_vision.results import Scene
from edge_vision.telemetry import Percentiles

log = logging.getLogger(__name__)

_LOOK_S = 0.1
"""How often the main thread looks at limits and outputs."""
_GIVE_UP_S = 20.0
"""A run that is to end after some frames ends when none came for so long: it would never end."""


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


def prepare_process() -> None:
    """Settings of the whole process that suit a pipeline; for programs that are nothing else."""
    # A worker that comes back from native code waits for Python's lock at most this long while
    # another runs Python code (the default of 5 ms is as long as a whole inference).
    sys.setswitchinterval(0.0005)
    # The pictures are small and the workers run side by side: OpenCV's own threads would only take
    # cores from the interpreter.
    cv2.setNumThreads(1)


class App:
    """One run: parts made from the configuration, and the loop of the main thread.

    stop: set it from a signal handler to end the run.
    on_tick: called in the main thread about ten times a second.
    """

    def __init__(
        self,
        config: Config,
        *,
        frames: int | None = None,
        duration_s: float | None = None,
        on_scene: Callable[[Scene], None] | None = None,
        on_tick: Callable[["App"], None] | None = None,
        detector: SsdDetector | None = None,
    ) -> None:
        self.stop = threading.Event()
        self.detector = detector or build_detector(config.model)
        self._camera = make_camera(config.camera.for_input(self.detector.input_hw_px))
        self.outputs: list[Output] = make_outputs(
            config.outputs, patient=config.camera.pace == "fast"
        )
        self._frames = frames
        self._duration_s = duration_s
        self._deadline_s = config.model.deadline_s
        self._on_tick = on_tick
        self.pipeline = Pipeline(
            self._camera,
            self.detector,
            self.outputs,
            camera_config=config.camera,
            overlay_config=config.overlay,
            frames=frames,
            on_scene=on_scene,
        )

    def run(self) -> Summary:
        """Run until the stream, a limit, the user or a failure ends it; raises that failure."""
        self.pipeline.start()
        try:
            self._wait()
        finally:
            self.pipeline.close()
        return self.summary()

    def summary(self) -> Summary:
        """The figures up to now."""
        telemetry = self.pipeline.telemetry
        faults = [*self._camera.faults()]
        faults += [fault for output in self.outputs if (fault := output.fault()) is not None]
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
            faults=faults,
        )

    def _wait(self) -> None:
        pipeline = self.pipeline
        pumps = [output.pump for output in self.outputs if hasattr(output, "pump")]
        begin = last_frame = time.monotonic()
        captured = 0
        while not pipeline.ended.is_set() and not self.stop.is_set():
            if pumps:
                if not all(pump(_LOOK_S) for pump in pumps):
                    return  # the user closed the window
            else:
                pipeline.ended.wait(_LOOK_S)
            pipeline.check_detector(time.monotonic_ns(), self._deadline_s)
            now = time.monotonic()
            if self._duration_s is not None and now - begin >= self._duration_s:
                return
            if pipeline.telemetry.captured.count > captured:
                captured, last_frame = pipeline.telemetry.captured.count, now
            if self._frames is not None and now - last_frame > _GIVE_UP_S:
                reason = pipeline.camera_state.read()[0].reason or "no frame came"
                raise CameraUnavailable(f"gave up after {_GIVE_UP_S:g} s without a frame: {reason}")
            if self.outputs and all(output.fault() is not None for output in self.outputs):
                return  # nothing is left that could take a result
            if self._on_tick is not None:
                self._on_tick(self)
