"""`edge-vision detect`: objects in picture files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from edge_vision.camera.pictures import read_picture
from edge_vision.cli.options import (
    AsJson,
    ConfigFile,
    Settings,
    Size,
    Threads,
    configuration,
    print_json,
    size_settings,
    tell_faults,
)
from edge_vision.config import Config
from edge_vision.config_overlay import TrackingConfig
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.errors import CameraError, EdgeVisionError, OutputError
from edge_vision.frame import Frame, Image, Stamps
from edge_vision.results import Detections, Scene
from edge_vision.stages.drawing import Drawing
from edge_vision.telemetry import Telemetry
from edge_vision.track.paths import Paths


def command(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    config: ConfigFile = None,
    set_: Settings = None,
    size: Size = None,
    threads: Threads = None,
    min_score: Annotated[
        float | None, typer.Option(metavar="X", help="Least score, 0.01 to 1.")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--max", metavar="N", help="Most objects in a picture.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write annotated pictures to this folder.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Find objects in picture files.

    Pictures that cannot be read are named, the others are done, and the exit code says so.

    \b
    Example:
      edge-vision detect cat.jpg dog.png --min-score 0.5 --save found/
    """
    settings = [*(set_ or []), *size_settings(size, threads)]
    settings += [f"model.min_score={min_score}"] if min_score is not None else []
    settings += [f"model.max_detections={most}"] if most is not None else []
    loaded = configuration(config, settings)
    detector = build_detector(loaded.model)
    drawing = _drawing(loaded, detector)
    results: list[dict[str, Any]] = []
    faults: list[EdgeVisionError] = []
    for file in images:
        try:
            picture = read_picture(file)
        except CameraError as error:
            faults.append(error)
            continue
        found = detector.detect(Image.from_array(picture))
        results.append(_result(file, picture, found, detector.labels))
        if not json:
            _print_result(results[-1])
        if save is not None:
            scene = Scene(0, 0, 0, found, detector.description, detector.labels)
            drawn = drawing.draw(Frame(0, Image.from_array(picture), Stamps()), scene, 0)
            _write(drawn.bgr(), save / _file_name(file, images))
    if json:
        print_json(results)
    tell_faults(faults)


def _drawing(config: Config, detector: SsdDetector) -> Drawing:
    """Draws single pictures: nothing to follow, and no rates to show."""
    overlay = config.overlay.model_copy(update={"timing": "exact", "hud": False})
    return Drawing(overlay, TrackingConfig(enabled=False), detector, Telemetry(), Paths())


def _result(
    file: Path, picture: NDArray[np.uint8], found: Detections, labels: Mapping[int, str]
) -> dict[str, Any]:
    """What --json prints for one picture."""
    height, width = picture.shape[:2]
    rows = found.to_list(labels)
    return {"file": str(file), "width_px": width, "height_px": height, "detections": rows}


def _print_result(result: dict[str, Any]) -> None:
    rows, width, height = result["detections"], result["width_px"], result["height_px"]
    print(f"{result['file']}: {len(rows) or 'no'} object{'' if len(rows) == 1 else 's'}")
    for row in rows:
        x0, y0, x1, y1 = row["box"]
        print(
            f"  {row['score']:5.0%}  {row['label']:<15} "
            f"x {x0 * width:.0f}..{x1 * width:.0f}, y {y0 * height:.0f}..{y1 * height:.0f} px"
        )


def _file_name(file: Path, images: list[Path]) -> str:
    """The picture's own name; with its folder's in front where two would be the same."""
    twins = sum(other.name == file.name for other in images) > 1
    return f"{file.resolve().parent.name}_{file.name}" if twins else file.name


def _write(picture: NDArray[np.uint8], file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        known, coded = cv2.imencode(file.suffix, picture) if file.suffix else (False, None)
        if not known or coded is None:
            raise OutputError(f"{file} has an ending that cannot be written; use .jpg or .png")
        # Beside the target and then renamed: a full disk or Ctrl-C leaves no half picture.
        partial = file.with_name(file.name + ".partial")
        partial.write_bytes(coded.tobytes())
        partial.replace(file)
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror}") from None
    except cv2.error:
        raise OutputError(
            f"{file} has an ending that cannot be written; use .jpg or .png"
        ) from None
