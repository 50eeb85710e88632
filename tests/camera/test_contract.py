"""What every camera owes the pipeline, over every entry of the table."""

import itertools
import time

import cv2
import numpy as np
import pytest

from edge_vision.camera import KINDS, make_camera
from edge_vision.camera.auto import AutoCamera
from edge_vision.camera.base import EndOfStream
from edge_vision.camera.pi import PiCamera
from edge_vision.camera.usb import UsbCamera
from edge_vision.config import CameraConfig
from edge_vision.config_camera import PiCameraConfig
from edge_vision.errors import BackendMissing, CameraLost
from edge_vision.registry import load

pytestmark = pytest.mark.usefixtures("no_thread_left")

ENDLESS = ("auto", "auto without a device", "demo", "pi", "pi in rgb", "usb")
ENDING = ("clip", "clip of pictures")


@pytest.fixture
def camera(request, fake_v4l2, pi_world, make_clip, tmp_path):
    kind = request.param

    def usb(node):
        return UsbCamera(node, (64, 48), timeout_s=5.0, backend=fake_v4l2.backend())

    def demo():
        return make_camera(CameraConfig(kind="demo", size_px=(320, 240), pace="fast"))

    if kind == "auto":
        made = AutoCamera(usb, demo, fake_v4l2.find)
    elif kind == "auto without a device":
        made = AutoCamera(usb, demo, list)
    elif kind == "usb":
        made = usb(str(fake_v4l2.node))
    elif kind == "demo":
        made = demo()
    elif kind.startswith("pi"):
        values = {"format": "rgb" if kind.endswith("rgb") else "yuv420", "lores_px": (96, 96)}
        config = CameraConfig(kind="pi", size_px=(192, 128), pi=PiCameraConfig(**values))
        made = PiCamera(config, pi_world)
    elif kind == "clip":
        made = make_camera(CameraConfig(kind="clip", source=str(make_clip()), pace="fast"))
    else:
        folder = tmp_path / "pictures"
        folder.mkdir()
        for number in range(25):
            picture = np.full((10 + number, 12, 3), 10 * number, np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), picture)
        made = make_camera(CameraConfig(kind="clip", source=str(folder), pace="fast"))
    yield made
    made.close()


def every(*kinds):
    return pytest.mark.parametrize("camera", kinds, indirect=True)


def read_one(camera):
    while (frame := camera.read(1.0)) is None:
        pass
    return frame


def test_every_table_entry_is_under_contract_and_loads():
    assert {kind.split()[0] for kind in (*ENDLESS, *ENDING)} == set(KINDS)
    for kind in KINDS:
        assert hasattr(load(KINDS, kind, "camera"), "from_config")


@every(*ENDLESS, *ENDING)
def test_frames_fit_the_info_and_their_clock_runs_forward(camera):
    before_ns = time.monotonic_ns()
    info = camera.open()
    first = read_one(camera)
    assert (first.main.width_px, first.main.height_px) == (info.width_px, info.height_px)
    assert first.main.data.flags.c_contiguous
    frames = [first, *(read_one(camera) for _ in range(4))]
    after_ns = time.monotonic_ns()
    for earlier, later in itertools.pairwise(frames):
        assert later.seq > earlier.seq >= 0
        assert later.media_ns > earlier.media_ns >= 0
        assert later.stamps.arrived >= earlier.stamps.arrived
    for frame in frames:
        assert before_ns - 10**9 < frame.stamps.exposed <= frame.stamps.arrived <= after_ns
        assert frame.stamps.taken == frame.stamps.drawn == 0
        assert frame.leases == 1
        frame.release()
    assert camera.faults() == []


@every(*ENDLESS, *ENDING)
def test_memory_is_not_used_again_while_a_lease_is_out(camera):
    camera.open()
    held = read_one(camera).acquire()
    copy = held.main.data.copy()
    held.release()  # one of two
    for _ in range(8):
        frame = read_one(camera)
        assert not np.shares_memory(frame.main.data, held.main.data)
        frame.release()
    assert (held.main.data == copy).all()
    camera.close()
    assert (held.main.data == copy).all()
    held.release()


@every(*ENDLESS, *ENDING)
def test_it_closes_any_time_and_opens_again(camera):
    camera.close()
    for _ in range(3):
        info = camera.open()
        frame = read_one(camera)
        assert frame.main.width_px == info.width_px
        frame.release()
        camera.close()
        camera.close()


@every(*ENDLESS, *ENDING)
def test_a_closed_camera_says_so(camera):
    camera.open()
    camera.close()
    with pytest.raises(CameraLost):
        camera.read(0.1)


@every(*ENDING)
def test_a_recording_ends_and_stays_at_its_end(camera):
    camera.open()
    for _ in range(25):
        camera.read(1.0).release()
    for _ in range(2):
        with pytest.raises(EndOfStream):
            camera.read(1.0)


def test_a_missing_package_is_named(monkeypatch):
    def without_av(*_):
        raise ModuleNotFoundError("No module named 'av'", name="av")

    monkeypatch.setattr("edge_vision.camera.load", without_av)
    with pytest.raises(BackendMissing, match=r"needs the Python package av, .* pip install av"):
        make_camera(CameraConfig(kind="clip", source="a.mp4"))
