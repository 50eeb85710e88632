"""Pictures from the render thread: JPEG once for all who want the same, and the newest to each."""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vision.config_web import WebConfig
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.frame import Image, Stamps
from edge_vision.outputs.base import Picture, Taken
from edge_vision.outputs.web.jpeg import JpegEncoder
from edge_vision.outputs.web.shot import About, Shot
from edge_vision.outputs.web.viewer import Variant, Viewer
from edge_vision.slot import LatestSlot
from edge_vision.telemetry import Telemetry
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

_LOOK_S = 1.0
"""How often the event loop looks for viewers that are gone or dead."""
_SPARE = 6
"""Buffers kept: a picture being copied, one that lies ready and one being encoded, of two kinds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """Copies of a picture, by kind, and who gets them: viewers, and snapshots by variant."""

    about: About
    images: Mapping[Taken, Image]
    viewers: Collection[Viewer]
    snapshots: Collection[Variant]


class Hub:
    """Between the render thread, a thread that encodes, and the viewers in the event loop.

    config: the section `outputs.web`.
    """

    def __init__(self, config: WebConfig) -> None:
        self.fault: EdgeVisionError | None = None
        self._config = config
        self._telemetry = Telemetry()
        # Replaced whole, by the event loop: other threads read them without a lock.
        self._viewers: tuple[Viewer, ...] = ()
        self._asked: frozenset[Variant] = frozenset()
        self._waiting: dict[Variant, set[asyncio.Future[Shot]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._look: asyncio.TimerHandle | None = None
        # Of the render thread: whom the picture that is being drawn is for.
        self._for: tuple[tuple[Viewer, ...], frozenset[Variant]] = ((), frozenset())
        self._status: Image | None = None
        self._spare: deque[NDArray[np.uint8]] = deque(maxlen=_SPARE)
        self._slot: LatestSlot[_Job] = LatestSlot(self._skip)
        self._encoders: dict[Variant, JpegEncoder] = {}
        self._worker = Worker("encode", self._run, self._ended)
        self._open = False

    @property
    def viewers(self) -> int:
        """Streams being sent."""
        return len(self._viewers)

    def start(self, telemetry: Telemetry) -> None:
        """Begin to take pictures."""
        self._telemetry = telemetry
        self._worker.start()
        self._open = True

    def close(self, timeout_s: float) -> None:
        """Take no more, and end the thread; viewers are told by `end_all`."""
        self._open = False
        self._slot.close()
        self._worker.join(timeout_s)

    def wanted(self, now_ns: int) -> bool:
        """A picture made now would be sent to somebody; any thread."""
        return self._open and bool(self._asked or any(v.due(now_ns) for v in self._viewers))

    def takes(self, now_ns: int) -> Collection[Taken]:
        """Render thread: which pictures the next `offer` is to bring."""
        if not self._open:
            return ()
        due = tuple(viewer for viewer in self._viewers if viewer.due(now_ns))
        self._for = due, self._asked
        return {viewer.variant.kind for viewer in due} | {variant.kind for variant in self._asked}

    def offer(self, picture: Picture, now_ns: int) -> bool:
        """Render thread: copy what `takes` asked for, for the encoder; never waits.

        A picture that says why there is no camera is for all who watch now, and is kept for
        `show_status`.
        """
        if not self._open:
            return False
        if picture.seq < 0:
            self._status = self._copy(picture.image)
            self.show_status()
            return True
        self._status = None
        (viewers, asked), self._for = self._for, ((), frozenset())
        images: dict[Taken, Image] = {}
        for kind in {variant.kind for variant in (*(viewer.variant for viewer in viewers), *asked)}:
            image = picture.image if kind == "drawn" else picture.plain
            assert image is not None, "the renderer brings what takes() asked for"
            images[kind] = self._copy(image)
        if images:
            for viewer in viewers:
                viewer.served(now_ns)
            self._slot.put(_Job(About.of(picture), images, viewers, asked))
        return True

    def show_status(self) -> None:
        """Send the last picture that said why there is no camera, if there is one; any thread."""
        image = self._status
        if image is not None:
            about = About(-1, -1, Stamps(), (), {})
            self._slot.put(_Job(about, {"drawn": image, "plain": image}, self._viewers, ()))

    def join(self, viewer: Viewer) -> bool:
        """Event loop: send it pictures from now on; False when `max_viewers` watch already."""
        if len(self._viewers) >= self._config.max_viewers:
            return False
        self._loop = asyncio.get_running_loop()
        self._viewers += (viewer,)
        if self._look is None:
            self._look = self._loop.call_later(_LOOK_S, self._look_around)
        return True

    def leave(self, viewer: Viewer) -> None:
        """Event loop: it watches no more."""
        self._viewers = tuple(other for other in self._viewers if other is not viewer)
        if not self._viewers:
            self._spare.clear()
            if self._look is not None:
                self._look.cancel()
                self._look = None

    async def snapshot(self, variant: Variant, timeout_s: float) -> Shot:
        """Event loop: the next picture; raises TimeoutError when none comes."""
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Shot] = self._loop.create_future()
        waiting = self._waiting.setdefault(variant, set())
        waiting.add(future)
        self._asked = frozenset(self._waiting)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        finally:
            waiting.discard(future)
            if not waiting and self._waiting.get(variant) is waiting:
                del self._waiting[variant]
                self._asked = frozenset(self._waiting)

    def sent(self, shot: Shot, now_ns: int) -> None:
        """Event loop: the socket of a viewer has taken all of it."""
        stamps = shot.about.stamps
        if shot.about.seq >= 0 and not stamps.sent:
            stamps.sent = now_ns
            self._telemetry.stages["sent"].add((now_ns - shot.encoded_ns) / 1e6)
            self._telemetry.shown_latency.add((now_ns - stamps.exposed) / 1e6)

    def end_all(self) -> None:
        """Event loop: there will be no more pictures, for nobody."""
        for viewer in self._viewers:
            viewer.end()
        for future in [future for waiting in self._waiting.values() for future in waiting]:
            if not future.done():
                future.set_exception(TimeoutError())

    def _look_around(self) -> None:
        now_ns = time.monotonic_ns()
        for viewer in self._viewers:
            viewer.check(now_ns)
        assert self._loop is not None
        self._look = self._loop.call_later(_LOOK_S, self._look_around)

    def _run(self, _stop: threading.Event) -> None:
        while (job := self._slot.take()) is not None:
            self._encode(job)
            self._give_back(job)

    def _encode(self, job: _Job) -> None:
        """Each variant once, and sent on at once."""
        viewers: dict[Variant, list[Viewer]] = {variant: [] for variant in job.snapshots}
        for viewer in job.viewers:
            viewers.setdefault(viewer.variant, []).append(viewer)
        self._encoders = {
            variant: self._encoders.get(variant)
            or JpegEncoder(self._config.jpeg_quality, variant.scale)
            for variant in {*viewers, *(viewer.variant for viewer in self._viewers)}
        }
        stamps = job.about.stamps
        for variant, watching in viewers.items():
            jpeg = self._encoders[variant].encode(job.images[variant.kind])
            now_ns = time.monotonic_ns()
            if job.about.seq >= 0 and not stamps.encoded:
                stamps.encoded = now_ns
                self._telemetry.stages["encoded"].add((now_ns - stamps.drawn) / 1e6)
            assert self._loop is not None
            shot = Shot(job.about, jpeg, now_ns)
            with contextlib.suppress(RuntimeError):  # the server has failed: nobody is there
                self._loop.call_soon_threadsafe(self._give, shot, variant, watching)

    def _give(self, shot: Shot, variant: Variant, viewers: list[Viewer]) -> None:
        for viewer in viewers:
            viewer.give(shot)
        if shot.about.seq >= 0 and variant in self._waiting:
            for future in self._waiting.pop(variant):
                if not future.done():
                    future.set_result(shot)
            self._asked = frozenset(self._waiting)

    def _copy(self, image: Image) -> Image:
        shape = image.data.shape
        try:
            buffer = self._spare.popleft()
        except IndexError:
            buffer = np.empty(shape, np.uint8)
        if buffer.shape != shape:
            buffer = np.empty(shape, np.uint8)
        np.copyto(buffer, image.data)
        return Image.from_array(buffer, image.format)

    def _skip(self, job: _Job) -> None:
        self._give_back(job)
        self._telemetry.drop("web busy" if self._open else "stopping")

    def _give_back(self, job: _Job) -> None:
        # A picture of the state is kept as it is; without viewers nothing is.
        if job.about.seq >= 0 and self._viewers:
            self._spare.extend(image.data for image in job.images.values())

    def _ended(self, worker: Worker) -> None:
        self._open = False
        if worker.failure is not None:
            log.error("making JPEGs failed", exc_info=worker.failure)
            self.fault = OutputError(f"web: no more pictures, {worker.failure!r}")
            if self._loop is not None:
                with contextlib.suppress(RuntimeError):  # see _encode
                    self._loop.call_soon_threadsafe(self.end_all)
