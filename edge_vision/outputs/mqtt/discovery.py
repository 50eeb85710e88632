"""What Home Assistant is told of a board: one device with its entities, in one retained message.

Home Assistant's documentation, MQTT integration, "Device discovery payload": topic
<prefix>/device/<object id>/config with `device`, `origin`, `components`; a component that is left
with its platform alone is removed, and an empty message removes the device.
"""

import json
from collections.abc import Collection
from typing import Any

from edge_vision import __version__
from edge_vision.config_net import MqttConfig
from edge_vision.config_watch import WatchConfig
from edge_vision.outputs.mqtt.state import ROOT

_TROUBLE = (
    "'ON' if value_json.faults or not value_json.camera.up "
    "and (value_json.camera.reason != 'opening' or value_json.up_s >= 60) else 'OFF'"
)
"""A camera takes a moment to open: a start is no trouble."""

Components = dict[str, dict[str, Any]]

_SHARED = "edge_vision_"
"""Before every unique id."""


def topic_of(config: MqttConfig, node: str) -> str:
    """Where the message goes."""
    return f"{config.discovery_prefix}/device/{_SHARED}{node}/config"


def payload_of(
    node: str, board: str, components: Components, gone: Collection[tuple[str, str]] = ()
) -> bytes:
    """The message.  board: the computer's name.  gone: id and platform of what is to be removed."""
    removed = {name: {"platform": platform} for name, platform in gone}
    values = {
        "device": {
            "identifiers": [_SHARED + node],
            "name": node,
            "manufacturer": "edge-vision",
            "model": board,
            "sw_version": __version__,
        },
        "origin": {"name": "edge-vision", "sw_version": __version__},
        "availability_topic": f"{ROOT}/{node}/availability",
        "components": {**removed, **components},
    }
    return json.dumps(values).encode()


def components_of(node: str, config: MqttConfig, watch: WatchConfig) -> Components:
    """Id -> settings of every entity: rules, counts, camera, switch, and how the board feels."""
    base = f"{ROOT}/{node}"
    found: Components = {}

    def add(name: str, platform: str, title: str, **settings: Any) -> None:
        unique_id = f"{_SHARED}{node}_{name}"
        found[name] = {"platform": platform, "unique_id": unique_id, "name": title, **settings}

    def state(value: str) -> dict[str, str]:
        return {"state_topic": f"{base}/state", "value_template": f"{{{{ {value} }}}}"}

    def count(place: str, group: str, way: str = "") -> dict[str, str]:
        # Messages of a board may come before the one that takes back what it does not have any
        # more: "None" is no value, and Home Assistant logs nothing.
        name = json.dumps(place)
        labels = f"value_json.{group}[{name}]" + (f"[{json.dumps(way)}]" if way else "")
        value = f"{labels}.values() | sum if {name} in value_json.{group} else None"
        return {"state_topic": f"{base}/counts", "value_template": f"{{{{ {value} }}}}"}

    for rule in watch.rules:
        on = f"'ON' if value_json.rules.get({json.dumps(rule.name)}) else 'OFF'"
        add(f"rule_{rule.name}", "binary_sensor", rule.name, **state(on))
    for line in watch.lines:
        for way in ("in", "out"):
            total = {"state_class": "total_increasing", **count(line, "lines", way)}
            add(f"line_{line}_{way}", "sensor", f"{line} {way}", **total)
    for zone in watch.zones:
        now = {"state_class": "measurement", **count(zone, "now")}
        add(f"zone_{zone}", "sensor", f"in {zone}", **now)
    if config.snapshot_max_kb:
        add("snapshot", "camera", "Snapshot", topic=f"{base}/snapshot")
    if "pause" in config.commands:
        paused = state("'ON' if value_json.paused else 'OFF'")
        add("pause", "switch", "Pause", command_topic=f"{base}/set/pause", **paused)
    add(
        "temperature", "sensor", "Temperature", device_class="temperature",
        unit_of_measurement="°C", state_class="measurement", entity_category="diagnostic",
        **state("value_json.temperature_c"),
    )  # fmt: skip
    add(
        "rate", "sensor", "Detections", unit_of_measurement="1/s", state_class="measurement",
        entity_category="diagnostic", **state("value_json.rates.detector"),
    )  # fmt: skip
    diagnostic = {"device_class": "problem", "entity_category": "diagnostic"}
    add("trouble", "binary_sensor", "Trouble", **diagnostic, **state(_TROUBLE))
    return found


def gone_from(kept: bytes, components: Components) -> list[tuple[str, str]]:
    """Id and platform of what an earlier message announced and `components` does not hold.

    kept: that message as the broker kept it, which anybody may have written: what is no message of
    ours says nothing.
    """
    try:
        before = json.loads(kept)["components"].items()
        named = [(str(name), str(settings["platform"])) for name, settings in before]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return []
    return [
        (name, platform)
        for name, platform in named
        if name not in components or components[name]["platform"] != platform
    ]
