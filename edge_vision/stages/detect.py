"""Detection in three threads: prepare -> infer -> decode, so that the interpreter never waits.

While the interpreter runs on one frame (it releases Python's lock), the next frame's input is
prepared in a staging buffer and the last result is decoded.  A newer frame replaces a staged one
that the interpreter has not taken, so what it takes is never older than one frame interval.

Preparing is done by the camera's thread, which has the picture in its cache: a thread of its own
cost 0.2 ms more a frame.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from edge_vision.detect.base import Detector, RawOutput
from edge_vision.frame import Frame, Stamps
from edge_vision.results import Scene
from edge_vision.slot import LatestSlot
from edge_vision.stages.follow import Follower
from edge_vision.telemetry import Telemetry
from edge_vision.track.grey import Grey

log = logging.getLogger(__name__)

_STAGING = 3
"""Input buffers: one being filled, one waiting, one in use."""
_RAW = 4
"""Output buffers: one being filled, one held back, one waiting, one being decoded."""


@dataclass(slots=True, eq=False)
class Job:
    """One frame on its way through the detector.

    frame: held only when the result is drawn on this very frame (`overlay.timing: exact`).
    grey: a small picture of it, where nobody else watches the camera's own motion.
    cpu_ns: CPU time spent on it outside the interpreter.
    """

    seq: int
    media_ns: int
    stamps: Stamps
    prepared: NDArray[Any]
    frame: Frame | None = None
    cpu_ns: int = 0
    raw: RawOutput = ()
    grey: Grey | None = None


class DetectStage:
    """What the camera's thread does with a frame, two worker bodies, and the slots between them.

    wait: every frame counts (pace: fast), so givers wait instead of replacing.
    keep_frames: carry the frame to the result.
    most: results after which the rest is dropped, None = no limit.
    done: called in the decode thread with each scene and its job (whose frame it then owns).
    """

    def __init__(
        self,
        detector: Detector,
        follower: Follower,
        telemetry: Telemetry,
        done: Callable[[Scene, Job], None],
        *,
        wait: bool,
        keep_frames: bool,
        most: int | None = None,
    ) -> None:
        self._most = most
        self._detector = detector
        self._follower = follower
        self._telemetry = telemetry
        self._done = done
        self._keep_frames = keep_frames
        # Where every frame is analysed, an object's own motion tells enough.
        self._looks_at_motion = not wait
        self.staged: LatestSlot[Job] = LatestSlot(self._drop_job, wait=wait)
        self.results: LatestSlot[Job] = LatestSlot(self._drop_job, wait=True)
        self._inputs: queue.SimpleQueue[NDArray[Any]] = queue.SimpleQueue()
        self._raws: queue.SimpleQueue[RawOutput] = queue.SimpleQueue()
        self.running = 0
        """Number of the inference under way, 0 between two."""
        for _ in range(_STAGING):
            self._inputs.put(detector.new_input())
        for _ in range(_RAW):
            self._raws.put(detector.new_output())

    def prepare(self, frame: Frame) -> None:
        """Make a frame the next input, taking over its lease; the camera's thread."""
        cpu_ns = time.thread_time_ns()
        frame.stamps.taken = time.monotonic_ns()
        buffer = self._inputs.get()
        self._detector.prepare(frame.lores or frame.main, buffer)
        frame.stamps.prepared = time.monotonic_ns()
        job = Job(frame.seq, frame.media_ns, frame.stamps, buffer)
        if self._looks_at_motion:
            job.grey = self._follower.grey(frame.main, frame.media_ns)
        if self._keep_frames:
            job.frame = frame
        else:
            frame.release()
        job.cpu_ns = time.thread_time_ns() - cpu_ns
        self.staged.put(job)

    def infer(self, _stop: threading.Event) -> None:
        """Network inputs to raw outputs, until the staging slot is closed.

        A result is handed on when the next input is loaded: the decoder's Python code would
        otherwise hold up the load, and so the next run.
        """
        detector = self._detector
        cpu_ns = time.thread_time_ns()
        finished: Job | None = None
        runs = 0
        while True:
            job = self.staged.take(0) if finished is not None else self.staged.take()
            if job is not None:
                detector.load(job.prepared)
                self._inputs.put(job.prepared)
            if finished is not None:
                self.results.put(finished)
                finished = None
            elif job is None:
                return
            if job is not None:
                job.raw = self._raws.get()
                self.running = runs = runs + 1
                took = detector.infer(job.raw)
                self.running = 0
                job.stamps.inferred = time.monotonic_ns()
                self._telemetry.add_invoke(took.wall_ns / 1e6)
                spent_ns, cpu_ns = cpu_ns, time.thread_time_ns()
                job.cpu_ns += cpu_ns - spent_ns - took.cpu_ns
                finished = job

    def decode(self, _stop: threading.Event) -> None:
        """Raw outputs to scenes, until the result slot is closed."""
        detector, telemetry = self._detector, self._telemetry
        nonfinite = 0
        cpu_ns = time.thread_time_ns()
        while (job := self.results.take()) is not None:
            if self._most is not None and telemetry.analysed.count >= self._most:
                self._raws.put(job.raw)
                self._drop_job(job)
                continue
            detections = detector.decode(job.raw)
            self._raws.put(job.raw)
            if detector.nonfinite > nonfinite:
                if nonfinite == 0:
                    log.warning("the detector returned NaN or infinity; such boxes are dropped")
                telemetry.drop("result not a number", detector.nonfinite - nonfinite)
                nonfinite = detector.nonfinite
            stamps = job.stamps
            scene = self._follower.scene(
                job.seq, stamps.exposed, job.media_ns, detections, job.grey
            )
            stamps.tracked = time.monotonic_ns()
            telemetry.add_analysed(stamps, stamps.tracked)
            self._done(scene, job)
            spent_ns, cpu_ns = cpu_ns, time.thread_time_ns()
            telemetry.overhead_cpu.add((job.cpu_ns + cpu_ns - spent_ns) / 1e6)

    def _drop_job(self, job: Job) -> None:
        # A job without raw outputs still holds its staging buffer.
        if not job.raw:
            self._inputs.put(job.prepared)
        if job.frame is not None:
            job.frame.release()
        stopping = self.staged.closed or job.raw
        self._telemetry.drop("stopping" if stopping else "detector busy")
