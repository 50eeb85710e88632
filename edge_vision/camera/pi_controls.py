"""What the `camera.pi` section asks for, in libcamera's words.

The names, units and values of controls are those of libcamera's control_ids_core.yaml (AfMode:
0 manual, 2 continuous) and control_ids_rpi.yaml (ScalerCrops).
"""

from collections.abc import Mapping
from typing import Any

from edge_vision.config_camera import PiCameraConfig
from edge_vision.errors import ConfigError

AF_MANUAL, AF_CONTINUOUS = 0, 2

Limits = Mapping[str, tuple[Any, Any, Any]]
"""A control's name -> its least, greatest and default value, as a configured camera tells them."""
Rectangle = tuple[int, int, int, int]


def controls_for(
    config: PiCameraConfig, fps: float, size_px: tuple[int, int], limits: Limits, camera: str
) -> dict[str, Any]:
    """The controls to set before the camera starts.

    fps: frames a second.  size_px: width and height granted for the main picture.  camera: its
    name, for messages.  A rate that the camera cannot have becomes the nearest it can.
    Raises ConfigError for what the camera or its lens cannot do.
    """
    controls: dict[str, Any] = {}
    if "FrameDurationLimits" in limits:
        least_us, most_us, _ = limits["FrameDurationLimits"]
        frame_us = min(max(round(1e6 / fps), least_us), most_us)
        controls["FrameDurationLimits"] = (frame_us, frame_us)
    controls |= _focus(config, limits, camera)
    for key, control, value in (
        ("exposure_us", "ExposureTime", config.exposure_us),
        ("gain", "AnalogueGain", config.gain),
    ):
        if value is not None:
            controls[control] = _within(key, value, control, limits, camera)
    if config.zoom is not None:
        controls |= _zoom(config.zoom, size_px, limits, camera)
    return controls


def _focus(config: PiCameraConfig, limits: Limits, camera: str) -> dict[str, Any]:
    wanted = config.autofocus
    if wanted == "none":
        return {}
    if "AfMode" not in limits:
        if wanted == "auto":
            return {}
        raise ConfigError(
            f"camera.pi.autofocus is {wanted}, but {camera} cannot focus; set it to auto"
        )
    if wanted != "manual":
        return {"AfMode": AF_CONTINUOUS}
    if config.lens_position is None:
        return {"AfMode": AF_MANUAL}
    position = _within("lens_position", config.lens_position, "LensPosition", limits, camera)
    return {"AfMode": AF_MANUAL, "LensPosition": position}


def _within(key: str, value: float, control: str, limits: Limits, camera: str) -> float:
    if control not in limits:
        raise ConfigError(
            f"camera.pi.{key} is set, but {camera} has no such control; set it to null"
        )
    least, most, _ = limits[control]
    if not least <= value <= most:
        raise ConfigError(
            f"camera.pi.{key} is {value:g}; {camera} takes {least:g} to {most:g} at this size"
        )
    return value


def _zoom(
    zoom: tuple[float, float, float, float], size_px: tuple[int, int], limits: Limits, camera: str
) -> dict[str, Any]:
    if "ScalerCrop" not in limits:
        raise ConfigError(f"camera.pi.zoom is set, but {camera} cannot zoom; set it to null")
    crop = zoom_crop(zoom, size_px, limits["ScalerCrop"][1])
    # The Pi 5 scales its two pictures each from a crop of its own, older boards from the same one.
    return {"ScalerCrops": [crop, crop]} if "ScalerCrops" in limits else {"ScalerCrop": crop}


def zoom_crop(
    zoom: tuple[float, float, float, float], size_px: tuple[int, int], full: Rectangle
) -> Rectangle:
    """The crop (x, y, width, height, in pixels of the sensor) that shows a part of the picture.

    zoom: x, y, width, height in shares of the unzoomed picture.  full: all that the sensor's mode
    gives; the unzoomed picture is the largest part in the middle of it with the proportions of
    `size_px` (width, height), as libcamera's Raspberry Pi pipelines crop by themselves.
    """
    left, top, width, height = full
    scale = min(width / size_px[0], height / size_px[1])
    seen_width, seen_height = size_px[0] * scale, size_px[1] * scale
    x = left + (width - seen_width) / 2 + zoom[0] * seen_width
    y = top + (height - seen_height) / 2 + zoom[1] * seen_height
    return round(x), round(y), round(zoom[2] * seen_width), round(zoom[3] * seen_height)
