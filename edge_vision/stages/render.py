"""The render worker: the newest frame, what is known about it, and everybody who watches."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_vision.frame import Frame, Stamps
from edge_vision.outputs.base import Output, Picture
from edge_vision.render.canvas import Canvas
from edge_vision.render.overlay import Hud, Overlay, status_picture
from edge_vision.results import Detections, Scene
from edge_vision.slot import Bulletin, LatestSlot
from edge_vision.stages.capture import CameraState
from edge_vision.telemetry import Telemetry

log = logging.getLogger(__name__)

_TICK_S = 0.5
"""How often the state of the camera is looked at while no frame comes."""


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """A frame to show; scene: its own result, or None for the newest there is."""

    frame: Frame
    scene: Scene | None


class RenderStage:
    """Draws frames for the outputs that want pictures; camera memory goes back before drawing."""

    def __init__(
        self,
        overlay: Overlay,
        outputs: Sequence[Output],
        scenes: Bulletin[Scene | None],
        camera: Callable[[], CameraState],
        telemetry: Telemetry,
        *,
        model: str,
        engine: str,
        hud: bool,
        wait: bool,
    ) -> None:
        self._overlay = overlay
        self._outputs = outputs
        self._scenes = scenes
        self._camera = camera
        self._telemetry = telemetry
        self._model = model
        self._engine = engine
        self._hud = hud
        self._canvas = Canvas()
        self.slot: LatestSlot[Showing] = LatestSlot(self._drop, wait=wait)

    def run(self, _stop: threading.Event) -> None:
        """Until the slot is closed."""
        told: CameraState | None = None
        while True:
            showing = self.slot.take(_TICK_S)
            if showing is not None:
                self._show(showing)
                told = None
            elif self.slot.closed:
                return
            else:
                # Nobody may take a last frame for the present: the picture says what is wrong.
                state = self._camera()
                if not state.up and state is not told and state.info is not None:
                    told = state
                    self._show_status(state)

    def watched(self) -> bool:
        """Some output wants pictures now."""
        return any(output.active() for output in self._outputs)

    def _show(self, showing: Showing) -> None:
        frame, telemetry = showing.frame, self._telemetry
        try:
            canvas = self._canvas.fill(frame.main)
        finally:
            frame.release()
        scene = showing.scene or self._scenes.read()[0]
        now_ns = time.monotonic_ns()
        hud = self._figures(scene, now_ns) if self._hud else None
        found = scene.detections if scene is not None else Detections.empty()
        labels = scene.labels if scene is not None else {}
        self._overlay.draw(canvas, found, labels, hud)
        frame.stamps.drawn = time.monotonic_ns()
        telemetry.stages["drawn"].add((frame.stamps.drawn - now_ns) / 1e6)
        telemetry.shown.tick(frame.stamps.drawn)
        self._offer(Picture(canvas, frame.seq, frame.media_ns, frame.stamps))

    def _offer(self, picture: Picture) -> None:
        for output in self._outputs:
            if output.active() and not output.offer(picture):
                self._telemetry.drop(f"{output.name} busy")

    def _show_status(self, state: CameraState) -> None:
        assert state.info is not None
        picture = status_picture(
            state.info.width_px, state.info.height_px, f"no camera: {state.reason}"
        )
        for output in self._outputs:
            if output.shows_status and output.active():
                output.offer(Picture(picture, -1, 0, Stamps()))

    def _figures(self, scene: Scene | None, now_ns: int) -> Hud:
        telemetry = self._telemetry
        return Hud(
            capture_fps=telemetry.captured.per_s(now_ns),
            detect_fps=telemetry.analysed.per_s(now_ns),
            display_fps=telemetry.shown.per_s(now_ns),
            inference_ms=telemetry.last_invoke_ms,
            age_ms=(now_ns - scene.exposed_ns) / 1e6 if scene is not None else 0.0,
            model=self._model,
            drops=sum(telemetry.drops().values()),
            message="",
            engine=self._engine,
        )

    def _drop(self, showing: Showing) -> None:
        showing.frame.release()
        self._telemetry.drop("stopping" if self.slot.closed else "display busy")
