"""A stand-in for picamera2 and libcamera, as strict as they are (read in 0.3.18 and 0.3.38).

One picture is finished for each turn of the event loop, if the camera has a free buffer; else it is
lost, and `starved` counts it.  Rows are padded as the Pi's ISP does.
"""

import atexit
import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from fake_drm import FakeScreen

PI_CONTROLS = {
    "FrameDurationLimits": (21_000, 11_767_000, None),
    "ExposureTime": (75, 11_766_829, None),
    "AnalogueGain": (1.0, 10.67, None),
    "ScalerCrop": ((0, 0, 64, 64), (0, 0, 3280, 2464), (0, 0, 3280, 1846)),
}
LENS = {"AfMode": (0, 2, 0), "LensPosition": (0.0, 15.0, 1.0)}
WORDS = {"format", "size", "stride", "preserve_ar"}


def padded(bgr: np.ndarray, size: tuple[int, int], name: str, pad: int) -> tuple[np.ndarray, int]:
    """A BGR picture squeezed to (width, height), in picamera2's format, rows of `stride` bytes."""
    width, height = size
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    if name in ("RGB888", "BGR888"):
        stride = -(-width * 3 // pad) * pad
        rows = small if name == "RGB888" else small[:, :, ::-1]
        out = np.zeros((height, stride), np.uint8)
        out[:, : width * 3] = rows.reshape(height, width * 3)
        return out, stride
    stride = -(-width // pad) * pad
    i420 = cv2.cvtColor(small, cv2.COLOR_BGR2YUV_I420)
    out = np.zeros((height * 3 // 2, stride), np.uint8)
    out[:height, :width] = i420[:height]
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    if name == "NV12":
        out[height:, :width] = chroma.transpose(1, 2, 0).reshape(height // 2, width)
    else:
        out[height:].reshape(2, height // 2, stride // 2)[:, :, : width // 2] = chroma
    return out, stride


class Request:
    """picamera2's CompletedRequest: counted, and back to the camera with the last release."""

    def __init__(self, camera: "Picamera2", buffers: dict[str, np.ndarray], stamp_ns: int) -> None:
        self.camera = camera
        self.buffers = buffers
        self.stamp_ns = stamp_ns
        self.stop_count = camera.stop_count
        self.ref_count = 1
        camera.world.requests.append(self)
        self.lock = threading.Lock()

    def acquire(self) -> None:
        with self.lock:
            if self.ref_count == 0:
                raise RuntimeError("CompletedRequest: acquiring lock with ref_count 0")
            self.ref_count += 1

    def release(self) -> None:
        with self.lock:
            self.ref_count -= 1
            if self.ref_count < 0:
                raise RuntimeError("CompletedRequest: lock now has negative ref_count")
            last = self.ref_count == 0
        if last and self.camera.started and self.stop_count == self.camera.stop_count:
            self.camera.queue(self.buffers)

    def get_metadata(self) -> dict[str, Any]:
        return dict(self.camera.world.metadata(self.stamp_ns))


class MappedArray:
    """A view of a request's buffer, padding and all for YUV, as picamera2 shapes it."""

    def __init__(self, request: Request, stream: str, write: bool = True) -> None:
        assert request.ref_count > 0, "mapped after its release"
        assert not write
        self.data = request.buffers[stream]
        self.config = request.camera.config[stream]
        self.array: Any = None

    def __enter__(self) -> "MappedArray":
        width, height = self.config["size"]
        if self.config["format"] in ("RGB888", "BGR888"):
            self.array = self.data[:, : width * 3].reshape(height, width, 3)
        elif self.config["format"] == "NV12":
            self.array = self.data[:, :width]
        else:
            self.array = self.data
        return self


class Picamera2:
    """One opened camera of the `world`."""

    world: "World"

    def __init__(self, camera_num: int, tuning: str | None = None) -> None:
        if camera_num >= len(self.world.cameras):
            raise RuntimeError(f"No camera number {camera_num} found")
        if self.world.busy:
            try:
                raise RuntimeError("Failed to acquire camera: Device or resource busy")
            except RuntimeError as error:
                raise RuntimeError("Camera __init__ sequence did not complete.") from error
        assert self.world.opened is None, "opened again before it was closed"
        self.world.opened = self
        self.world.tunings.append((tuning, os.environ.get("LIBCAMERA_RPI_TUNING_FILE")))
        self.notifyme_r, self.notifyme_w = os.pipe2(os.O_NONBLOCK)
        self.notifymeread = os.fdopen(self.notifyme_r, "rb")
        self.pre_callback: Any = None
        self.config: dict[str, Any] = {}
        self.controls: dict[str, Any] = {}
        self.started = False
        self.stop_count = 0
        atexit.register(self.close)
        self.free: list[dict[str, np.ndarray]] = []
        self.done: list[Request] = []

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return Picamera2.world.cameras

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        return self.world.controls

    def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:
        assert set(wanted["main"]) <= WORDS
        assert wanted["lores"] is None or set(wanted["lores"]) <= WORDS
        for stream in (wanted["main"], wanted["lores"]):
            if stream is not None:
                stream["size"] = tuple(side - side % 2 for side in stream["size"])
        return wanted

    def configure(self, config: dict[str, Any]) -> None:
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        main, lores = config["main"], config["lores"]
        if lores is not None and any(
            a > b for a, b in zip(lores["size"], main["size"], strict=True)
        ):
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        if lores is not None and lores["format"] != "YUV420":
            raise RuntimeError("lores stream must be YUV")
        if self.world.refuses:
            raise RuntimeError(self.world.refuses)
        if self.world.largest is not None:
            main["size"] = tuple(map(min, main["size"], self.world.largest))
        if lores is not None and not self.world.second_stream:
            lores["size"] = tuple(2 * side for side in main["size"])
        for stream in (main, lores):
            if stream is not None:
                stream["format"] = self.world.gives.get(stream["format"], stream["format"])
        config["buffer_count"] = self.world.buffers or config["buffer_count"]
        self.config = config
        granted = SimpleNamespace(buffer_count=config["buffer_count"])
        self.libcamera_config = SimpleNamespace(at=lambda _index: granted)

    def camera_configuration(self) -> dict[str, Any]:
        return self.config

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name in controls:
            if name not in self.world.controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.controls |= controls

    def start(self, show_preview: Any = False) -> None:
        assert show_preview is None, "a second event loop"
        for _ in range(self.config["buffer_count"]):
            self.free.append(
                {
                    name: padded(self.world.picture, stream["size"], stream["format"], 64)[0]
                    for name in ("main", "lores")
                    if (stream := self.config[name]) is not None
                }
            )
        self.started = True
        self._finish_one()

    def queue(self, buffers: dict[str, np.ndarray]) -> None:
        self.world.threads.add(threading.current_thread().name)
        if self.world.gone:
            raise RuntimeError("Failed to queue request: No such device")
        self.free.append(buffers)

    def _finish_one(self) -> None:
        world = self.world
        if world.frozen_after is not None and world.finished >= world.frozen_after:
            return
        world.finished += 1
        if self.free:
            buffers = self.free.pop(0)
            buffers["main"][0, 0] = world.finished % 256
            self.done.append(Request(self, buffers, world.clock_ns()))
        else:
            world.starved += 1
        os.write(self.notifyme_w, b"\0")

    def process_requests(self, display: Any) -> None:
        done, self.done = self.done, []
        shown = done[-1] if done else None
        if shown is not None:
            shown.acquire()
        for request in done:
            self.pre_callback(request)
            request.release()
        if shown is not None:
            if self.config["display"] is not None:
                display.render_request(shown)
            shown.release()
        self._finish_one()

    def close(self) -> None:
        self.world.closing.set()
        if self.world.hangs_in_close:
            self.world.let_go.wait(10)
        self.started = False
        self.stop_count += 1
        for request in self.done:
            request.release()
        self.notifymeread.close()
        os.close(self.notifyme_w)
        self.world.opened = None


class World:
    """What is connected and how it behaves; the tests change it.  `stack` goes into PiCamera."""

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture
        self.cameras: list[dict[str, Any]] = [
            {"Model": "imx219", "Id": "/base/soc/i2c0mux/i2c@1/imx219@10", "Num": 0}
        ]
        self.controls: dict[str, tuple[Any, Any, Any]] = dict(PI_CONTROLS)
        self.gives: dict[str, str] = {}
        self.largest: tuple[int, int] | None = None
        self.second_stream = True
        self.buffers: int | None = None
        self.refuses = ""
        self.busy = self.gone = self.hangs_in_close = False
        self.frozen_after: int | None = None
        self.finished = self.starved = 0
        self.opened: Picamera2 | None = None
        self.tunings: list[tuple[str | None, str | None]] = []
        self.threads: set[str] = set()
        self.requests: list[Request] = []
        self.closing, self.let_go = threading.Event(), threading.Event()
        self.clock_ns = time.monotonic_ns
        self.metadata = lambda stamp_ns: {"SensorTimestamp": stamp_ns, "ExposureTime": 9000}
        camera = type("Picamera2", (Picamera2,), {"world": self})
        camera.global_camera_info = staticmethod(lambda: self.cameras)  # type: ignore[attr-defined]
        self.screen = FakeScreen()
        previews = SimpleNamespace(DrmPreview=self.screen.preview)
        self.picamera2 = SimpleNamespace(
            Picamera2=camera, MappedArray=MappedArray, previews=previews
        )
        self.libcamera = SimpleNamespace(
            Transform=lambda hflip=0, vflip=0: ("transform", bool(hflip), bool(vflip)),
            ColorSpace=SimpleNamespace(Smpte170m=lambda: "SMPTE170M"),
        )
