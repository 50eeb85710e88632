"""An ear for all that a broker is told, and an output to talk to it."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_vision.config import Config
from edge_vision.config_net import MqttConfig
from edge_vision.outputs.mqtt import MqttOutput

DEADLINE_S = 15.0


class Ear:
    """Hears everything a broker is told, and may say something; misses nothing while it is away."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.ready = threading.Event()
        self._client = client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, "ear", protocol=paho.MQTTv5
        )
        client.on_connect = lambda *_: client.subscribe("#", 1)
        client.on_subscribe = lambda *_: self.ready.set()
        client.on_message = self._hear
        client.reconnect_delay_set(1, 1)
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 600
        client.connect("127.0.0.1", port, clean_start=False, properties=kept)
        client.loop_start()

    def _hear(self, _client: Any, _data: Any, message: Any) -> None:
        said = (message.topic, message.payload, message.retain)
        # Of two deliveries by the broker itself, marked as such in MQTT's own way, one counts.
        if not (message.dup and said in self.heard):
            self.heard.append(said)

    def say(self, topic: str, payload: bytes | str, retain: bool = False) -> None:
        self._client.publish(topic, payload, 1, retain)

    def of(self, topic: str) -> list[Any]:
        """What was said there, as JSON."""
        return [json.loads(payload) for t, payload, _ in list(self.heard) if t == topic and payload]

    def last(self, topic: str) -> bytes:
        """The newest payload there, b"" without one."""
        return next((p for t, p, _ in reversed(list(self.heard)) if t == topic), b"")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def listen() -> Iterator[Callable[[Any], Ear]]:
    """listen(broker): an Ear that is connected."""
    ears: list[Ear] = []

    def make(broker: Any) -> Ear:
        ears.append(Ear(broker.port))
        assert ears[-1].ready.wait(DEADLINE_S)
        return ears[-1]

    yield make
    for ear in ears:
        ear.close()


@pytest.fixture
def make_mqtt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_control: Callable[..., Any]
) -> Iterator[Callable[..., Any]]:
    """make_mqtt(url, watch={...}, ...): an output that was started, and its `control`."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    made: list[MqttOutput] = []

    def make(url: str, watch: dict[str, Any] | None = None, **settings: Any) -> tuple[Any, Any]:
        values = {"node": {"name": "porch"}, "watch": watch or {}}
        control = make_control(Config.model_validate_json(json.dumps(values)))
        output = MqttOutput(MqttConfig(broker=url, **{"retry_max_s": 1.0, **settings}))
        output.attach(control)
        output.start()
        made.append(output)
        return output, control

    yield make
    for output in made:
        output.close(5)
