"""The public functions of `import edge_vision`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_vision.app import App
from edge_vision.camera import make_camera
from edge_vision.camera.base import Camera
from edge_vision.config import Config
from edge_vision.config_load import load_config, parse_config
from edge_vision.config_outputs import OutputsConfig, WindowConfig
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.results import Scene
from edge_vision.summary import Summary


def open_detector(
    name: str = "ssdlite_mobilenet_v2_coco",
    *,
    file: str | Path | None = None,
    labels: str | Path | None = None,
    size: str = "large",
    input_hw_px: tuple[int, int] | None = None,
    threads: int | str = "auto",
    min_score: float = 0.4,
    max_detections: int = 50,
    classes: Sequence[str] = (),
) -> SsdDetector:
    """A detector whose `.detect(picture)` returns Detections; keep it, it is costly to make.

    The arguments are the keys of config.yaml's `model` section; `file` takes any SSD TFLite file.
    Raises ConfigError, ModelError, BackendMissing.
    """
    values = {
        "name": name,
        "file": None if file is None else str(file),
        "labels": None if labels is None else str(labels),
        "size": size,
        "input_hw_px": input_hw_px,
        "threads": threads,
        "min_score": min_score,
        "max_detections": max_detections,
        "classes": list(classes),
    }
    return build_detector(parse_config({"model": values}).model)


def open_camera(kind: str = "auto", **settings: Any) -> Camera:
    """A camera that has been opened; `read()` frames, `release()` each, `close()` at the end.

    settings: keys of config.yaml's `camera` section (`source`, `size_px`, `fps`, `pace`, ...).
    Raises ConfigError and CameraError.
    """
    camera = make_camera(parse_config({"camera": {"kind": kind, **settings}}).camera)
    camera.open()
    return camera


def run(
    config: Config | Mapping[str, Any] | str | Path | None = None,
    *,
    on_scene: Callable[[Scene], None] | None = None,
    frames: int | None = None,
    duration_s: float | None = None,
) -> Summary:
    """Run the whole pipeline until it ends; `on_scene` gets the Scene of every analysed frame.

    config: a Config, a mapping of sections, the path of a YAML file, or None for the defaults
    without a window.  on_scene runs in a thread of its own turn: what it raises ends the run and is
    raised here.  frames, duration_s: end after so many analysed frames, or seconds.
    Raises EdgeVisionError; KeyboardInterrupt ends the run in order and is raised again.
    """
    if config is None:
        config = Config(outputs=OutputsConfig(window=WindowConfig(enabled=False)))
    elif isinstance(config, Mapping):
        config = parse_config(config)
    elif not isinstance(config, Config):
        config = load_config(Path(config))
    return App(config, frames=frames, duration_s=duration_s, on_scene=on_scene).run()
