"""From a configuration to a running program and its summary."""

import ctypes
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from edge_vision.camera import make_camera
from edge_vision.camera.base import Camera
from edge_vision.config import Config, ModelConfig
from edge_vision.desk import Desk
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.detect.zoo import find_model
from edge_vision.errors import CameraUnavailable, EdgeVisionError
from edge_vision.governor import Governor, Readings, read_board, sizes_from
from edge_vision.live import Change, change_of
from edge_vision.outputs import make_outputs
from edge_vision.outputs.base import Output
from edge_vision.pipeline import Pipeline
from edge_vision.results import Scene
from edge_vision.stages.follow import least_score
from edge_vision.summary import Summary, faults_of, summary_of

log = logging.getLogger(__name__)

_LOOK_S = 0.1
"""How often the main thread looks at limits and outputs."""
_GOVERN_NS = 1_000_000_000
"""How often the board's temperature and complaints are read."""
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1  # glibc's malloc.h, mallopt(3)
_LARGE_BYTES = 1100 << 10
"""Blocks from this size on are mapped one by one.  Smaller ones are what following the image takes
for a moment in each frame: mapped anew they cost 700 page faults a frame, 2.5 ms here."""
_SPARE_BYTES = 2500 << 10
"""So much stays with a heap for the next such blocks."""
_GIVE_UP_S = 20.0
"""A run that is to end after some frames ends when none came for so long: it would never end."""


def prepare_process() -> None:
    """Settings of the whole process that suit a pipeline; for programs that are nothing else."""
    # A worker that comes back from native code waits for Python's lock at most this long while
    # another runs Python code (the default of 5 ms is as long as a whole inference).
    sys.setswitchinterval(0.0005)
    # Freed pictures, from 1280x720 on, go back to the system at once.  glibc would keep them, in a
    # heap for each thread, whose holes grow for hours: 16 MB more after a minute, 4 MB more twenty
    # minutes later.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not in every C library
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _SPARE_BYTES)
    # The pictures are small and the workers run side by side: OpenCV's own threads would only take
    # cores from the interpreter.
    cv2.setNumThreads(1)


class App:
    """One run: parts made from the configuration, and the loop of the main thread.

    stop: set it from a signal handler to end the run.
    on_tick: called in the main thread about ten times a second, with the monotonic time in ns.
    detector, camera: taken instead of what the configuration names.
    unattended: nobody is there to see a mistake, as in a service.  It goes on trying when no camera
    can be opened at the start, never takes the demo scene for one that `camera.kind: auto` does not
    find, and never writes over an earlier recording.
    page: serve the live page where `outputs.web.enabled` is "auto".  file: what the configuration
    was read from, and where changes are saved on request.
    """

    def __init__(
        self,
        config: Config,
        *,
        frames: int | None = None,
        duration_s: float | None = None,
        on_scene: Callable[[Scene], None] | None = None,
        on_tick: Callable[["App", int], None] | None = None,
        detector: SsdDetector | None = None,
        camera: Camera | None = None,
        unattended: bool = False,
        page: bool = False,
        file: Path | None = None,
    ) -> None:
        self.stop = threading.Event()
        self.detector = detector or build_detector(detector_config(config))
        for_input = config.camera.for_input(self.detector.input_hw_px)
        self._camera = camera or make_camera(for_input, stand_in=not unattended)
        self.outputs: list[Output] = make_outputs(
            config.outputs,
            patient=config.camera.pace == "fast",
            screen=getattr(self._camera, "screen", None),
            keep_old=unattended,
            page=page and config.camera.pace == "realtime",
            events=config.events,
            recorder=config.recorder,
            rules=bool(config.watch.rules),
        )
        self._frames = frames
        self._duration_s = duration_s
        self.config = config
        """What is in effect now."""
        self._on_tick = on_tick
        self._governor = self._make_governor()
        self._governed_ns = 0
        self.readings = Readings()
        """How the board felt when it was looked at last."""
        self.pipeline = Pipeline(
            self._camera,
            self.detector,
            self.outputs,
            config=config,
            frames=frames,
            on_scene=on_scene,
            wait_for_camera=unattended,
        )
        self.desk = Desk(self, file)
        for output in self.outputs:
            if hasattr(output, "attach"):
                output.attach(self.desk)

    def change(self, config: Config) -> Change:
        """Go over to another configuration, as far as that can be done while running.

        Main thread.  Raises what making a detector or an overlay raises; then nothing has changed.
        """
        change = change_of(self.config, config)
        pipeline = self.pipeline
        governed = any(key.startswith(("model.", "governor.")) for key in change.changed)
        detector = None
        if change.detector or (governed and self.held_back):
            detector = build_detector(detector_config(change.config))
        watched = any(key.startswith("watch.") for key in change.changed)
        if watched:
            pipeline.watch.check(change.config.watch)
        if change.overlay:
            pipeline.use_overlay(change.config)
        if watched:
            pipeline.use_watch(change.config)
        if detector is not None:
            self.detector = detector
            pipeline.use_detector(detector, change.config.model.min_score)
        if any(key.startswith("power.") for key in change.changed):
            pipeline.use_power(change.config.power)
        logging.getLogger().setLevel(change.config.log.level.upper())
        self.config = change.config
        if governed:
            self._governor = self._make_governor()
            pipeline.limit(0, 1, "")
        return change

    @property
    def held_back(self) -> str:
        """Why less work is done than the configuration asks for, or empty."""
        return self._governor.reason if self._governor is not None else ""

    def faults(self) -> list[EdgeVisionError]:
        """What went wrong without ending the run."""
        return faults_of(self._camera, self.outputs) + self.pipeline.watch.faults()

    def _make_governor(self) -> Governor | None:
        """What holds the work back on a board in trouble; None where it is not wanted."""
        config = self.config
        if not config.governor.enabled or config.camera.pace == "fast":
            return None
        offered = {} if config.model.file else find_model(config.model.name).sizes_hw_px
        hw_px = self.detector.input_hw_px
        return Governor(config.governor, sizes_from(config.model.size, hw_px, offered))

    def _govern(self, now_ns: int) -> None:
        if now_ns - self._governed_ns < _GOVERN_NS:
            return
        self._governed_ns = now_ns
        self.readings = read_board()
        governor = self._governor
        if governor is None:
            return
        before = governor.level.size
        level = governor.step(now_ns, self.readings)
        if level is None:
            return
        if level.size != before:
            self._change_size(None if level.size == governor.ladder[0].size else level.size)
        self.pipeline.limit(level.least_interval_ns, level.show_every, governor.reason)

    def _change_size(self, size: str | None) -> None:
        """Go on at another model size; None: the configured one."""
        model = self.config.model
        if size is not None:
            model = model.model_copy(update={"size": size, "input_hw_px": None})
        try:
            config = self.config.model_copy(update={"model": model})
            self.detector = build_detector(detector_config(config))
        except EdgeVisionError as error:
            log.error("the model size stays as it is: %s", error)
        else:
            self.pipeline.use_detector(self.detector, model.min_score)

    def run(self) -> Summary:
        """Run until the stream, a limit, the user or a failure ends it; raises that failure."""
        self.pipeline.start()
        try:
            self._wait()
        finally:
            self.desk.close()
            self.pipeline.close()
        return self.summary()

    def summary(self) -> Summary:
        """The figures up to now."""
        return summary_of(self.pipeline.telemetry, self._camera, self.outputs)

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
            pipeline.check_detector(time.monotonic_ns(), self.config.model.deadline_s)
            self._govern(time.monotonic_ns())
            self.desk.serve()
            now = time.monotonic()
            if self._duration_s is not None and now - begin >= self._duration_s:
                return
            if pipeline.telemetry.captured.count > captured:
                captured, last_frame = pipeline.telemetry.captured.count, now
            if self._frames is not None and now - last_frame > _GIVE_UP_S:
                reason = pipeline.camera_state.read()[0].reason or "no frame came"
                raise CameraUnavailable(f"gave up after {_GIVE_UP_S:g} s without a frame: {reason}")
            if _all_over(self.outputs):
                return  # nothing is left that could take a result
            if self._on_tick is not None:
                self._on_tick(self, time.monotonic_ns())


def _all_over(outputs: Sequence[Output]) -> bool:
    """Some have failed for good, and the others are idle; see outputs/base.py."""
    failed = [
        output
        for output in outputs
        if output.fault() is not None and not getattr(output, "recovers", False)
    ]
    return bool(failed) and all(
        output in failed or getattr(output, "idle", False) for output in outputs
    )


def detector_config(config: Config) -> ModelConfig:
    """What the detector is to look for: weak detections too, where objects are followed."""
    least = least_score(config.tracking, config.model.min_score)
    return config.model.model_copy(update={"min_score": least})
