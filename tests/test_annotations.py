"""COCO annotation files: what is read of them, and one sentence for each that is none."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_vision.annotations import read_annotations
from edge_vision.errors import SourceBroken, SourceMissing

GOOD: dict[str, Any] = {
    "info": {},
    "images": [{"id": 3, "file_name": "a.jpg", "width": 64, "height": 48}],
    "categories": [{"id": 2, "name": "cat"}],
    "annotations": [{"id": 9, "image_id": 3, "category_id": 2, "bbox": [1, 2, 3.5, 4]}],
}


def _changed(key: str, **values: Any) -> str:
    return json.dumps({**GOOD, key: [{**GOOD[key][0], **values}]})


def test_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(GOOD))
    found = read_annotations(path)
    assert found.pictures[3].size_px == (64, 48)
    (box,) = found.boxes
    assert (box.picture, box.category, box.xywh_px) == (3, "cat", (1, 2, 3.5, 4))
    assert (box.area_px2, box.crowd) == (14, False)
    assert (found.categories, found.strays) == (("cat",), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON"),
        ("<annotation/>", r"is no JSON \(Expecting value: line 1"),
        ('{"images": [', "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"images": ' + "9" * 5000 + "}", "is no JSON"),
        ("\udcff", "is no JSON"),
        ("[]", "holds a JSON list; expected an object with images"),
        ("3", "holds a JSON int"),
        ("{}", "has no 'images'; .* it has: nothing"),
        ('{"images": []}', "has no 'categories'; .* it has: images"),
        ('{"images": [], "categories": []}', "has no 'annotations'"),
        ('{"images": {}, "categories": []}', "has no list of objects named 'images'"),
        ('{"images": [3]}', "has no list of objects named 'images'"),
        (_changed("images", id=None), r"images\[0\] has the id null"),
        (_changed("images", id=[1]), r"images\[0\] has the id \[1\]"),
        (_changed("images", file_name=5), r"images\[0\] has the file_name 5; expected a text"),
        (_changed("images", file_name=""), r'images\[0\] has the file_name ""'),
        (_changed("images", width="64"), r'width and height of \["64", 48\]; expected two'),
        (_changed("images", height=0), r"width and height of \[64, 0\]"),
        (_changed("images", height=None), r"width and height of \[64, null\]"),
        (_changed("categories", name=None), r"categories\[0\] has the name null"),
        (_changed("categories", id={}), r"categories\[0\] has the id {}"),
        (_changed("annotations", image_id=None), r"annotations\[0\] has the image_id null"),
        (_changed("annotations", category_id=None), r"annotations\[0\] has the category_id null"),
        (_changed("annotations", bbox=None), r"annotations\[0\] has the bbox null; expect"),
        (_changed("annotations", bbox=[1, 2, 3]), r"has the bbox \[1, 2, 3\]"),
        (_changed("annotations", bbox=[1, 2, 3, "4"]), "has the bbox"),
        (_changed("annotations", bbox=[1, 2, -3, 4]), "not below 0"),
        (_changed("annotations", bbox=[1, 2, float("nan"), 4]), "has the bbox"),
        (_changed("annotations", bbox=[1, 2, float("inf"), 4]), "has the bbox"),
        (_changed("annotations", bbox=[1, 2, 10**400, 4]), "has the bbox"),
        (_changed("annotations", bbox={"x": 1}), "has the bbox"),
        (json.dumps({**GOOD, "images": GOOD["images"] * 2}), r"images\[1\] has the id 3 of an ear"),
    ],
)  # fmt: skip
def test_one_sentence_for_each(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "truth.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SourceBroken, match=said) as caught:
        read_annotations(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 400


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="does not exist"):
        read_annotations(tmp_path / "gone.json")
    with pytest.raises(SourceBroken, match="cannot be read: Is a directory"):
        read_annotations(tmp_path)
