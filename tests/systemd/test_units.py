"""The units: what systemd itself says of them, and that the program can live in their sandbox."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_vision.errors import ConfigError

UNITS = ("edge-vision.service", "edge-vision@porch.service")
KNOWN_FROM_254_ON = {"RestartSteps", "RestartMaxDelaySec"}
WITHOUT_WRITABLE_CODE = """
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit("no such limit")
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Sets PR_SET_MDWE to PR_MDWE_REFUSE_EXEC_GAIN (linux/prctl.h), and becomes the command."""


@pytest.fixture
def root(tmp_path: Path, repo: Path) -> Path:
    """A folder with the units as systemd/install.sh lays them out, and the programs they name."""
    folder = tmp_path / "etc/systemd/system"
    (folder / "edge-vision@.service.d").mkdir(parents=True)
    for name in ("edge-vision.service", "edge-vision@.service"):
        shutil.copy(repo / "systemd/edge-vision.service", folder / name)
    (folder / "sysinit.target").write_text("[Unit]\nDescription=every service needs it\n")
    shutil.copy(repo / "systemd/instance.conf", folder / "edge-vision@.service.d/10-instance.conf")
    for program in ("opt/edge-vision/venv/bin/edge-vision", "bin/sh"):
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sys.executable, tmp_path / program)
    return tmp_path


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed (sudo apt install systemd)")
    command = [program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def complaints(root: Path, unit: str) -> list[str]:
    """What systemd says of the unit, but for keys that came after Debian 12's systemd."""
    said = analyze("verify", f"--root={root}", unit).stderr.splitlines()
    newer = re.compile(r"Unknown key (name )?'(\w+)'")
    return [
        line for line in said if not ((key := newer.search(line)) and key[2] in KNOWN_FROM_254_ON)
    ]


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_every_line(root: Path, unit: str) -> None:
    assert complaints(root, unit) == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("ProtectClock=yes", "ProtectClocks=yes"), ("@system-service", "@sistem-service")],
)
def test_a_slip_in_the_unit_would_be_told(root: Path, line: str, wrong: str) -> None:
    file = root / "etc/systemd/system/edge-vision.service"
    file.write_text(file.read_text().replace(line, wrong))
    assert any(wrong.partition("=")[0] in said for said in complaints(root, "edge-vision.service"))


@pytest.mark.parametrize("unit", UNITS)
def test_the_sandbox_leaves_an_exposure_of_at_most_2(root: Path, unit: str) -> None:
    arguments = ("security", "--offline=true", "--no-pager", f"--root={root}", unit)
    done = analyze(*arguments, "--threshold=20")
    assert done.returncode == 0, done.stdout[-400:]
    assert analyze(*arguments, "--threshold=1").returncode != 0


def test_a_wrong_configuration_is_not_started_again(repo: Path) -> None:
    unit = (repo / "systemd/edge-vision.service").read_text()
    assert f"\nRestartPreventExitStatus={ConfigError.exit_code}\n" in unit


def test_the_program_needs_no_writable_code(repo: Path, tmp_path: Path) -> None:
    """MemoryDenyWriteExecute=: the model on XNNPACK, the overlay and the H.264 encoder run."""
    run = ["run", "--source", "demo", "--frames", "5", "--no-window"]
    command = [sys.executable, "-m", "edge_vision", *run, "--save", str(tmp_path / "demo.mp4")]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_WRITABLE_CODE, *command],
        cwd=repo,
        capture_output=True,
        text=True,
        check=False,
    )
    if "no such limit" in done.stderr:
        pytest.skip("this kernel cannot refuse writable code (it takes Linux 6.3)")
    assert done.returncode == 0, done.stderr
    assert "XNNPACK" in done.stderr
    assert (tmp_path / "demo.mp4").stat().st_size > 0
