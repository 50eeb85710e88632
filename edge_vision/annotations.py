"""COCO annotation files (cocodataset.org/#format-data): pictures and the boxes drawn on them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from edge_vision.errors import SourceBroken, SourceMissing

PictureId = int | str
_LARGEST = 1e12


@dataclass(frozen=True, slots=True)
class Picture:
    """file_name: as the file has it, perhaps with folders.  size_px: width and height, if told."""

    file_name: str
    size_px: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Box:
    """One object.  xywh_px: left, top, width, height.  area_px2: of the object or else of the box.

    crowd: stands for many objects; what is found in it counts neither for nor against.
    """

    picture: PictureId
    category: str
    xywh_px: tuple[float, float, float, float]
    area_px2: float
    crowd: bool


@dataclass(frozen=True, slots=True)
class Annotations:
    """path: of the file.  boxes: of `pictures` only; strays: ids of boxes of pictures not listed.

    A category that is used but not listed is called `category <id>`.
    """

    path: Path
    pictures: dict[PictureId, Picture]
    boxes: tuple[Box, ...]
    strays: tuple[str, ...]
    categories: tuple[str, ...]


def read_annotations(path: Path) -> Annotations:
    """The file's pictures, boxes and names of categories.

    Raises SourceMissing when it is not there, SourceBroken when it is not of COCO's form.
    """
    document = _document(path)
    pictures: dict[PictureId, Picture] = {}
    for number, entry in enumerate(_list(document, "images", path)):
        where = f"{path}: images[{number}]"
        key = _id(entry, "id", where)
        if key in pictures:
            raise SourceBroken(f"{where} has the id {key} of an earlier one; expected each once")
        pictures[key] = _picture(entry, where)
    names: dict[PictureId, str] = {}
    for number, entry in enumerate(_list(document, "categories", path)):
        where = f"{path}: categories[{number}]"
        names[_id(entry, "id", where)] = _text(entry, "name", where)
    boxes, strays = [], []
    for number, entry in enumerate(_list(document, "annotations", path)):
        box = _box(entry, names, f"{path}: annotations[{number}]")
        if box.picture in pictures:
            boxes.append(box)
        else:
            strays.append(str(entry.get("id", f"annotations[{number}]")))
    used = {*names.values(), *(box.category for box in boxes)}
    return Annotations(path, pictures, tuple(boxes), tuple(strays), tuple(sorted(used)))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise SourceMissing(f"the annotation file {path} does not exist") from None
    except OSError as error:
        raise SourceBroken(f"the annotation file {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # broken JSON or UTF-8, nested without end
        raise SourceBroken(
            f"{path} is no JSON ({str(error)[:80]}); expected annotations in COCO's format"
        ) from None
    if not isinstance(document, dict):
        raise SourceBroken(
            f"{path} holds a JSON {type(document).__name__}; expected an object with images, "
            "annotations and categories (COCO's format)"
        )
    return document


def _list(document: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    value = document.get(key)
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return value
    found = ", ".join(map(str, list(document)[:8])) or "nothing"
    what = f"has no list of objects named {key!r}" if key in document else f"has no {key!r}"
    raise SourceBroken(
        f"{path} {what}; expected images, annotations and categories (COCO's format), it has: "
        f"{found}"
    )


def _id(entry: dict[str, Any], key: str, where: str) -> PictureId:
    value = entry.get(key)
    if isinstance(value, int | str):
        return value
    raise SourceBroken(f"{where} has the {key} {_short(value)}; expected a number or a text")


def _text(entry: dict[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if isinstance(value, str) and value:
        return value
    raise SourceBroken(f"{where} has the {key} {_short(value)}; expected a text")


def _picture(entry: dict[str, Any], where: str) -> Picture:
    name, sides = _text(entry, "file_name", where), [entry.get("width"), entry.get("height")]
    if sides == [None, None]:
        return Picture(name, None)
    numbers = [side for side in sides if _is_number(side) and side > 0]
    if len(numbers) < 2:
        raise SourceBroken(
            f"{where} has a width and height of {_short(sides)}; expected two numbers above 0"
        )
    return Picture(name, (float(numbers[0]), float(numbers[1])))


def _box(entry: dict[str, Any], names: dict[PictureId, str], where: str) -> Box:
    picture, category = _id(entry, "image_id", where), _id(entry, "category_id", where)
    xywh = entry.get("bbox")
    fits = isinstance(xywh, list) and len(xywh) == 4 and all(map(_is_number, xywh))
    if not isinstance(xywh, list) or not fits or min(xywh[2:]) < 0:
        raise SourceBroken(
            f"{where} has the bbox {_short(xywh)}; expected [left, top, width, height] in pixels, "
            "width and height not below 0"
        )
    left, top, width, height = map(float, xywh)
    area = entry.get("area")
    return Box(
        picture,
        names.get(category, f"category {category}"),
        (left, top, width, height),
        float(area) if _is_number(area) else width * height,
        bool(entry.get("iscrowd")),
    )


def _is_number(value: Any) -> TypeGuard[int | float]:
    # Also false for NaN, infinity, and whole numbers beyond what a float can hold.
    return type(value) in (int, float) and abs(value) < _LARGEST


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
