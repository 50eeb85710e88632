"""libcamera and picamera2, which come from the operating system: found, judged, and asked."""

import logging
import os
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge_vision.account import join_groups
from edge_vision.camera.holders import holders
from edge_vision.errors import BackendMissing, CameraUnavailable

OLDEST = (0, 3, 18)
"""The first picamera2 whose buffers stay mapped for reading (its DmaAllocator)."""

INSTALL = (
    "sudo apt install -y python3-picamera2 --no-install-recommends (a virtual environment sees it "
    "when made with: python3 -m venv --system-site-packages)"
)


class Stack(NamedTuple):
    """The two modules; tests put their own here."""

    picamera2: Any
    libcamera: Any


def load() -> Stack:
    """Import both.

    Raises BackendMissing when they are not there, too old, or broken by another numpy.
    """
    be_quiet()
    try:
        import libcamera
        import picamera2
    except ModuleNotFoundError as error:
        raise BackendMissing(
            f"camera.kind pi needs {error.name}, which {sys.executable} does not find; install it "
            f"with: {INSTALL}"
        ) from None
    except (ImportError, ValueError, AttributeError) as error:
        if "numpy" in str(error) or "_ARRAY_API" in str(error):
            raise BackendMissing(
                f"the system's picamera2 was built for another numpy than the {np.__version__} "
                f"here ({error}); take the system's major version: "
                f"{sys.executable} -m pip install 'numpy<2' 'opencv-python-headless<4.12'"
            ) from None
        raise BackendMissing(
            f"picamera2 is there, but cannot be imported ({error}); install it again with: "
            "sudo apt install --reinstall python3-picamera2 python3-libcamera"
        ) from None
    version = _version()
    if version is not None and _number(version) < OLDEST:
        raise BackendMissing(
            f"picamera2 {version} is too old; edge-vision needs {'.'.join(map(str, OLDEST))} or "
            "newer; get it with: sudo apt update && sudo apt full-upgrade"
        )
    return Stack(picamera2, libcamera)


def be_quiet() -> None:
    """Keep the chatter of both out of the log, unless the user has set libcamera's himself.

    Must come before libcamera is first used.
    """
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:WARN")
    logging.getLogger("picamera2").setLevel(logging.WARNING)


def _version() -> str | None:
    try:
        return metadata.version("picamera2")
    except metadata.PackageNotFoundError:
        return None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


@dataclass(frozen=True, slots=True)
class LibcameraDevice:
    """A camera that libcamera knows.

    number: camera.pi.number.  id: where it is connected.  sizes_px: (width, height) of the modes of
    its sensor.  held_by: process id -> name.
    """

    number: int
    id: str
    model: str
    sizes_px: tuple[tuple[int, int], ...]
    held_by: dict[int, str]


def list_cameras(libcamera: Any, dev: Path = Path("/dev")) -> list[LibcameraDevice]:
    """The cameras of libcamera, numbered as picamera2 numbers them; no webcams.  Opens none."""
    cameras = list(libcamera.CameraManager.singleton().cameras)
    # As Picamera2.global_camera_info: backwards by id, webcams last.
    cameras.sort(key=lambda camera: ("/usb" not in camera.id, camera.id), reverse=True)
    busy = holders(media_nodes(dev))
    return [
        LibcameraDevice(number, camera.id, _model(camera), _sizes(camera, libcamera), busy)
        for number, camera in enumerate(cameras)
        if not is_webcam(camera.id)
    ]


def model_of(cameras: list[dict[str, Any]], number: int, dev: Path = Path("/dev")) -> str:
    """The model of a camera.  cameras: as Picamera2.global_camera_info() lists them.

    Raises CameraUnavailable when there is none of that number, with the likely cause.
    """
    found = {
        at: str(camera.get("Model", ""))
        for at, camera in enumerate(cameras)
        if not is_webcam(camera["Id"])
    }
    if number in found:
        return found[number]
    if found:
        there = ", ".join(f"{at} ({model})" for at, model in found.items())
        raise CameraUnavailable(f"there is no Pi camera {number}; there are: {there}")
    if _all_closed(media_nodes(dev)):
        raise CameraUnavailable(
            "no Pi camera may be opened (permission denied); that is for the group video: "
            f"{join_groups('video')}"
        )
    if _all_closed(sorted((dev / "dma_heap").glob("*"))):
        raise CameraUnavailable(
            "libcamera gets no memory for pictures (permission denied below /dev/dma_heap); this "
            "lets the group video have it until the next boot: sudo chgrp video /dev/dma_heap/* && "
            "sudo chmod g+rw /dev/dma_heap/*"
        )
    raise CameraUnavailable(
        "libcamera finds no Pi camera; check its ribbon cable at both ends (a USB camera is "
        "camera.kind: usb)"
    )


def _all_closed(nodes: list[Path]) -> bool:
    """There are such devices, and this process may open none of them."""
    return bool(nodes) and not any(os.access(node, os.R_OK | os.W_OK) for node in nodes)


def is_webcam(camera_id: str) -> bool:
    """libcamera ends the id of a UVC camera with the USB vendor and product, "-046d:0825"."""
    return re.search(r"-[0-9a-f]{4}:[0-9a-f]{4}$", camera_id) is not None


def media_nodes(dev: Path = Path("/dev")) -> list[Path]:
    """The devices that libcamera locks while one of its cameras is in use."""
    return sorted(dev.glob("media[0-9]*"))


def _model(camera: Any) -> str:
    names = [str(value) for key, value in camera.properties.items() if key.name == "Model"]
    return names[0] if names else ""


def _sizes(camera: Any, libcamera: Any) -> tuple[tuple[int, int], ...]:
    roles = libcamera.StreamRole
    # Only a sensor has a raw role; its sizes are its modes.
    role = roles.Raw if _has_sensor(camera) else roles.Viewfinder
    configuration = camera.generate_configuration([role])
    if configuration is None:
        return ()
    formats = configuration.at(0).formats
    sizes = {
        (size.width, size.height) for kind in formats.pixel_formats for size in formats.sizes(kind)
    }
    return tuple(sorted(sizes))


def _has_sensor(camera: Any) -> bool:
    return any(key.name == "ColorFilterArrangement" for key, _ in camera.properties.items())
