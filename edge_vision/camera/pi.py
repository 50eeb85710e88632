"""The Pi camera: libcamera through picamera2, its buffers lent out as frames without a copy."""

import atexit
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

from edge_vision.camera.base import CameraInfo
from edge_vision.camera.guard import Guard, GuardedCamera
from edge_vision.camera.holders import in_use
from edge_vision.camera.pi_controls import controls_for
from edge_vision.camera.pi_request import (
    ASKED,
    BUFFERS,
    COPIED,
    LENT_AS,
    Requests,
    image_of,
    stamps_of,
)
from edge_vision.camera.pi_screen import PiScreen
from edge_vision.camera.pi_stack import Stack, load, media_nodes, model_of
from edge_vision.config import CameraConfig
from edge_vision.errors import CameraLost, CameraUnavailable, ConfigError, EdgeVisionError
from edge_vision.frame import Frame, Stamps

CLOSES_WITHIN_S = 1.5
"""libcamera stops its threads one after the other; picamera2 looks five times a second."""


class PiCamera(GuardedCamera):
    """The camera that a `camera` section with kind pi describes.

    It gives a main picture of about `config.size_px` and, with `config.pi.lores_px`, a small one of
    that size for the detector.  The ISP makes both from the same part of the sensor, each scaled
    to its size: a square small picture is the whole main picture, squeezed, so boxes normalised in
    one are right in the other.  What the camera grants instead stands in `CameraInfo.notes`.
    screen: shows the main picture on the board's display, once it is told to.
    `open()` raises ConfigError for a setting that this camera or its lens does not have.  A frame
    that is released late costs frames, never memory of others.
    """

    def __init__(self, config: CameraConfig, stack: Stack) -> None:
        name = f"the Pi camera {config.pi.number}"
        self.screen = PiScreen(stack)
        inner = _Capture(config, name, stack, self.screen)
        self._guard = Guard(inner, name, config.timeout_s, closes_within_s=CLOSES_WITHIN_S)

    @classmethod
    def from_config(cls, config: CameraConfig) -> "PiCamera":
        """Raises BackendMissing when picamera2 is missing, too old or broken."""
        return cls(config, load())


class _Capture:
    """The Camera inside the guard, and the event loop that picamera2 leaves to its user.

    With picamera2's own loop, a `capture_request()` that is given up still takes a frame later, and
    a loop that died leaves `stop()` waiting for ever.
    """

    waits_outside = False

    def __init__(self, config: CameraConfig, name: str, stack: Stack, screen: PiScreen) -> None:
        self._config = config
        self._screen = screen
        self._name = name
        self._stack = stack
        self._picam2: Any = None
        self._poll = select.poll()
        self._requests = Requests(BUFFERS)
        self._streams: dict[str, dict[str, Any]] = {}
        self._first: Frame | None = None
        self._patience_s = config.timeout_s
        self._start_ns = self._last_ns = 0

    def open(self) -> CameraInfo:
        self.close()
        number, model = self._find()
        name = f"Pi camera {number} {model}".strip()
        picam2 = self._picam2 = self._acquire(number)
        try:
            self._screen.open(picam2)
            with self._refusals("does not take this configuration"):
                notes = self._configure(picam2)
            fps = self._control(picam2, model, notes)
            self._requests = Requests(picam2.libcamera_config.at(0).buffer_count, self._screen.held)
            picam2.pre_callback = self._requests.complete
            self._poll = select.poll()
            self._poll.register(picam2.notifyme_r, select.POLLIN)
            with self._refusals("does not start"):
                picam2.start(show_preview=None)
            self._start_ns, self._last_ns = 0, time.monotonic_ns()
            self._first = self._first_frame()
        except BaseException:
            self.close()
            raise
        width, height = self._streams["main"]["size"]
        return CameraInfo("pi", name, width, height, fps, True, tuple(notes))

    def read(self, timeout_s: float) -> Frame | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._picam2 is None:
            raise CameraLost(f"{self._name} is not open")
        now_ns = time.monotonic_ns()
        give_up_ns = now_ns + round(timeout_s * 1e9)
        while now_ns < give_up_ns:
            if (frame := self._wait((give_up_ns - now_ns) / 1e9)) is not None:
                return frame
            now_ns = time.monotonic_ns()
            if now_ns - self._last_ns > self._patience_s * 1e9:
                raise CameraLost(
                    f"{self._name} sent no picture for {self._patience_s:g} s; check its ribbon "
                    "cable at both ends"
                )
        return None

    def close(self) -> None:
        first, self._first = self._first, None
        if first is not None:
            first.release()
        picam2, self._picam2 = self._picam2, None
        if picam2 is None:
            return
        # A camera that is gone refuses all of this; its memory stays until the frames are released.
        self._screen.close()
        with suppress(RuntimeError, OSError):
            self._requests.release_returned()
        with suppress(RuntimeError, OSError):
            picam2.close()

    def faults(self) -> list[EdgeVisionError]:
        return []

    def _find(self) -> tuple[int, str]:
        """Number and model.  Raises CameraUnavailable when there is no such camera."""
        tuning = self._config.pi.tuning_file
        if tuning is not None:
            if not Path(tuning).is_file():
                raise ConfigError(f"camera.pi.tuning_file {tuning} does not exist; set it to null")
            # Read when libcamera first looks for cameras: picamera2 itself would set it too late.
            os.environ["LIBCAMERA_RPI_TUNING_FILE"] = tuning
        with self._refusals("cannot be looked for"):
            cameras = self._stack.picamera2.Picamera2.global_camera_info()
        return self._config.pi.number, model_of(cameras, self._config.pi.number)

    def _acquire(self, number: int) -> Any:
        with self._refusals("cannot be opened"):
            picam2 = self._stack.picamera2.Picamera2(number, tuning=self._config.pi.tuning_file)
        # It would close itself when Python ends, and wait for a hung driver for ever.
        atexit.unregister(picam2.close)
        return picam2

    @contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        """Turns what picamera2 raises into a CameraUnavailable that says who holds the camera."""
        try:
            yield
        except (RuntimeError, OSError, IndexError) as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            # libcamera reports EBUSY for a camera that another process has acquired.
            hint = f"; {in_use(media_nodes())}" if "busy" in str(cause) else ""
            raise CameraUnavailable(f"{self._name} {what}: {cause}{hint}") from None

    def _configure(self, picam2: Any) -> list[str]:
        """Set up the streams; what differs from what was asked for, a sentence each."""
        config, lores = self._config, None
        if config.pi.lores_px is not None:
            sides = zip(config.pi.lores_px, config.size_px, strict=True)
            # picamera2 takes even sides that are not larger than those of the main picture.
            size = tuple(min(side + side % 2, most - most % 2) for side, most in sides)
            lores = {"size": size, "format": "YUV420"}
        picam2.configure(self._streams_wanted(picam2, lores))
        granted = picam2.camera_configuration()
        notes = []
        if lores is not None and prod(granted["lores"]["size"]) >= prod(granted["main"]["size"]):
            notes.append("it makes no small picture for the detector, which reads the main one")
            picam2.configure(self._streams_wanted(picam2, None))
            granted = picam2.camera_configuration()
        self._streams = {
            name: dict(granted[name]) for name in ("main", "lores") if granted[name] is not None
        }
        for name, stream in self._streams.items():
            if stream["format"] not in (*LENT_AS, *COPIED):
                raise CameraUnavailable(
                    f"{self._name} gives {name} pictures as {stream['format']}; expected one of "
                    f"{', '.join((*LENT_AS, *COPIED))}; try another camera.pi.format"
                )
        asked, got = config.size_px, tuple(granted["main"]["size"])
        if got != asked:
            notes.append(f"asked for {asked[0]}x{asked[1]} pixels, granted {got[0]}x{got[1]}")
        return notes

    def _streams_wanted(self, picam2: Any, lores: dict[str, Any] | None) -> Any:
        pi, libcamera = self._config.pi, self._stack.libcamera
        turned = pi.rotation == 180
        return picam2.create_video_configuration(
            main={"size": self._config.size_px, "format": ASKED[pi.format]},
            lores=lores,
            raw=None,  # nobody reads the raw picture: no memory for it
            transform=libcamera.Transform(hflip=pi.hflip != turned, vflip=pi.vflip != turned),
            # What Image calls YUV420; from 1280x720 on picamera2 would choose BT.709.
            colour_space=libcamera.ColorSpace.Smpte170m(),
            buffer_count=BUFFERS + self._screen.held,
            queue=False,  # a picture waiting in picamera2 would be a buffer less for the camera
            display="main" if self._screen.held else None,
            encode=None,
        )

    def _control(self, picam2: Any, model: str, notes: list[str]) -> float:
        """Set the controls; the frame rate granted, 0 when the camera does not say."""
        limits, config = picam2.camera_controls, self._config
        size_px, camera = self._streams["main"]["size"], f"the camera {model}".strip()
        controls = controls_for(config.pi, config.fps, size_px, limits, camera)
        with self._refusals("does not take its controls"):
            picam2.set_controls(controls)
        if "FrameDurationLimits" not in controls:
            return 0.0
        fps = 1e6 / float(controls["FrameDurationLimits"][0])
        if abs(fps - config.fps) > 0.5:
            notes.append(f"asked for {config.fps:g} fps, granted {fps:g}")
        return fps

    def _first_frame(self) -> Frame:
        # Sooner than the guard gives up: only here the cause is known.
        self._patience_s = self._config.timeout_s / 2
        try:
            while True:
                if (frame := self.read(self._patience_s)) is not None:
                    return frame
        except CameraLost as error:
            raise CameraUnavailable(str(error)) from None
        finally:
            self._patience_s = self._config.timeout_s

    def _wait(self, timeout_s: float) -> Frame | None:
        """One turn of the event loop: what came back goes to the camera, what is new comes out."""
        picam2, requests = self._picam2, self._requests
        before = requests.completed
        try:
            requests.release_returned()
            self._screen.refresh()
            if self._poll.poll(timeout_s * 1000):
                picam2.notifymeread.read()
                picam2.process_requests(self._screen)
        except (RuntimeError, OSError) as error:
            raise CameraLost(f"{self._name} failed: {error}; check its ribbon cable") from None
        arrived_ns = time.monotonic_ns()
        if requests.completed > before:
            self._last_ns = arrived_ns
        request = requests.lend()
        return None if request is None else self._frame(request, stamps_of(request, arrived_ns))

    def _frame(self, request: Any, stamps: Stamps) -> Frame:
        self._start_ns = self._start_ns or stamps.exposed
        pictures = {
            name: image_of(request, name, stream, self._stack.picamera2)
            for name, stream in self._streams.items()
        }
        give_back = partial(self._requests.give_back, request)
        lent = any(stream["format"] in LENT_AS for stream in self._streams.values())
        if not lent:
            give_back()
        return Frame(
            self._requests.completed - 1,
            pictures["main"],
            stamps,
            lores=pictures.get("lores"),
            media_ns=stamps.exposed - self._start_ns,
            recycle=give_back if lent else None,
        )
