"""Many made-up boards on one MQTT broker, and whether `edge-vision fleet` hears all they say.

    python scripts/fleet_load.py [--nodes 100] [--rate 5] [--seconds 20] [--broker mqtt://HOST]

Without --broker a mosquitto of its own is started on loopback.  Each board speaks as a real one
does: state (kept by the broker), scenes, events and counts in turn.  Ends with 1 when a message was
lost.
"""

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from edge_vision.config_net import Broker, parse_broker
from edge_vision.outputs.mqtt.link import Link, Login, Message
from edge_vision.outputs.mqtt.state import ROOT

PATIENCE_S = 15.0


@contextmanager
def own_broker() -> Iterator[Broker]:
    """A mosquitto on a free port of loopback."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        sys.exit("There is no mosquitto. Install it with: sudo apt install mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mosquitto.conf"
        file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n")
        process = subprocess.Popen([program, "-c", str(file)])
        try:
            wait_for(lambda: listens(port))
            yield Broker("127.0.0.1", port, False)
        finally:
            process.terminate()
            process.wait(10)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


class Board:
    """One that is made up.  sent: messages so far."""

    def __init__(self, broker: Broker, number: int) -> None:
        self.name = f"load-{number:04d}"
        self.sent = 0
        will = Message(f"{ROOT}/{self.name}/availability", b"offline", True, 1)
        self._link = Link(
            broker, Login(f"edge-vision-{self.name}"), will=will, on_message=lambda *_: None
        )
        self._link.connect()
        self._publish("availability", b"online", retain=True, qos=1)

    def speak(self) -> None:
        """The next message in turn."""
        kinds = ("state", "scene", "events", "scene", "counts")
        kind, n = kinds[self.sent % len(kinds)], self.sent
        now_s = datetime.now(UTC).timestamp()
        values: dict[str, Any] = {
            "state": {
                "camera": {"up": True}, "rates": {"camera": 30.0, "detector": 12.5},
                "model": {"name": "ssdlite_mobilenet_v2_coco", "size": "large"},
                "temperature_c": 40 + n % 40, "faults": [],
            },
            "scene": {"time_s": now_s, "seq": n, "tracks": [{"id": 1, "label": "person"}]},
            "events": {
                "phase": "begin", "revision": 0, "id": f"{n:09d}", "node": self.name,
                "rule": "visitor", "label": "person", "score": 0.9, "start_s": now_s,
            },
            "counts": {"lines": {"door": {"in": {"person": n}, "out": {}}}, "now": {"": {}}},
        }[kind]  # fmt: skip
        body = json.dumps(values).encode()
        self._publish(kind, body, retain=kind in ("state", "counts"), qos=int(kind == "events"))

    def step(self) -> None:
        """Send and receive."""
        self._link.step(0.0)

    def close(self) -> None:
        """Go, and leave nothing with the broker."""
        for what in ("availability", "state", "counts"):
            self._link.publish(Message(f"{ROOT}/{self.name}/{what}", b"", True, 0))
        self._link.step(0.0)
        self._link.release()

    def _publish(self, what: str, payload: bytes, *, retain: bool, qos: int) -> None:
        self._link.publish(Message(f"{ROOT}/{self.name}/{what}", payload, retain, qos))
        self.sent += 1


@contextmanager
def fleet_page(broker: Broker) -> Iterator[tuple[str, psutil.Process]]:
    """`edge-vision fleet --page` and its address."""
    command = [sys.executable, "-m", "edge_vision", "fleet", "--broker", str(broker), "--page", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1] + "api/fleet", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def look(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def load(broker: Broker, nodes: int, rate: float, seconds: float) -> int:
    """Returns the process's exit status."""
    with fleet_page(broker) as (url, page):
        before = wait_for(lambda: (found := look(url)) and not found["trouble"] and found)
        boards = [Board(broker, number) for number in range(nodes)]
        began_cpu_s, begin = sum(page.cpu_times()[:2]), time.monotonic()
        ticks, polls = 0, 0
        while (now := time.monotonic()) - begin < seconds:
            if now - begin >= ticks / rate:
                ticks += 1
                for board in boards:
                    board.speak()
            for board in boards:
                board.step()
            if now - begin >= polls:
                polls += 1
                look(url)  # as a browser does, every second
            time.sleep(0.005)
        cpu = (sum(page.cpu_times()[:2]) - began_cpu_s) / (time.monotonic() - begin)
        sent = sum(board.sent for board in boards)

        def all_came() -> bool:
            for board in boards:
                board.step()
            return bool(look(url)["messages"] - before["messages"] >= sent)

        wait_for(all_came)
        after = look(url)
        received = after["messages"] - before["messages"]
        mine = [row for row in after["nodes"] if row["node"].startswith("load-")]
        exact = sum(row["messages"] == board.sent for row, board in zip(mine, boards, strict=False))
        alive = sum(row["alive"] == "yes" for row in mine)
        memory_mb = page.memory_info().rss / 2**20
        for board in boards:
            board.close()
    print(
        f"{nodes} nodes, {rate:g} messages a second each, {seconds:g} s: sent {sent}, "
        f"received {received}, refused {after['refused']}; {exact} of {nodes} nodes complete, "
        f"{alive} alive; fleet page {cpu:.2f} core, {memory_mb:.0f} MB"
    )
    return 0 if received == sent and exact == nodes else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--rate", type=float, default=5.0, help="messages a second of each")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--broker", help="mqtt://HOST[:PORT]; a mosquitto of its own without")
    given = parser.parse_args()
    if given.broker:
        sys.exit(load(parse_broker(given.broker), given.nodes, given.rate, given.seconds))
    with own_broker() as broker:
        sys.exit(load(broker, given.nodes, given.rate, given.seconds))


if __name__ == "__main__":
    main()
