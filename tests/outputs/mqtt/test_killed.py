"""Killed at random moments, with the broker there or away: nothing is lost but the last moments."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]
SEED = 7
LAST_S = 1.0
"""Of the messages so young some may be missing; they are written down every 0.05 s here."""

CHILD = """
import importlib.util, os, sys, time
sys.path[:0] = {path!r}
from edge_vision.outputs.outbox import Outbox
Outbox.__init__.__kwdefaults__["spill_s"] = 0.05
script = importlib.util.spec_from_file_location("away", {script!r})
away = importlib.util.module_from_spec(script)
script.loader.exec_module(away)
output = away.MqttOutput(away.MqttConfig(broker=sys.argv[1], retry_max_s=1.0, discovery=False))
output.attach(away.made_up_run())
output.start()
for number in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3])):
    output.on_event(away.event(number))
    print(number, time.monotonic(), flush=True)
    time.sleep(0.004)
while len(output._outbox):
    time.sleep(0.01)
output.close(5)
"""


def test_killed_again_and_again(
    make_broker: Make, listen: Make, until: Make, repo: Path, tmp_path: Path
) -> None:
    broker = make_broker()
    broker.start()
    ear = listen(broker)
    code = CHILD.format(
        path=[entry for entry in sys.path if entry], script=str(repo / "scripts/broker_away.py")
    )
    environment = {**os.environ, "STATE_DIRECTORY": str(tmp_path / "state")}
    chance = random.Random(SEED)
    excused: set[int] = set()
    first = 0

    def child(count: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, broker.url, str(first), str(count)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    for round_number in range(4):
        away = round_number % 2 == 1
        if away:
            broker.stop()
        process = child(100_000)
        assert process.stdout is not None
        said = [process.stdout.readline().split() for _ in range(chance.randint(20, 300))]
        os.kill(process.pid, signal.SIGKILL)
        killed_s = time.monotonic()
        said += [line.split() for line in process.stdout if line.endswith("\n")]
        process.wait(10)
        process.stdout.close()
        excused |= {int(number) for number, at_s in said if killed_s - float(at_s) < LAST_S}
        first += len(said) + 1
        excused.add(first - 1)  # perhaps queued, and not printed any more
        if away:
            broker.start()
    final = child(20)
    assert final.wait(60) == 0
    assert final.stdout is not None
    final.stdout.close()
    wanted = set(range(first + 20)) - excused
    topic = "edge-vision/"

    def heard() -> list[dict[str, Any]]:
        return [m for t in {t for t, _, _ in list(ear.heard) if t.startswith(topic)}
                if t.endswith("/events") for m in ear.of(t)]  # fmt: skip

    until(lambda: wanted <= {int(message["id"]) for message in heard()}, "all that was kept")
    once: list[int] = []
    for message in heard():
        number = int(message["id"])
        if number in once:
            assert message["duplicate"] is True, f"{number} came again without a mark"
        else:
            once.append(number)
    assert once == sorted(once), "in order"
    assert len(once) > 100
