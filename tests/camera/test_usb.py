"""The USB camera against a capture without a device."""

import sys
import time
from subprocess import PIPE, Popen

import cv2
import pytest

from edge_vision.camera.usb import UsbCamera
from edge_vision.config import CameraConfig
from edge_vision.errors import CameraLost, CameraUnavailable, ConfigError

MJPG, YUYV = (cv2.VideoWriter.fourcc(*name) for name in ("MJPG", "YUYV"))

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture
def camera(fake_v4l2):
    made = UsbCamera(str(fake_v4l2.node), (64, 48), timeout_s=2.0, backend=fake_v4l2.backend())
    yield made
    fake_v4l2.let_go.set()
    made.close()


def read_one(camera):
    while (frame := camera.read(1.0)) is None:
        pass
    return frame


def test_it_delivers_stamped_frames_with_growing_numbers(camera, fake_v4l2):
    before_ns = time.monotonic_ns()
    info = camera.open()
    assert (info.kind, info.name) == ("usb", f"USB {fake_v4l2.node} C920")
    assert (info.width_px, info.height_px, info.reconnects, info.notes) == (64, 48, True, ())
    last = read_one(camera)
    for _ in range(5):
        frame = read_one(camera)
        assert frame.seq > last.seq
        assert before_ns < last.stamps.exposed < frame.stamps.exposed == frame.stamps.arrived
        assert frame.stamps.exposed_is_estimate
        assert frame.media_ns > last.media_ns
        last.release()
        last = frame


def test_a_frame_stays_as_it_is_while_it_is_held(camera):
    camera.open()
    held = read_one(camera)
    value = int(held.main.data[0, 0, 0])
    for _ in range(20):
        read_one(camera).release()
    assert (held.main.data == value).all()


def test_mjpg_is_taken_where_offered_else_yuyv(camera, fake_v4l2):
    camera.open()
    assert fake_v4l2.open_captures[0].properties[cv2.CAP_PROP_FOURCC] == MJPG
    fake_v4l2.formats = fake_v4l2.formats[:1]
    camera.close()
    camera.open()
    assert fake_v4l2.open_captures[0].properties[cv2.CAP_PROP_FOURCC] == YUYV


def test_a_format_it_does_not_have_lists_those_it_has(fake_v4l2):
    camera = UsbCamera(str(fake_v4l2.node), pixel_format="NV12", backend=fake_v4l2.backend())
    with pytest.raises(CameraUnavailable, match=r"does not offer .* NV12; it offers YUYV, MJPG"):
        camera.open()
    assert fake_v4l2.open_captures == []
    camera.close()


def test_what_is_granted_instead_is_noted(fake_v4l2):
    fake_v4l2.shape = (240, 320, 3)
    fake_v4l2.granted = {cv2.CAP_PROP_FPS: 15.0, cv2.CAP_PROP_FOURCC: float(YUYV)}
    camera = UsbCamera(str(fake_v4l2.node), (1280, 720), 30.0, backend=fake_v4l2.backend())
    info = camera.open()
    assert (info.width_px, info.height_px, info.fps) == (320, 240, 15.0)
    assert info.notes == (
        "asked for 1280x720 pixels, granted 320x240",
        "asked for 30 fps, granted 15",
        "asked for pixel format MJPG, granted YUYV",
    )
    assert read_one(camera).main.data.shape == (240, 320, 3)
    camera.close()


def test_the_drivers_own_time_is_used_when_it_is_of_our_clock(camera, fake_v4l2):
    fake_v4l2.stamp_ms = lambda: time.monotonic() * 1000 - 30
    camera.open()
    stamps = read_one(camera).stamps
    assert not stamps.exposed_is_estimate
    assert 29e6 < stamps.arrived - stamps.exposed < 31e6


@pytest.mark.parametrize("offset_ms", [-5000, 60_000])
def test_a_time_of_another_clock_is_not_used(camera, fake_v4l2, offset_ms):
    fake_v4l2.stamp_ms = lambda: time.monotonic() * 1000 + offset_ms
    camera.open()
    stamps = read_one(camera).stamps
    assert stamps.exposed_is_estimate
    assert stamps.exposed == stamps.arrived


def test_an_unplugged_camera_is_lost_at_once_and_comes_back_elsewhere(
    fake_v4l2, tmp_path, take_all
):
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    link = by_id / "usb-C920"
    link.symlink_to(fake_v4l2.node)
    fake_v4l2.links = (str(link),)
    fake_v4l2.pictures = 5
    camera = UsbCamera(str(fake_v4l2.node), (64, 48), backend=fake_v4l2.backend())
    camera.open()
    with pytest.raises(CameraLost, match="stopped delivering; it may be unplugged"):
        take_all(camera)
    camera.close()
    assert fake_v4l2.open_captures == []
    fake_v4l2.node.unlink()
    with pytest.raises(CameraUnavailable, match="video0 does not exist; cameras: none"):
        camera.open()
    fake_v4l2.node = tmp_path / "video3"
    fake_v4l2.node.touch()
    link.unlink()
    link.symlink_to(fake_v4l2.node)
    fake_v4l2.pictures = None
    camera.open()
    assert fake_v4l2.opened_nodes[-1] == str(tmp_path / "video3")
    camera.close()


def test_a_camera_named_by_path_is_not_replaced_by_a_twin_with_its_by_id_name(fake_v4l2, tmp_path):
    (tmp_path / "by-id").mkdir()
    (tmp_path / "by-path").mkdir()
    by_id, by_path = tmp_path / "by-id/usb-twin", tmp_path / "by-path/port-1"
    by_id.symlink_to(fake_v4l2.node)
    by_path.symlink_to(fake_v4l2.node)
    fake_v4l2.links = (str(by_id), str(by_path))
    camera = UsbCamera(str(by_path), backend=fake_v4l2.backend())
    camera.open()
    camera.close()
    for gone in (fake_v4l2.node, by_path, by_id):
        gone.unlink()
    fake_v4l2.node = tmp_path / "video2"
    fake_v4l2.node.touch()
    by_id.symlink_to(fake_v4l2.node)  # udev points it to the one that is left
    with pytest.raises(CameraUnavailable, match="port-1 does not exist"):
        camera.open()


def test_without_a_by_id_name_it_comes_back_under_its_by_path_name(fake_v4l2, tmp_path):
    (tmp_path / "by-path").mkdir()
    by_path = tmp_path / "by-path/platform-0"
    by_path.symlink_to(fake_v4l2.node)
    fake_v4l2.links = (str(by_path),)
    camera = UsbCamera(str(fake_v4l2.node), backend=fake_v4l2.backend())
    camera.open()
    camera.close()
    fake_v4l2.node.unlink()
    by_path.unlink()
    fake_v4l2.node = tmp_path / "video1"
    fake_v4l2.node.touch()
    by_path.symlink_to(fake_v4l2.node)
    camera.open()
    assert fake_v4l2.opened_nodes[-1] == str(fake_v4l2.node)
    camera.close()


def test_no_device_named_takes_the_first(fake_v4l2):
    camera = UsbCamera(backend=fake_v4l2.backend())
    camera.open()
    assert fake_v4l2.opened_nodes == [str(fake_v4l2.node)]
    camera.close()
    fake_v4l2.node.unlink()
    with pytest.raises(CameraUnavailable, match="no USB camera: no /dev/video"):
        camera.open()


def test_an_index_is_a_node_and_missing_nodes_name_those_there(fake_v4l2):
    camera = UsbCamera(97, backend=fake_v4l2.backend())
    with pytest.raises(CameraUnavailable, match=r"^/dev/video97 does not exist; cameras: .*C920"):
        camera.open()


def test_a_metadata_node_is_refused_with_its_reason(camera, fake_v4l2):
    fake_v4l2.refusal = "gives only metadata of a camera, no pictures"
    with pytest.raises(CameraUnavailable, match=r"video0 gives only metadata"):
        camera.open()
    assert fake_v4l2.opened_nodes == []


def test_another_program_that_has_the_camera_is_named(camera, fake_v4l2):
    program = "import sys; file = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, fake_v4l2.node]
    with Popen(command, stdin=PIPE, stdout=PIPE) as other:
        other.stdout.readline()
        fake_v4l2.pictures = 0
        with pytest.raises(CameraUnavailable, match=rf"picture; it is held by process {other.pid}"):
            camera.open()
        other.communicate()


def test_what_does_not_open_or_deliver_is_unavailable_and_closed(camera, fake_v4l2):
    fake_v4l2.opens = False
    with pytest.raises(CameraUnavailable, match=r"\(C920\) cannot be opened; another program may"):
        camera.open()
    fake_v4l2.opens = True
    fake_v4l2.pictures = 0
    with pytest.raises(CameraUnavailable, match="another program may use it"):
        camera.open()
    assert fake_v4l2.open_captures == []


def test_broken_pictures_are_passed_over_and_cost_no_buffer(camera, fake_v4l2, monkeypatch):
    monkeypatch.setattr(camera._guard._inner._pool, "_most_bytes", 1)  # three buffers
    fake_v4l2.broken = {1, 2, 3, 4, 6}
    camera.open()
    frame = read_one(camera)
    assert frame.main.data[0, 0, 0] not in fake_v4l2.broken
    assert frame.seq >= 4


def test_only_broken_pictures_are_no_camera(fake_v4l2):
    fake_v4l2.all_broken = True
    camera = UsbCamera(str(fake_v4l2.node), (64, 48), timeout_s=0.2, backend=fake_v4l2.backend())
    with pytest.raises(CameraUnavailable):
        camera.open()
    camera.close()


def test_a_driver_that_hangs_is_lost_after_the_time_out(fake_v4l2, take_all):
    camera = UsbCamera(str(fake_v4l2.node), (64, 48), timeout_s=0.2, backend=fake_v4l2.backend())
    camera.open()
    fake_v4l2.hangs.set()
    with pytest.raises(CameraLost, match=r"delivered nothing for 0\.2 s"):
        take_all(camera)
    start = time.monotonic()
    camera.close()
    assert time.monotonic() - start < 2
    fake_v4l2.let_go.set()


def test_a_frozen_camera_is_lost_after_the_time_out_and_leaves_no_thread(
    fake_v4l2, take_all, caplog
):
    camera = UsbCamera(str(fake_v4l2.node), (64, 48), timeout_s=0.3, backend=fake_v4l2.backend())
    fake_v4l2.freezes_after = 5
    camera.open()
    start = time.monotonic()
    with pytest.raises(CameraLost, match=r"(no readable picture|nothing) for 0\.3 s"):
        take_all(camera)
    camera.close()
    assert 0.2 < time.monotonic() - start < 1
    assert fake_v4l2.open_captures == []
    fake_v4l2.freezes_after = 0
    with pytest.raises(CameraUnavailable):
        camera.open()
    camera.close()
    assert fake_v4l2.open_captures == []
    assert "left behind" not in caplog.text
    fake_v4l2.freezes_after = None
    camera.open()
    read_one(camera).release()
    camera.close()


def test_grey_becomes_bgr_and_raw_data_is_refused(camera, fake_v4l2):
    fake_v4l2.shape = (48, 64)
    camera.open()
    assert read_one(camera).main.data.shape == (48, 64, 3)
    camera.close()
    fake_v4l2.shape = (1, 6144)
    with pytest.raises(CameraUnavailable, match=r"shape \(1, 6144\), no picture; set camera.pixel"):
        camera.open()


def test_all_buffers_in_use_loses_frames_not_the_camera(fake_v4l2, monkeypatch):
    camera = UsbCamera(str(fake_v4l2.node), (64, 48), timeout_s=0.6, backend=fake_v4l2.backend())
    monkeypatch.setattr(camera._guard._inner._pool, "_most_bytes", 1)
    camera.open()
    held = [read_one(camera) for _ in range(3)]
    assert camera.read(0.4) is None
    assert camera.read(0.4) is None
    held[0].release()
    frame = read_one(camera)
    assert frame.seq > held[2].seq + 1
    camera.close()


def test_from_config(monkeypatch):
    with pytest.raises(ConfigError, match="takes an index or a /dev path"):
        UsbCamera.from_config(CameraConfig(kind="usb", source=["a", "b"]))
    for source, path in ((0, "/dev/video0"), ("2", "/dev/video2"), ("/dev/x", "/dev/x")):
        camera = UsbCamera.from_config(CameraConfig(kind="usb", source=source))
        assert camera._guard._inner._path == path
    assert UsbCamera.from_config(CameraConfig(kind="usb"))._guard._inner._path is None
