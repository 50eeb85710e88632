"""The output `events`: pictures into the ring and the best views, events to the keeper."""

import threading
from collections import deque
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.control import Control
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.events import Event
from edge_vision.frame import Image
from edge_vision.outputs.base import Picture, Taken
from edge_vision.outputs.events.archive import Archive
from edge_vision.outputs.events.folder import events_folder
from edge_vision.outputs.events.keeper import Keeper
from edge_vision.outputs.events.recorder import Recorder
from edge_vision.outputs.events.ring import Ring
from edge_vision.outputs.events.shelf import Shelf
from edge_vision.outputs.events.views import Views
from edge_vision.outputs.fitting import Fitter
from edge_vision.outputs.queue import QueuedOutput
from edge_vision.results import Analysed
from edge_vision.worker import Worker

if TYPE_CHECKING:
    from edge_vision.outputs.events.encoding import Encoding

_QUEUE = 8
"""Pictures that may wait to be encoded, 1.4 MB each at 1280x720."""
_SPARE = 2
_SLACK_S = 8.0
"""Kept in the ring beside recorder.pre_s: what a slow disk has not taken yet."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    i420: NDArray[np.uint8]
    at_ns: int


class EventHistory(Archive):
    """The History of a run."""

    def __init__(self, folder: Path, keeper: Keeper) -> None:
        super().__init__(folder)
        self._keeper = keeper

    def delete(self, event_id: str) -> "Future[bool]":
        """See History."""
        return self._keeper.remove(event_id)


class EventsOutput(QueuedOutput[_Job]):
    """Keeps a log of events with a picture and a clip of each.

    Without events it writes nothing.  While there are rules (or with events.enabled: true) each
    picture is encoded, so that a clip has the seconds before its event.  A fault is a state: it
    tries again by itself, and `fault` tells what is wrong now.
    """

    name = "events"
    wants: Literal["scenes", "pictures"] = "pictures"
    recovers = True
    """A fault of it is none to end a run for."""

    def __init__(
        self, config: EventsConfig, recorder: RecorderConfig, *, patient: bool = False
    ) -> None:
        super().__init__(patient=patient, capacity=_QUEUE)
        self._config = config
        self._recorder = recorder
        self._control: Control | None = None
        self._ring = Ring(recorder.pre_s + _SLACK_S, recorder.ring_mb * 1_000_000)
        self._views = Views(recorder.snapshot)
        folder = events_folder(config)
        self._keeper = Keeper(
            Shelf(folder, config), Recorder(recorder, self._ring), self._views, self._may_come
        )
        self.history = EventHistory(folder, self._keeper)
        self._encoding: Encoding | None = None
        self._fitter: Fitter | None = None
        self._spare: deque[NDArray[np.uint8]] = deque(maxlen=_SPARE)
        self._next_ns = 0
        self._records = recorder.enabled
        self._encoder_fault: OutputError | None = None
        self._writer = Worker("output events log", self._keep, self._on_end)

    def attach(self, control: Control) -> None:
        """Know the run: whether there are rules."""
        self._control = control

    def on_event(self, event: Event) -> None:
        """Log an event that begins, gets better or ends; never waits.  Any thread."""
        if self._open_for_offers:
            self._views.seek(event)
            self._keeper.tell(event)

    def start(self) -> None:
        """Begin; what is wrong with the folder is a fault, and no error."""
        super().start()
        self._writer.start()

    def active(self) -> bool:
        """Pictures are wanted: to be recorded, or to look for an object."""
        return self._open_for_offers and (self._views.wanted or self._is_recording())

    @property
    def idle(self) -> bool:
        """There are no rules, so no events."""
        return not self._may_come()

    def takes(self) -> Collection[Taken]:
        """See outputs.base.takes."""
        kind: Taken = "plain" if self._recorder.picture == "clean" else "drawn"
        return (kind,)

    def offer(self, item: Analysed | Picture) -> bool:
        """Look at a picture, and queue it to be recorded where it is due."""
        assert isinstance(item, Picture)
        if not self._open_for_offers:
            return False
        at_ns = item.stamps.exposed
        self._views.look(self._image_of(item), item.tracks, at_ns)
        if not self._is_recording() or not self._due(at_ns):
            return True
        return super().offer(item)

    def fault(self) -> EdgeVisionError | None:
        """What is wrong now."""
        if (sentence := self._keeper.trouble) is not None:
            return OutputError(sentence)
        return self._encoder_fault or super().fault()

    def close(self, timeout_s: float) -> None:
        """Encode what is queued, finish the clip, write the log; waits up to `timeout_s`."""
        super().close(timeout_s)
        self._writer.stop()
        self._keeper.wake()
        if not self._writer.join(timeout_s) and self._fault is None:
            self._fail(OutputError(f"events: the disk did not take all within {timeout_s:g} s"))

    def _may_come(self) -> bool:
        if self._config.enabled is True:
            return True
        return self._control is not None and bool(self._control.config.watch.rules)

    def _is_recording(self) -> bool:
        return self._records and self._may_come()

    def _due(self, at_ns: int) -> bool:
        """Not more than recorder.fps, in even steps."""
        step_ns = round(1e9 / self._recorder.fps)
        if at_ns < self._next_ns - step_ns // 2 and self._next_ns - at_ns <= 2 * step_ns:
            return False
        late = at_ns > self._next_ns + step_ns or at_ns < self._next_ns - step_ns
        self._next_ns = (at_ns if late else self._next_ns) + step_ns
        return True

    def _image_of(self, picture: Picture) -> Image:
        if self._recorder.picture == "clean" and picture.plain is not None:
            return picture.plain
        return picture.image

    def _open(self) -> None:
        pass

    def _pack(self, item: Analysed | Picture) -> _Job:
        assert isinstance(item, Picture)
        image = self._image_of(item)
        if self._fitter is None:
            self._fitter = Fitter(image.width_px, image.height_px)
        try:
            i420 = self._spare.popleft()
        except IndexError:
            i420 = np.empty(self._fitter.i420_shape, np.uint8)
        self._fitter.fill(i420, item, image)
        return _Job(i420, item.stamps.exposed)

    def _write(self, job: _Job) -> None:
        try:
            if self._encoding is None:
                # FFmpeg takes 15 MB of memory: only where something is recorded.
                from edge_vision.outputs.events.encoding import Encoding

                self._encoding = Encoding(self._recorder, self._ring)
            self._encoding.add(job.i420, job.at_ns)
        except OutputError as error:
            # The log goes on without clips.
            self._records = False
            self._encoder_fault = error
        self._spare.append(job.i420)

    def _finish(self) -> None:
        pass

    def _keep(self, stop: threading.Event) -> None:
        self._keeper.run(stop)
