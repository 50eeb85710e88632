"""The wheel of this checkout, and all wheels that it needs in the emulated machine."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from virtual_board import image

REPO = Path(__file__).resolve().parents[3]
CONSTRAINTS = REPO / "systemd" / "constraints-debian13.txt"


def build(folder: Path) -> Path:
    """The wheel of this checkout, written to `folder`."""
    _pip("wheel", "--no-deps", "--wheel-dir", folder, REPO)
    (wheel,) = folder.glob("edge_vision-*.whl")
    return wheel


def download(arch: str, wheel: Path) -> Path:
    """A disk with the packages `wheel` needs on `arch`, kept until their versions change."""
    inputs = (REPO / "pyproject.toml").read_bytes() + CONSTRAINTS.read_bytes()
    disk = image.cache() / f"wheels-{arch}-{hashlib.sha256(inputs).hexdigest()[:16]}.ext4"
    if not disk.exists():
        partial = disk.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        packages = partial / "packages"
        options = [*image.wheel_options(arch), "--constraint", CONSTRAINTS, "--dest", packages]
        _pip("download", *options, wheel)
        for own in packages.glob("edge_vision-*.whl"):
            own.unlink()
        # A disk, as reading a shared folder is slow when emulated.
        size_bytes = sum(file.stat().st_size for file in packages.iterdir())
        image.make_disk(packages, partial / "disk", 2 * size_bytes)
        (partial / "disk").rename(disk)
        shutil.rmtree(partial)
    return disk


def _pip(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], check=True)
