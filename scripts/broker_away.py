"""Events while an MQTT broker is away: stops a real mosquitto, goes on, and counts what arrives.

    python scripts/broker_away.py [--seconds 60] [--rate 5]

Ends with 1 unless every message arrived, in order, once.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_vision.config import Config
from edge_vision.config_net import MqttConfig
from edge_vision.control import BoardStatus, CameraStatus, ModelStatus
from edge_vision.events import Counts, Event
from edge_vision.outputs.mqtt import MqttOutput
from edge_vision.slot import Bulletin
from edge_vision.telemetry import Telemetry


class Mosquitto:
    """On a free port of loopback; what it should remember is kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            sys.exit("There is no mosquitto. Install it with: sudo apt install mosquitto")
        file = folder / "mosquitto.conf"
        file.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nlog_dest none\nuser root\n"
            f"persistence true\npersistence_location {folder}/\nmax_queued_messages 0\n"
        )
        self._command = [program, "-c", str(file)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit("mosquitto does not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


def listener(port: int, heard: list[dict[str, Any]]) -> paho.Client:
    """Hears every event, also those of the time while it is away itself."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "listener", protocol=paho.MQTTv5)
    ready = threading.Event()
    client.on_connect = lambda *_: client.subscribe("edge-vision/+/events", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _client, _data, message: heard.append(json.loads(message.payload))
    client.reconnect_delay_set(1, 1)
    kept = Properties(PacketTypes.CONNECT)
    kept.SessionExpiryInterval = 3600
    client.connect("127.0.0.1", port, clean_start=False, properties=kept)
    client.loop_start()
    if not ready.wait(10):
        sys.exit("the listener cannot connect")
    return client


def made_up_run() -> Any:
    """A Control of nothing."""
    return SimpleNamespace(
        config=Config(), telemetry=Telemetry(), analysed=Bulletin(None), started_ns=0,
        camera=lambda: CameraStatus(True, 0, "", "none", 640, 480, 30.0),
        model=lambda: ModelStatus("none", "none", "none", "large", (300, 300)),
        board=lambda: BoardStatus("none", None, (), "", False),
        faults=list, counts=lambda: Counts(0.0, {}, {}, {}),
    )  # fmt: skip


def event(number: int) -> Event:
    now_s = datetime.now(UTC).timestamp()
    return Event(
        f"{number:08d}", "board", "enter", "visitor", "", "", number, "person", 0.9,
        (0.1, 0.1, 0.2, 0.2), 1, (), now_s, 1,
    )  # fmt: skip


def measure(folder: Path, seconds: float, rate: float) -> int:
    """Returns the process's exit status."""
    os.environ["STATE_DIRECTORY"] = str(folder)
    broker, heard = Mosquitto(folder), []
    broker.start()
    client = listener(broker.port, heard)
    output = MqttOutput(MqttConfig(broker=f"mqtt://127.0.0.1:{broker.port}", retry_max_s=10.0))
    output.attach(made_up_run())
    output.start()
    sent = 0

    def speak(for_s: float) -> None:
        nonlocal sent
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            output.on_event(event(sent))
            sent += 1
            time.sleep(1 / rate)

    speak(3)
    broker.stop()
    speak(seconds)
    size = (folder / "mqtt-queue.journal").stat().st_size
    broker.start()
    back = time.monotonic()
    speak(3)
    while len(heard) < sent and time.monotonic() < back + 60:
        time.sleep(0.1)
    took_s = time.monotonic() - back
    output.close(5)
    client.disconnect()
    client.loop_stop()
    broker.stop()
    ids = [message["id"] for message in heard]
    marked = sum("duplicate" in message for message in heard)
    whole = ids == [f"{number:08d}" for number in range(sent)]
    print(
        f"broker away for {seconds:g} s at {rate:g} events a second: sent {sent}, "
        f"heard {len(ids)}, in order and once: {'yes' if whole else 'no'}, "
        f"marked as duplicates: {marked}, queue file {size / 1024:.0f} KB, "
        f"all there {took_s:.0f} s after the broker"
    )
    return 0 if whole else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=5.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(measure(Path(folder), given.seconds, given.rate))


if __name__ == "__main__":
    main()
