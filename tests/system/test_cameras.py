"""The real model sees what each kind of camera shows, also after the camera was pulled out."""

import pytest
from virtual_board.machine import Machine
from virtual_board.service import BASE, SEEN, Service
from virtual_board.usb_camera import UsbCamera
from virtual_board.vivid import Vivid

BY_ID = "/dev/v4l/by-id/usb-EdgeTest_Virtual_UVC_Camera_SN0001-video-index0"
LOST = "no camera:"


def _config(camera: str) -> str:
    return f"camera: {{{camera}, size_px: [640, 480], timeout_s: 15, retry_max_s: 2}}\n{BASE}"


def test_vivid_shows_a_cat_then_a_cup_and_comes_back(vivid: Vivid, service: Service) -> None:
    vivid.show("cat")
    service.start(_config("kind: usb, source: 0, pixel_format: YUYV"))
    service.wait_to_see("cat")
    vivid.show("cup")
    service.wait_to_see("cup")
    process = service.show("MainPID")
    vivid.unplug()
    service.wait_for_journal(LOST)
    vivid.replug()  # it shows its test pattern then
    service.wait_for_sights()
    assert service.show("MainPID") == process


@pytest.mark.parametrize("pixel_format", ["MJPG", "YUYV"])
def test_a_usb_webcam_shows_a_cat(
    usb_camera: UsbCamera, machine: Machine, service: Service, pixel_format: str
) -> None:
    usb_camera.plug()
    machine.wait_for(f"test -e {BY_ID}")
    service.start(_config(f"kind: usb, source: {BY_ID}, pixel_format: {pixel_format}"))
    service.wait_to_see("cat")
    process = service.show("MainPID")
    usb_camera.unplug()
    service.wait_for_journal(LOST)
    usb_camera.plug()
    service.wait_for_sights()
    service.wait_to_see("cat")
    assert service.show("MainPID") == process


def test_two_instances_share_no_camera(
    usb_camera: UsbCamera, machine: Machine, service: Service
) -> None:
    """The second waits, names the first, and takes the camera when the first ends."""
    usb_camera.plug()
    machine.wait_for(f"test -e {BY_ID}")
    config = _config(f"kind: usb, source: {BY_ID}")
    service.start(config)
    process = service.show("MainPID")
    second = config.replace(SEEN, "/var/lib/edge-vision/second/seen.jsonl")
    service.configure(second, "/etc/edge-vision/second.yaml")
    try:
        machine.check("systemctl start edge-vision@second", 240)
        said = "journalctl -q -o cat -u edge-vision@second | grep '{}' | head -n 1"
        assert f"held by process {process}" in machine.check(said.format(LOST))
        service.wait_to_see("cat")
        assert service.show("MainPID") == process
        machine.check("systemctl stop edge-vision")
        machine.wait_for("journalctl -q -u edge-vision@second | grep 'camera: USB'")
    finally:
        machine.run("systemctl stop edge-vision@second; rm /etc/edge-vision/second.yaml")


def test_the_pi_camera_shows_a_cup(service: Service) -> None:
    """The real picamera2 and libcamera, whose virtual camera shows tests/pictures/cup.jpg.

    Nobody can pull a virtual camera out, so that is left to tests without a machine.
    """
    service.start(_config("kind: pi"))
    service.wait_to_see("cup")
    assert "Pi camera" in service.wait_for_journal("camera:")


def test_a_webcam_that_hangs_is_lost_and_found(
    usb_camera: UsbCamera, machine: Machine, service: Service
) -> None:
    usb_camera.plug()
    machine.wait_for(f"test -e {BY_ID}")
    service.start(_config(f"kind: usb, source: {BY_ID}"))
    service.wait_to_see("cat")
    usb_camera.freeze()
    service.wait_for_journal(LOST)
    usb_camera.unplug()
    machine.wait_for(f"! test -e {BY_ID}")
    usb_camera.plug()
    service.wait_for_sights()
    service.wait_to_see("cat")


def test_without_a_camera_it_waits_for_one(
    usb_camera: UsbCamera, machine: Machine, service: Service
) -> None:
    service.start(_config("kind: usb"))
    machine.wait_for("systemctl show -P StatusText edge-vision | grep '^no camera'")
    usb_camera.plug()
    service.wait_to_see("cat")
