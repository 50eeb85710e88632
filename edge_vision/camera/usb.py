"""USB cameras (UVC) and whatever else V4L2 offers as a webcam, through OpenCV."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_vision.camera import v4l2
from edge_vision.camera.base import CameraInfo
from edge_vision.camera.guard import Guard, GuardedCamera
from edge_vision.camera.holders import in_use
from edge_vision.camera.opencv import Backend, as_bgr
from edge_vision.camera.pool import FramePool
from edge_vision.config import CameraConfig
from edge_vision.errors import CameraLost, CameraUnavailable, ConfigError, EdgeVisionError
from edge_vision.frame import Frame, Image, Stamps
from edge_vision.videodev import fourcc_text

DRIVER_STAMP_MOST_MS = 1000.0
"""A driver's buffer time older than this, or from the future, is of another clock."""


class UsbCamera(GuardedCamera):
    """A webcam, named by index (0 is /dev/video0), path (also /dev/v4l/by-id/...), or None.

    None takes the first camera there is, at each open.  One named by its number that was opened
    once is found again under its by-id or else its by-path name, as it may come back under another
    number; a /dev/v4l name is taken as it is.  size_px (width, height),
    fps and pixel_format (a FOURCC, or "auto": MJPG where offered, else YUYV) are asked for; what
    the camera grants instead stands in `CameraInfo.notes`.
    """

    def __init__(
        self,
        device: int | str | None = None,
        size_px: tuple[int, int] = (1280, 720),
        fps: float = 30.0,
        pixel_format: str = "auto",
        timeout_s: float = 5.0,
        backend: Backend | None = None,
    ) -> None:
        name = "the USB camera"
        if isinstance(device, str) and device.isdecimal():
            device = int(device)
        if device is not None:
            device = f"/dev/video{device}" if isinstance(device, int) else device
            name = f"the USB camera {device}"
        inner = _Capture(device, name, size_px, fps, pixel_format, timeout_s, backend or Backend())
        self._guard = Guard(inner, name, timeout_s)

    @classmethod
    def from_config(cls, config: CameraConfig) -> "UsbCamera":
        """The camera that a `camera` section with kind usb describes."""
        if isinstance(config.source, list):
            raise ConfigError("camera.kind usb takes an index or a /dev path as camera.source")
        return cls(
            config.source or (0 if config.source == 0 else None),
            config.size_px,
            config.fps,
            config.pixel_format,
            config.timeout_s,
        )


class _Capture:
    """The Camera inside the guard: every call may block as long as the driver does."""

    waits_outside = False

    def __init__(
        self,
        path: str | None,
        name: str,
        size_px: tuple[int, int],
        fps: float,
        pixel_format: str,
        timeout_s: float,
        backend: Backend,
    ) -> None:
        self._path = path
        self._name = name
        self._asked_size_px = size_px
        self._asked_fps = fps
        self._asked_format = pixel_format
        self._timeout_s = timeout_s
        self._backend = backend
        self._link: str | None = None
        self._pool = FramePool()
        self._capture: Any = None
        self._first: Frame | None = None
        self._shape: tuple[int, ...] = (size_px[1], size_px[0], 3)
        self._seq = 0
        self._start_ns = 0
        self._last_good_ns = 0

    def open(self) -> CameraInfo:
        self.close()
        device = self._look()
        # A link was chosen on purpose: two cameras of one make may share a by-id name.
        named_by_link = self._path is not None and Path(self._path).is_symlink()
        self._link = device.links[0] if device.links and not named_by_link else None
        self._seq, self._start_ns = 0, 0
        self._last_good_ns = time.monotonic_ns()
        capture = self._capture = self._backend.capture(device.node)
        try:
            if not capture.isOpened():
                raise CameraUnavailable(
                    f"{device.node} ({device.card}) cannot be opened; {in_use([Path(device.node)])}"
                )
            fourcc = self._ask(capture, device)
            first = self._first = self._first_frame(device)
            width, height = first.main.width_px, first.main.height_px
            notes = self._granted(capture, fourcc, width, height)
            fps = float(capture.get(cv2.CAP_PROP_FPS))
        except BaseException:
            self.close()
            raise
        name = f"USB {device.node} {device.card}".strip()
        return CameraInfo("usb", name, width, height, fps, True, notes)

    def read(self, timeout_s: float) -> Frame | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._capture is None:
            raise CameraLost(f"{self._name} is not open")
        now_ns = time.monotonic_ns()
        give_up_ns = now_ns + round(timeout_s * 1e9)
        while now_ns < give_up_ns:
            if self._backend.wait(self._capture, (give_up_ns - now_ns) / 1e9):
                if not self._capture.grab():
                    raise CameraLost(f"{self._name} stopped delivering; it may be unplugged")
                frame = self._frame(time.monotonic_ns())
                if frame is not None:
                    return frame
            now_ns = time.monotonic_ns()
            if now_ns - self._last_good_ns > self._timeout_s * 1e9:
                raise CameraLost(f"{self._name} sent no readable picture for {self._timeout_s:g} s")
        return None

    def close(self) -> None:
        if self._first is not None:
            self._first.release()
            self._first = None
        if self._capture is not None:
            self._capture.release()
            self._capture = None
        self._pool.clear()

    def faults(self) -> list[EdgeVisionError]:
        return []

    def _look(self) -> v4l2.Device:
        """The device to open now.  Raises CameraUnavailable with the reason when there is none."""
        if self._path is None:
            devices = self._backend.find()
            for device in devices:
                if device.usable:
                    return device
            raise CameraUnavailable(v4l2.no_camera(devices))
        # A device that was open once is looked for by its own name first: numbers change.
        for path in (self._link, self._path):
            if path is not None and Path(path).exists():
                device = self._backend.query(Path(path))
                if device.usable:
                    return device
                raise CameraUnavailable(f"{path} {device.refusal}")
        others = ", ".join(f"{d.node} ({d.card})" for d in self._backend.find() if d.usable)
        raise CameraUnavailable(f"{self._path} does not exist; cameras: {others or 'none'}")

    def _ask(self, capture: Any, device: v4l2.Device) -> str:
        """Ask for format, size and rate; returns the FOURCC asked for, or empty."""
        fourcc = self._asked_format
        offered = [format.fourcc for format in device.formats]
        if fourcc == "auto":
            fourcc = next((name for name in ("MJPG", "YUYV") if name in offered), "")
        elif offered and fourcc not in offered:
            raise CameraUnavailable(
                f"{device.node} ({device.card}) does not offer the pixel format {fourcc}; "
                f"it offers {', '.join(offered)}"
            )
        if fourcc:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._asked_size_px[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._asked_size_px[1])
        capture.set(cv2.CAP_PROP_FPS, self._asked_fps)
        return fourcc

    def _first_frame(self, device: v4l2.Device) -> Frame:
        try:
            while True:  # the first pictures of many cameras are broken; read() has the limit
                frame = self.read(self._timeout_s)
                if frame is not None:
                    return frame
        except CameraLost:
            raise CameraUnavailable(
                f"{device.node} ({device.card}) delivers no picture; {in_use([Path(device.node)])}"
            ) from None

    def _granted(self, capture: Any, fourcc: str, width: int, height: int) -> tuple[str, ...]:
        """What differs from what was asked for, a sentence each."""
        notes = []
        if (width, height) != self._asked_size_px:
            asked = "{}x{}".format(*self._asked_size_px)
            notes.append(f"asked for {asked} pixels, granted {width}x{height}")
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        if fps > 0 and abs(fps - self._asked_fps) > 0.5:
            notes.append(f"asked for {self._asked_fps:g} fps, granted {fps:g}")
        granted = fourcc_text(int(capture.get(cv2.CAP_PROP_FOURCC)))
        if fourcc and granted.strip("\0") and granted != fourcc:
            notes.append(f"asked for pixel format {fourcc}, granted {granted}")
        return tuple(notes)

    def _frame(self, arrived_ns: int) -> Frame | None:
        """The grabbed picture; None when it is broken, or when all buffers are in use."""
        seq = self._seq
        self._seq += 1
        buffer = self._pool.take(self._shape)
        if buffer is None:
            self._last_good_ns = arrived_ns
            return None
        good, picture = self._capture.retrieve(buffer)
        if not good or picture is None:
            self._pool.give_back(buffer)
            return None
        if not np.shares_memory(picture, buffer):  # of another size than expected
            self._pool.give_back(buffer, keep=False)
            picture = as_bgr(picture, self._name)
            self._shape = picture.shape
            self._pool.adopt(picture)
        self._last_good_ns = arrived_ns
        stamps = Stamps(exposed=arrived_ns, arrived=arrived_ns)
        driver_ms = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        if 0 <= arrived_ns / 1e6 - driver_ms < DRIVER_STAMP_MOST_MS:
            stamps.exposed, stamps.exposed_is_estimate = round(driver_ms * 1e6), False
        self._start_ns = self._start_ns or stamps.exposed
        return Frame(
            seq,
            Image.from_array(picture),
            stamps,
            media_ns=stamps.exposed - self._start_ns,
            recycle=partial(self._pool.give_back, picture),
        )
