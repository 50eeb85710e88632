"""`edge-vision doctor` on this computer, and on one with a broken package."""

import json
import os
from pathlib import Path

import pytest


def test_this_computer_is_all_right(cli) -> None:
    done = cli("doctor")
    assert done.returncode == 0, done.stdout
    assert "ok    runtime      ai-edge-litert" in done.stdout
    assert ": 0 failed, " in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("package", "fails"),
    [
        ("ai_edge_litert", {"runtime"}),
        ("numpy", {"runtime", "models", "cameras", "display"}),
        ("cv2", {"display"}),
    ],
)
def test_a_broken_package_is_a_line_with_its_mending(
    cli, tmp_path: Path, package: str, fails: set[str]
) -> None:
    broken = tmp_path / "broken" / package
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text(f"raise ImportError('{package} is broken: libfoo.so.6')")
    path = os.pathsep.join([str(broken.parent), os.environ.get("PYTHONPATH", "")])
    done = cli("doctor", "--json", env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is False
    failed = {check["name"]: check for check in report["checks"] if check["state"] == "fail"}
    assert set(failed) == fails
    assert all("install" in check["mend"] for check in failed.values())
    assert any(f"{package} is broken" in check["found"] for check in failed.values())
