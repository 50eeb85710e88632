"""`edge-vision models inspect`, and `model.file` in the commands."""

import json
from pathlib import Path

import pytest

DEFAULT = "ssdlite_mobilenet_v2_coco_int8.tflite"
OFFICIAL = "coco_ssd_mobilenet_v1_1.0_quant.tflite"


def test_inspect_a_raw_file(cli, repo: Path) -> None:
    file, labels = repo / "models" / DEFAULT, repo / "models" / "labels" / "coco.txt"
    done = cli("models", "inspect", file, "--labels", labels, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["layout"], found["anchors"], found["activation"]) == ("raw", 1917, "logits")
    assert found["background"] is False
    assert set(found["outputs"]) == {"boxes", "scores"}
    assert found["first_labels"] == ["person", "bicycle", "car"]
    assert found["labels"] == 80
    assert found["parameters"] > 4e6
    assert found["multiply_adds_at_300x300"] > 7e8
    assert {"pixels", "boxes", "scores", "activation", "background", "labels"} <= set(found["why"])
    text = cli("models", "inspect", file).stdout
    assert "background" in text
    assert "no label file was given" in text


def test_inspect_the_published_file(cli, shared: Path) -> None:
    models = shared / "models"
    done = cli("models", "inspect", models / OFFICIAL, "--labels",
               models / "coco_labels_90.txt", "--json")  # fmt: skip
    found = json.loads(done.stdout)
    assert found["layout"] == "postprocess"
    assert list(found["outputs"]) == ["boxes", "classes", "scores", "count"]
    assert found["custom_ops"] == ["TFLite_Detection_PostProcess"]
    assert found["compiled_for_edgetpu"] is False
    assert "???" in found["why"]["labels"]


def test_what_is_no_model(cli, repo: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.tflite").write_bytes((repo / "models" / DEFAULT).read_bytes()[:-1000])
    for file, words in [
        (repo / "README.md", "not a TFLite file"),
        (tmp_path / "none.tflite", "does not exist"),
        (tmp_path / "cut.tflite", "cut short or altered"),
    ]:
        done = cli("models", "inspect", file)
        assert done.returncode == 65
        assert words in done.stderr


@pytest.mark.parametrize("arguments", [["inspekt", "x"], ["inspect"], ["--labels", "x"]])
def test_wrong_usage(cli, arguments: list[str]) -> None:
    done = cli("models", *arguments)
    assert done.returncode == 2
    assert "inspect FILE" in done.stderr


@pytest.mark.parametrize("command", ["detect", "bench", "run"])
def test_model_file_in_the_commands(cli, repo: Path, pictures: Path, command: str) -> None:
    settings = [f"model.file={repo / 'models' / DEFAULT}",
                f"model.labels={repo / 'models/labels/coco.txt'}", "model.threads=1"]  # fmt: skip
    options = [word for setting in settings for word in ("--set", setting)]
    more = {
        "detect": [pictures / "cup.jpg", "--json"],
        "bench": ["--seconds", "0.6", "--rounds", "1", "--json"],
        "run": ["--source", pictures / "cup.jpg", "--frames", "1",
                "--set", "outputs.window.enabled=false", "--set", "outputs.jsonl.path=-"],
    }[command]  # fmt: skip
    done = cli(command, *options, *more)
    assert done.returncode == 0, done.stderr
    if command == "bench":
        assert json.loads(done.stdout)["model"] == Path(DEFAULT).stem
    else:
        assert '"cup"' in done.stdout


def test_a_size_word_does_not_fit_a_file(cli, repo: Path, pictures: Path) -> None:
    done = cli("detect", pictures / "cup.jpg", "--size", "small",
               "--set", f"model.file={repo / 'models' / DEFAULT}")  # fmt: skip
    assert done.returncode == 78
    assert "model.input_hw_px" in done.stderr
