"""The pipeline: four workers, three slots, and the order in which they start and end.

    camera --> prepare --> staged --> infer --> results --> decode --> Scene
       |                                                      |
       +--Frame--> render slot (timing: live)   (timing: exact) render slot
                        |
                        v
              render: canvas, overlay --> outputs that want pictures

Every arrow is a LatestSlot: the newest item wins, or with `wait` (pace: fast) the giver waits.
A worker that ends closes the slot behind it, so the end of the stream runs through the pipeline in
flow order and what was already analysed still reaches the outputs.  A worker that fails also closes
the slot before it and stops the camera, so nobody waits for the dead.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from edge_vision.camera.base import Camera
from edge_vision.config import CameraConfig, Config
from edge_vision.config_board import PowerConfig
from edge_vision.detect.base import Detector
from edge_vision.errors import EdgeVisionError, ShutdownError
from edge_vision.frame import Frame
from edge_vision.outputs.base import Output
from edge_vision.results import Analysed, Scene
from edge_vision.slot import Bulletin, LatestSlot
from edge_vision.stages.capture import CaptureStage
from edge_vision.stages.detect import DetectStage, Engine, Job
from edge_vision.stages.drawing import Drawing
from edge_vision.stages.follow import Follower
from edge_vision.stages.idle import IdleGate
from edge_vision.stages.render import RenderStage, Showing
from edge_vision.stages.stuck import StuckWatch, stuck_error
from edge_vision.stages.watch import WatchStage
from edge_vision.telemetry import Telemetry
from edge_vision.track.paths import Paths
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

_JOIN_S = 2.0
"""What one worker may take to end."""
_PATIENCE_S = 0.5
"""What the camera worker may take before its camera is closed under it."""

Slots = list[LatestSlot[Any]]


class Link(NamedTuple):
    """A worker, the slot it takes from, and the slots it gives to."""

    worker: Worker
    source: LatestSlot[Any] | None
    targets: Slots


class Pipeline:
    """Camera, detector and outputs, connected.  `start()`, then `stop()` or wait for `ended`.

    frames: end after so many analysed frames.  on_scene: called in the decode thread.
    wait_for_camera: go on trying when the camera cannot be opened the first time.
    """

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        outputs: Sequence[Output],
        *,
        config: Config,
        frames: int | None = None,
        on_scene: Callable[[Scene], None] | None = None,
        wait_for_camera: bool = False,
    ) -> None:
        self.telemetry = Telemetry()
        self.analysed: Bulletin[Analysed | None] = Bulletin(None)
        self.ended = threading.Event()
        self._camera = camera
        self._outputs = outputs
        self._scene_outputs = [output for output in outputs if output.wants == "scenes"]
        self._on_scene = on_scene
        self._frames = frames
        self._exact = config.overlay.timing == "exact"
        self._wait = config.camera.pace == "fast"
        self._paths = paths = Paths()
        self._follower = Follower(detector.labels, config.tracking, config.model.min_score, paths)
        self.watch = WatchStage.from_config(config, detector.labels, outputs)
        self._detect = DetectStage(
            Engine(detector),
            self._follower,
            self.telemetry,
            self._done,
            gate=IdleGate(config.power),
            wait=self._wait,
            keep_frames=self._exact,
            most=frames,
        )
        self._render = RenderStage(
            self._make_drawing(config, detector),
            [output for output in outputs if output.wants != "scenes"],
            lambda: self.scene,
            lambda: self.camera_state.read()[0],
            self.telemetry,
            size_px=config.camera.size_px,
            wait=self._wait,
        )
        self._capture = self._make_capture(config.camera, wait_for_camera)
        self.camera_state = self._capture.state
        self._chain = self._make_chain()
        self._living = len(self._chain)
        self._lock = threading.Lock()
        self._stuck = StuckWatch()

    def _make_capture(self, config: CameraConfig, wait: bool) -> CaptureStage:
        return CaptureStage(
            self._camera,
            self._give,
            self.telemetry,
            size_px=config.size_px,
            ready=self._render.ready,
            timeout_s=config.timeout_s,
            retry_max_s=config.retry_max_s,
            retry_first=wait or config.kind == "clip",  # a URL; files raise what is not retried
            most=self._frames if self._wait else None,
        )

    def _make_drawing(self, config: Config, detector: Detector) -> Drawing:
        drawing = Drawing(config.overlay, config.tracking, detector, self.telemetry, self._paths)
        drawing.use_places(config, self.watch.crossings)
        if any(output.wants == "overlays" for output in self._outputs):
            drawing.draw_sheets()
        return drawing

    def _make_chain(self) -> list[Link]:
        """Every worker, in flow order."""
        detect, render = self._detect, self._render
        from_camera: Slots = [detect.staged] if self._exact else [detect.staged, render.slot]
        from_decode: Slots = [render.slot] if self._exact else []
        # Where every frame counts, nothing is urgent but the interpreter: its threads wait for each
        # other whenever one is interrupted.  Measured: a fifth less CPU outside of it.
        camera = Worker("camera", self._capture.run, self._on_end, yields=self._wait)
        infer = Worker("infer", detect.infer, self._on_end)
        decode = Worker("decode", detect.decode, self._on_end, yields=self._wait)
        drawing = Worker("render", render.run, self._on_end, yields=self._wait)
        return [
            Link(camera, None, from_camera),
            Link(infer, detect.staged, [detect.results]),
            Link(decode, detect.results, from_decode),
            Link(drawing, render.slot, []),
        ]

    def start(self) -> None:
        """Start the outputs, then the workers, the last first."""
        started: list[Output] = []
        try:
            for output in self._outputs:
                output.start()
                started.append(output)
        except EdgeVisionError:
            for output in started:
                output.close(_JOIN_S)
            raise
        for link in reversed(self._chain):
            link.worker.start()

    def use_detector(self, detector: Detector, min_score: float) -> None:
        """Go on with another detector of the same classes from the next frame on; any thread."""
        self._follower.min_score = min_score
        self._detect.engine = Engine(detector)
        self._render.drawing.model = detector.description
        self._render.drawing.engine = detector.engine

    def use_overlay(self, config: Config) -> None:
        """Draw as another configuration says from the next frame on, but for `timing`."""
        detector = self._detect.engine.detector
        drawing = self._make_drawing(config, detector)
        drawing.note = self._render.drawing.note
        if self._render.watched():
            drawing.warm_up(config.camera.size_px)
        self._render.drawing = drawing

    def use_watch(self, config: Config) -> None:
        """Go on with another configuration's places and rules from the next frame on."""
        self.watch.use(config.watch)
        self._render.drawing.use_places(config, self.watch.crossings)

    def limit(self, least_interval_ns: int, show_every: int, note: str) -> None:
        """Analyse no frames nearer to each other, show each so-manieth; any thread.

        note: said in the panel.  Where every frame counts (pace: fast) nothing is limited.
        """
        self._detect.least_interval_ns = least_interval_ns
        self._render.show_every = show_every
        self._render.drawing.note = note

    def use_power(self, config: PowerConfig) -> None:
        """Rest as another configuration says while nothing moves; any thread."""
        self._detect.gate = IdleGate(config)

    @property
    def scene(self) -> Scene | None:
        """The newest there is."""
        analysed, _ = self.analysed.read()
        return analysed.scene if analysed is not None else None

    @property
    def idle(self) -> bool:
        """Detection rests, as nothing moves."""
        return self._detect.gate.idle

    @property
    def camera_beat(self) -> int:
        """Grows while the camera's worker is alive, also while no camera is there."""
        return self._capture.beat

    def stop(self) -> None:
        """Ask for the end; returns at once.  `ended` is set when the last worker has ended."""
        self._chain[0].worker.stop()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop, wait for every worker in flow order, close the outputs.

        Raises the first failure of a worker, or ShutdownError naming threads that did not end.
        """
        deadline = time.monotonic() + timeout_s
        self.stop()
        stuck: list[str] = []
        if self._camera.waits_outside and not self._chain[0].worker.join(_PATIENCE_S):
            self._camera.close()  # ends an open() or read() that waits for a device or a network
        workers = [link.worker for link in self._chain]
        for worker in workers:
            if not worker.join(min(_JOIN_S, deadline - time.monotonic())):
                log.error("thread %s does not end; it stands at:\n%s", worker.name, worker.stack())
                stuck.append(worker.name)
        self.watch.close(max(0.5, min(_JOIN_S, deadline - time.monotonic())))
        for output in self._outputs:
            output.close(max(0.5, min(_JOIN_S, deadline - time.monotonic())))
        for worker in workers:
            if worker.failure is not None:
                raise worker.failure
        if stuck:
            raise ShutdownError(f"threads that did not end in time: {', '.join(stuck)}")

    def check_detector(self, now_ns: int, deadline_s: float) -> None:
        """Give up the inference that has been under way for longer than `deadline_s`.

        Called every so often.  The run then ends with a DetectorError, as if the worker had failed.
        """
        running = self._detect.running
        if self._stuck.is_stuck(running, now_ns, deadline_s):
            engine = self._detect.engine.detector.engine
            infer = next(link.worker for link in self._chain if link.worker.name == "infer")
            infer.give_up(stuck_error(running, deadline_s, engine))

    def _on_end(self, ended: Worker) -> None:
        link = next(link for link in self._chain if link.worker is ended)
        if link.source is not None:
            link.source.close()
        for slot in link.targets:
            slot.close(drain=True)
        if ended.name == "decode":
            self.watch.end()
        if ended.failure is not None:
            self.stop()
        with self._lock:
            self._living -= 1
            if self._living == 0:
                self.ended.set()

    def _give(self, frame: Frame) -> None:
        """Camera thread: a new frame to everybody who wants it."""
        render = self._render
        shown = not self._exact and render.watched()
        if shown and (self._wait or render.due()):
            render.slot.put(Showing(frame.acquire(), None))
        self._detect.prepare(frame)

    def _done(self, scene: Scene, job: Job) -> None:
        """Decode thread: a result to everybody who wants it."""
        if self.telemetry.analysed.count == self._frames:
            self.stop()
        analysed = Analysed(scene, job.stamps)
        self.analysed.post(analysed)
        self._detect.gate.seen(scene)
        for output in self._scene_outputs:
            if output.active() and not output.offer(analysed):
                self.telemetry.drop(f"{output.name} busy")
        self.watch.step(scene)
        if self._on_scene is not None:
            self._on_scene(scene)
        if job.frame is not None:
            if self._render.watched():
                self._render.slot.put(Showing(job.frame, scene))
            else:
                job.frame.release()
