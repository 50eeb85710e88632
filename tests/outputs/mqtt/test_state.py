"""What a board tells of itself over a real broker, and what it is told."""

import json
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.config import Config, NodeConfig
from edge_vision.errors import ConfigError
from edge_vision.events import Counts
from edge_vision.outputs.mqtt.discovery import gone_from

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]
BASE = "edge-vision/porch"
DISCOVERY = "homeassistant/device/edge_vision_porch/config"
WATCH = {
    "zones": {"drive": [[0, 0], [1, 0], [1, 1]]},
    "lines": {"door": [[0.1, 0.1], [0.9, 0.9]]},
    "rules": [{"name": "visitor", "zone": "drive"}, {"name": "through", "line": "door"}],
}


def test_the_state_is_told_at_once_and_when_it_changes(
    broker: Any, listen: Make, make_mqtt: Make, make_event: Make, until: Make
) -> None:
    ear = listen(broker)
    output, control = make_mqtt(broker.url, WATCH)
    states = lambda: ear.of(f"{BASE}/state")  # noqa: E731
    first = until(states)[0]
    assert first["camera"] == {
        "up": True, "reason": "", "name": "a camera", "size_px": [640, 480]
    }  # fmt: skip
    assert first["model"] == {"name": "net", "size": "large", "engine": "cpu"}
    assert first["temperature_c"] == 51.5
    assert first["rules"] == {"visitor": False, "through": False}
    assert first["paused"] is False
    output.on_event(make_event(1))
    until(lambda: states()[-1]["rules"] == {"visitor": True, "through": False})
    control.told.append("the camera is gone")
    until(lambda: states()[-1]["faults"] == ["the camera is gone"])
    assert len(states()) <= 6, "not told more often than it changes"


def test_counts_name_every_place(broker: Any, listen: Make, make_mqtt: Make, until: Make) -> None:
    ear = listen(broker)
    _, control = make_mqtt(broker.url, WATCH)
    assert until(lambda: ear.of(f"{BASE}/counts"))[0] == {
        "since_s": 0.0, "lines": {"door": {"in": {}, "out": {}}}, "zones": {"drive": {}},
        "now": {"": {}, "drive": {}},
    }  # fmt: skip
    control.counted = Counts(
        5.0, {"door": {"in": {"person": 2}}}, {"drive": {"car": 1}}, {"": {"person": 1}}
    )
    until(lambda: len(ear.of(f"{BASE}/counts")) == 2)
    assert ear.of(f"{BASE}/counts")[1] == {
        "since_s": 5.0, "lines": {"door": {"in": {"person": 2}, "out": {}}},
        "zones": {"drive": {"car": 1}}, "now": {"": {"person": 1}, "drive": {}},
    }  # fmt: skip


def test_scenes_are_rate_limited(
    broker: Any, listen: Make, make_mqtt: Make, analysed: Make, until: Make
) -> None:
    ear = listen(broker)
    _, control = make_mqtt(broker.url, scene_per_s=0.02)
    for seq in range(100):
        control.analysed.post(analysed(seq))
    scene = until(lambda: ear.of(f"{BASE}/scene"))[0]
    assert scene["seq"] == 99
    assert scene["tracks"] == []
    control.analysed.post(analysed(100))
    ear.say("mark", b"1")
    until(lambda: ear.last("mark"))
    assert len(ear.of(f"{BASE}/scene")) == 1


def test_a_snapshot_of_an_event_is_small_enough(
    broker: Any, listen: Make, make_mqtt: Make, make_event: Make, picture: Make, until: Make
) -> None:
    ear = listen(broker)
    output, _ = make_mqtt(broker.url, snapshot_max_kb=8)
    until(lambda: ear.last(f"{BASE}/state"))
    assert not output.active(), "no picture is drawn for it as long as nothing happens"
    output.on_event(make_event(1))
    assert output.active()
    noisy = picture(1, size=(1280, 720))
    noisy.image.data[:] = np.random.default_rng(1).integers(0, 255, noisy.image.data.shape)
    assert output.offer(noisy)
    assert not output.active()
    output._wake()
    jpeg = until(lambda: ear.last(f"{BASE}/snapshot"))
    assert len(jpeg) <= 8 << 10
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape[1] / shown.shape[0] == pytest.approx(16 / 9, rel=0.02)
    output.on_event(make_event(1, score=0.82))
    assert not output.active(), "hardly better"
    output.on_event(make_event(1, score=0.95))
    assert output.active()


def test_commands_that_are_allowed(broker: Any, listen: Make, make_mqtt: Make, until: Make) -> None:
    ear = listen(broker)
    output, control = make_mqtt(broker.url, commands=["threshold", "size", "snapshot"])
    until(lambda: ear.last(f"{BASE}/state"))
    results = lambda: ear.of(f"{BASE}/result")  # noqa: E731
    ear.say(f"{BASE}/set/threshold", "0.55")
    until(lambda: len(results()) == 1)
    assert control.wishes == [{"model": {"min_score": 0.55}}]
    ear.say(f"{BASE}/set/size", "small")
    until(lambda: len(results()) == 2)
    assert control.wishes[1] == {"model": {"size": "small", "input_hw_px": None}}
    ear.say(f"{BASE}/set/snapshot", "")
    until(output.active)
    control.answer = ConfigError("it cannot be")
    ear.say(f"{BASE}/set/threshold", "0.6")
    until(lambda: len(results()) == 4)
    assert [result["ok"] for result in results()] == [True, True, True, False]
    assert results()[3] == {"command": "threshold", "ok": False, "reason": "it cannot be"}


@pytest.mark.parametrize(
    "payload",
    [b"", b"NaN", b"Infinity", b"-1", b"0", b"1.01", b"true", b"[" * 40, b"x" * 200_000,
     b"\xff\xfe", b'"0.5"', b"9" * 60, b"null", b"{}", b"\0"],
)  # fmt: skip
def test_hostile_thresholds(
    broker: Any, listen: Make, make_mqtt: Make, until: Make, payload: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    ear = listen(broker)
    _, control = make_mqtt(broker.url, commands=["threshold"])
    until(lambda: ear.last(f"{BASE}/state"))
    for _ in range(20):
        ear.say(f"{BASE}/set/threshold", payload)
    until(lambda: len(ear.of(f"{BASE}/result")) == 20)
    assert control.wishes == []
    refused = [text for text in caplog.messages if "refused" in text]
    assert len(refused) == 1, "one line, however many come"
    assert all(0 < len(result["reason"]) < 200 for result in ear.of(f"{BASE}/result"))


def test_nothing_is_obeyed_that_was_not_allowed(
    broker: Any, listen: Make, make_mqtt: Make, until: Make
) -> None:
    ear = listen(broker)
    ear.say(f"{BASE}/set/threshold", "0.9", retain=True)
    until(lambda: ear.last(f"{BASE}/set/threshold"))
    output, control = make_mqtt(broker.url, commands=["threshold"])
    until(lambda: ear.last(f"{BASE}/state"))
    for topic in ("pause", "size", "snapshot", "threshold/x", "", "x" * 1000):
        ear.say(f"{BASE}/set/{topic}", "ON")
    ear.say("edge-vision/other/set/threshold", "0.9")
    ear.say(f"{BASE}/set/threshold", "0.3")
    until(lambda: control.wishes)
    assert control.wishes == [{"model": {"min_score": 0.3}}], "a kept command is not obeyed"
    assert not output._session.paused


def test_home_assistant_is_told_of_rules_counts_and_switch(
    broker: Any, listen: Make, make_mqtt: Make, until: Make
) -> None:
    ear = listen(broker)
    old = {"components": {"rule_gone": {"platform": "binary_sensor"}, "x": 3}}
    ear.say(
        DISCOVERY, json.dumps({"components": {"rule_old": {"platform": "binary_sensor"}}}), True
    )
    until(lambda: ear.last(DISCOVERY))
    assert gone_from(json.dumps(old).encode(), {}) == [], "not ours: it says nothing"
    _, control = make_mqtt(broker.url, WATCH, commands=["pause"])
    until(lambda: any("rule_old" in m["components"] for m in ear.of(DISCOVERY)[1:]))
    removal = next(m for m in ear.of(DISCOVERY)[1:] if "rule_old" in m["components"])
    assert removal["components"]["rule_old"] == {"platform": "binary_sensor"}
    until(lambda: "rule_old" not in ear.of(DISCOVERY)[-1]["components"])
    told = ear.of(DISCOVERY)[-1]
    assert told["device"]["identifiers"] == ["edge_vision_porch"]
    assert told["availability_topic"] == f"{BASE}/availability"
    assert {name: c["platform"] for name, c in told["components"].items()} == {
        "rule_visitor": "binary_sensor", "rule_through": "binary_sensor",
        "line_door_in": "sensor", "line_door_out": "sensor", "zone_drive": "sensor",
        "snapshot": "camera", "pause": "switch", "temperature": "sensor", "rate": "sensor",
        "trouble": "binary_sensor",
    }  # fmt: skip
    unique = {component["unique_id"] for component in told["components"].values()}
    assert len(unique) == len(told["components"])
    told_before = len(ear.of(DISCOVERY))
    ear.say("homeassistant/status", "online")
    until(lambda: len(ear.of(DISCOVERY)) > told_before)
    control.config = Config(node=NodeConfig(name="porch"))
    until(lambda: "line_door_in" not in ear.of(DISCOVERY)[-1]["components"])
    assert any(
        m["components"].get("line_door_in") == {"platform": "sensor"} for m in ear.of(DISCOVERY)
    )


def test_home_assistant_is_taken_back(
    broker: Any, listen: Make, make_mqtt: Make, until: Make
) -> None:
    ear = listen(broker)
    ear.say(DISCOVERY, "{}", retain=True)
    until(lambda: ear.last(DISCOVERY))
    make_mqtt(broker.url, discovery=False)
    until(lambda: any(t == DISCOVERY and p == b"" for t, p, _ in ear.heard))


@pytest.mark.parametrize(
    "kept",
    [b"", b"[]", b"[" * 100_000, b"\xff", b'{"components": 3}', b'{"components": {"a": {}}}'],
)
def test_what_others_wrote_there_says_nothing(kept: bytes) -> None:
    assert gone_from(kept, {}) == []
