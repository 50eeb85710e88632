"""Removing it again; the file's name makes it the last case."""

from virtual_board.machine import Machine


def test_it_leaves_nothing_but_what_the_owner_made(machine: Machine, installed: str) -> None:
    machine.check("/share/systemd/install.sh --uninstall")
    assert machine.run("systemctl cat edge-vision").code != 0
    machine.check("test ! -e /opt/edge-vision && test -e /etc/edge-vision/config.yaml")
    machine.check("/share/systemd/install.sh --uninstall --purge")
    machine.check("test ! -e /etc/edge-vision && test ! -e /var/lib/edge-vision")
    assert machine.run("id edge-vision").code != 0
