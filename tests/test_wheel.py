"""The wheel alone must run: model, labels, default configuration and demo pictures are in it."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path


def test_the_wheel_alone_runs(repo: Path, tmp_path: Path) -> None:
    wheels, unpacked, elsewhere = (tmp_path / name for name in ("wheels", "unpacked", "elsewhere"))
    elsewhere.mkdir()
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, repo],
        check=True,
        capture_output=True,
    )
    (wheel,) = wheels.glob("edge_vision-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    assert {"_models", "_config.yaml"} <= {p.name for p in (unpacked / "edge_vision").iterdir()}
    skeletons = {p.name for p in (unpacked / "edge_vision" / "_models" / "skeletons").iterdir()}
    assert "skeletons.yaml" in skeletons
    assert len(skeletons) > 1

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "edge_vision", *arguments],
            env={**os.environ, "PYTHONPATH": str(unpacked)},
            cwd=elsewhere,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    models = json.loads(run("models", "--json"))
    assert {"ssdlite_mobilenet_v2_coco", "face"} <= {model["name"] for model in models}
    for model in models:
        assert Path(model["file"]).is_relative_to(unpacked)
        assert model["usable"]
    line = run("run", "--source", "demo", "--frames", "1", "--no-window", "--jsonl", "-")
    assert json.loads(line)["detections"]
