"""The demo camera: pace and frame memory; time is moved by the test."""

import math
import weakref
from itertools import pairwise

import numpy as np
import pytest

from edge_vision.camera.demo import DemoCamera
from edge_vision.camera.demo_scene import DemoScene
from edge_vision.camera.pace import Pacer
from edge_vision.config import CameraConfig
from edge_vision.errors import CameraLost, ConfigError
from edge_vision.frame import PixelFormat

SMALL = (320, 180)


class FakeTime:
    """A clock that moves when somebody waits, or when the test says so."""

    def __init__(self) -> None:
        self.now_ns = 1_000

    def clock_ns(self) -> int:
        return self.now_ns

    def wait_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def realtime(fps: float = 30.0) -> tuple[DemoCamera, FakeTime]:
    time = FakeTime()
    camera = DemoCamera(SMALL, fps, pacer=Pacer(time.clock_ns, time.wait_s))
    camera.open()
    return camera, time


def test_info_and_first_frame() -> None:
    camera = DemoCamera(SMALL, 25.0, pace="fast")
    info = camera.open()
    assert (info.kind, info.name, info.width_px, info.height_px) == ("demo", "demo scene", 320, 180)
    assert info.fps == 25.0
    assert not info.reconnects
    frame = camera.read(0.1)
    assert frame is not None
    assert (frame.seq, frame.media_ns, frame.leases) == (0, 0, 1)
    assert frame.main.format is PixelFormat.BGR
    assert np.array_equal(frame.main.data, camera.render(0))
    assert 0 < frame.stamps.exposed <= frame.stamps.arrived
    assert not frame.stamps.exposed_is_estimate
    assert camera.faults() == []


def test_fast_gives_every_frame_at_once() -> None:
    camera, time = DemoCamera(SMALL, 25.0, pace="fast"), FakeTime()
    camera.open()
    frames = [camera.read(0) for _ in range(6)]
    assert [frame.seq for frame in frames if frame] == list(range(6))
    assert [frame.media_ns for frame in frames if frame] == [n * 40_000_000 for n in range(6)]
    assert time.now_ns == 1_000


def test_realtime_waits_until_a_frame_is_due() -> None:
    camera, time = realtime(fps=25)
    begin = time.now_ns
    exposed = []
    for _ in range(4):
        frame = camera.read(1.0)
        assert frame is not None
        exposed.append(frame.stamps.exposed - begin)
        frame.release()
    assert exposed == [0, 40_000_000, 80_000_000, 120_000_000]
    assert time.now_ns == begin + 120_000_000


def test_realtime_gives_up_at_the_time_out_and_loses_nothing() -> None:
    camera, _ = realtime(fps=2)
    first, none, second = camera.read(0.1), camera.read(0.1), camera.read(0.5)
    assert first is not None
    assert none is None
    assert second is not None
    assert second.seq == 1


def test_realtime_skips_what_is_past() -> None:
    camera, time = realtime(fps=25)
    assert camera.read(1.0) is not None
    time.now_ns += 210_000_000
    late = camera.read(1.0)
    assert late is not None
    assert late.seq == 5  # due at 200 ms; 1 to 4 are lost, 6 is not due yet
    assert late.stamps.exposed == 1_000 + 200_000_000
    assert late.stamps.arrived == 1_000 + 210_000_000
    following = camera.read(1.0)
    assert following is not None
    assert following.seq == 6


def test_newest_due_frame_at_awkward_rates() -> None:
    for fps in (7.0, 29.97, 30.0, 59.94, 240.0):
        scene = DemoScene(SMALL, fps, 0)
        for seq in (0, 1, 2, 3, 99, 1000, 123457):
            due = scene.media_ns(seq)
            assert scene.seq_at(due) == seq
            assert scene.seq_at(due + 1) == seq
            assert seq == 0 or scene.seq_at(due - 1) == seq - 1


def test_memory_goes_round_and_is_never_shared() -> None:
    camera = DemoCamera(SMALL, pace="fast")
    camera.open()
    held = [camera.read(0) for _ in range(3)]
    frames = [frame for frame in held if frame]
    pixels = [frame.main.data for frame in frames]
    assert not any(np.shares_memory(a, b) for a, b in pairwise(pixels))
    kept = pixels[0].copy()
    frames[0].acquire()
    for frame in frames:
        frame.release()
    addresses = set()
    for _ in range(20):
        frame = camera.read(0)
        assert frame is not None
        addresses.add(frame.main.data.ctypes.data)
        frame.release()
    assert len(addresses) == 1
    assert addresses <= {p.ctypes.data for p in pixels[1:]}
    assert np.array_equal(pixels[0], kept)


def test_open_again_starts_again_and_old_frames_stay_valid() -> None:
    camera = DemoCamera(SMALL, pace="fast")
    camera.close()
    with pytest.raises(CameraLost, match="closed"):
        camera.read(0)
    camera.open()
    old = camera.read(0)
    assert old is not None
    kept = old.main.data.copy()
    camera.close()
    camera.close()
    camera.open()
    for _ in range(3):
        frame = camera.read(0)
        assert frame is not None
        frame.release()
    assert frame.seq == 2
    assert np.array_equal(old.main.data, kept)
    old.release()


def test_from_config() -> None:
    config = CameraConfig(kind="demo", size_px=(128, 96), fps=12.5, seed=3, pace="fast")
    camera = DemoCamera.from_config(config)
    info = camera.open()
    assert (info.width_px, info.height_px, info.fps) == (128, 96, 12.5)
    frame = camera.read(0)
    assert frame is not None
    assert np.array_equal(frame.main.data, DemoCamera((128, 96), 12.5, 3).render(0))


@pytest.mark.parametrize(
    ("size_px", "fps", "seed", "words"),
    [
        ((8, 720), 30, 0, "8x720"),
        ((1280, 9000), 30, 0, "1280x9000"),
        ((64, 64), 0, 0, "0 frames a second"),
        ((64, 64), math.nan, 0, "nan frames"),
        ((64, 64), 30, -1, "seed -1"),
    ],
)
def test_impossible_scenes_are_refused(
    size_px: tuple[int, int], fps: float, seed: int, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        DemoCamera(size_px, fps, seed)


def test_memory_of_a_busy_moment_goes_back() -> None:
    camera = DemoCamera((320, 240), pace="fast")
    camera.open()
    frames = [camera.read(1.0) for _ in range(10)]
    memory = []
    while frames:
        frame = frames.pop()
        assert frame is not None
        memory.append(weakref.ref(frame.main.data))
        frame.release()
    del frame
    assert 1 <= sum(buffer() is not None for buffer in memory) <= 3
    camera.close()
