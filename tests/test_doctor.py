"""The doctor's checks, each on a made-up computer."""

import errno
import os
import pwd
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge_vision import videodev
from edge_vision.camera import pi_stack, v4l2
from edge_vision.camera.pi_stack import INSTALL, LibcameraDevice, Stack
from edge_vision.doctor import (
    Check,
    check_cameras,
    check_disk,
    check_groups,
    check_heat,
    check_libcamera,
    check_models,
    check_packages,
    check_python,
    check_runtime,
    check_unit,
    examine,
)
from edge_vision.errors import BackendMissing


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_python() -> None:
    assert check_python((3, 11, 0)).state == "ok"
    old = check_python((3, 9, 2))
    assert old.state == "fail"
    assert old.found.startswith("3.9.2")


@pytest.mark.parametrize(
    ("versions", "state", "said"),
    [
        ({"numpy": "2.4.6", "opencv-python": "5.0.0.93", "ai-edge-litert": "2.3.0"}, "ok", ""),
        ({"numpy": "1.26.4", "opencv-python": "4.11.0", "ai-edge-litert": "2.3.0"}, "ok", ""),
        ({"numpy": "1.26.4", "opencv-python": "4.12.0"}, "warn", "'opencv-python<4.12'"),
        ({"numpy": "2.0.0", "tflite-runtime": "2.14.0"}, "fail", "install ai-edge-litert"),
        ({"numpy": "1.26.4", "tflite-runtime": "2.14.0"}, "ok", ""),
        (
            {"numpy": "2.0.0", "opencv-python": "5.0", "opencv-python-headless": "5.0"},
            "fail",
            "uninstall -y opencv-python opencv-python-headless",
        ),
    ],
)
def test_packages_that_do_not_go_together(versions: dict[str, str], state: str, said: str) -> None:
    *wrong, listed = check_packages(versions)
    assert (wrong[0].state if wrong else "ok") == state
    assert said in (wrong[0].mend if wrong else "")
    assert all(f"{name} {version}" in listed.found for name, version in versions.items())


def test_the_runtime_and_the_models_here() -> None:
    assert check_runtime().state == "ok"
    assert {check.state for check in check_models()} == {"ok"}


def one_camera(_fd: int, request: int, data: bytearray) -> None:
    if request != videodev.VIDIOC_QUERYCAP:
        raise OSError(errno.EINVAL, "no more")
    caps = videodev.CAP_VIDEO_CAPTURE | videodev.CAP_STREAMING
    data[:] = videodev.CAPABILITY.pack(b"uvcvideo", b"A Webcam", b"usb-1", 0, caps, 0)


def test_a_camera_and_who_holds_it(tmp_path: Path) -> None:
    write(tmp_path / "dev" / "video0", "")
    (tmp_path / "proc").mkdir()
    (free,) = check_cameras(tmp_path, one_camera)
    assert (free.state, free.found) == ("ok", f"{tmp_path}/dev/video0 A Webcam")
    write(tmp_path / "proc" / "4711" / "comm", "ffmpeg\n")
    fds = tmp_path / "proc" / "4711" / "fd"
    fds.mkdir()
    for number in (3, 4):
        os.symlink(tmp_path / "dev" / "video0", fds / str(number))
    (tmp_path / "proc" / "12").mkdir()  # it has ended meanwhile
    (held,) = check_cameras(tmp_path, one_camera)
    assert held.state == "warn"
    assert held.found.endswith("A Webcam is held by process 4711 (ffmpeg)")
    assert held.mend.startswith("kill 4711 ")


def test_no_camera(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (none,) = check_cameras(tmp_path)
    assert (none.state, none.found) == ("warn", "no USB camera: no /dev/video* node")


def test_a_camera_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "dev" / "video0", "")

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(v4l2.os, "open", refuse)
    first, _ = check_cameras(tmp_path)
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert first.mend == f"sudo usermod -aG video {me}, then log in again (a service: restart it)"


def refusal(text: str) -> Callable[[], Stack]:
    def load() -> Stack:
        raise BackendMissing(text)

    return load


def test_libcamera_is_needed_on_a_raspberry_pi_only(tmp_path: Path) -> None:
    missing = refusal(f"camera.kind pi needs picamera2, which is not found; install: {INSTALL}")
    (check,) = check_libcamera(tmp_path, False, missing)
    assert check.state == "ok"
    write(tmp_path / "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    (check,) = check_libcamera(tmp_path, False, missing)
    assert (check.state, check.found) == (
        "warn", "camera.kind pi needs picamera2, which is not found",
    )  # fmt: skip
    assert "sudo apt install -y python3-picamera2" in check.mend
    assert "python3 -m venv --system-site-packages" in check.mend


def test_a_picamera2_that_is_broken_or_old_is_told_on_any_board(tmp_path: Path) -> None:
    (check,) = check_libcamera(tmp_path, True, refusal("picamera2 0.3.12 is too old; get: apt"))
    assert (check.state, check.found, check.mend) == (
        "warn", "picamera2 0.3.12 is too old", "get: apt",
    )  # fmt: skip

    def no_manager() -> Stack:
        raise RuntimeError("Failed to start CameraManager")

    (check,) = check_libcamera(tmp_path, True, no_manager)
    assert check.state == "warn"
    assert "Failed to start CameraManager" in check.found


def test_pi_cameras_and_who_holds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [LibcameraDevice(0, "/base/i2c@1", "imx708", (), {})]
    monkeypatch.setattr(pi_stack, "list_cameras", lambda _libcamera, dev: cameras)
    there, free = check_libcamera(tmp_path, True, lambda: Stack(None, None))
    assert (there.state, free.found) == ("ok", "Pi camera 0 imx708")
    cameras[0] = replace(cameras[0], held_by={812: "edge-vision", 4: "of another user"})
    _, held = check_libcamera(tmp_path, True, lambda: Stack(None, None))
    assert held.state == "warn"
    assert held.found == (
        "Pi camera 0 imx708 is held by process 812 (edge-vision), 4 (of another user)"
    )
    assert held.mend.startswith("kill 812 ")


def test_groups() -> None:
    here = {"video": 44, "render": 105, "plugdev": 46}
    assert check_groups(0, set(), here).state == "ok"
    assert check_groups(1000, {44, 46, 105}, here).state == "ok"
    assert check_groups(1000, {44}, {"video": 44}).state == "ok", "a group nobody has"
    lacking = check_groups(1000, {44}, here)
    assert lacking.state == "warn"
    assert "usermod -aG render,plugdev " in lacking.mend


@pytest.mark.parametrize(("free_mb", "state"), [(5000, "ok"), (499, "warn"), (9, "fail")])
def test_disk(free_mb: float, state: str) -> None:
    check = check_disk(Path("/data"), free_mb)
    assert check.state == state
    assert bool(check.mend) == (state != "ok")


def test_heat_and_power(tmp_path: Path) -> None:
    assert [check.state for check in check_heat(tmp_path)] == ["ok"]
    write(tmp_path / "sys/class/thermal/thermal_zone0/temp", "48500\n")
    write(tmp_path / "sys/class/thermal/thermal_zone1/temp", "broken\n")
    flags = tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled"
    write(flags, "0\n")
    assert [(c.state, c.found) for c in check_heat(tmp_path)] == [
        ("ok", "48 C"), ("ok", "neither throttled nor short of power"),
    ]  # fmt: skip
    write(tmp_path / "sys/class/thermal/thermal_zone1/temp", "83000\n")
    write(flags, "50005\n")
    heat, power = check_heat(tmp_path)
    assert (heat.state, power.state) == ("warn", "warn")
    assert "83 C" in heat.found
    assert power.found.split("; ") == [
        "the supply voltage is too low", "the board is throttled",
        "the supply voltage was too low since the start",
        "the board was throttled since the start",
    ]  # fmt: skip


def test_the_service(tmp_path: Path, repo: Path) -> None:
    unit = tmp_path / "etc/systemd/system/edge-vision.service"
    assert check_unit(tmp_path).found == "this system runs without systemd"
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert "is not installed" in check_unit(tmp_path).found
    write(unit, (repo / "systemd/edge-vision.service").read_text())
    broken = check_unit(tmp_path)
    assert broken.state == "fail"
    assert "/opt/edge-vision/venv/bin/edge-vision, which does not exist" in broken.found
    write(tmp_path / "opt/edge-vision/venv/bin/edge-vision", "")
    asleep = check_unit(tmp_path)
    assert (asleep.state, asleep.mend) == (
        "warn", "sudo systemctl enable --now edge-vision.service",
    )  # fmt: skip
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    os.symlink(unit, wants / unit.name)
    assert check_unit(tmp_path).state == "ok"


def test_everything_is_looked_at_and_what_is_wrong_can_be_mended() -> None:
    checks = list(examine())
    assert all(isinstance(check, Check) and check.found for check in checks)
    assert all(bool(check.mend) == (check.state != "ok") for check in checks)
    assert {check.name for check in checks} >= {
        "python", "packages", "runtime", "models", "cameras", "libcamera", "groups", "display",
        "disk", "temperature", "service",
    }  # fmt: skip
    assert sys.executable in checks[0].found
