"""The whole pipeline on a virtual clock: one thread, no waiting, the same result on every machine.

Frames come at the source's own times; the detector's results arrive a fixed time after the exposure
of the frame they are of, however long the computer really took for them.
"""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge_vision.board import node_name
from edge_vision.camera.base import Camera, EndOfStream
from edge_vision.config import Config
from edge_vision.detect.detector import SsdDetector
from edge_vision.events import OnEvent
from edge_vision.frame import Frame, Stamps
from edge_vision.outputs.base import Output, Picture
from edge_vision.results import Analysed, Detections, Scene
from edge_vision.rules.tally import empty_counts
from edge_vision.stages.drawing import Drawing
from edge_vision.stages.follow import Follower
from edge_vision.stages.watch import WatchStage
from edge_vision.telemetry import Telemetry
from edge_vision.track.grey import Grey
from edge_vision.track.paths import Paths

_BEGIN_NS = 1_000_000_000
"""The virtual clock at the source's beginning: 0 in a stamp means "not reached"."""
_READ_S = 0.25
_CLOSE_S = 10.0
"""What an output may take to write what it was given."""


class _Busy(NamedTuple):
    """The frame that the detector is busy with, and what it will say of it."""

    due_ns: int
    frame: Frame
    found: Detections
    grey: Grey | None


class Replay:
    """Camera, detector and outputs on a virtual clock that goes with the camera's `media_ns`.

    inference_ms: the detector takes the first frame that comes while it is free; the result is
    there so long after that frame's exposure, and until then it is busy.
    camera, outputs: made for pace "fast", so that they wait.  on_scene: called with each Scene.
    on_event: told what rules see.  Outputs are not: what they do with it is meant for what happens
    now; and what is counted begins at 0 and is kept nowhere.
    begin_s: Unix time of the source's beginning, for schedules and events.
    """

    def __init__(
        self,
        camera: Camera,
        detector: SsdDetector,
        outputs: Sequence[Output],
        config: Config,
        *,
        inference_ms: float,
        on_scene: Callable[[Scene], None] | None = None,
        on_event: OnEvent | None = None,
        begin_s: float = 0.0,
    ) -> None:
        self.telemetry = Telemetry()
        self._camera = camera
        self._detector = detector
        self._outputs = outputs
        self._on_scene = on_scene
        self._inference_ns = round(inference_ms * 1e6)
        self._exact = config.overlay.timing == "exact"
        paths = Paths()
        self._follower = Follower(detector.labels, config.tracking, config.model.min_score, paths)
        self._drawing = Drawing(
            config.overlay, config.tracking, detector, self.telemetry, paths, steady=True
        )
        self.watch = WatchStage(
            config.watch,
            node_name(config.node.name),
            detector.labels,
            [on_event] if on_event is not None else [],
            empty_counts(begin_s),
            None,
            unix_s=lambda moment_ns: begin_s + (moment_ns - _BEGIN_NS) / 1e9,
        )
        self._drawing.use_places(config, self.watch.crossings)
        self._busy: _Busy | None = None
        self._scene: Scene | None = None

    def run(
        self,
        stop: threading.Event,
        *,
        frames: int | None = None,
        duration_s: float | None = None,
        on_frame: Callable[[int], None] | None = None,
    ) -> None:
        """Until the source ends, `stop` is set, or so many frames were analysed or seconds shown.

        on_frame: called after each frame with its media_ns.  Raises what camera and outputs raise.
        """
        for output in self._outputs:
            output.start()
        try:
            self._camera.open()
            while not stop.is_set() and self.telemetry.analysed.count != frames:
                frame = self._camera.read(_READ_S)
                if frame is None:
                    continue
                media_ns = frame.media_ns
                if duration_s is not None and media_ns >= duration_s * 1e9:
                    frame.release()
                    break
                self._step(frame, _BEGIN_NS + media_ns)
                if on_frame is not None:
                    on_frame(media_ns)
        except EndOfStream:
            if self._busy is not None:
                self._deliver(self._busy.due_ns)
        finally:
            if self._busy is not None:
                self._busy.frame.release()
            self.watch.end()
            self._camera.close()
            self._drawing.close()
            for output in self._outputs:
                output.close(_CLOSE_S)

    def _step(self, frame: Frame, now_ns: int) -> None:
        """One frame has been exposed at `now_ns`."""
        frame.stamps = Stamps(exposed=now_ns, arrived=now_ns, exposed_is_estimate=False)
        self.telemetry.captured.tick(now_ns)
        self._deliver(now_ns)
        if self._busy is None:
            self._analyse(frame.acquire(), now_ns)
            self._deliver(now_ns)  # a detector without delay
        if self._exact:
            frame.release()
        else:
            self._show(frame, self._scene, now_ns)

    def _analyse(self, frame: Frame, now_ns: int) -> None:
        found = self._detector.detect(frame.main)
        self.telemetry.add_invoke(self._inference_ns / 1e6)
        frame.stamps.taken = frame.stamps.prepared = now_ns
        grey = self._follower.grey(frame.main, frame.media_ns)
        self._busy = _Busy(now_ns + self._inference_ns, frame, found, grey)

    def _deliver(self, now_ns: int) -> None:
        """Make the scene of a result that is due."""
        if self._busy is None or self._busy.due_ns > now_ns:
            return
        due_ns, frame, found, grey = self._busy
        self._busy = None
        stamps = frame.stamps
        stamps.inferred = stamps.tracked = due_ns
        model = self._detector.description
        scene = self._follower.scene(frame.seq, stamps.exposed, frame.media_ns, found, model, grey)
        self._scene = scene
        self.telemetry.add_analysed(stamps, due_ns)
        self._offer("scenes", Analysed(scene, stamps))
        self.watch.step(scene)
        if self._on_scene is not None:
            self._on_scene(scene)
        if self._exact:
            self._show(frame, scene, due_ns)
        else:
            frame.release()

    def _show(self, frame: Frame, scene: Scene | None, now_ns: int) -> None:
        if any(output.wants == "pictures" and output.active() for output in self._outputs):
            self._offer("pictures", self._drawing.draw(frame, scene, now_ns))
        else:
            frame.release()

    def _offer(self, wanted: str, item: Analysed | Picture) -> None:
        for output in self._outputs:
            if output.wants == wanted and output.active() and not output.offer(item):
                self.telemetry.drop(f"{output.name} busy")
