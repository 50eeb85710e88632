"""V4L2 devices through OpenCV: opening, waiting, and pictures of one shape."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.camera import v4l2
from edge_vision.errors import CameraUnavailable


def open_v4l2(node: str) -> Any:
    """OpenCV's capture of a device node."""
    return cv2.VideoCapture(node, cv2.CAP_V4L2)


def wait_v4l2(capture: Any, timeout_s: float) -> bool:
    """Wait until grab() has something to say; False when the time is up.

    grab() waits as well, but 10 s, and nothing ends that.
    """
    try:
        # A time of 0 would mean: for ever.
        ready, _ = cv2.VideoCapture.waitAny([capture], max(1_000_000, round(timeout_s * 1e9)))
    except cv2.error:  # the device is gone, which grab() says at once
        return True
    return bool(ready)


@dataclass(frozen=True, slots=True)
class Backend:
    """What stands between us and the devices; tests put their own here.

    capture: makes a cv2.VideoCapture of a node.  query: looks at a node.  find: lists all.
    wait: waits for a capture's next picture.
    """

    capture: Callable[[str], Any] = open_v4l2
    query: Callable[[Path], v4l2.Device] = v4l2.query
    find: Callable[[], list[v4l2.Device]] = v4l2.list_devices
    wait: Callable[[Any, float], bool] = wait_v4l2


def as_bgr(picture: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Grey becomes BGR.  CameraUnavailable for raw data, which comes as one row."""
    if picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3:
        return np.ascontiguousarray(picture, dtype=np.uint8)
    grey = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 1)
    if picture.dtype == np.uint8 and grey and picture.shape[0] > 1:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    raise CameraUnavailable(
        f"{name} delivers data of shape {picture.shape}, no picture; "
        "set camera.pixel_format to MJPG or YUYV"
    )
