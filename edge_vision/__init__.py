"""edge-vision: live object detection with an overlay, for Raspberry Pi class boards.

    import edge_vision

    detector = edge_vision.open_detector(size="medium")
    for row in detector.detect(picture).to_list(detector.labels):
        print(row["label"], row["score"], row["box"])

Names are imported when they are first used, so that `import edge_vision` itself costs next to
nothing and needs no third-party package.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_vision.api import open_camera, open_detector, run
    from edge_vision.config import Config
    from edge_vision.config_load import load_config
    from edge_vision.errors import (
        BackendMissing,
        CameraError,
        CameraLost,
        CameraUnavailable,
        ConfigError,
        DetectorError,
        EdgeVisionError,
        ModelError,
        OutputError,
        ShutdownError,
        SourceBroken,
        SourceMissing,
    )
    from edge_vision.frame import Frame, Image, PixelFormat, Stamps
    from edge_vision.results import Detections, Scene, Track
    from edge_vision.summary import Summary

__version__ = "0.1.0"

_HOMES = {
    "api": ("open_camera", "open_detector", "run"),
    "summary": ("Summary",),
    "config": ("Config",),
    "config_load": ("load_config",),
    "errors": (
        "BackendMissing",
        "CameraError",
        "CameraLost",
        "CameraUnavailable",
        "ConfigError",
        "DetectorError",
        "EdgeVisionError",
        "ModelError",
        "OutputError",
        "ShutdownError",
        "SourceBroken",
        "SourceMissing",
    ),
    "frame": ("Frame", "Image", "PixelFormat", "Stamps"),
    "results": ("Detections", "Scene", "Track"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "BackendMissing",
    "CameraError",
    "CameraLost",
    "CameraUnavailable",
    "Config",
    "ConfigError",
    "Detections",
    "DetectorError",
    "EdgeVisionError",
    "Frame",
    "Image",
    "ModelError",
    "OutputError",
    "PixelFormat",
    "Scene",
    "ShutdownError",
    "SourceBroken",
    "SourceMissing",
    "Stamps",
    "Summary",
    "Track",
    "load_config",
    "open_camera",
    "open_detector",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
