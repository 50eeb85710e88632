"""The render worker: the newest frame, what is known about it, and everybody who watches."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_vision.frame import Frame, Image, Stamps
from edge_vision.outputs.base import Output, Picture, takes
from edge_vision.render.status import status_picture
from edge_vision.results import Scene
from edge_vision.slot import LatestSlot
from edge_vision.stages.capture import CameraState
from edge_vision.stages.drawing import Drawing
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
    """Draws frames for the outputs that want pictures; camera memory goes back before drawing.

    size_px: width and height that frames will probably have.
    """

    def __init__(
        self,
        drawing: Drawing,
        outputs: Sequence[Output],
        newest: Callable[[], Scene | None],
        camera: Callable[[], CameraState],
        telemetry: Telemetry,
        *,
        size_px: tuple[int, int],
        wait: bool,
    ) -> None:
        self.ready = threading.Event()
        """Set once frames can be drawn without delay."""
        self._size_px = size_px
        self.drawing = drawing
        """What the next frame is drawn by; may be replaced at any time."""
        self._drawn_by = drawing
        self.show_every = 1
        """Each so-manieth frame is drawn (live timing)."""
        self._passed = 0
        self._outputs = outputs
        self._newest = newest
        self._camera = camera
        self._telemetry = telemetry
        self.slot: LatestSlot[Showing] = LatestSlot(self._drop, wait=wait)

    def run(self, _stop: threading.Event) -> None:
        """Until the slot is closed."""
        try:
            if watched := self.watched():
                self.drawing.warm_up(self._size_px)
            self.ready.set()
            self._run(warm=watched)
        finally:
            self._drawn_by.close()

    def _run(self, *, warm: bool) -> None:
        told: CameraState | None = None
        while True:
            showing = self.slot.take(_TICK_S)
            if showing is not None:
                self._show(showing)
                told = None
            elif self.slot.closed:
                return
            else:
                if not warm and self._outputs:
                    # Nobody watched at the start, which was not to be held up; somebody may yet.
                    self.drawing.warm_up(self._size_px)
                    warm = True
                # Nobody may take a last frame for the present: the picture says what is wrong.
                state = self._camera()
                if not state.up and state is not told and state.info is not None:
                    told = state
                    self._show_status(state)

    def watched(self) -> bool:
        """Some output wants pictures now."""
        return any(output.active() for output in self._outputs)

    def due(self) -> bool:
        """The next frame is to be drawn; asked once for each frame, in one thread."""
        self._passed = (self._passed + 1) % self.show_every
        return self._passed == 0

    def _show(self, showing: Showing) -> None:
        scene = showing.scene or self._newest()
        drawing = self.drawing
        if drawing is not self._drawn_by:
            drawing.take_over(self._drawn_by)
            self._drawn_by = drawing
        # Looked at once: what is drawn must be what the receivers want.
        receivers = [output for output in self._outputs if output.active()]
        taken = {kind for output in receivers for kind in takes(output)}
        picture = drawing.draw(
            showing.frame,
            scene,
            time.monotonic_ns(),
            burn="drawn" in taken,
            plain="plain" in taken,
        )
        for output in receivers:
            if not output.offer(picture):
                self._telemetry.drop(f"{output.name} busy")

    def _show_status(self, state: CameraState) -> None:
        assert state.info is not None
        picture = status_picture(
            state.info.width_px, state.info.height_px, f"no camera: {state.reason}"
        )
        for output in self._outputs:
            if output.shows_status:  # watched or not: who looks later must see it, too
                output.offer(Picture(Image.from_array(picture), -1, 0, Stamps()))

    def _drop(self, showing: Showing) -> None:
        showing.frame.release()
        self._telemetry.drop("stopping" if self.slot.closed else "display busy")
