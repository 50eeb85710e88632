"""systemd/install.sh on a made-up board, with real Python environments.

They hold a small program in edge-vision's place, installed offline from a wheel.
"""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

DEBIAN = 'ID=debian\nVERSION_ID="{}"\nPRETTY_NAME="Debian GNU/Linux {}"\n'

Board = Any
"""conftest.py's."""


@pytest.mark.parametrize(
    ("system", "told", "options", "said"),
    [
        ('ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04"', {}, [], "found Ubuntu 24.04"),
        (DEBIAN.format(11, 11), {}, [], "found Debian GNU/Linux 11; expected"),
        ("", {}, [], "found a system without a name"),
        (DEBIAN.format(13, 13), {"ARCHITECTURE": "armhf"}, [], "armhf; expected arm64 or amd64"),
        (DEBIAN.format(13, 13), {"USER_ID": "1000"}, [], "needs root: sudo"),
        (DEBIAN.format(13, 13), {"USER_ID": "1000"}, ["--uninstall"], "needs root: sudo"),
        (DEBIAN.format(13, 13), {}, ["--wheel", "none.whl"], "path that exists, found 'none.whl'"),
        (DEBIAN.format(13, 13), {}, ["--wheelhouse"], "path that exists, found ''"),
        (DEBIAN.format(13, 13), {}, ["--purge"], "--purge goes with --uninstall"),
        (DEBIAN.format(13, 13), {}, ["--remove"], "unknown option --remove"),
    ],
)
def test_what_is_refused_changes_nothing(
    board: Board, system: str, told: dict[str, str], options: list[str], said: str
) -> None:
    board.path("etc/os-release").write_text(system)
    board.told = told
    before = board.tree()
    done = board.install(*options)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert board.tree() == before
    assert board.calls() == []


def test_a_full_disk_is_told_before_anything_is_installed(board: Board) -> None:
    board.told = {"FREE_MB": "300"}
    done = board.install(*board.wheel("1", ""))
    assert done.returncode == 1
    assert "300 MB are free for /opt; expected" in done.stderr
    assert not board.path("opt/edge-vision").exists()


def test_a_dry_run_prints_every_step_and_changes_nothing(board: Board) -> None:
    board.told = {"USER_ID": "1000", "MISSING": "python3-venv"}
    before = board.tree()
    done = board.install("--dry-run")
    assert done.returncode == 0, done.stderr
    assert board.tree() == before
    assert board.calls() == []
    steps = [line for line in done.stdout.splitlines() if line.startswith("+ ")]
    for step in ("apt-get", "useradd", "usermod", "-m pip install", "systemctl enable", "doctor"):
        assert any(step in line for line in steps), step


def test_packages_that_are_missing(board: Board) -> None:
    board.path("proc/device-tree").mkdir(parents=True)
    board.path("proc/device-tree/model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    board.told = {"MISSING": "python3-venv python3-picamera2", "FREE_MB": "1"}
    board.install()
    (wanted,) = (call for call in board.calls() if "install" in call)
    assert wanted.endswith("--no-install-recommends install python3-venv python3-picamera2")

    board.told["NO_PICAMERA2"] = "1"
    said = board.install().stdout
    (wanted,) = (call for call in board.calls() if "install" in call)
    assert wanted.endswith("install python3-venv")
    assert "no ribbon-cable camera" in said

    board.told["NO_NETWORK"] = "1"
    done = board.install()
    assert "run this again when there is a network" in done.stderr
    assert board.calls() == ["apt-get -q update"]


def test_install_again_and_remove(board: Board) -> None:
    wheel = board.wheel("1", "camera:\n  kind: auto\n")
    done = board.install(*wheel)
    assert done.returncode == 0, done.stderr
    assert "version 1 doctor" in done.stdout
    calls = board.calls()
    assert "usermod --append --groups video edge-vision" in calls
    assert calls.index("systemctl enable edge-vision.service") < calls.index(
        "systemctl start edge-vision.service"
    )
    units, etc = board.path("etc/systemd/system"), board.path("etc/edge-vision")
    assert (units / "edge-vision@.service").read_text() == (
        units / "edge-vision.service"
    ).read_text()
    assert (etc / "config.yaml").read_text() == "camera:\n  kind: auto\n"
    assert (etc / "config.yaml").stat().st_mode & 0o777 == 0o640
    assert etc.stat().st_mode & 0o7777 == 0o1770

    rule = board.path("etc/udev/rules.d/10-edge-vision.rules")
    (line,) = (line for line in rule.read_text().splitlines() if not line.startswith("#"))
    assert line == 'SUBSYSTEM=="dma_heap", GROUP="edge-vision", MODE="0660"'
    assert rule.stat().st_mode & 0o777 == 0o644
    assert calls.index("udevadm control --reload") < calls.index("udevadm trigger -s dma_heap")

    unit = (units / "edge-vision.service").read_text()
    program, config = re.search(
        r"^ExecStart=(\S+) run --service -c (\S+)", unit, re.MULTILINE
    ).groups()
    assert os.access(board.path(program[1:]), os.X_OK)
    assert board.path(config[1:]).exists()

    # Again: nothing is made anew, and who disabled the service keeps it so.
    (units / "multi-user.target.wants/edge-vision.service").unlink()
    environment = board.path("opt/edge-vision/venv").resolve()
    made = (environment / "complete").stat().st_mtime_ns
    assert board.install(*wheel).returncode == 0
    assert board.path("opt/edge-vision/venv").resolve() == environment
    assert (environment / "complete").stat().st_mtime_ns == made
    assert not any(
        "enable" in call or "start edge" in call for call in board.calls() if "try" not in call
    )

    assert board.install("--uninstall").returncode == 0
    assert list(board.path("opt").iterdir()) == []
    assert [path.name for path in units.iterdir()] == ["multi-user.target.wants"]
    assert not rule.exists()
    assert (etc / "config.yaml").exists()
    assert (board.folder / "user").exists()
    assert board.install("--uninstall", "--purge").returncode == 0
    assert not etc.exists()
    assert not board.path("var/lib/edge-vision").exists()
    assert not (board.folder / "user").exists()
    assert board.install("--uninstall", "--purge").returncode == 0


def test_an_update_keeps_the_configuration_and_names_new_keys(board: Board, repo: Path) -> None:
    shipped = (repo / "config.yaml").read_text("utf-8")
    assert board.install(*board.wheel("1", "camera:\n  kind: auto\n")).returncode == 0
    config = board.path("etc/edge-vision/config.yaml")
    config.write_text("camera: {kind: usb}\n")
    old = board.path("opt/edge-vision/venv").resolve()

    # A configuration the new version cannot use: the old version stays.
    instance = config.with_name("porch.yaml")
    instance.write_text("wrong")
    done = board.install(*board.wheel("2", shipped))
    assert done.returncode == 1
    assert f"cannot use {instance}" in done.stderr
    assert board.path("opt/edge-vision/venv").resolve() == old
    assert not any(call.startswith("systemctl") for call in board.calls())

    instance.write_text("right")
    done = board.install(*board.wheel("2", shipped))
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("New keys"))
    assert set(line.partition("): ")[2].split(", ")) == set(_keys(yaml.safe_load(shipped))) - {
        "camera",
        "camera.kind",
    }
    assert config.read_text() == "camera: {kind: usb}\n"
    assert not old.exists()
    assert "systemctl try-restart edge-vision.service edge-vision@*.service" in board.calls()
    assert "New keys" not in board.install(*board.wheel("2", shipped)).stdout


def _keys(values: object, before: str = "") -> list[str]:
    """Every key of the nested values as the installer writes it; values on one line are no keys."""
    if not isinstance(values, dict) or before.endswith(
        ("delegate_options.", "colours.", "heights_m.")
    ):
        return []
    names = [f"{before}{key}" for key in values]
    return names + [n for key in values for n in _keys(values[key], f"{before}{key}.")]


def test_an_interrupted_install_is_healed_by_the_next(board: Board) -> None:
    good = board.wheel("1", "")
    broken = board.folder / "edge_vision-2-py3-none-any.whl"
    broken.write_bytes(b"half a file")
    done = board.install("--wheel", str(broken), *good[2:])
    assert done.returncode == 1
    assert "the packages cannot be installed" in done.stderr
    assert not board.path("opt/edge-vision/venv").exists()

    # Ended before the service had started: enabled again, though the units are there.
    board.told = {"NO_START": "1", "NO_UDEV": "1"}
    done = board.install(*good)
    assert done.returncode == 1
    assert "udev does not run here" in done.stdout
    assert "journalctl -u edge-vision" in done.stderr
    wants = board.path("etc/systemd/system/multi-user.target.wants/edge-vision.service")
    wants.unlink()
    environment = board.path("opt/edge-vision/venv").resolve()
    (environment / "complete").unlink()
    shutil.rmtree(environment / "bin")

    board.told = {}
    assert board.install(*good).returncode == 0
    assert wants.is_symlink()
    assert (environment / "bin/edge-vision").exists()
    (left,) = (p for p in board.path("opt/edge-vision").glob("venv-*"))
    assert left == environment


def test_what_the_doctor_finds_ends_the_install_with_a_failure(board: Board) -> None:
    board.path("run/systemd/system").rmdir()
    done = board.install(*board.wheel("1", "", ill=True))
    assert done.returncode == 1
    assert "the doctor found a fault" in done.stderr
    assert "starts at the next boot" in done.stdout
    assert board.calls()[-1].startswith("runuser -u edge-vision")


@pytest.mark.parametrize("release", [12, 13])
def test_every_dependency_is_held_at_a_version(repo: Path, release: int) -> None:
    lines = (repo / f"systemd/constraints-debian{release}.txt").read_text().splitlines()
    held = {line.partition("==")[0] for line in lines if "==" in line}
    wanted = tomllib.loads((repo / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert {
        line.partition(">=")[0] for line in wanted if "armv7l'" not in line or "!=" in line
    } == held


def test_shellcheck_has_nothing_to_say(repo: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(
        ["shellcheck", repo / "systemd" / "install.sh"], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
