"""The choice: a Pi or USB camera that delivers, else the demo scene, and what is said about it."""

import pytest

from edge_vision.camera import make_camera, v4l2
from edge_vision.camera.auto import AutoCamera
from edge_vision.camera.base import CameraInfo
from edge_vision.camera.demo import DemoCamera
from edge_vision.camera.pi import PiCamera
from edge_vision.camera.usb import UsbCamera
from edge_vision.config import CameraConfig
from edge_vision.config_camera import PiCameraConfig
from edge_vision.errors import BackendMissing, CameraLost, CameraUnavailable, ConfigError

pytestmark = pytest.mark.usefixtures("no_thread_left")


class Demo:
    """Stands for the demo scene: only that it was opened and closed matters here."""

    opened = 0

    def open(self):
        self.opened += 1
        return CameraInfo("demo", "demo scene", 64, 48, 30.0, False, ("seed 0",))

    def read(self, timeout_s):
        return None

    def close(self):
        self.opened -= 1

    def faults(self):
        return []


@pytest.fixture
def demo():
    return Demo()


@pytest.fixture
def camera(fake_v4l2, demo):
    def usb(node):
        return UsbCamera(node, (64, 48), timeout_s=2.0, backend=fake_v4l2.backend())

    made = AutoCamera(usb, lambda: demo, fake_v4l2.find)
    yield made
    made.close()


def read_one(camera):
    while (frame := camera.read(1.0)) is None:
        pass
    return frame


def test_a_usb_camera_is_taken_and_named(camera, fake_v4l2, demo):
    info = camera.open()
    assert (info.kind, info.reconnects) == ("usb", True)
    assert info.notes == (f"took {fake_v4l2.node} (C920), the first USB camera with a picture",)
    read_one(camera).release()
    assert demo.opened == 0


def test_without_a_device_the_demo_scene_says_why(camera, fake_v4l2, demo):
    fake_v4l2.node.unlink()
    info = camera.open()
    assert info.kind == "demo"
    assert info.notes == (
        "seed 0",
        "no USB camera: no /dev/video* node; showing the built-in demo scene",
    )
    assert demo.opened == 1
    camera.close()
    assert demo.opened == 0


def test_a_device_that_is_no_camera_is_not_opened_and_said(camera, fake_v4l2):
    fake_v4l2.refusal = "is a video codec (bcm2835-codec), no webcam"
    (note,) = camera.open().notes[1:]
    assert note.startswith("no USB camera: ")
    assert "video0 (C920) is a video codec (bcm2835-codec), no webcam; showing" in note
    assert fake_v4l2.opened_nodes == []


def test_a_camera_without_a_picture_is_passed_over(camera, fake_v4l2):
    fake_v4l2.pictures = 0
    info = camera.open()
    assert info.kind == "demo"
    assert "another program may use it" in info.notes[-1]
    assert info.notes[-1].endswith("; showing the built-in demo scene")
    assert fake_v4l2.open_captures == []


def test_the_second_camera_is_taken_when_the_first_fails(fake_v4l2, demo):
    first = v4l2.Device("/dev/first", "broken")
    second = v4l2.Device("/dev/second", "good")

    def usb(node):
        if node == "/dev/first":
            fake = UsbCamera("/nonexistent/video0", backend=fake_v4l2.backend())
        else:
            fake = UsbCamera(str(fake_v4l2.node), (64, 48), backend=fake_v4l2.backend())
        return fake

    camera = AutoCamera(usb, lambda: demo, lambda: [first, second])
    assert "took /dev/second (good)" in camera.open().notes[-1]
    camera.close()


def test_a_lost_usb_camera_is_never_replaced_by_the_demo(camera, fake_v4l2, demo, take_all):
    fake_v4l2.pictures = 3
    camera.open()
    with pytest.raises(CameraLost):
        take_all(camera)
    camera.close()
    fake_v4l2.node.unlink()
    for _ in range(2):
        with pytest.raises(CameraUnavailable, match="no USB camera: no /dev/video"):
            camera.open()
    fake_v4l2.node.touch()
    fake_v4l2.pictures = None
    assert camera.open().kind == "usb"
    assert demo.opened == 0


def test_a_camera_plugged_in_later_replaces_the_demo_at_the_next_open(camera, fake_v4l2):
    fake_v4l2.node.unlink()
    assert camera.open().kind == "demo"
    camera.close()
    fake_v4l2.node.touch()
    assert camera.open().kind == "usb"


def test_where_nothing_may_stand_in_a_camera_is_waited_for(fake_v4l2):
    def usb(node):
        return UsbCamera(node, (64, 48), timeout_s=2.0, backend=fake_v4l2.backend())

    fake_v4l2.node.unlink()
    camera = AutoCamera(usb, None, fake_v4l2.find)
    for _ in range(2):
        with pytest.raises(CameraUnavailable, match=r"^no USB camera: no /dev/video\* node$"):
            camera.open()
    fake_v4l2.node.touch()
    assert camera.open().kind == "usb"
    camera.close()


def test_only_auto_has_a_stand_in():
    assert make_camera(CameraConfig())._demo is not None
    assert make_camera(CameraConfig(), stand_in=False)._demo is None
    assert isinstance(make_camera(CameraConfig(kind="demo"), stand_in=False), DemoCamera)


def test_from_config_asks_usb_for_what_the_section_says():
    config = CameraConfig(size_px=(320, 240), fps=5.0, pixel_format="YUYV", timeout_s=3.0)
    inner = AutoCamera.from_config(config)._usb("/dev/video7")._guard._inner
    assert inner._path == "/dev/video7"
    assert (inner._asked_size_px, inner._asked_fps) == ((320, 240), 5.0)
    assert (inner._asked_format, inner._timeout_s) == ("YUYV", 3.0)


@pytest.fixture
def with_pi(fake_v4l2, demo, pi_world):
    """with_pi(pi_key=...): an auto camera where there is a Pi camera too."""
    made = []

    def build(**pi):
        config = CameraConfig(size_px=(192, 128), timeout_s=2.0, pi=PiCameraConfig(**pi))

        def usb(node):
            return UsbCamera(node, (64, 48), timeout_s=2.0, backend=fake_v4l2.backend())

        made.append(
            AutoCamera(usb, lambda: demo, fake_v4l2.find, lambda: PiCamera(config, pi_world))
        )
        return made[-1]

    yield build
    for camera in made:
        camera.close()


def test_a_pi_camera_comes_first(with_pi, fake_v4l2):
    camera = with_pi()
    info = camera.open()
    assert (info.kind, info.notes) == ("pi", ())
    read_one(camera).release()
    assert fake_v4l2.opened_nodes == []


def test_a_usb_camera_is_taken_where_libcamera_has_none(with_pi, pi_world):
    pi_world.cameras.clear()
    info = with_pi().open()
    assert info.kind == "usb"
    assert len(info.notes) == 1


def test_every_reason_is_told_when_neither_is_there(with_pi, pi_world, fake_v4l2):
    pi_world.cameras.clear()
    fake_v4l2.node.unlink()
    info = with_pi().open()
    assert info.kind == "demo"
    assert info.notes[-1].startswith("libcamera finds no Pi camera; ")
    assert "; no USB camera: no /dev/video* node; showing the built-in demo" in info.notes[-1]


def test_a_lost_pi_camera_is_never_replaced_by_the_demo(with_pi, pi_world, fake_v4l2, demo):
    fake_v4l2.node.unlink()
    camera = with_pi()
    camera.open()
    camera.close()
    pi_world.busy = True
    with pytest.raises(CameraUnavailable, match="resource busy"):
        camera.open()
    pi_world.busy = False
    assert camera.open().kind == "pi"
    assert demo.opened == 0


def test_a_picamera2_that_is_broken_is_a_reason_and_no_end(fake_v4l2, demo):
    def broken():
        raise BackendMissing("the system's picamera2 was built for another numpy")

    fake_v4l2.node.unlink()
    camera = AutoCamera(lambda node: demo, lambda: demo, fake_v4l2.find, broken)
    assert camera.open().notes[-1].startswith("the system's picamera2 was built for another")
    camera.close()


def test_a_setting_the_pi_camera_does_not_have_is_an_error(with_pi):
    with pytest.raises(ConfigError, match=r"camera.pi.autofocus is manual"):
        with_pi(autofocus="manual").open()
