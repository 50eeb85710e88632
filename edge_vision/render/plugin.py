"""The plug-in point: `overlay.renderer: module:function` draws on every shown picture.

The function is called as `function(canvas, tracks, clock)`:

    canvas   uint8 (height, width, 3) BGR, to draw on with OpenCV or numpy; the overlay is on it
    tracks   tuple of Shown: what is drawn, where it is at the time of this picture
    clock    Clock: the frame's number and its times

What it returns is ignored.  It has a thread and a copy of the picture of its own, so that a
function that is slow, hangs or raises never stops the picture.  The module is looked for in the
current folder first (as every file named in the configuration is), then among the installed
packages.  examples/overlay_clock.py is one to begin with.
"""

import importlib
import inspect
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import ConfigError
from edge_vision.frame import PixelFormat
from edge_vision.render.clock import Clock
from edge_vision.render.surface import Surface
from edge_vision.results import Track, label_of
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]

_PATIENCE_S = 0.05
"""How long the picture waits for the function."""
_FIRST_NS = 2_000_000_000
"""What the first call may take: it loads fonts and files.  The picture goes on without it."""
_STRIKES = 3
_FORGIVEN_NS = 60_000_000_000
"""A function that drew well for so long starts again without strikes: a busy board is late at times
and a service runs for months."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One object in the picture, for plug-ins.

    label: of its class.  box_px: x0 y0 x1 y1 in pixels of the canvas; it may reach over the border,
    by one picture size at most.  track: everything else (id, score, velocity, ...), a copy.
    """

    label: str
    box_px: tuple[int, int, int, int]
    track: Track


Renderer = Callable[[Pixels, tuple[Shown, ...], Clock], object]


def load_renderer(name: str) -> Renderer:
    """The function that "module:function" names.

    Raises ConfigError when there is no such module or function, when the module cannot be imported,
    or when the function does not take the three arguments.
    """
    module_name, _, function_name = name.partition(":")
    module = _import(name, module_name)
    where = getattr(module, "__file__", None) or module_name
    function = getattr(module, function_name, None)
    if function is None:
        found = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise ConfigError(
            f"overlay.renderer is {name}, but there is no {function_name} in {where}; "
            f"its functions: {', '.join(found) or 'none'}"
        )
    if not callable(function):
        raise ConfigError(
            f"overlay.renderer is {name}, but in {where} {function_name} is a "
            f"{type(function).__name__}; expected a function of (canvas, tracks, clock)"
        )
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError as error:
        raise ConfigError(
            f"overlay.renderer is {name}, but in {where} {function_name} cannot be called with "
            f"(canvas, tracks, clock): {error}"
        ) from None
    except ValueError:
        pass  # written in C, and does not tell
    return function  # type: ignore[no-any-return]


def _import(name: str, module_name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # stays: a function may import its neighbours when it runs
    modules: list[Any] = []
    # In a worker, as a module that is imported may raise whatever it likes.
    worker = Worker("import", lambda _: modules.append(importlib.import_module(module_name)))
    worker.start()
    worker.join(threading.TIMEOUT_MAX)
    error = worker.failure
    if error is None:
        return modules[0]
    missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
    if missing and f"{module_name}.".startswith(f"{missing}."):
        raise ConfigError(
            f"overlay.renderer is {name}, but there is no module {missing} in {here} or among the "
            f"installed packages; expected a file {module_name.replace('.', '/')}.py there"
        )
    raise ConfigError(
        f"overlay.renderer is {name}, but importing {module_name} fails{_place(error)}: "
        f"{type(error).__name__}: {error}"
    ) from error


def _place(error: BaseException) -> str:
    """Where an import failed; a SyntaxError says so itself."""
    if isinstance(error, SyntaxError):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    last = [frame for frame in frames if not frame.filename.startswith("<frozen")][-1]
    return f" at {last.filename}:{last.lineno}"


class Plugin:
    """Runs the function of `overlay.renderer` in a thread of its own; used by one thread.

    name: "module:function"; see `load_renderer` for what is raised.  labels: class id -> label.
    """

    def __init__(self, name: str, labels: Mapping[int, str]) -> None:
        self.active = True
        """False once the function was switched off."""
        self.patience_s = _PATIENCE_S
        """How long a picture waits for the function."""
        self._name = name
        self._labels = labels
        self._function = load_renderer(name)
        self._own = np.empty((0, 0, 3), np.uint8)
        self._job: tuple[Pixels, tuple[Shown, ...], Clock] | None = None
        self._given = threading.Event()
        self._free = threading.Event()
        self._free.set()
        self._worker: Worker | None = None
        self._strikes = 0
        self._struck_ns = 0
        self._first = True
        self._due_ns: int | None = None
        """When the first call, if it is late, must have ended."""

    def draw(self, surface: Surface, tracks: Iterable[Track], clock: Clock) -> bool:
        """Let the function draw on a BGR surface; True when it did.

        Waits for it `patience_s` at most.  The picture stays as it is while an earlier call still
        runs, when this one is late or raises, and once the function is switched off: after the
        third time, if it did not draw well for a minute in between.  The first call counts as late
        after two seconds only.
        Raises ValueError for a surface that is not BGR.
        """
        if surface.format is not PixelFormat.BGR:
            raise ValueError(f"a plug-in on a {surface.format.name} surface; expected BGR")
        if not self.active:
            return False
        if not self._free.is_set():
            if self._due_ns is not None and clock.now_ns > self._due_ns:
                self._late(_FIRST_NS / 1e9, clock.now_ns)
            return False
        canvas = surface.image.data
        worker = self._ready_worker()
        if self._own.shape != canvas.shape:
            self._own = np.empty(canvas.shape, np.uint8)
        np.copyto(self._own, canvas)
        self._job = (self._own, _shown(tracks, self._labels, canvas.shape[:2]), clock)
        first, self._first, self._due_ns = self._first, False, None
        self._free.clear()
        self._given.set()
        if not self._free.wait(self.patience_s):
            if first:
                self._due_ns = clock.now_ns + _FIRST_NS
            else:
                self._late(self.patience_s, clock.now_ns)
            return False
        if worker.failure is not None:
            self._worker = None  # its thread has ended
            self._strike("raises", _told(worker.failure), clock.now_ns)
            return False
        np.copyto(canvas, self._own)
        if self._strikes and clock.now_ns - self._struck_ns > _FORGIVEN_NS:
            self._strikes = 0
        return True

    def close(self, timeout_s: float = 0.0) -> None:
        """End the thread, waiting `timeout_s` for a call that runs; one that hangs is left."""
        self.active = False
        if self._worker is not None:
            self._worker.stop()
            self._given.set()
            self._worker.join(timeout_s)

    def _ready_worker(self) -> Worker:
        if self._worker is not None and self._worker.failure is not None:
            told = _told(self._worker.failure)
            log.warning("overlay.renderer %s, late before, raised then:\n%s", self._name, told)
            self._worker = None
        if self._worker is None:
            self._worker = Worker("renderer", self._run, lambda _: self._free.set())
            self._worker.start()
        return self._worker

    def _run(self, stop: threading.Event) -> None:
        while True:
            self._given.wait()
            self._given.clear()
            if stop.is_set():
                return
            assert self._job is not None
            self._function(*self._job)
            self._free.set()

    def _late(self, longest_s: float, now_ns: int) -> None:
        self._due_ns = None  # one call, one strike
        stack = self._worker.stack() if self._worker is not None else ""
        self._strike(f"takes longer than {longest_s:g} s; it stands at", stack, now_ns)

    def _strike(self, what: str, details: str, now_ns: int) -> None:
        self._strikes += 1
        self._struck_ns = now_ns
        count = f"strike {self._strikes} of {_STRIKES}"
        log.warning("overlay.renderer %s (%s) %s:\n%s", self._name, count, what, details)
        if self._strikes == _STRIKES:
            log.error(
                "overlay.renderer %s is switched off; the picture goes on without it", self._name
            )
            self.close()


def _shown(
    tracks: Iterable[Track], labels: Mapping[int, str], hw_px: tuple[int, ...]
) -> tuple[Shown, ...]:
    """What a plug-in is told of tracks; those whose box is not finite are left out."""
    scale = np.array([hw_px[1], hw_px[0]] * 2)
    found = []
    for track in tracks:
        box_px = track.box * scale
        if not np.isfinite(box_px).all():
            continue
        x0, y0, x1, y1 = np.rint(np.clip(box_px, -scale, 2 * scale)).astype(int).tolist()
        # The function may write into what it gets; the tracker's arrays are not its own.
        own = replace(track, box=track.box.copy(), velocity=track.velocity.copy())
        found.append(Shown(label_of(labels, track.class_id), (x0, y0, x1, y1), own))
    return tuple(found)


def _told(failure: BaseException) -> str:
    return "".join(traceback.format_exception(failure)).rstrip()
