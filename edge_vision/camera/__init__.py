"""Picture sources: `make_camera` turns a `camera` section into one."""

from edge_vision.camera.base import Camera
from edge_vision.config import CameraConfig
from edge_vision.errors import BackendMissing
from edge_vision.registry import load

KINDS = {
    "auto": "edge_vision.camera.auto:AutoCamera",
    "clip": "edge_vision.camera.clip:ClipCamera",
    "demo": "edge_vision.camera.demo:DemoCamera",
    "pi": "edge_vision.camera.pi:PiCamera",
    "usb": "edge_vision.camera.usb:UsbCamera",
}
"""camera.kind -> "module:class"; a class has `from_config(CameraConfig)`."""

_PACKAGES = {"av": "av", "cv2": "opencv-python-headless"}
"""Modules that cameras import, and the packages they come in."""


def make_camera(config: CameraConfig, *, stand_in: bool = True) -> Camera:
    """The camera that the section describes, not yet open.

    stand_in: kind auto may show the demo scene where there is no camera.
    Raises ConfigError when the section does not fit the kind, BackendMissing when a package that
    the kind needs is not installed.
    """
    try:
        options = {"stand_in": stand_in} if config.kind == "auto" else {}
        camera: Camera = load(KINDS, config.kind, "camera").from_config(config, **options)
    except ModuleNotFoundError as error:
        package = _PACKAGES.get(error.name or "")
        if package is None:
            raise
        raise BackendMissing(
            f"camera.kind {config.kind} needs the Python package {package}, which is not "
            f"installed; install it with: pip install {package}"
        ) from None
    return camera
