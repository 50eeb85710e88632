"""The service under systemd: ready, watched, reloaded, fenced in.

Most cases use one that runs; each leaves it as it was.
"""

import re
from collections.abc import Iterator

import pytest
from virtual_board.machine import Machine
from virtual_board.service import PICTURE, SEEN, Service, labels

PASSWORD = "/etc/edge-vision/mqtt-password"
DROP_IN = "/etc/systemd/system/edge-vision.service.d/password.conf"
MOST_EXPOSED = 2.0


@pytest.fixture(scope="module")
def running(machine: Machine, installed: str) -> Iterator[Service]:
    """The service, which sees a cat and has a password."""
    service = Service(machine)
    machine.check(
        f"(umask 077 && echo secret > {PASSWORD}) && mkdir -p {DROP_IN.rpartition('/')[0]} && "
        f"echo '[Service]\nLoadCredential=mqtt-password:{PASSWORD}' > {DROP_IN} && "
        "systemctl daemon-reload"
    )
    service.start(PICTURE)
    yield service
    machine.run(f"systemctl stop edge-vision; systemctl reset-failed edge-vision; rm {DROP_IN}")
    machine.run("systemctl daemon-reload")


def test_ready_means_that_a_frame_was_analysed(machine: Machine, running: Service) -> None:
    said = machine.check(f"systemctl show -P ActiveEnterTimestampMonotonic edge-vision; cat {SEEN}")
    ready_us, first_line = said.splitlines()[:2]
    exposed_ns = int(re.search(r'"exposed_ns": (\d+)', first_line)[1])
    assert exposed_ns < int(ready_us) * 1000
    running.wait_to_see("cat")
    machine.wait_for("systemctl show -P StatusText edge-vision | grep 'detector [0-9.]*/s'")


def test_the_sandbox_is_tight(machine: Machine, running: Service) -> None:
    said = machine.check("systemd-analyze security --no-pager edge-vision.service")
    found = re.search(r"Overall exposure level for edge-vision.service: ([\d.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= MOST_EXPOSED, said
    kernel = machine.check(f"cat /proc/{running.show('MainPID')}/status")
    for line in ("NoNewPrivs:\t1", "Seccomp:\t2", f"CapEff:\t{0:016}", f"CapBnd:\t{0:016}"):
        assert line in kernel


def test_a_password_is_for_the_service_alone(machine: Machine, running: Service) -> None:
    process = running.show("MainPID")
    as_service = f"nsenter -t {process} -m runuser -u edge-vision --"
    found = f"tr '\\0' '\\n' < /proc/{process}/environ | sed -n s/^CREDENTIALS_DIRECTORY=//p"
    folder = machine.check(found).strip()
    assert machine.check(f"{as_service} cat {folder}/mqtt-password") == "secret\n"
    assert machine.run(f"{as_service} cat {PASSWORD}").code != 0
    other = f"nsenter -t {process} -m runuser -u nobody --"
    assert machine.run(f"{other} cat {folder}/mqtt-password").code != 0


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
    running.configure(PICTURE.replace("threads: 1", "threads: 1, classes: [toaster]"))
    machine.check("systemctl reload edge-vision")
    running.wait_for_sights(1)  # what was under way
    assert not any(labels(running.wait_for_sights()))
    running.configure(PICTURE)
    machine.check("systemctl reload edge-vision")
    running.wait_to_see("cat")
    assert running.show("MainPID") == process


def test_a_bad_reload_changes_nothing_and_says_why(machine: Machine, running: Service) -> None:
    process = running.show("MainPID")
    running.configure(PICTURE.replace("threads: 1", "threads: 1, min_score: 3"))
    machine.run("systemctl reload edge-vision")
    running.wait_for_journal("model.min_score")
    assert all("cat" in seen for seen in labels(running.wait_for_sights()))
    assert machine.check("systemctl is-active edge-vision").strip() == "active"
    assert running.show("MainPID") == process
    running.configure(PICTURE)


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
    running.wait_to_see("cat")


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
