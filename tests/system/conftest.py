"""The emulated machine, and the service installed in it: made once, used by every case here.

Boots only when $EDGE_VISION_SYSTEM says for which processor; scripts/test-system does all.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for virtual_board, which is no test

from virtual_board import pictures, wheels
from virtual_board.machine import Machine
from virtual_board.service import BASE, Service
from virtual_board.usb_camera import UsbCamera
from virtual_board.vivid import Vivid


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A booted Debian machine with the sources and wheels at /share and /wheels."""
    arch = os.environ.get("EDGE_VISION_SYSTEM")
    if arch is None:
        pytest.skip("boots an emulated machine; run scripts/test-system")
    folder = tmp_path_factory.mktemp("machine")
    wheel = wheels.build(folder)
    machine = Machine(arch, folder, wheels.download(arch, wheel))
    shutil.copy(wheel, machine.share)
    shutil.copytree(wheels.REPO / "systemd", machine.share / "systemd")
    (machine.share / "results").mkdir()
    try:
        machine.boot()
        yield machine
    finally:
        machine.scrap()


@pytest.fixture(autouse=True)
def _results(request: pytest.FixtureRequest, machine: Machine) -> Iterator[None]:
    """What the service said during each case, in share/results/CASE.log."""
    yield
    name = request.node.name.replace("[", "-").rstrip("]")
    machine.run(
        f"journalctl -q -u 'edge-vision*' --cursor-file=/var/lib/journal-cursor > "
        f"/share/results/{name}.log"
    )


@pytest.fixture(scope="session")
def installed(machine: Machine) -> str:
    """What the installer said when it installed the wheel of this checkout."""
    if machine.arch == "arm64":
        # Emulated here, it is slower than any board: it has its configuration beforehand.
        (machine.share / "slow.yaml").write_text(BASE)
        unit = "/etc/systemd/system/edge-vision.service.d"
        machine.check(
            f"mkdir -p {unit} && printf '[Service]\\nTimeoutStartSec=900\\n' > {unit}/slow.conf && "
            "mkdir -p /etc/edge-vision && cp /share/slow.yaml /etc/edge-vision/config.yaml"
        )
    command = "/share/systemd/install.sh --wheel /share/edge_vision-*.whl --wheelhouse /wheels"
    result = machine.run(command, 900)
    (machine.share / "results" / "install.log").write_text(result.output)
    assert result.code == 0, str(result) + machine.run("journalctl -u edge-vision -n 40").output
    return result.output


@pytest.fixture
def service(machine: Machine, installed: str) -> Iterator[Service]:
    """The installed service; stopped again after the case."""

    yield Service(machine)
    machine.run("systemctl stop edge-vision; systemctl reset-failed edge-vision")


@pytest.fixture
def vivid(machine: Machine) -> Iterator[Vivid]:
    """The kernel's test camera; ask for it before the service, which must let go of it first."""

    camera = Vivid(machine)
    camera.load()
    yield camera
    camera.unload()


@pytest.fixture
def usb_camera(machine: Machine) -> Iterator[UsbCamera]:
    """A USB webcam that shows a cat; not plugged in yet."""

    cat = pictures.fitted("cat")
    camera = UsbCamera(machine.usb_socket, pictures.jpeg(cat), pictures.yuyv(cat))
    yield camera
    camera.unplug()
    machine.wait_for("! test -e /dev/v4l/by-id")
