"""The camera kind `auto`: the Pi camera, else a USB camera with a picture, else the demo scene.

A service watches a real place: there the demo scene would be a lie, and a camera is waited for.
"""

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import replace

from edge_vision.camera import v4l2
from edge_vision.camera.base import Camera, CameraInfo
from edge_vision.camera.usb import UsbCamera
from edge_vision.config import CameraConfig
from edge_vision.errors import BackendMissing, CameraLost, CameraUnavailable, EdgeVisionError
from edge_vision.frame import Frame

log = logging.getLogger(__name__)


class AutoCamera:
    """Chooses at `open()`; `CameraInfo.notes` says what was taken and why.

    Once a camera was taken, only cameras are tried again: a picture of a scene that is not there
    must not replace a camera that is unplugged.

    usb: makes the USB camera of a node.  demo: makes the demo scene; None where only a camera will
    do, so that `open()` raises CameraUnavailable without one.  find: lists the V4L2 devices.
    pi: makes the Pi camera, and may raise BackendMissing; None where there is no picamera2.
    """

    waits_outside = True

    def __init__(
        self,
        usb: Callable[[str], Camera],
        demo: Callable[[], Camera] | None,
        find: Callable[[], list[v4l2.Device]] = v4l2.list_devices,
        pi: Callable[[], Camera] | None = None,
    ) -> None:
        self._usb = usb
        self._demo = demo
        self._find = find
        self._pi = pi
        self._pi_camera: Camera | None = None
        self._camera: Camera | None = None
        self._had_camera = False
        self._closed = False

    @classmethod
    def from_config(cls, config: CameraConfig, *, stand_in: bool = True) -> "AutoCamera":
        """The camera that a `camera` section with kind auto describes.

        stand_in: the demo scene may stand in for a camera.
        """

        def usb(node: str) -> Camera:
            return UsbCamera.from_config(config.model_copy(update={"kind": "usb", "source": node}))

        def demo() -> Camera:
            # Imported on choice: beside a USB camera its pictures are not needed.
            from edge_vision.camera.demo import DemoCamera

            return DemoCamera.from_config(config)

        def pi() -> Camera:
            from edge_vision.camera.pi import PiCamera

            return PiCamera.from_config(config)

        has_pi = importlib.util.find_spec("picamera2") is not None
        return cls(usb, demo if stand_in else None, pi=pi if has_pi else None)

    def open(self) -> CameraInfo:
        """See Camera."""
        self.close()
        self._closed = False
        reasons: list[str] = []
        info = self._open_pi(reasons) or self._open_usb(reasons)
        if info is not None:
            self._had_camera = True
            return info
        reason = "; ".join(reasons)
        if self._had_camera or self._demo is None:
            raise CameraUnavailable(reason)
        info = self._opened(self._demo())
        return replace(info, notes=(*info.notes, f"{reason}; showing the built-in demo scene"))

    def _open_pi(self, reasons: list[str]) -> CameraInfo | None:
        if self._pi is None:
            return None
        try:
            # One for all attempts: it knows whether an earlier one still hangs.
            self._pi_camera = self._pi_camera or self._pi()
            return self._opened(self._pi_camera)
        except (CameraUnavailable, BackendMissing) as error:
            if self._closed:
                raise
            log.debug("%s", error)
            reasons.append(str(error))
            return None

    def _open_usb(self, reasons: list[str]) -> CameraInfo | None:
        devices = self._find()
        for device in devices:
            if not device.usable:
                continue
            try:
                info = self._opened(self._usb(device.node))
            except CameraUnavailable as error:
                if self._closed:
                    raise
                log.info("%s", error)
                reasons.append(str(error))
                continue
            note = f"took {device.node} ({device.card}), the first USB camera with a picture"
            return replace(info, notes=(*info.notes, note))
        refused = [device for device in devices if not device.usable]
        if refused or not devices:
            reasons.append(v4l2.no_camera(refused))
        return None

    def read(self, timeout_s: float) -> Frame | None:
        """See Camera."""
        if self._camera is None:
            raise CameraLost("no camera is open")
        return self._camera.read(timeout_s)

    def close(self) -> None:
        """See Camera; any thread may call it, also while `open()` waits."""
        self._closed = True
        if self._camera is not None:
            self._camera.close()

    def faults(self) -> list[EdgeVisionError]:
        """See Camera."""
        return self._camera.faults() if self._camera is not None else []

    def _opened(self, camera: Camera) -> CameraInfo:
        # Kept before it opens, so that close() reaches the one that is waiting.
        self._camera = camera
        if self._closed:
            raise CameraUnavailable("the camera was closed while it was being opened")
        return camera.open()
