"""Made clips, a clock that only moves when told, and cameras without a device."""

import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.camera import v4l2
from edge_vision.camera.base import Camera, EndOfStream
from edge_vision.camera.opencv import Backend
from edge_vision.camera.pace import Pacer
from edge_vision.camera.pi import PiCamera
from edge_vision.config import CameraConfig
from edge_vision.config_camera import PiCameraConfig
from edge_vision.frame import Frame, PixelFormat

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for fake_picamera2, which is no test

from fake_picamera2 import World


class Clock:
    """Time that passes by waiting only, or by `step_ns` with each look at it."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.step_ns = 0

    def look(self) -> int:
        self.now_ns += self.step_ns
        return self.now_ns

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)

    def pacer(self) -> Pacer:
        return Pacer(self.look, self.wait)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def numbered(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """A BGR picture whose grey value is its number: 40, 44, 48, ..."""
    return np.full((height, width, 3), 40 + 4 * index, np.uint8)


MakeClip = Callable[..., Path]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Writes a video; `pictures` (index -> BGR) are encoded at `pts` (in 1/fps)."""

    def make(
        name: str = "clip.mp4",
        *,
        frames: int = 25,
        fps: int = 25,
        size: tuple[int, int] = (64, 48),
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        pictures: Callable[[int, int, int], NDArray[np.uint8]] = numbered,
        pts: list[int] | None = None,
        options: dict[str, str] | None = None,
        matrix: int = 5,
        full_range: bool = False,
    ) -> Path:
        path = tmp_path / name
        with av.open(f"file:{path}", "w", options=options or {}) as container:
            stream: Any = container.add_stream(codec, rate=fps)
            stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
            stream.codec_context.time_base = Fraction(1, fps)
            stream.codec_context.colorspace = matrix
            stream.codec_context.color_range = 2 if full_range else 1
            if codec == "libx264":
                stream.options = {"preset": "ultrafast", "crf": "12"}
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(pictures(index, *size), format="bgr24")
                frame = frame.reformat(
                    format=pix_fmt,
                    dst_colorspace=matrix if matrix != 2 else 5,
                    dst_color_range=2 if full_range else 1,
                )
                frame.colorspace = matrix
                frame.pts = pts[index] if pts else index
                frame.time_base = Fraction(1, fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return make


def as_bgr(frame: Frame) -> NDArray[np.uint8]:
    """A frame's main picture the way consumers of the formats read it."""
    data = frame.main.data
    if frame.main.format is PixelFormat.YUV420:
        return np.asarray(cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420), np.uint8)
    return data


@pytest.fixture
def to_bgr() -> Callable[[Frame], NDArray[np.uint8]]:
    return as_bgr


ReadAll = Callable[..., list[tuple[int, int, float, PixelFormat]]]


@pytest.fixture
def read_all() -> ReadAll:
    """Opens, reads to the end and closes; (seq, media_ns, mean grey, format) of each frame."""

    def read(camera: Camera, most: int = 1000) -> list[tuple[int, int, float, PixelFormat]]:
        camera.open()
        seen = []
        try:
            while len(seen) < most:
                frame = camera.read(5.0)
                assert frame is not None
                grey = float(as_bgr(frame).mean())
                seen.append((frame.seq, frame.media_ns, grey, frame.main.format))
                frame.release()
        except EndOfStream:
            pass
        finally:
            camera.close()
        return seen

    return read


def take_frames(camera: Camera, use: Callable[[Frame], object] = Frame.release) -> None:
    """Gives `use` every frame until the camera raises."""
    while True:
        frame = camera.read(0.2)
        if frame is not None:
            use(frame)


@pytest.fixture
def take_all() -> Callable[..., None]:
    return take_frames


class FakeCapture:
    """What cv2.VideoCapture is for us, with a script: how many pictures, and which are broken."""

    def __init__(self, device: "FakeV4l2", node: str) -> None:
        self.device = device
        self.node = node
        self.properties: dict[int, float] = {}
        self.number = 0
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's name)
        return self.device.opens

    def set(self, key: int, value: float) -> bool:
        self.properties[key] = value
        return True

    def get(self, key: int) -> float:
        if key == cv2.CAP_PROP_POS_MSEC:
            return self.device.stamp_ms()
        return self.device.granted.get(key, self.properties.get(key, 0.0))

    def grab(self) -> bool:
        assert not self.released
        assert self.number != self.device.freezes_after, "grab() would block; wait() said so"
        self.number += 1
        if self.device.hangs.is_set():
            self.device.let_go.wait(10)
        return self.device.pictures is None or self.number <= self.device.pictures

    def retrieve(self, buffer: NDArray[np.uint8]) -> tuple[bool, NDArray[np.uint8]]:
        if self.number in self.device.broken or self.device.all_broken:
            return False, buffer
        shape = self.device.shape
        picture = buffer if buffer.shape == shape else np.empty(shape, np.uint8)
        picture[:] = self.number % 256
        return True, picture

    def release(self) -> None:
        self.released = True
        self.device.open_captures.remove(self)


class FakeV4l2:
    """One webcam at /dev/video0, and what the tests change about it."""

    def __init__(self, folder: Path) -> None:
        self.node = folder / "video0"
        self.node.touch()
        self.formats = (v4l2.Format("YUYV", "raw"), v4l2.Format("MJPG", "Motion-JPEG"))
        self.refusal = ""
        self.links: tuple[str, ...] = ()
        self.opens = True
        self.pictures: int | None = None
        self.broken: set[int] = set()
        self.all_broken = False
        self.shape: tuple[int, ...] = (48, 64, 3)
        self.granted: dict[int, float] = {}
        self.stamp_ms: Callable[[], float] = lambda: 0.0
        self.freezes_after: int | None = None
        self.hangs = threading.Event()
        self.let_go = threading.Event()
        self.open_captures: list[FakeCapture] = []
        self.opened_nodes: list[str] = []

    def capture(self, node: str) -> FakeCapture:
        assert not self.open_captures, "opened again before it was closed"
        made = FakeCapture(self, node)
        self.open_captures.append(made)
        self.opened_nodes.append(node)
        return made

    def query(self, path: Path) -> v4l2.Device:
        return v4l2.Device(
            str(path.resolve()), "C920", "uvcvideo", "usb-1", self.links, self.formats, self.refusal
        )

    def find(self) -> list[v4l2.Device]:
        return [self.query(self.node)] if self.node.exists() else []

    def wait(self, capture: FakeCapture, timeout_s: float) -> bool:
        assert capture in self.open_captures
        if capture.number == self.freezes_after:
            self.let_go.wait(timeout_s)
            return False
        return True

    def backend(self) -> Backend:
        return Backend(self.capture, self.query, self.find, self.wait)


@pytest.fixture
def fake_v4l2(tmp_path: Path) -> FakeV4l2:
    return FakeV4l2(tmp_path)


@pytest.fixture
def pi_world(pictures: Path) -> World:
    """A Raspberry Pi whose camera shows a cat, without a Raspberry Pi."""
    return World(np.asarray(cv2.imread(str(pictures / "cat.jpg")), np.uint8))


@pytest.fixture
def open_pi(pi_world, no_thread_left):
    """open_pi(size_px=..., pi_key=...): a camera that has been opened, and its CameraInfo."""
    made = []

    def build(size_px=(640, 480), fps=30.0, timeout_s=5.0, **pi):
        config = CameraConfig(
            kind="pi", size_px=size_px, fps=fps, timeout_s=timeout_s, pi=PiCameraConfig(**pi)
        )
        made.append(PiCamera(config, pi_world))
        return made[-1], made[-1].open()

    yield build
    pi_world.let_go.set()
    for camera in made:
        camera.close()
