"""Events over a real broker: all arrive, in order, once, whatever happens to broker and program."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]
TOPIC = "edge-vision/porch/events"

CHILD = """
import sys, time
sys.path[:0] = {path!r}
import pathlib
from edge_vision.outputs.outbox import Outbox
box = Outbox(pathlib.Path(sys.argv[1]), 1 << 20, print, lambda: None, spill_s=0.01)
box.start()
for number in range(100000):
    box.put(b'{{"id": %d}}' % number)
    if number == 50:
        print("ready", flush=True)
    time.sleep(0.001)
"""


def ids(ear: Any) -> list[tuple[str, str]]:
    return [(message["id"], message["phase"]) for message in ear.of(TOPIC)]


def test_beginning_and_end_arrive_once(
    broker: Any, listen: Make, make_mqtt: Make, make_event: Make, until: Make
) -> None:
    ear = listen(broker)
    output, _ = make_mqtt(broker.url)
    until(lambda: ear.last("edge-vision/porch/availability") == b"online")
    output.on_event(make_event(1))
    output.on_event(make_event(1, score=0.9))
    output.on_event(make_event(1, score=0.9, end_s=1009.5))
    output.on_event(make_event(2, kind="cross", direction="in", end_s=1002.0))
    until(lambda: len(ids(ear)) == 4)
    first, second = ear.of(TOPIC)[:2]
    assert ids(ear) == [
        ("e000001", "begin"), ("e000001", "end"), ("e000002", "begin"), ("e000002", "end")
    ]  # fmt: skip
    assert first == {
        "phase": "begin", "revision": 0, "id": "e000001", "node": "porch", "kind": "enter",
        "rule": "visitor", "place": "drive", "direction": "", "track_id": 1, "label": "person",
        "score": 0.8, "box": [0.1, 0.2, 0.3, 0.4], "count": 1, "zones": ["drive"],
        "start_s": 1001.0, "end_s": None,
    }  # fmt: skip
    assert (second["revision"], second["score"], second["end_s"]) == (1, 0.9, 1009.5)
    output.close(5)
    until(lambda: ear.last("edge-vision/porch/availability") == b"offline")


def test_a_broker_that_is_away_for_a_while(
    make_broker: Make, listen: Make, make_mqtt: Make, make_event: Make, until: Make, tmp_path: Path
) -> None:
    broker = make_broker()
    broker.start()
    ear = listen(broker)
    output, _ = make_mqtt(broker.url)
    until(lambda: ear.last("edge-vision/porch/availability") == b"online")
    output.on_event(make_event(0))
    until(lambda: len(ids(ear)) == 1)
    broker.stop()
    for number in range(1, 300):
        output.on_event(make_event(number))
    fault = until(output.fault)
    assert f"{broker.url}" in str(fault)
    queue = tmp_path / "state" / "mqtt-queue.journal"
    until(lambda: queue.exists() and queue.read_bytes().count(b"\ne ") >= 298, "written down")
    broker.start()
    until(lambda: len(ids(ear)) >= 300)
    assert ids(ear) == [(f"e{number:06d}", "begin") for number in range(300)]
    assert not any("duplicate" in message for message in ear.of(TOPIC))
    until(lambda: queue.stat().st_size == 0, "emptied")
    assert output.fault() is None


def test_what_waits_at_the_end_is_sent_by_the_next_run(
    make_broker: Make, listen: Make, make_mqtt: Make, make_event: Make, until: Make
) -> None:
    broker = make_broker()
    output, _ = make_mqtt(broker.url)
    until(output.fault)
    for number in range(5):
        output.on_event(make_event(number))
    output.close(5)
    broker.start()
    ear = listen(broker)
    again, _ = make_mqtt(broker.url)
    again.on_event(make_event(5))
    until(lambda: len(ids(ear)) >= 6)
    assert ids(ear) == [(f"e{number:06d}", "begin") for number in range(6)]
    assert not any("duplicate" in message for message in ear.of(TOPIC))


def test_a_sudden_end_while_sending_loses_nothing(
    make_broker: Make, listen: Make, make_mqtt: Make, until: Make, tmp_path: Path
) -> None:
    folder = tmp_path / "state"
    code = CHILD.format(path=[entry for entry in sys.path if entry])
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder / "mqtt-queue.journal")], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    child.stdout.close()
    broker = make_broker()
    broker.start()
    ear = listen(broker)
    output, _ = make_mqtt(broker.url)
    numbers = until(lambda: [m["id"] for m in ear.of(TOPIC)] if len(ear.of(TOPIC)) > 20 else None)
    until(lambda: len(output._outbox) == 0)
    numbers = [message["id"] for message in ear.of(TOPIC)]
    assert numbers == list(range(len(numbers)))


def test_paused_nothing_begins(
    broker: Any, listen: Make, make_mqtt: Make, make_event: Make, until: Make
) -> None:
    ear = listen(broker)
    output, _ = make_mqtt(broker.url, commands=["pause"])
    until(lambda: ear.of("edge-vision/porch/state"))
    output.on_event(make_event(1))
    ear.say("edge-vision/porch/set/pause", "ON")
    until(lambda: ear.of("edge-vision/porch/state")[-1]["paused"])
    output.on_event(make_event(2))
    output.on_event(make_event(2, end_s=3.0))
    output.on_event(make_event(1, end_s=1009.0))
    ear.say("edge-vision/porch/set/pause", "OFF")
    until(lambda: not ear.of("edge-vision/porch/state")[-1]["paused"])
    output.on_event(make_event(3))
    until(lambda: len(ids(ear)) >= 3)
    assert ids(ear) == [("e000001", "begin"), ("e000001", "end"), ("e000003", "begin")]
