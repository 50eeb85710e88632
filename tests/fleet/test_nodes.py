"""What boards say becomes rows, whoever writes there."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from edge_vision.fleet.nodes import SILENT_NS, Fleet
from edge_vision.fleet.table import table_of

STATE = {
    "camera": {"up": True}, "rates": {"camera": 30.0, "detector": 12.5}, "temperature_c": 51.5,
    "model": {"name": "net", "size": "large"}, "faults": [],
}  # fmt: skip
EVENT = {"id": "1", "rule": "visitor", "label": "person", "start_s": 1000.0}
COUNTS = {
    "lines": {"door": {"in": {"person": 2, "car": 1}, "out": {}}},
    "now": {"": {"person": 5}, "drive": {"person": 1}},
}


def say(fleet: Fleet, node: str, what: str, values: Any, now_ns: int = 0) -> None:
    payload = values if isinstance(values, bytes) else json.dumps(values).encode()
    fleet.heard(f"edge-vision/{node}/{what}", payload, now_ns)


@pytest.fixture
def fleet() -> Fleet:
    """Of one board, porch."""
    fleet = Fleet()
    say(fleet, "porch", "availability", b"online")
    for what, values in (("state", STATE), ("events", EVENT), ("counts", COUNTS)):
        say(fleet, "porch", what, values)
    say(fleet, "porch", "scene", {"tracks": [{}, {}]})
    return fleet


def shown(fleet: Fleet, now_ns: int = 0) -> str:
    out = io.StringIO()
    Console(width=200, force_terminal=False, file=out).print(table_of(fleet.rows(now_ns), 1090.0))
    return out.getvalue()


def test_a_row(fleet: Fleet) -> None:
    (row,) = fleet.rows(2_000_000_000)
    assert row == {
        "node": "porch", "alive": "yes", "heard_s": 2.0, "messages": 5, "camera_up": True,
        "camera_per_s": 30.0, "detector_per_s": 12.5, "temperature_c": 51.5, "model": "net",
        "size": "large", "objects": 2, "faults": [], "event": "visitor person",
        "event_start_s": 1000.0, "counts": "door in 3 out 0, drive 1",
    }  # fmt: skip
    assert (fleet.messages, fleet.refused) == (5, 0)


def test_alive_silent_gone(fleet: Fleet) -> None:
    assert fleet.rows(SILENT_NS)[0]["alive"] == "yes"
    assert fleet.rows(SILENT_NS + 1)[0]["alive"] == "silent"
    say(fleet, "porch", "availability", b"offline")
    assert fleet.rows(0)[0]["alive"] == "no"


def test_a_table(fleet: Fleet) -> None:
    say(fleet, "shed", "state", {**STATE, "faults": ["the [red]disk[/red] is full"]})
    text = shown(fleet)
    assert "porch" in text
    assert "visitor person, 2 min ago" in text
    assert "the [red]disk[/red] is full" in text, "no markup"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("edge-vision/porch/state", b"{"),
        ("edge-vision/porch/state", b"[]"),
        ("edge-vision/porch/state", b'{"temperature_c": NaN}'),
        ("edge-vision/porch/state", b"[" * 60_000),
        ("edge-vision/porch/state", b'{"a":' * 10_000),
        ("edge-vision/porch/state", b"\xff\xfe"),
        ("edge-vision/porch/state", b'{"a": "' + b"x" * 70_000 + b'"}'),
        ("edge-vision/porch/state", b'{"a": ' + b"9" * 5000 + b"}"),
        ("edge-vision/porch/availability", b"perhaps"),
        ("edge-vision/porch/snapshot", b"{}"),
        ("edge-vision/porch/state/x", b"{}"),
        ("edge-vision/+/state", b"{}"),
        ("edge-vision/a b/state", b"{}"),
        ("edge-vision/" + "a" * 64 + "/state", b"{}"),
        ("edge-vision//state", b"{}"),
        ("other/porch/state", b"{}"),
        ("", b""),
    ],
)
def test_what_no_board_says_is_refused(fleet: Fleet, topic: str, payload: bytes) -> None:
    before = fleet.rows(0)
    fleet.heard(topic, payload, 0)
    assert fleet.rows(0) == before
    assert fleet.refused == 1


def test_control_characters_do_not_reach_the_terminal(fleet: Fleet) -> None:
    nasty = "\x1b[2J\x07\u202e\ud800" + "x" * 1000
    say(fleet, "porch", "state", {**STATE, "model": {"name": nasty}, "faults": [nasty, 3, None]})
    say(fleet, "porch", "events", {**EVENT, "rule": nasty, "label": [[nasty]]})
    say(fleet, "porch", "counts", {"lines": {nasty: {"in": {"a": "b"}}}, "now": {nasty: 3}})
    (row,) = fleet.rows(0)
    text = json.dumps(row) + shown(fleet)
    assert "\x1b" not in text
    assert "\\u001b" not in text
    assert len(row["model"]) <= 120


def test_so_many_boards_and_no_more() -> None:
    fleet = Fleet()
    for number in range(2100):
        say(fleet, f"n{number}", "availability", b"online")
    assert len(fleet.rows(0)) == 2000
    assert fleet.refused == 100


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["camera", "up", "rates", "detector", "model", "name", "lines", "now",
                         "in", "faults", "tracks", "start_s", "rule", "temperature_c"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(["state", "scene", "events", "counts"]), VALUES)
def test_whatever_a_message_holds_rows_can_be_shown(what: str, values: Any) -> None:
    fleet = Fleet()
    say(fleet, "porch", "availability", b"online")
    say(fleet, "porch", what, values)
    json.dumps(fleet.rows(0), allow_nan=False)
    table_of(fleet.rows(0), 0.0)
