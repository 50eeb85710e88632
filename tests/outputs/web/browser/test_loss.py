"""A camera that goes away, and a server that does: the page says so, and that it is over."""

import threading
from collections.abc import Callable
from typing import Any

from edge_vision.camera.base import CameraInfo
from edge_vision.camera.demo import DemoCamera
from edge_vision.errors import CameraLost, CameraUnavailable
from edge_vision.frame import Frame

OpenPage = Callable[..., Any]


class PluggedCamera:
    """The demo scene, as long as `there` is set."""

    waits_outside = False

    def __init__(self) -> None:
        self.there = threading.Event()
        self.there.set()
        self._scene = DemoCamera((640, 360))

    def open(self) -> CameraInfo:
        if not self.there.is_set():
            raise CameraUnavailable("/dev/video7 is not there; plug it in")
        self._scene.open()
        return CameraInfo("usb", "USB /dev/video7", 640, 360, 30.0, reconnects=True)

    def read(self, timeout_s: float) -> Frame | None:
        if not self.there.is_set():
            raise CameraLost("/dev/video7 was unplugged")
        return self._scene.read(timeout_s)

    def close(self) -> None:
        self._scene.close()

    def faults(self) -> list[Any]:
        return []


def _kind(page: Any, kind: str) -> None:
    page.wait_for_selector(f"#stage[data-kind={kind}]")


def test_a_camera_that_goes_and_comes(make_run: Callable[..., Any], open_page: OpenPage) -> None:
    camera = PluggedCamera()
    page = open_page(make_run(camera).url)
    _kind(page, "live")
    page.wait_for_selector("#objects li")

    camera.there.clear()
    _kind(page, "camera")
    assert page.inner_text("#notice-title") == "No camera"
    assert page.inner_text("#chip") == "no camera"
    page.wait_for_function(
        "() => document.getElementById('notice-text').textContent.includes('/dev/video7')"
    )
    page.wait_for_function(
        "() => /^since .+, \\d+ s$/.test(document.getElementById('notice-since').textContent)"
    )
    assert page.evaluate("getComputedStyle(document.getElementById('picture')).visibility") == (
        "hidden"
    ), "a last frame must not be taken for the present"
    page.wait_for_selector("#nothing", state="visible")
    assert "No camera" in page.inner_text("#announce")

    camera.there.set()
    _kind(page, "live")
    assert page.is_hidden("#notice")
    assert page.inner_text("#announce") == "Live picture"
    page.wait_for_selector("#objects li")


def test_a_server_that_goes(make_run: Callable[..., Any], open_page: OpenPage) -> None:
    run = make_run()
    page = open_page(run.url, calm=("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"))
    _kind(page, "live")
    run.end()
    _kind(page, "gone")
    assert page.inner_text("#notice-title") == "No connection to the board"
    page.wait_for_selector("#nothing", state="visible")
