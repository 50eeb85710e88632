"""`edge-vision eval`: how accurate a model is on pictures with annotations."""

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_vision.annotations import read_annotations
from edge_vision.cli.options import (
    AsJson,
    ConfigFile,
    Settings,
    Threads,
    configuration,
    print_json,
    size_settings,
    tell_faults,
)
from edge_vision.cli.progress import INTERRUPTED, progress_bar
from edge_vision.config import ModelConfig
from edge_vision.detect.detector import build_detector
from edge_vision.evaluate import (
    Dataset,
    Found,
    Names,
    Scores,
    find_pictures,
    require_pycocotools,
    run_detector,
    score,
    some,
)

_FIGURES = {
    "ap": "AP", "ap50": "AP50", "ap75": "AP75",
    "ap_small": "small", "ap_medium": "medium", "ap_large": "large",
}  # fmt: skip


def command(
    images: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the pictures.")],
    annotations: Annotated[
        Path, typer.Option(metavar="FILE", help="Their boxes: JSON in COCO's format.")
    ],
    config: ConfigFile = None,
    set_: Settings = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIZE",
            help="small, medium, large, xlarge, or HEIGHTxWIDTH in pixels; several: give it again.",
        ),
    ] = None,
    threads: Threads = None,
    json: AsJson = False,
) -> None:
    """Measure a model's accuracy on your own pictures: COCO's AP, by size and by class.

    Categories are matched with the model's classes by name.  Pictures without a file, files
    without an annotation and categories that the model does not know are named and left out;
    pictures that cannot be read too, and then the exit code is 65.  Boxes from a score of 0.05
    on count, up to 100 a picture.  Needs: pip install "edge-vision[eval]".

    \b
    Example:
      edge-vision eval --images val/ --annotations val.json --size medium --size large
    """
    # Before what the user sets, so that --set has the last word.
    settings = ["model.min_score=0.05", "model.max_detections=100", "log.level=warning"]
    settings += set_ or []
    sizes = [size_settings(name, threads) for name in size or []] or [size_settings(None, threads)]
    models = [configuration(config, [*settings, *chosen]).model for chosen in sizes]
    require_pycocotools()
    data = find_pictures(read_annotations(annotations), images)
    rows, complete = _measure(models, data)
    report: dict[str, Any] = {"images": str(images), "annotations": str(annotations)}
    report |= {"complete": complete, "sizes": [row.as_dict() for row in rows]}
    left_out = _left_out(rows[0], data) if rows else {}
    if json:
        print_json(report | left_out)
    elif rows:
        _print(rows, left_out)
    if not complete:
        print("edge-vision: interrupted; sizes that were not finished are missing", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    tell_faults(list(rows[0].found.unreadable.values()))


@dataclass(frozen=True, slots=True)
class _Row:
    """One size, measured."""

    model: str
    engine: str
    input_hw_px: tuple[int, int]
    names: Names
    found: Found
    scores: Scores

    @property
    def size(self) -> str:
        return f"{self.input_hw_px[1]}x{self.input_hw_px[0]}"

    def as_dict(self) -> dict[str, Any]:
        facts = {"model": self.model, "engine": self.engine, "input_hw_px": list(self.input_hw_px)}
        return {**facts, "pictures": len(self.found.detections), **asdict(self.scores)}


def _measure(models: Sequence[ModelConfig], data: Dataset) -> tuple[list[_Row], bool]:
    """One row for each size; False when Ctrl-C came before all were done."""
    rows: list[_Row] = []
    total = len(models) * len(data.files)
    done = itertools.count(1)
    try:
        with progress_bar("evaluating") as show:
            for model in models:
                detector = build_detector(model)
                names = Names(data.annotations, _counted(detector.labels, model))
                now = detector.description

                def on_picture(now: str = now) -> None:
                    show(next(done), total, now)

                found = run_detector(detector, data, on_picture)
                row = _Row(
                    detector.model_name, detector.engine, detector.input_hw_px, names, found,
                    score(data, found, names),
                )  # fmt: skip
                rows.append(row)
    except KeyboardInterrupt:
        return rows, False
    return rows, True


def _counted(labels: Mapping[int, str], model: ModelConfig) -> dict[int, str]:
    """The classes that the detector reports: all, or those of model.classes."""
    wanted = set(model.classes or labels.values())
    return {class_id: label for class_id, label in labels.items() if label in wanted}


def _left_out(row: _Row, data: Dataset) -> dict[str, Any]:
    """What takes no part, and pictures to look at; the same for every size."""
    unreadable = [data.annotations.pictures[key].file_name for key in row.found.unreadable]
    return {
        "without_file": list(data.without_file),
        "without_annotation": list(data.without_annotation),
        "unreadable": unreadable,
        "annotations_without_picture": list(data.annotations.strays),
        "unknown_categories": row.names.unknown,
        "other_size": list(row.found.other_size),
    }


_MEANING = {
    "without_file": "annotated pictures without a file, left out",
    "without_annotation": "pictures that the annotations do not name, left out",
    "unreadable": "pictures that cannot be read, left out",
    "annotations_without_picture": "annotations of pictures that are not listed, left out",
    "unknown_categories": "categories that the model does not know, left out",
    "other_size": "pictures of another size than annotated; their boxes are scaled",
}


def _print(rows: Sequence[_Row], left_out: Mapping[str, Any]) -> None:
    first = rows[0]
    classes = {name: of for name, of in first.scores.classes.items() if of.objects}
    objects = sum(of.objects for of in classes.values())
    print(f"{first.model} on {first.engine}")
    print(f"{len(first.found.detections)} pictures, {objects} objects of {len(classes)} classes")
    for key, what in _MEANING.items():
        listed = left_out[key]
        if key == "unknown_categories":
            listed = [f"{name} ({boxes})" for name, boxes in listed.items()]
        if listed:
            print(f"  {len(listed)} {what}: {some(listed)}")
    print("\n" + f"{'input, px':14}" + "".join(f"{title:>8}" for title in _FIGURES.values()))
    for row in rows:
        figures = (_figure(getattr(row.scores, name)) for name in _FIGURES)
        print(f"{row.size:14}" + "".join(f"{figure:>8}" for figure in figures))
    wide = max(14, *map(len, classes), 0)
    print(f"\n{'AP by class':{wide}}{'objects':>9}" + "".join(f"{row.size:>10}" for row in rows))
    for name, of in classes.items():
        figures = (_figure(row.scores.classes[name].ap) for row in rows)
        print(f"{name:{wide}}{of.objects:>9}" + "".join(f"{figure:>10}" for figure in figures))


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
