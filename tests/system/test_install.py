"""The installer on a bare Debian, and again on what it has installed."""

import stat

from virtual_board.machine import Machine
from virtual_board.service import CONFIG, Service

INSTALL = "/share/systemd/install.sh --wheel /share/edge_vision-*.whl --wheelhouse /wheels"


def test_it_installs_and_starts_the_service(machine: Machine, installed: str) -> None:
    assert "0 failed" in installed  # the doctor's last word
    assert machine.check("systemctl is-enabled edge-vision").strip() == "enabled"
    groups = machine.check("id -nG edge-vision").split()
    assert {"edge-vision", "video", "render"} <= set(groups)
    own = CONFIG if machine.arch == "amd64" else f"{CONFIG}.shipped"  # see `installed`
    mode = int(machine.check(f"stat -c %a {own}"), 8)
    assert not mode & (stat.S_IWGRP | stat.S_IRWXO)


def test_again_it_keeps_what_the_owner_changed(machine: Machine, service: Service) -> None:
    service.configure("camera: {kind: demo, fps: 7}  # mine\n")
    folder = machine.check("readlink -f /opt/edge-vision/venv")
    machine.check("systemctl stop edge-vision; systemctl disable -q edge-vision")
    try:
        machine.check(INSTALL, 600)
        assert "# mine" in machine.check(f"cat {CONFIG}")
        assert machine.check("readlink -f /opt/edge-vision/venv") == folder
        assert machine.run("systemctl is-enabled edge-vision").output.strip() == "disabled"
    finally:
        machine.check("systemctl enable -q edge-vision")


def test_nothing_of_it_is_writable_by_the_service(machine: Machine, installed: str) -> None:
    folders = "/opt/edge-vision /etc/systemd/system"
    user = "cd / && runuser -u edge-vision --"
    assert machine.check(f"{user} find {folders} -writable -not -type l -print -quit") == ""
    # Its configuration is its own, for the page to save; what else lies there is not.
    others = "-not -user edge-vision -writable -type f"
    assert machine.check(f"{user} find /etc/edge-vision {others} -print -quit") == ""
    assert machine.check("stat -c %a:%U:%G /etc/edge-vision") == "1770:root:edge-vision\n"
