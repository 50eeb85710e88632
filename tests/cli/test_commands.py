"""The small commands, and what all commands share."""

import json
import os
import re
from pathlib import Path

import pytest

COMMANDS = [
    "run", "detect", "bench", "tune", "replay", "registration", "models", "explore", "eval",
    "cameras", "events", "fleet", "check-config", "password", "doctor",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(cli, command: str) -> None:
    done = cli(command, "--help")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 5
    assert "Usage: edge-vision" in done.stdout.replace("\x1b[1m", "")


def test_help_lists_every_command(cli) -> None:
    text = cli("--help").stdout
    for command in COMMANDS:
        assert command in text
    assert re.search(r"edge-vision \d+\.\d+\.\d+", cli("--version").stdout)
    assert cli("fly").returncode == 2


def test_models(cli) -> None:
    model, face = json.loads(cli("models", "--json").stdout)
    assert model["name"] == "ssdlite_mobilenet_v2_coco"
    assert model["sizes_hw_px"]["medium"] == [236, 236]
    assert face["name"] == "face"
    assert model["usable"] is face["usable"] is True
    text = cli("models").stdout
    assert "medium" in text
    assert "hash checked" in text


def test_cameras(cli) -> None:
    done = cli("cameras", "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), list)
    assert cli("cameras").stdout


LIBCAMERA = """
from types import SimpleNamespace as Some
KEY = type("ControlId", (), {"name": "Model"})()
SIZES = [Some(width=640, height=480), Some(width=1280, height=720)]
FORMATS = Some(pixel_formats=["NV12"], sizes=lambda _: SIZES)
CAMERA = Some(id="/base/soc/i2c@1/imx219@10", properties={KEY: "imx219"})
CAMERA.generate_configuration = lambda _: Some(at=lambda _: Some(formats=FORMATS))
CameraManager = Some(singleton=lambda: Some(cameras=[CAMERA]))
StreamRole = Some(Raw=0, Viewfinder=1)
"""


def test_cameras_lists_those_of_libcamera(cli, tmp_path: Path) -> None:
    (tmp_path / "libcamera.py").write_text(LIBCAMERA)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    text = cli("cameras", env=environment).stdout
    assert "Pi camera 0  imx219  (/base/soc/i2c@1/imx219@10)\n  sizes  640x480, 1280x720" in text
    assert "use it: edge-vision run --source pi\n" in text
    first = json.loads(cli("cameras", "--json", env=environment).stdout)[0]
    assert (first["kind"], first["number"], first["model"]) == ("pi", 0, "imx219")
    assert first["sizes_px"] == [[640, 480], [1280, 720]]


def test_check_config(cli, repo: Path, tmp_path: Path) -> None:
    good = cli("check-config", repo / "config.yaml")
    assert good.returncode == 0, good.stderr
    (tmp_path / "bad.yaml").write_text("camera:\n  kind: demoo\nmodel:\n  size: 3\n")
    bad = cli("check-config", "bad.yaml")
    assert bad.returncode == 78
    assert "bad.yaml:2" in bad.stderr
    assert "bad.yaml:4" in bad.stderr
    assert "did you mean demo?" in bad.stderr


def test_bench_reports_one_run(cli) -> None:
    done = cli(
        "bench", "--size", "small", "--threads", "1", "--seconds", "1", "--rounds", "1", "--json",
        "--set", "camera.size_px=[320, 240]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["input_hw_px"] == [172, 172]
    assert report["threads"] == 1
    assert report["ratio"] == pytest.approx(
        report["pipeline_per_s"] / report["invoke_per_s"], abs=0.002
    )
    assert report["stages_ms"]["invoke"] > 0
    assert {"runtime", "model", "rss_mb"} <= set(report)
    assert report["delegate"] == "XNNPACK"
