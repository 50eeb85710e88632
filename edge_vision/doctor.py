"""What this computer lacks for edge-vision, and the command that mends each.

The checks look below a `root` folder, "/" outside tests.  Packages are imported inside the checks:
a broken one must become a line, not a traceback.
"""

import fcntl
import grp
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edge_vision.account import join_groups
from edge_vision.board import board_name, temperature_c, throttling
from edge_vision.config_outputs import WindowConfig
from edge_vision.errors import BackendMissing, EdgeVisionError

if TYPE_CHECKING:
    from edge_vision.camera.pi_stack import Stack
    from edge_vision.videodev import Ioctl

State = Literal["ok", "warn", "fail"]

HOTTEST_C = 80.0
"""Raspberry Pi boards slow themselves down from here on."""
LEAST_FREE_MB = 500
UNIT = "edge-vision.service"
GROUPS = {"video": "cameras", "render": "the GPU", "plugdev": "an Edge TPU on USB"}


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, how it is, what was found, and the command that mends it."""

    name: str
    state: State
    found: str
    mend: str = ""


def examine(root: Path = Path("/")) -> Iterator[Check]:
    """All checks, one after the other."""
    yield check_python(sys.version_info[:3])
    yield from check_packages(installed_versions())
    yield check_runtime()
    yield from check_models()
    yield from check_cameras(root)
    yield from check_libcamera(root, importlib.util.find_spec("picamera2") is not None, _pi_stack)
    yield check_groups(os.geteuid(), {*os.getgroups(), os.getegid()}, _groups_here())
    yield check_display()
    yield check_disk(Path.cwd(), shutil.disk_usage(Path.cwd()).free / 1e6)
    yield from check_heat(root)
    yield check_unit(root)


def check_python(version: tuple[int, int, int]) -> Check:
    """Old Pythons lack what the package uses; newer ones than tried only may."""
    text = ".".join(map(str, version))
    if version < (3, 11, 0):
        mend = "sudo apt install python3 (a system with Python 3.11 or newer: Debian 12)"
        return Check("python", "fail", f"{text}; edge-vision needs 3.11 or newer", mend)
    return Check("python", "ok", f"{text} ({sys.executable})")


PACKAGES = ("numpy", "opencv-python", "opencv-python-headless", "ai-edge-litert", "tflite-runtime")


def installed_versions() -> dict[str, str]:
    """Package -> version of those of PACKAGES that are installed."""
    found = {}
    for name in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def check_packages(versions: Mapping[str, str]) -> Iterator[Check]:
    """Versions that do not go together."""
    name, pip = "packages", f"{sys.executable} -m pip"
    numpy = _number(versions.get("numpy", "0"))
    builds = [package for package in PACKAGES[1:3] if package in versions]
    if len(builds) == 2:
        mend = f"{pip} uninstall -y {' '.join(builds)} && {pip} install {builds[1]}"
        yield Check(name, "fail", "two builds of OpenCV overwrite each other's files", mend)
    elif builds and _number(versions[builds[0]]) >= (4, 12) and numpy < (2,):
        found = f"{builds[0]} {versions[builds[0]]} wants numpy 2, found {versions.get('numpy')}"
        yield Check(name, "warn", found, f"{pip} install '{builds[0]}<4.12'")
    if "tflite-runtime" in versions and "ai-edge-litert" not in versions and numpy >= (2,):
        found = f"tflite-runtime wants numpy 1, found {versions['numpy']}"
        yield Check(name, "fail", found, f"{pip} install ai-edge-litert  (or 'numpy<2')")
    yield Check(name, "ok", ", ".join(f"{key} {value}" for key, value in versions.items()))


def check_runtime() -> Check:
    """Builds an interpreter and runs the default model: importing a runtime proves nothing."""
    install = f"{sys.executable} -m pip install --upgrade ai-edge-litert numpy"
    try:
        from edge_vision.detect.runtime import Runtime
        from edge_vision.detect.zoo import read_manifest

        entry = read_manifest()[0]
        runtime = Runtime(entry.file, 1, entry.training_hw_px)
    except ImportError as error:
        return Check("runtime", "fail", f"{error.name or error} cannot be imported", install)
    except BackendMissing as error:
        return Check("runtime", "fail", str(error), install)
    except EdgeVisionError as error:
        return _from_error("runtime", error)
    found = f"{runtime.name} runs {entry.name} ({runtime.active})"
    if runtime.active == "plain CPU":
        return Check(
            "runtime", "warn", f"{found}; without XNNPACK it is several times slower", install
        )
    return Check("runtime", "ok", found)


def check_models() -> Iterator[Check]:
    """Each model file against the manifest's hash."""
    try:
        from edge_vision.detect.zoo import read_manifest

        entries = read_manifest()
    except (ImportError, EdgeVisionError) as error:
        yield _from_error("models", error)
        return
    for entry in entries:
        try:
            entry.check_file()
        except EdgeVisionError as error:
            yield _from_error("models", error)
        else:
            yield Check("models", "ok", f"{entry.name}: hash as in the manifest")


def check_cameras(root: Path, ioctl: "Ioctl" = fcntl.ioctl) -> Iterator[Check]:
    """V4L2 cameras, those that may not be opened, and who holds one."""
    try:
        from edge_vision.camera.holders import holders
        from edge_vision.camera.v4l2 import list_devices, no_camera
    except ImportError as error:
        yield _from_error("cameras", error)
        return
    devices = list_devices(root / "dev", root / "sys", ioctl)
    for device in devices:
        if device.usable:
            found = f"{device.node} {device.card}".strip()
            holding = holders([Path(device.node)], root / "proc")
            yield _held("cameras", found, holding)
        elif "permission" in device.refusal:
            yield Check("cameras", "warn", f"{device.node} may not be opened", join_groups("video"))
    if not any(device.usable for device in devices):
        mend = "plug in a USB camera; without one: edge-vision run --source demo"
        yield Check("cameras", "warn", no_camera(devices), mend)


def check_libcamera(root: Path, is_there: bool, load: Callable[[], "Stack"]) -> Iterator[Check]:
    """picamera2 and libcamera, which only ribbon-cable cameras need; these, and who has one.

    is_there: picamera2 is found.  load: imports both, and judges them.
    """
    name = "libcamera"
    if not is_there and "Raspberry Pi" not in board_name(root):
        yield Check(name, "ok", "no picamera2, and not needed: this is no Raspberry Pi")
        return
    try:
        from edge_vision.camera.pi_stack import list_cameras

        cameras = list_cameras(load().libcamera, root / "dev")
    except (ImportError, BackendMissing) as error:
        # A USB camera needs none of it.
        yield replace(_from_error(name, error), state="warn")
        return
    except RuntimeError as error:
        mend = "sudo apt install --reinstall python3-libcamera python3-picamera2"
        yield Check(name, "warn", f"libcamera cannot list its cameras: {error}", mend)
        return
    yield Check(name, "ok", f"picamera2 is there and finds {len(cameras) or 'no'} Pi camera(s)")
    for camera in cameras:
        yield _held(name, f"Pi camera {camera.number} {camera.model}".strip(), camera.held_by)


def check_groups(user_id: int, mine: set[int], here: Mapping[str, int]) -> Check:
    """Groups that open devices.  here: name -> number of the groups this system has."""
    if user_id == 0:
        return Check("groups", "ok", "root may open every device")
    missing = [name for name in GROUPS if name in here and here[name] not in mine]
    if missing:
        what = ", ".join(f"{name} ({GROUPS[name]})" for name in missing)
        return Check("groups", "warn", f"you are not in {what}", join_groups(",".join(missing)))
    there = ", ".join(name for name in GROUPS if name in here)
    return Check("groups", "ok", f"you are in {there}" if there else "this system has none")


def check_display() -> Check:
    """Whether a window can be opened; a board without a screen needs none."""
    try:
        from edge_vision.outputs.window import WindowOutput

        reason = WindowOutput(WindowConfig()).why_not()
    except ImportError as error:
        return _from_error("display", error)
    if reason is None:
        return Check("display", "ok", "a window can be opened")
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not screen:
        return Check("display", "ok", "no screen; use --save or --jsonl")
    pip = f"{sys.executable} -m pip"
    mend = f"{pip} uninstall -y opencv-python-headless && {pip} install opencv-python"
    return Check("display", "warn", f"no window: {reason}", mend)


def check_disk(folder: Path, free_mb: float) -> Check:
    """Room for recordings below `folder`."""
    found = f"{free_mb / 1e3:.1f} GB free for {folder}"
    state: State = "ok" if free_mb >= LEAST_FREE_MB else "warn" if free_mb >= 10 else "fail"
    return Check("disk", state, found, "" if state == "ok" else f"du -xh {folder} | sort -h | tail")


def check_heat(root: Path) -> Iterator[Check]:
    """Temperature of the hottest sensor, and what a Raspberry Pi says of its power supply."""
    heat_c = temperature_c(root)
    if heat_c is None:
        yield Check("temperature", "ok", "no sensor here")
    elif heat_c >= HOTTEST_C:
        found = f"{heat_c:.0f} C; the board slows down from {HOTTEST_C:.0f} C on"
        yield Check("temperature", "warn", found, "add a cooler, or: --set model.threads=1")
    else:
        yield Check("temperature", "ok", f"{heat_c:.0f} C")
    said = throttling(root)
    if said is not None:
        mend = "use the board's own power supply and a short cable" if said else ""
        found = "; ".join(said) or "neither throttled nor short of power"
        yield Check("throttling", "warn" if said else "ok", found, mend)


def check_unit(root: Path) -> Check:
    """The systemd unit, if there is one: starts at boot, and its program exists."""
    folder = root / "etc/systemd/system"
    unit = folder / UNIT
    if not (root / "run/systemd/system").is_dir():
        return Check("service", "ok", "this system runs without systemd")
    try:
        program = re.search(r"^ExecStart=[-@:+!]*(\S+)", unit.read_text("utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        return Check("service", "ok", f"{UNIT} is not installed; it would start at boot")
    if program is None or not (root / program[1].lstrip("/")).exists():
        found = f"{UNIT} starts {program[1] if program else 'nothing'}, which does not exist"
        return Check("service", "fail", found, f"sudo systemctl edit --full {UNIT}")
    if not any(folder.glob(f"*.wants/{UNIT}")):
        found = f"{UNIT} is installed, but does not start at boot"
        return Check("service", "warn", found, f"sudo systemctl enable --now {UNIT}")
    return Check("service", "ok", f"{UNIT} starts at boot")


def _groups_here() -> dict[str, int]:
    return {entry.gr_name: entry.gr_gid for entry in grp.getgrall()}


def _pi_stack() -> "Stack":
    from edge_vision.camera.pi_stack import load

    return load()


def _held(name: str, camera: str, held_by: Mapping[int, str]) -> Check:
    """A camera that is free, or the processes (id -> name) that have it."""
    if not held_by:
        return Check(name, "ok", camera)
    who = ", ".join(f"{process} ({program})" for process, program in held_by.items())
    mend = f"kill {next(iter(held_by))}  (a service: sudo systemctl stop {UNIT})"
    return Check(name, "warn", f"{camera} is held by process {who}", mend)


def _from_error(name: str, error: Exception) -> Check:
    """Our errors end with what to do, after the last semicolon."""
    found, _, mend = str(error).rpartition("; ")
    return Check(name, "fail", found or str(error), mend if found else "pip install edge-vision")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
