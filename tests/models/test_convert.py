"""The committed model files: as the manifest says, and made again from their source packages."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CONVERTERS = {"ssdlite_mobilenet_v2_coco": "convert_ssdlite_v2.py", "face": "convert_face.py"}
LICENSES = {"ssdlite_mobilenet_v2_coco": "Apache-2.0", "face": "MIT"}


def _entry(repo: Path, name: str) -> dict[str, Any]:
    entries = yaml.safe_load((repo / "models" / "manifest.yaml").read_text())["models"]
    (entry,) = (entry for entry in entries if entry["name"] == name)
    return dict(entry)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", CONVERTERS)
def test_the_converter_reproduces_the_file(
    repo: Path, coco: Path, tmp_path: Path, name: str
) -> None:
    """Needs TensorFlow (models/build/requirements.txt) in this environment, npm and a network."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    entry = _entry(repo, name)
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
        [sys.executable, repo / "models" / "build" / CONVERTERS[name], "--package", package,
         "--calibration", coco / "train2017", "--out", out],
        check=True,
    )  # fmt: skip
    made = (out / entry["file"]).read_bytes()
    assert hashlib.sha256(made).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("name", CONVERTERS)
def test_the_manifest_tells_the_truth(repo: Path, name: str) -> None:
    entry = _entry(repo, name)
    for key, named in (("file", "sha256"), ("labels", "labels_sha256")):
        data = (repo / "models" / entry[key]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry[named]
    notice = (repo / "models" / "NOTICE").read_text()
    assert entry["license"] == LICENSES[name]
    assert entry["file"] in notice
    assert f"{entry['source']['package']} {entry['source']['version']}" in notice


def test_manifest_and_notice_are_those_of_the_template(repo: Path, tmp_path: Path) -> None:
    """Nobody edited them by hand."""
    models = tmp_path / "models"
    shutil.copytree(repo / "models", models, ignore=shutil.ignore_patterns("__pycache__"))
    script = repo / "models" / "build" / "write_manifest.py"
    subprocess.run([sys.executable, script, "--out", models], check=True)
    for name in ("manifest.yaml", "NOTICE"):
        assert (models / name).read_text() == (repo / "models" / name).read_text()
