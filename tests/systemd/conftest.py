"""A made-up board for systemd/install.sh: a folder as its root, commands that note their calls."""

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pip
import pytest

# Each notes its call; what follows stands for what the system's own command does.
COMMANDS = {
    "id": "echo ${USER_ID:-0}",
    "dpkg": "echo ${ARCHITECTURE:-arm64}",
    "dpkg-query": 'case " $MISSING " in *" $4 "*) exit 1 ;; esac; echo installed',
    "apt-cache": "exit ${NO_PICAMERA2:-0}",
    "apt-get": "exit ${NO_NETWORK:-0}",
    "getent": 'case $2 in edge-vision) [ -e "$BOARD/user" ] ;; *) [ $2 = video ] ;; esac',
    "useradd": 'touch "$BOARD/user"',
    "userdel": 'rm "$BOARD/user"',
    "usermod": "",
    "udevadm": "exit ${NO_UDEV:-0}",
    "chown": "",
    "df": "printf 'Avail\\n%sM\\n' ${FREE_MB:-9000}",
    "runuser": 'shift 3; exec "$@"',
    "systemctl": """case $1 in
  enable) ln -sf ../$2 "$EDGE_VISION_INSTALL_ROOT/etc/systemd/system/multi-user.target.wants/$2" ;;
  disable) rm "$EDGE_VISION_INSTALL_ROOT/etc/systemd/system/multi-user.target.wants/$2" ;;
  start) exit ${NO_START:-0} ;;
esac""",
}
# Makes environments as python3 does, but ten times faster: pip is linked, not installed.
PYTHON = """
case "$*" in *venv*) ;; *) exec "{python}" "$@" ;; esac
"{python}" "$@" --without-pip || exit
for folder; do :; done
echo "$BOARD/only-pip" >"$(echo "$folder"/lib/python3*/site-packages)/pip.pth"
"""
LOOKS_ONLY = {"id", "dpkg", "dpkg-query", "apt-cache", "getent", "df"}
PROGRAM = """
import pathlib, sys
def main():
    print("version {version}", *sys.argv[1:])
    if sys.argv[1] == "check-config" and "wrong" in pathlib.Path(sys.argv[2]).read_text():
        sys.exit(78)
    if sys.argv[1] == "doctor" and {ill}:
        sys.exit(1)
"""


@dataclass
class Board:
    """A board below `folder`; `told` holds variables that change what its commands answer."""

    folder: Path
    script: Path
    told: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def path(self, name: str) -> Path:
        return self.root / name

    def install(self, *options: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            **{name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
            "PATH": f"{self.folder / 'commands'}:{os.environ['PATH']}",
            "EDGE_VISION_INSTALL_ROOT": str(self.root),
            "BOARD": str(self.folder),
            **self.told,
        }
        (self.folder / "calls").write_text("")
        command = [str(self.script), *options]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def calls(self) -> list[str]:
        """What changes the system, of the last run."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [line for line in lines if line.split()[0] not in LOOKS_ONLY]

    def tree(self) -> dict[str, str]:
        """Every path and what it is or holds."""
        return {
            str(path): os.readlink(path) if path.is_symlink() else str(path.stat().st_mtime_ns)
            for path in self.root.rglob("*")
            if not path.is_dir() or path.is_symlink()
        }

    def wheel(self, version: str, config: str, *, ill: bool = False) -> tuple[str, ...]:
        """The options that install a small program as edge-vision."""
        file = self.folder / f"edge_vision-{version}-py3-none-any.whl"
        about = f"edge_vision-{version}.dist-info"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("edge_vision/__init__.py", PROGRAM.format(version=version, ill=ill))
            archive.writestr("edge_vision/_config.yaml", config)
            archive.writestr(f"{about}/METADATA", f"Name: edge-vision\nVersion: {version}\n")
            archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            entry = "[console_scripts]\nedge-vision = edge_vision:main\n"
            archive.writestr(f"{about}/entry_points.txt", entry)
            archive.writestr(f"{about}/RECORD", "")
        return "--wheel", str(file), "--wheelhouse", str(self.folder / "wheelhouse")


@pytest.fixture
def board(tmp_path: Path, repo: Path) -> Board:
    board = Board(tmp_path, repo / "systemd" / "install.sh")
    for name in ("commands", "wheelhouse", "root/opt", "root/run/lock", "root/run/systemd/system"):
        (tmp_path / name).mkdir(parents=True)
    board.path("etc/systemd/system/multi-user.target.wants").mkdir(parents=True)
    board.path("usr/bin").mkdir(parents=True)
    board.path("etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    programs = {tmp_path / "commands" / name: text for name, text in COMMANDS.items()}
    programs = {
        file: f'echo "{file.name} $*" >>"$BOARD/calls"\n{text}' for file, text in programs.items()
    }
    (tmp_path / "only-pip").mkdir()
    (tmp_path / "only-pip" / "pip").symlink_to(Path(pip.__file__).parent)
    programs[board.path("usr/bin/python3")] = PYTHON.format(python=sys.executable)
    for file, text in programs.items():
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
    return board
