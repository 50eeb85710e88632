"""`edge-vision eval`: accuracy on pictures with boxes of one's own."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

import edge_vision.cli.eval as eval_command

Write = Callable[..., Path]

# Drawn by hand.  The ids are not COCO's.
TRUTH: dict[str, Any] = {
    "images": [{"id": 70, "file_name": "cat.jpg", "width": 451, "height": 300},
               {"id": 71, "file_name": "cup.jpg", "width": 600, "height": 400}],
    "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "Cat"}],
    "annotations": [{"id": 1, "image_id": 70, "category_id": 2, "bbox": [0, 0, 400, 300]},
                    {"id": 2, "image_id": 71, "category_id": 1, "bbox": [172, 17, 238, 290]}],
}  # fmt: skip


@pytest.fixture
def truth(tmp_path: Path, pictures: Path) -> Write:
    """truth(images=[...], ...): the annotation file, with more entries; its pictures beside it."""
    (tmp_path / "own").mkdir()
    for name in ("cat.jpg", "cup.jpg"):
        shutil.copy(pictures / name, tmp_path / "own")

    def write(**more: list[Any]) -> Path:
        path = tmp_path / "truth.json"
        path.write_text(json.dumps({key: rows + more.get(key, []) for key, rows in TRUTH.items()}))
        return path

    return write


def test_json_of_two_sizes(cli, truth: Write) -> None:
    done = cli(
        "eval", "--images", "own", "--annotations", truth(), "--size", "large", "--size",
        "236x300", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["complete"]
    assert [size["input_hw_px"] for size in report["sizes"]] == [[300, 300], [236, 300]]
    large = report["sizes"][0]
    assert large["pictures"] == 2
    assert large["ap50"] == pytest.approx(1)
    assert 0.5 < large["ap"] < 1
    assert large["ap_small"] is None
    assert large["classes"]["cat"]["objects"] == 1
    assert large["classes"]["cat"]["ap"] > large["classes"]["cup"]["ap"] > 0.3
    for key in ("without_file", "without_annotation", "unreadable", "unknown_categories"):
        assert not report[key]


def test_what_does_not_fit_is_named(cli, truth: Write, tmp_path: Path) -> None:
    (tmp_path / "own" / "broken.jpg").write_bytes(b"no picture")
    shutil.copy(tmp_path / "own" / "cat.jpg", tmp_path / "own" / "other.jpg")
    path = truth(
        images=[{"id": n, "file_name": f"gone{n}.jpg"} for n in range(9)]
        + [{"id": 72, "file_name": "broken.jpg"}],
        categories=[{"id": 3, "name": "unicorn"}],
        annotations=[
            {"id": 5, "image_id": 71, "category_id": 3, "bbox": [1, 1, 2, 2]},
            {"id": 6, "image_id": 99, "category_id": 1, "bbox": [1, 1, 2, 2]},
        ],
    )
    arguments = ("eval", "--images", "own", "--annotations", path)
    done = cli(*arguments)
    assert done.returncode == 65
    assert "broken.jpg cannot be decoded" in done.stderr
    for line in (
        "2 pictures, 2 objects of 2 classes",
        "  9 annotated pictures without a file, left out: gone0.jpg, gone1.jpg, gone2.jpg, "
        "gone3.jpg, gone4.jpg and 4 more",
        "  1 pictures that the annotations do not name, left out: other.jpg",
        "  1 pictures that cannot be read, left out: broken.jpg",
        "  1 annotations of pictures that are not listed, left out: 6",
        "  1 categories that the model does not know, left out: unicorn (1)",
    ):
        assert line in done.stdout.splitlines()
    report = json.loads(cli(*arguments, "--json").stdout)
    assert len(report["without_file"]) == 9
    assert report["without_annotation"] == ["other.jpg"]
    assert report["unreadable"] == ["broken.jpg"]
    assert report["annotations_without_picture"] == ["6"]
    assert report["unknown_categories"] == {"unicorn": 1}


def test_settings_reach_the_model(cli, truth: Write) -> None:
    """A class that model.classes leaves out is none that the model knows."""
    done = cli(
        "eval", "--images", "own", "--annotations", truth(), "--set", "model.classes=[cat]",
        "--json",
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert list(report["sizes"][0]["classes"]) == ["cat"]
    assert report["unknown_categories"] == {"cup": 1}
    strict = cli(
        "eval", "--images", "own", "--annotations", truth(), "--set", "model.min_score=1.0",
        "--json",
    )  # fmt: skip
    assert json.loads(strict.stdout)["sizes"][0]["ap"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--annotations", "gone.json"], 66, "gone.json does not exist"),
        (["--annotations", "own/cat.jpg"], 65, "cat.jpg is no JSON"),
        (["--images", "elsewhere"], 66, "elsewhere does not exist"),
        (["--size", "hug"], 78, "small"),
        (["--set", "model.name=face"], 78, "it knows face; the file has Cat, cup"),
        (["--set", "model.file=own/cat.jpg"], 65, "cat.jpg"),
    ],
)
def test_what_is_refused(cli, truth: Write, arguments: list[str], code: int, words: str) -> None:
    done = cli("eval", "--images", "own", "--annotations", truth(), *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stdout == ""


def test_both_options_are_needed(cli, truth: Write) -> None:
    done = cli("eval", "--images", "own")
    assert (done.returncode, "--annotations" in done.stderr) == (2, True)


def test_ctrl_c_keeps_the_sizes_that_are_done(
    truth: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    real, turns = eval_command.run_detector, iter((True, False))

    def once(*arguments: Any) -> Any:
        if next(turns):
            return real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(eval_command, "run_detector", once)
    sizes = ["small", "large"]
    with pytest.raises(typer.Exit) as ended:
        eval_command.command(tmp_path / "own", truth(), size=sizes, json=True)
    assert ended.value.exit_code == 130
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert not report["complete"]
    assert [size["input_hw_px"] for size in report["sizes"]] == [[172, 172]]
    assert "interrupted" in said.err


def test_any_file_on_coco(cli, shared: Path, coco: Path) -> None:
    """The TensorFlow site's quantised model of 2018, at most 10 objects a picture."""
    models = shared / "models"
    done = cli(
        "eval", "--images", coco / "train2017", "--annotations", coco / "train2017.json", "--json",
        "--set", f"model.file={models / 'coco_ssd_mobilenet_v1_1.0_quant.tflite'}",
        "--set", f"model.labels={models / 'coco_labels_90.txt'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["unknown_categories"] == {}
    assert report["sizes"][0]["ap"] == pytest.approx(0.204, abs=0.01)
