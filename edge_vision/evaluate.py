"""Accuracy on annotated pictures, by COCO's own rules (pycocotools).

The network's classes and the annotations' categories are matched by name, as their numbers differ
from one data set to the next; upper case and underscores make no difference.
"""

import contextlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_vision.annotations import Annotations, Box, PictureId
from edge_vision.camera.pictures import is_picture_name, read_picture
from edge_vision.detect.detector import SsdDetector
from edge_vision.errors import BackendMissing, CameraError, ConfigError, SourceBroken, SourceMissing
from edge_vision.frame import Image
from edge_vision.results import Detections


@dataclass(frozen=True, slots=True)
class Dataset:
    """Annotated pictures that have a file.

    without_file: names in the annotations.  without_annotation: pictures in the folder that the
    annotations do not name, relative to it; neither takes part.
    """

    annotations: Annotations
    files: dict[PictureId, Path]
    without_file: tuple[str, ...]
    without_annotation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector found.  detections: of the pictures that could be read.

    sizes_px: what each box is scaled to, width and height: the annotated size, or the picture's
    own.  other_size: pictures whose own size is another than the annotated one.
    """

    detections: dict[PictureId, Detections]
    sizes_px: dict[PictureId, tuple[float, float]]
    other_size: tuple[str, ...]
    unreadable: dict[PictureId, CameraError]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """objects: annotated ones, crowds not counted.  ap: 0..1, None without any object."""

    objects: int
    ap: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """COCO's figures, 0..1, None where there is no object of that kind.

    classes: by the model's name for each, most objects first.
    ap: mean over IoU 0.50 to 0.95 and classes; ap50, ap75: at one IoU.  ap_small, ap_medium,
    ap_large: objects below 32x32, below 96x96 px of area, and the others.
    """

    classes: dict[str, ClassScore]
    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None


def require_pycocotools() -> None:
    """Raises BackendMissing, with what to install, when pycocotools cannot be used."""
    try:
        import pycocotools.cocoeval  # noqa: F401
    # ValueError: built for another numpy.
    except (ImportError, ValueError) as error:
        raise BackendMissing(
            f"pycocotools cannot be used ({error}); install it with: "
            'pip install "edge-vision[eval]"'
        ) from None


def find_pictures(annotations: Annotations, folder: Path) -> Dataset:
    """The annotated pictures that are in `folder` or below it.

    Raises SourceMissing when there is no such folder, or not one of the pictures.
    """
    # os.path's tests are false, and raise nothing, for names that no file can have.
    if not os.path.isdir(folder):
        what = "is no folder" if os.path.exists(folder) else "does not exist"
        raise SourceMissing(f"{folder} {what}; expected the folder with the annotated pictures")
    named = {key: picture.file_name for key, picture in annotations.pictures.items()}
    files = {key: folder / name for key, name in named.items() if os.path.isfile(folder / name)}
    if not files:
        first = f"; the first would be {folder / next(iter(named.values()))}" if named else ""
        raise SourceMissing(
            f"none of the {len(named)} pictures named in {annotations.path} is in {folder}{first}"
        )
    known = {os.path.normpath(file) for file in files.values()}
    strange = [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if is_picture_name(file.name) and os.path.normpath(file) not in known
    ]
    missing = tuple(name for key, name in named.items() if key not in files)
    return Dataset(annotations, files, missing, tuple(strange))


class Names:
    """Which annotated category is which of the model's classes.

    labels: class id -> name of the classes that count.  `known` are the shared names, as the model
    has them; `unknown` the categories that the model has no class for, and how many boxes each has.
    Raises ConfigError when they share none.
    """

    def __init__(self, annotations: Annotations, labels: Mapping[int, str]) -> None:
        by_name = {_plain(label): label for label in labels.values()}
        used = {_plain(category) for category in annotations.categories}
        self.known = [label for plain, label in by_name.items() if plain in used]
        if not self.known:
            raise ConfigError(
                f"the model knows none of the categories in {annotations.path}: it knows "
                f"{some(list(labels.values()))}; the file has {some(annotations.categories)} "
                "(they are matched by name; model.labels names the classes of model.file)"
            )
        number = {_plain(label): at for at, label in enumerate(self.known, 1)}
        self._categories = {name: number.get(_plain(name)) for name in annotations.categories}
        self._classes = {key: number.get(_plain(label)) for key, label in labels.items()}
        self.unknown = dict.fromkeys((n for n, at in self._categories.items() if at is None), 0)
        for box in annotations.boxes:
            if box.category in self.unknown:
                self.unknown[box.category] += 1

    def of_box(self, box: Box) -> int | None:
        """Place in `known` from 1, None for unknown ones."""
        return self._categories[box.category]

    def of_class(self, class_id: int) -> int | None:
        """Place in `known` from 1, None for classes that are not annotated."""
        return self._classes.get(class_id)


def run_detector(detector: SsdDetector, data: Dataset, on_picture: Callable[[], None]) -> Found:
    """Detections of all pictures; `on_picture` is called after each.

    Raises SourceBroken when not one can be read.
    """
    detections: dict[PictureId, Detections] = {}
    sizes_px: dict[PictureId, tuple[float, float]] = {}
    other_size: list[str] = []
    unreadable: dict[PictureId, CameraError] = {}
    for key, file in data.files.items():
        annotated = data.annotations.pictures[key]
        try:
            picture = read_picture(file)
        except CameraError as error:
            unreadable[key] = error
        else:
            own_px = float(picture.shape[1]), float(picture.shape[0])
            detections[key] = detector.detect(Image.from_array(picture))
            sizes_px[key] = annotated.size_px or own_px
            if sizes_px[key] != own_px:
                other_size.append(annotated.file_name)
        on_picture()
    if not detections:
        first = next(iter(unreadable.values()))
        raise SourceBroken(
            f"none of the {len(data.files)} pictures can be read; the first: {first}"
        )
    return Found(detections, sizes_px, tuple(other_size), unreadable)


def score(data: Dataset, found: Found, names: Names) -> Scores:
    """COCO's figures over the pictures in `found`, for the classes that both sides know."""
    from pycocotools.cocoeval import COCOeval

    place = {key: number for number, key in enumerate(found.detections, 1)}
    truth = []
    for box in data.annotations.boxes:
        category = names.of_box(box)
        if category is not None and box.picture in place:
            truth.append(_row(place[box.picture], category, box.xywh_px, box.area_px2, box.crowd))
    rows = [row for key in place for row in _found_rows(place[key], key, found, names)]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells what it does
        evaluation = COCOeval(_coco(truth, place, names), _coco(rows, place, names), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    figures = [float(value) if value > -1 else None for value in evaluation.stats[:6]]
    counts = [0] * (len(names.known) + 1)
    for row in truth:
        counts[row["category_id"]] += not row["iscrowd"]
    # precision: (IoU thresholds, recalls, classes, areas, most detections); -1 = no object.
    of_class = evaluation.eval["precision"][:, :, :, 0, -1]
    scores = {
        label: ClassScore(counts[number], _mean(of_class[:, :, number - 1]))
        for number, label in enumerate(names.known, 1)
    }
    ordered = sorted(scores.items(), key=lambda item: (-item[1].objects, item[0]))
    return Scores(dict(ordered), *figures)


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or "none"


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def _found_rows(number: int, key: PictureId, found: Found, names: Names) -> list[dict[str, Any]]:
    detections, (width, height) = found.detections[key], found.sizes_px[key]
    boxes = detections.boxes * np.array([width, height, width, height])
    boxes[:, 2:] -= boxes[:, :2]
    rows = []
    for xywh, value, class_id in zip(
        boxes.tolist(), detections.scores.tolist(), detections.class_ids.tolist(), strict=True
    ):
        category = names.of_class(class_id)
        if category is not None:
            row = _row(number, category, xywh, xywh[2] * xywh[3], False)
            rows.append({**row, "score": value})
    return rows


def _row(
    number: int, category: int, xywh_px: Sequence[float], area_px2: float, crowd: bool
) -> dict[str, Any]:
    return {
        "image_id": number, "category_id": category, "bbox": list(xywh_px), "area": area_px2,
        "iscrowd": int(crowd),
    }  # fmt: skip


def _coco(rows: list[dict[str, Any]], place: Mapping[PictureId, int], names: Names) -> Any:
    """The rows as pycocotools wants them; ids from 1, as 0 means unmatched there."""
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {
        "images": [{"id": number} for number in place.values()],
        "categories": [{"id": number} for number in range(1, len(names.known) + 1)],
        "annotations": [{**row, "id": number} for number, row in enumerate(rows, 1)],
    }
    coco.createIndex()
    return coco


def _mean(precision: Any) -> float | None:
    """Of the entries that stand for an object (the others are -1), None without any."""
    real = precision[precision > -1]
    return float(real.mean()) if real.size else None
