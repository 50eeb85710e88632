"""A whole run of the demo scene with the real model tells a real broker what it sees."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.app import App
from edge_vision.config import Config

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]
BASE = "edge-vision/porch"


def make_config(url: str) -> Config:
    values = {
        "node": {"name": "porch"},
        "camera": {"kind": "demo", "size_px": [640, 360], "fps": 15},
        "model": {"size": "small", "threads": 1},
        "watch": {"rules": [{"name": "seen"}]},
        "outputs": {
            "window": {"enabled": False}, "web": {"enabled": False},
            "mqtt": {"broker": url, "commands": ["threshold", "snapshot"], "scene_per_s": 5.0,
                     "retry_max_s": 1.0},
        },
    }  # fmt: skip
    return Config.model_validate_json(json.dumps(values))


def test_a_run_tells_what_it_sees_and_does_what_it_is_asked(
    broker: Any, listen: Make, until: Make, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    ear = listen(broker)
    asked: list[int] = []

    def on_tick(app: App, now_ns: int) -> None:
        """In the main thread, ten times a second: what somebody far away would do."""
        scenes = ear.of(f"{BASE}/scene")
        if len(asked) == 0 and any(scene["tracks"] for scene in scenes):
            asked.append(now_ns)
            ear.say(f"{BASE}/set/threshold", "0.5")
            ear.say(f"{BASE}/set/snapshot", "")
        results = {result["command"] for result in ear.of(f"{BASE}/result")}
        if results == {"threshold", "snapshot"} and ear.last(f"{BASE}/snapshot"):
            states = ear.of(f"{BASE}/state")
            if states[-1]["min_score"] == 0.5:
                app.stop.set()

    app = App(make_config(broker.url), on_tick=on_tick, duration_s=60)
    summary = app.run()
    assert app.stop.is_set(), "it was ended by what was heard, not by time"
    assert summary.faults == []
    until(lambda: ear.last(f"{BASE}/availability") == b"offline")
    assert all(result["ok"] for result in ear.of(f"{BASE}/result"))
    events = ear.of(f"{BASE}/events")
    assert events[0]["phase"] == "begin"
    assert {event["rule"] for event in events} == {"seen"}
    assert {event["node"] for event in events} == {"porch"}
    keys = [(event["id"], event["phase"]) for event in events]
    assert len(set(keys)) == len(keys), "each begins once and ends once"
    scene = next(scene for scene in ear.of(f"{BASE}/scene") if scene["tracks"])
    assert {"id", "label", "score", "box"} <= set(scene["tracks"][0])
    coded = np.frombuffer(ear.last(f"{BASE}/snapshot"), np.uint8)
    picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (360, 640, 3)
    state = ear.of(f"{BASE}/state")[-1]
    assert state["camera"]["up"] is True
    assert state["model"]["size"] == "small"


def test_a_run_goes_on_without_its_broker(
    make_broker: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    url, faults = make_broker().url, set()
    app = App(
        make_config(url),
        frames=40,
        on_tick=lambda app, _now_ns: faults.update(str(fault) for fault in app.faults()),
    )
    summary = app.run()
    assert summary.analysed == 40, "it is the only output, and its fault passes"
    assert faults == {f"mqtt: nothing listens at {url}; is the broker running?"}
    assert summary.faults == [], "nothing was lost: the run as a whole has not failed"
