"""The Pi camera on a fake picamera2: what is missing, in use, refused, frozen or hanging."""

import atexit

import pytest

from edge_vision.errors import CameraLost, CameraUnavailable, ConfigError


def read_one(camera):
    for _ in range(10):
        if (frame := camera.read(1.0)) is not None:
            return frame
    raise AssertionError("no frame came")


def test_no_camera_and_the_wrong_number_are_told(open_pi, pi_world):
    with pytest.raises(CameraUnavailable, match=r"no Pi camera 3; there are: 0 \(imx219\)"):
        open_pi(number=3)
    pi_world.cameras[:] = [{"Model": "C920", "Id": r"\_SB_.PCI0.S20_-1:1.0-046d:082d", "Num": 0}]
    with pytest.raises(CameraUnavailable, match=r"finds no Pi camera; .* camera.kind: usb"):
        open_pi()


def test_a_camera_in_use_names_its_holder(open_pi, pi_world, monkeypatch):
    pi_world.busy = True
    monkeypatch.setattr(
        "edge_vision.camera.holders.holders", lambda *_: {812: "rpicam-vid", 4: "edge-vision"}
    )
    with pytest.raises(CameraUnavailable) as caught:
        open_pi()
    assert str(caught.value) == (
        "the Pi camera 0 cannot be opened: Failed to acquire camera: Device or resource busy; "
        "it is held by process 812 (rpicam-vid), 4 (edge-vision): end that first"
    )


def test_a_refused_configuration_closes_the_camera(open_pi, pi_world):
    pi_world.refuses = "Invalid camera configuration"
    with pytest.raises(CameraUnavailable, match="not take this configuration: Invalid camera conf"):
        open_pi()
    assert pi_world.opened is None


def test_a_tuning_file_is_there_before_libcamera_looks(open_pi, pi_world, tmp_path, monkeypatch):
    monkeypatch.setenv("LIBCAMERA_RPI_TUNING_FILE", "")  # so that it is put back
    with pytest.raises(ConfigError, match=r"camera.pi.tuning_file \S*none.json does not exist"):
        open_pi(tuning_file=str(tmp_path / "none.json"))
    file = tmp_path / "imx219_noir.json"
    file.write_text("{}")
    open_pi(tuning_file=str(file))
    assert pi_world.tunings == [(str(file), str(file))]


def test_a_frozen_camera_is_lost_in_time_and_opens_again(open_pi, pi_world):
    pi_world.frozen_after = 3
    camera, _ = open_pi(timeout_s=2.0)
    with pytest.raises(CameraLost, match=r"sent no picture for 2 s; check its ribbon cable"):
        while True:
            frame = camera.read(0.1)
            if frame is not None:
                frame.release()
    camera.close()
    assert pi_world.opened is None
    with pytest.raises(CameraUnavailable, match=r"sent no picture for 1 s; check its ribbon"):
        camera.open()
    assert pi_world.opened is None
    pi_world.frozen_after = None
    camera.open()
    read_one(camera).release()


def test_a_camera_that_refuses_its_buffers_is_lost_without_hurting_who_releases(open_pi, pi_world):
    camera, _ = open_pi()
    frame = read_one(camera)
    pi_world.gone = True
    frame.release()  # by a detector that knows nothing of cameras
    with pytest.raises(CameraLost, match="failed: Failed to queue request: No such device"):
        while True:
            camera.read(0.1)
    camera.close()
    assert pi_world.opened is None


def test_a_close_that_hangs_is_left_behind_and_named(open_pi, pi_world, monkeypatch):
    pi_world.hangs_in_close = True
    at_exit = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    monkeypatch.setattr(atexit, "unregister", at_exit.remove)
    camera, _ = open_pi()
    assert at_exit == [], "Python's end would hang as well"
    frame = read_one(camera)
    camera.close()
    assert pi_world.closing.wait(5)
    frame.release()
    with pytest.raises(CameraUnavailable, match="an earlier attempt still hangs in it"):
        camera.open()
