"""The service under systemd: ready, watched, reloaded, fenced in.

Most cases use one that runs; each leaves it as it was.
"""

import re
from collections.abc import Iterator

import pytest
from virtual_board.machine import Machine
from virtual_board.service import BASE, SEEN, Service, labels

DEMO = "camera: {kind: demo, size_px: [640, 480]}\n"
MOST_EXPOSED = 2.0


@pytest.fixture(scope="module")
def running(machine: Machine, installed: str) -> Iterator[Service]:
    """The service with the demo scene."""
    service = Service(machine)
    service.start(DEMO + BASE)
    yield service
    machine.run("systemctl stop edge-vision; systemctl reset-failed edge-vision")


def test_ready_means_that_a_frame_was_analysed(machine: Machine, running: Service) -> None:
    said = machine.check(f"systemctl show -P ActiveEnterTimestampMonotonic edge-vision; cat {SEEN}")
    ready_us, first_line = said.splitlines()[:2]
    exposed_ns = int(re.search(r'"exposed_ns": (\d+)', first_line)[1])
    assert exposed_ns < int(ready_us) * 1000
    assert any(labels(running.wait_for_sights()))
    machine.wait_for("systemctl show -P StatusText edge-vision | grep 'detector [0-9.]*/s'")


def test_the_sandbox_is_tight(machine: Machine, running: Service) -> None:
    said = machine.check("systemd-analyze security --no-pager edge-vision.service")
    found = re.search(r"Overall exposure level for edge-vision.service: ([\d.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= MOST_EXPOSED, said


@pytest.mark.parametrize("jump", ["+3 years", "-3 years"])
def test_a_clock_that_jumps_is_not_noticed(machine: Machine, running: Service, jump: str) -> None:
    process = running.show("MainPID")
    machine.check(f"date --set='{jump}'")
    frames = running.wait_for_sights()
    assert running.show("MainPID") == process
    assert all(0 < frame["latency_ms"] < 60_000 for frame in frames)
    times = [frame["exposed_ns"] for frame in frames]
    assert times == sorted(times)


def test_a_good_reload_is_applied_by_the_same_process(machine: Machine, running: Service) -> None:
    process = running.show("MainPID")
    running.configure(DEMO + BASE.replace("threads: 1", "threads: 1, classes: [toaster]"))
    machine.check("systemctl reload edge-vision")
    nothing = f"tail -n 5 {SEEN} | grep -c '\"detections\": \\[\\]'"
    machine.wait_for(nothing, lambda result: result.output.strip() == "5")
    running.configure(DEMO + BASE)
    machine.check("systemctl reload edge-vision")
    machine.wait_for(nothing, lambda result: result.output.strip() == "0")
    assert running.show("MainPID") == process


def test_a_bad_reload_changes_nothing_and_says_why(machine: Machine, running: Service) -> None:
    process = running.show("MainPID")
    running.configure("camera: {kind: demo}\nmodel: {min_score: 3}\n")
    machine.run("systemctl reload edge-vision")
    running.wait_for_journal("model.min_score")
    assert any(labels(running.wait_for_sights()))
    assert machine.check("systemctl is-active edge-vision").strip() == "active"
    assert running.show("MainPID") == process
    running.configure(DEMO + BASE)


def test_a_frozen_process_is_killed_and_started_again(machine: Machine, running: Service) -> None:
    process, restarts = running.show("MainPID"), int(running.show("NRestarts"))
    machine.check(f"kill -STOP {process}")
    machine.wait_for(
        "systemctl show -P NRestarts edge-vision",
        lambda result: int(result.output) > restarts,
        timeout_s=240,
    )
    machine.wait_for("systemctl is-active edge-vision", timeout_s=240)
    assert running.show("MainPID") != process
    assert "Watchdog timeout" in running.journal(60)
    assert any(labels(running.wait_for_sights()))


def test_stopping_is_orderly(machine: Machine, running: Service) -> None:
    machine.check("systemctl stop edge-vision")
    assert running.show("Result") == "success"
    assert running.show("ExecMainStatus") == "0"


def test_a_wrong_configuration_is_not_tried_again(machine: Machine, service: Service) -> None:
    service.configure("camera: {kind: periscope}\n")
    machine.run("systemctl restart edge-vision")
    machine.wait_for("systemctl is-failed edge-vision")
    assert service.show("ExecMainStatus") == "78"
    assert service.show("NRestarts") == "0"
    assert "periscope" in service.journal()
