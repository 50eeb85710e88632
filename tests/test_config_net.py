"""What does not go together in the sections of MQTT; addresses: tests/outputs."""

from typing import Any

import pytest
from pydantic import ValidationError

from edge_vision.config_load import load_config
from edge_vision.config_net import MqttConfig
from edge_vision.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"password_file": "x"}, "password_file needs outputs.mqtt.username"),
        ({"cert_file": "x"}, "cert_file and key_file belong together"),
        ({"broker": "mqtt://a", "ca_file": "x"}, "are for TLS; give a broker of mqtts://"),
        ({"broker": "mqtt://u:secret@a"}, "give username and password_file instead"),
        ({"client_id": "a b"}, "client_id"),
        ({"discovery_prefix": "a/#"}, "discovery_prefix"),
        ({"discovery_prefix": "a/"}, "discovery_prefix"),
        ({"commands": ["reboot"]}, "commands"),
        ({"scene_per_s": float("nan")}, "scene_per_s"),
        ({"username": ""}, "username"),
    ],
)
def test_what_cannot_be(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MqttConfig.model_validate(values)


def test_what_can() -> None:
    config = MqttConfig(
        broker="mqtts://a:8884", username="u", password_file="p", ca_file="c", cert_file="d",
        key_file="k", commands=["pause", "size"], discovery_prefix="home/ha",
    )  # fmt: skip
    assert config.commands == ["pause", "size"]


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, ["outputs.mqtt.broker=mqtt://user:sesame@broker.local"])
    assert "give username and password_file" in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_node_names_with_wildcards_are_refused() -> None:
    for name in ("a/b", "+", "#", "$SYS", "a b", "", "x" * 64):
        with pytest.raises(ConfigError, match=r"node\.name"):
            load_config(None, [f"node.name='{name}'"])
