"""The live page of the installed service: the camera's picture, its health, and saving."""

import cv2
import numpy as np
from virtual_board.machine import Machine
from virtual_board.page import Page
from virtual_board.service import BASE, CONFIG, PICTURE, Service
from virtual_board.vivid import Vivid

import edge_vision

CAMERA = "camera: {kind: usb, source: 0, pixel_format: YUYV, size_px: [640, 480], timeout_s: 15"


def test_the_page_shows_the_camera_and_says_when_it_is_gone(
    vivid: Vivid, machine: Machine, service: Service
) -> None:
    vivid.show("cat")
    service.start(f"{CAMERA}, retry_max_s: 2}}\n{BASE}")
    service.wait_to_see("cat")
    page = Page(machine)
    status, html = page.ask("/")
    assert status == 200
    assert b"<title>" in html
    jpeg = page.wait_for("/snapshot.jpg?overlay=0", 200)
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (480, 640, 3)
    detector = edge_vision.open_detector()
    found = detector.detect(picture).to_list(detector.labels)
    assert "cat" in {row["label"] for row in found}, found
    assert "cat" in {thing["label"] for thing in page.json("/api/scene")["objects"]}
    page.wait_for("/healthz", 200)
    process, restarts = service.show("MainPID"), service.show("NRestarts")

    vivid.unplug()
    assert b"no camera" in page.wait_for("/healthz", 503)
    # systemd is told the same, and that starting again would not bring the camera back.
    machine.wait_for("systemctl show -P StatusText edge-vision | grep '^no camera'")
    assert page.json("/api/state")["camera"]["up"] is False
    vivid.replug()
    page.wait_for("/healthz", 200)
    assert (service.show("MainPID"), service.show("NRestarts")) == (process, restarts)


def test_what_is_changed_on_the_page_can_be_saved(machine: Machine, service: Service) -> None:
    service.start(PICTURE.replace("threads: 1", "threads: 1, classes: [toaster]"))
    page = Page(machine)
    wish = '{"model": {"classes": ["cat"]}}'
    status, body = page.ask("/api/config?save=true", "PATCH", wish)
    assert status == 200, body
    service.wait_to_see("cat")
    assert "cat" in machine.check(f"grep classes {CONFIG}")
    assert "toaster" in machine.check(f"grep classes {CONFIG}.bak")
    process = service.show("MainPID")
    service.wait_for_sights()
    assert service.show("MainPID") == process


def test_the_service_may_not_replace_what_only_root_may_read(
    machine: Machine, service: Service
) -> None:
    secret = "/etc/edge-vision/secret"
    machine.check(f"(umask 077 && echo secret > {secret})")
    service.start(PICTURE)
    as_service = f"nsenter -t {service.show('MainPID')} -m runuser -u edge-vision --"
    assert machine.run(f"{as_service} mv {secret} /etc/edge-vision/other").code != 0
    assert machine.run(f"{as_service} rm -f {secret}").code != 0
    assert machine.check(f"cat {secret}; rm {secret}") == "secret\n"
