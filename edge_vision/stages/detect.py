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
from edge_vision.results import Detections, Scene
from edge_vision.slot import LatestSlot
from edge_vision.stages.follow import Follower
from edge_vision.stages.idle import IdleGate
from edge_vision.telemetry import Telemetry
from edge_vision.track.grey import Grey

log = logging.getLogger(__name__)

_STAGING = 3
"""Input buffers: one being filled, one waiting, one in use."""
_RAW = 4
"""Output buffers: one being filled, one held back, one waiting, one being decoded."""


class Engine:
    """A detector with its buffers.  Each job keeps its own, so one can take over from another."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.nonfinite = 0
        self.inputs: queue.SimpleQueue[NDArray[Any]] = queue.SimpleQueue()
        self.raws: queue.SimpleQueue[RawOutput] = queue.SimpleQueue()
        for _ in range(_STAGING):
            self.inputs.put(detector.new_input())
        for _ in range(_RAW):
            self.raws.put(detector.new_output())


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
    engine: Engine
    prepared: NDArray[Any]
    frame: Frame | None = None
    cpu_ns: int = 0
    raw: RawOutput = ()
    grey: Grey | None = None


class DetectStage:
    """What the camera's thread does with a frame, two worker bodies, and the slots between them.

    gate: says which frames are worth it while nothing moves; may be replaced at any time.
    wait: every frame counts (pace: fast), so givers wait instead of replacing.
    keep_frames: carry the frame to the result.
    most: results after which the rest is dropped, None = no limit.
    done: called in the decode thread with each scene and its job (whose frame it then owns).
    """

    def __init__(
        self,
        engine: Engine,
        follower: Follower,
        telemetry: Telemetry,
        done: Callable[[Scene, Job], None],
        *,
        gate: IdleGate,
        wait: bool,
        keep_frames: bool,
        most: int | None = None,
    ) -> None:
        self._most = most
        self.engine = engine
        """What the next frame is prepared for; may be replaced at any time."""
        self.gate = gate
        self.least_interval_ns = 0
        """Frames nearer to the last one than this are not analysed."""
        self._last_ns = 0
        self._follower = follower
        self._telemetry = telemetry
        self._done = done
        self._keep_frames = keep_frames
        # Where every frame is analysed, an object's own motion tells enough.
        self._looks_at_motion = not wait
        self.staged: LatestSlot[Job] = LatestSlot(self._drop_job, wait=wait)
        self.results: LatestSlot[Job] = LatestSlot(self._drop_job, wait=True)
        self.running = 0
        """Number of the inference under way, 0 between two."""

    def prepare(self, frame: Frame) -> None:
        """Make a frame the next input, taking over its lease; the camera's thread."""
        cpu_ns = time.thread_time_ns()
        if not self._wanted(frame):
            frame.release()
            self._telemetry.drop("not needed")
            return
        engine = self.engine
        frame.stamps.taken = time.monotonic_ns()
        buffer = engine.inputs.get()
        engine.detector.prepare(frame.lores or frame.main, buffer)
        frame.stamps.prepared = time.monotonic_ns()
        job = Job(frame.seq, frame.media_ns, frame.stamps, engine, buffer)
        if self._looks_at_motion:
            job.grey = self._follower.grey(frame.main, frame.media_ns)
        if self._keep_frames:
            job.frame = frame
        else:
            frame.release()
        job.cpu_ns = time.thread_time_ns() - cpu_ns
        self.staged.put(job)

    def _wanted(self, frame: Frame) -> bool:
        """Whether a frame is to be analysed at all; not asked where every frame counts."""
        if not self._looks_at_motion:
            return True
        if not self.gate.wants(frame.main, frame.media_ns):
            return False
        exposed_ns = frame.stamps.exposed
        # Less by a tenth, so that a rate of frames that fits is not halved by their jitter.
        if exposed_ns - self._last_ns < 0.9 * self.least_interval_ns:
            return False
        self._last_ns = exposed_ns
        return True

    def infer(self, _stop: threading.Event) -> None:
        """Network inputs to raw outputs, until the staging slot is closed.

        A result is handed on when the next input is loaded: the decoder's Python code would
        otherwise hold up the load, and so the next run.
        """
        cpu_ns = time.thread_time_ns()
        finished: Job | None = None
        runs = 0
        while True:
            job = self.staged.take(0) if finished is not None else self.staged.take()
            if job is not None:
                job.engine.detector.load(job.prepared)
                job.engine.inputs.put(job.prepared)
            if finished is not None:
                self.results.put(finished)
                finished = None
            elif job is None:
                return
            if job is not None:
                job.raw = job.engine.raws.get()
                self.running = runs = runs + 1
                took = job.engine.detector.infer(job.raw)
                self.running = 0
                job.stamps.inferred = time.monotonic_ns()
                self._telemetry.add_invoke(took.wall_ns / 1e6)
                spent_ns, cpu_ns = cpu_ns, time.thread_time_ns()
                job.cpu_ns += cpu_ns - spent_ns - took.cpu_ns
                finished = job

    def decode(self, _stop: threading.Event) -> None:
        """Raw outputs to scenes, until the result slot is closed."""
        telemetry = self._telemetry
        cpu_ns = time.thread_time_ns()
        while (job := self.results.take()) is not None:
            if self._most is not None and telemetry.analysed.count >= self._most:
                job.engine.raws.put(job.raw)
                self._drop_job(job)
                continue
            detections = job.engine.detector.decode(job.raw)
            job.engine.raws.put(job.raw)
            self._count_nonfinite(job.engine)
            stamps = job.stamps
            scene = self._scene(job, detections)
            stamps.tracked = time.monotonic_ns()
            telemetry.add_analysed(stamps, stamps.tracked)
            self._done(scene, job)
            spent_ns, cpu_ns = cpu_ns, time.thread_time_ns()
            telemetry.overhead_cpu.add((job.cpu_ns + cpu_ns - spent_ns) / 1e6)

    def _scene(self, job: Job, found: Detections) -> Scene:
        model = job.engine.detector.description
        return self._follower.scene(
            job.seq, job.stamps.exposed, job.media_ns, found, model, job.grey
        )

    def _count_nonfinite(self, engine: Engine) -> None:
        found = engine.detector.nonfinite
        if found > engine.nonfinite:
            if engine.nonfinite == 0:
                log.warning("the detector returned NaN or infinity; such boxes are dropped")
            self._telemetry.drop("result not a number", found - engine.nonfinite)
            engine.nonfinite = found

    def _drop_job(self, job: Job) -> None:
        # A job without raw outputs still holds its staging buffer.
        if not job.raw:
            job.engine.inputs.put(job.prepared)
        if job.frame is not None:
            job.frame.release()
        stopping = self.staged.closed or job.raw
        self._telemetry.drop("stopping" if stopping else "detector busy")
