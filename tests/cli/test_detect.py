"""`edge-vision detect`: pictures in, objects out."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest


def test_json_has_the_documented_form(cli, pictures: Path) -> None:
    done = cli("detect", pictures / "cat.jpg", pictures / "cup.jpg", "--json")
    assert done.returncode == 0, done.stderr
    cat, cup = json.loads(done.stdout)
    assert cat["file"] == str(pictures / "cat.jpg")
    assert (cat["width_px"], cat["height_px"]) == (451, 300)
    assert set(cat["detections"][0]) == {"label", "class_id", "score", "box"}
    assert (cat["detections"][0]["label"], cat["detections"][0]["class_id"]) == ("cat", 17)
    assert cup["detections"][0]["label"] == "cup"
    for value in cat["detections"][0]["box"]:
        assert 0 <= value <= 1


def test_options_reach_the_model(cli, pictures: Path) -> None:
    many = json.loads(cli("detect", pictures / "cup.jpg", "--json", "--min-score", "0.05").stdout)[
        0
    ]["detections"]
    few = json.loads(
        cli("detect", pictures / "cup.jpg", "--json", "--min-score", "0.05", "--max", "2").stdout
    )[0]["detections"]
    assert len(many) > 2
    assert few == many[:2]
    small = json.loads(cli("detect", pictures / "cup.jpg", "--json", "--size", "236x300").stdout)
    assert small[0]["detections"] != many[: len(small[0]["detections"])]


def test_annotated_pictures_are_saved(cli, tmp_path: Path, pictures: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    cv2.imwrite(str(other / "cat.jpg"), cv2.imread(str(pictures / "cat.jpg"))[:, ::-1])
    done = cli("detect", pictures / "cat.jpg", other / "cat.jpg", "--save", "out")
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["other_cat.jpg", "pictures_cat.jpg"]
    drawn = cv2.imread(str(tmp_path / "out" / "pictures_cat.jpg")).astype(int)
    assert np.abs(drawn - cv2.imread(str(pictures / "cat.jpg"))).max() > 100


def test_bad_pictures_among_good_ones(cli, tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "empty.jpg").touch()
    done = cli("detect", "bad.jpg", "gone.jpg", pictures / "cat.jpg", "empty.jpg", "--json")
    assert done.returncode == 65, done.stderr
    for name in ("bad.jpg", "gone.jpg", "empty.jpg"):
        assert name in done.stderr
    assert [row["detections"][0]["label"] for row in json.loads(done.stdout)] == ["cat"]


@pytest.mark.parametrize("ending", [".xyz", ""])
def test_endings_that_cannot_be_written(cli, tmp_path: Path, pictures: Path, ending: str) -> None:
    (tmp_path / f"cat{ending}").write_bytes((pictures / "cat.jpg").read_bytes())
    done = cli("detect", f"cat{ending}", "--save", "out")
    assert done.returncode == 74
    assert "ending" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--min-score", "7"], 78, "min_score"),
        (["--size", "95x95"], 78, "96 to 4096"),
        (["--size", "hug"], 78, "small"),
        (["--max", "0"], 78, "max_detections"),
        (["--wrong"], 2, "--wrong"),
    ],
)
def test_wrong_options(cli, pictures: Path, arguments, code: int, words: str) -> None:
    done = cli("detect", pictures / "cat.jpg", *arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_accuracy_on_coco(cli, coco: Path, tmp_path: Path) -> None:
    """The agreed bounds, with COCO's own evaluation, for two sizes."""
    import contextlib
    import io

    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(coco / "train2017.json"))
    ids = {info["file_name"]: info for info in truth.dataset["images"]}
    for size, least in (("large", 0.330), ("medium", 0.250)):
        done = cli(
            "detect", "--json", "--min-score", "0.05", "--max", "100", "--size", size,
            *sorted((coco / "train2017").glob("*.jpg")),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        rows = []
        for picture in json.loads(done.stdout):
            info = ids[Path(picture["file"]).name]
            wide, high = info["width"], info["height"]
            for found in picture["detections"]:
                x0, y0, x1, y1 = found["box"]
                box = [x0 * wide, y0 * high, (x1 - x0) * wide, (y1 - y0) * high]
                rows.append(
                    {
                        "image_id": info["id"],
                        "category_id": found["class_id"],
                        "bbox": box,
                        "score": found["score"],
                    }
                )
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        assert evaluation.stats[0] >= least, f"mAP at {size}"
