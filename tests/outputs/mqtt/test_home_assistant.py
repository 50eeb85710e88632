"""What Home Assistant makes of our messages: its templates are Jinja's, in a sandbox."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edge_vision.config import Config
from edge_vision.config_net import MqttConfig
from edge_vision.events import Counts
from edge_vision.outputs.mqtt.discovery import components_of
from edge_vision.outputs.mqtt.state import counts_of, state_of

WATCH = {
    "zones": {"front-yard": [[0, 0], [1, 0], [1, 1]]},
    "lines": {"door": [[0.1, 0.1], [0.9, 0.9]]},
    "rules": [{"name": "visitor", "zone": "front-yard"}, {"name": "through", "line": "door"}],
}
Show = Callable[..., dict[str, str]]


def told(control: Any, counts: Counts) -> dict[str, Any]:
    """Last part of the topic -> message, as Session sends them."""
    watch = control.config.watch
    state = state_of(control, control.started_ns + 5_000_000_000)
    rules = {rule.name: rule.name == "visitor" for rule in watch.rules}
    return {
        "state": {**state, "paused": True, "rules": rules, "queue": 0},
        "counts": counts_of(counts, watch),
    }


@pytest.fixture
def show(make_control: Callable[..., Any]) -> Show:
    """show(messages): id of each entity of WATCH that reads them -> what it shows."""
    config = Config.model_validate_json(json.dumps({"watch": WATCH}))
    entities = components_of("porch", MqttConfig(commands=["pause"]), config.watch)
    # Home Assistant logs what a template does not find; here it fails.
    jinja = ImmutableSandboxedEnvironment(undefined=StrictUndefined)

    def read(messages: dict[str, Any]) -> dict[str, str]:
        shown = {}
        for name, entity in entities.items():
            kind = entity.get("state_topic", "").rpartition("/")[2]
            if kind in messages:
                value = json.loads(json.dumps(messages[kind]))
                template = jinja.from_string(entity["value_template"])
                shown[name] = template.render(value_json=value)
        return shown

    return read


def test_every_entity_shows_what_is_so(show: Show, make_control: Callable[..., Any]) -> None:
    config = Config.model_validate_json(json.dumps({"watch": WATCH}))
    counts = Counts(
        5.0, {"door": {"in": {"person": 2, "dog": 1}}}, {}, {"front-yard": {"person": 4}}
    )
    assert show(told(make_control(config), counts)) == {
        "rule_visitor": "ON", "rule_through": "OFF", "line_door_in": "3", "line_door_out": "0",
        "zone_front-yard": "4", "pause": "ON", "temperature": "51.5", "rate": "0.0",
        "trouble": "OFF",
    }  # fmt: skip


def test_what_the_board_does_not_have_any_more_is_no_error(
    show: Show, make_control: Callable[..., Any]
) -> None:
    shown = show(told(make_control(Config()), Counts(0.0, {}, {}, {})))
    assert {shown[f"line_door_{way}"] for way in ("in", "out")} == {"None"}, "no value, not 0"
    assert shown["zone_front-yard"] == "None"
    assert shown["rule_visitor"] == "OFF"


@pytest.mark.parametrize(
    ("camera", "up_s", "faults", "expected"),
    [
        ({"up": True, "reason": ""}, 5, [], "OFF"),
        ({"up": False, "reason": "opening"}, 5, [], "OFF"),
        ({"up": False, "reason": "opening"}, 60, [], "ON"),
        ({"up": False, "reason": "unplugged"}, 5, [], "ON"),
        ({"up": True, "reason": ""}, 5, ["the disk is full"], "ON"),
    ],
)
def test_trouble_is_no_camera_that_has_just_been_started(
    show: Show, make_control: Callable[..., Any], camera: Any, up_s: int, faults: Any, expected: str
) -> None:
    messages = told(make_control(Config()), Counts(0.0, {}, {}, {}))
    messages["state"].update(camera=camera, up_s=up_s, faults=faults)
    assert show(messages)["trouble"] == expected
