"""Label files of every kind, and what is wrong with those that are not."""

from pathlib import Path

import pytest

from edge_vision.detect.labels import label_table, unnamed
from edge_vision.errors import ModelError

THREE = {1: "cat", 2: "dog", 3: "cow"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.txt"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat\ndog\ncow", THREE),
        ("cat\r\ndog\r\ncow\r\n\r\n", THREE),
        ("\ufeff???\ncat\ndog\ncow\n", THREE),
        ("background\ncat\ndog\ncow\n", THREE),
        ("__background__\ncat\ndog\ncow\n", THREE),
        ("0 cat\n1 dog\n2 cow", THREE),
        ("0  cat\n1  dog\n2  cow", THREE),
        ("1 cat\n2 dog\n3 cow", THREE),
        ("0: background\n1: cat\n2: dog\n3: cow", THREE),
        ("cat\n???\ncow", {1: "cat", 3: "cow"}),
        ("0 cat\n2 cow", {1: "cat", 3: "cow"}),
        ("1 cat\n3 cow", {1: "cat", 3: "cow"}),
        ("traffic light\n7up can\n2 euro", {1: "traffic light", 2: "7up can", 3: "2 euro"}),
        ("1\n2\n3", {1: "1", 2: "2", 3: "3"}),
    ],
)
@pytest.mark.parametrize("counts", [(3,), (3, 4), ()])
def test_first_lines_and_numbers(
    file: Path, text: str, names: dict[int, str], counts: tuple[int, ...]
) -> None:
    file.write_text(text, encoding="utf-8", newline="")
    found = label_table(file, counts)
    assert found.names == names
    assert found.class_ids == ()


def test_coco_ids_beside_80_or_90_classes(repo: Path) -> None:
    coco = repo / "models" / "labels" / "coco.txt"
    narrow, wide = label_table(coco, (79, 80)), label_table(coco, (90, 91))
    assert narrow.names == wide.names
    assert narrow.names[90] == "toothbrush"
    assert narrow.class_ids[:12] == (*range(1, 12), 13)
    assert (narrow.classes, wide.classes) == (80, None)
    assert wide.class_ids == ()


def test_the_published_files_labels(shared: Path) -> None:
    found = label_table(shared / "models" / "coco_labels_90.txt", (90, 91))
    assert (found.names[1], found.names[90], len(found.names)) == ("person", "toothbrush", 80)
    assert found.classes == 90


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\n\n \n", "empty"),
        (b"\xff\xfe\x00cat", "not text in UTF-8"),
        (b"cat\x00dog\ncow\nhen\n", "binary"),
        (b"cat\n\ndog\n", r":2: an empty line"),
        (b"cat\ndog\n", r"too few labels: 2.*3 classes"),
        (b"???\ncat\ndog\n", r"too few labels: 2 beside the background.*3 classes"),
        (b"a\nb\nc\nd\n", "too many labels: 4"),
        (b"0 a\n1 b\n2 c\n3 d\n", "too many labels: 4"),
        (b"1 a\n2 b\n2 c\n", "same number"),
        (b"1 a\n90 b\n", "too few labels: 2"),
        (b"x\n" * 600_000, "over 1 MB"),
    ],
)
def test_files_that_do_not_fit(file: Path, data: bytes, words: str) -> None:
    file.write_bytes(data)
    with pytest.raises(ModelError, match=words):
        label_table(file, (3,))


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        label_table(tmp_path / "none.txt", (3,))
    with pytest.raises(ModelError, match="cannot be read"):
        label_table(tmp_path, (3,))


def test_no_file() -> None:
    assert unnamed(2).names == {1: "class 1", 2: "class 2"}
    assert unnamed(0).names == {}
