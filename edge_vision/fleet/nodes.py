"""What the boards of a broker say, kept as one row each; every message may be anybody's."""

import json
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge_vision.outputs.mqtt.state import ROOT

TOPICS = ("availability", "state", "scene", "events", "counts")
SILENT_NS = 35_000_000_000
"""A board tells its state every ten seconds: after three that are missing it is silent."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_MOST_NODES = 2000
_MOST_BYTES = 64 << 10
_MOST_TEXT = 120


@dataclass(slots=True)
class _Node:
    online: bool = False
    heard_ns: int = 0
    messages: int = 0
    objects: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    event: dict[str, Any] = field(default_factory=dict)


class Fleet:
    """`heard` by the thread that listens; `rows` and the counts by any.

    messages: taken so far.  refused: of no board, too long, not as a board writes.
    """

    def __init__(self) -> None:
        self.messages = 0
        self.refused = 0
        self._nodes: dict[str, _Node] = {}
        self._lock = threading.Lock()

    def heard(self, topic: str, payload: bytes, now_ns: int) -> None:
        """A message of topic edge-vision/<node>/<what>."""
        with self._lock:
            if self._take(topic, payload, now_ns):
                self.messages += 1
            else:
                self.refused += 1

    def _take(self, topic: str, payload: bytes, now_ns: int) -> bool:
        root, _, rest = topic.partition("/")
        name, _, what = rest.partition("/")
        if root != ROOT or what not in TOPICS or not _NAME.fullmatch(name):
            return False
        if len(payload) > _MOST_BYTES:
            return False
        node = self._nodes.get(name)
        if node is None:
            if len(self._nodes) >= _MOST_NODES:
                return False
            node = _Node()
        if what == "availability":
            if payload not in (b"online", b"offline"):
                return False
            node.online = payload == b"online"
        else:
            values = _object(payload)
            if values is None:
                return False
            if what == "scene":
                tracks = values.get("tracks")
                node.objects = len(tracks) if isinstance(tracks, list) else 0
            else:
                setattr(node, "event" if what == "events" else what, values)
        node.heard_ns = now_ns
        node.messages += 1
        self._nodes[name] = node
        return True

    def rows(self, now_ns: int) -> list[dict[str, Any]]:
        """A row for each board by name, as plain values for JSON; see `_row`."""
        with self._lock:
            return [_row(name, node, now_ns) for name, node in sorted(self._nodes.items())]


def _row(name: str, node: _Node, now_ns: int) -> dict[str, Any]:
    """alive: yes, silent (nothing heard for SILENT_NS) or no.  heard_s: since the last message.

    rates: camera, detector per second.  counts: of crossings, and of objects there now.
    Numbers are None where the board does not tell them; texts hold no control characters.
    """
    state, event = node.state, node.event
    silent = now_ns - node.heard_ns > SILENT_NS
    faults = state.get("faults")
    return {
        "node": name,
        "alive": "no" if not node.online else "silent" if silent else "yes",
        "heard_s": round((now_ns - node.heard_ns) / 1e9, 1),
        "messages": node.messages,
        "camera_up": _at(state, "camera", "up") is True,
        "camera_per_s": _number(_at(state, "rates", "camera")),
        "detector_per_s": _number(_at(state, "rates", "detector")),
        "temperature_c": _number(state.get("temperature_c")),
        "model": _text(_at(state, "model", "name")),
        "size": _text(_at(state, "model", "size")),
        "objects": node.objects,
        "faults": [_text(fault) for fault in faults[:5]] if isinstance(faults, list) else [],
        "event": _text(" ".join(str(event.get(key, "")) for key in ("rule", "label")).strip()),
        "event_start_s": _number(event.get("start_s")),
        "counts": _counts(node.counts),
    }


def _counts(values: dict[str, Any]) -> str:
    """Crossings of each line in both directions, and who is in each zone, in few words."""
    said = []
    lines, now = values.get("lines"), values.get("now")
    for line, both in list(lines.items())[:8] if isinstance(lines, dict) else []:
        ways = [f"{way} {_sum(_at(both, way))}" for way in ("in", "out")]
        said.append(f"{line} {' '.join(ways)}")
    for zone, labels in list(now.items())[:8] if isinstance(now, dict) else []:
        if zone:
            said.append(f"{zone} {_sum(labels)}")
    return _text(", ".join(said))


def _sum(labels: Any) -> int:
    values = labels.values() if isinstance(labels, dict) else ()
    return int(sum(_number(value) or 0 for value in values))


def _at(values: Any, *keys: str) -> Any:
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e15 and math.isfinite(value) else None


def _text(value: Any) -> str:
    """Of another's message: no control characters, which a terminal would obey."""
    text = value if isinstance(value, str) else ""
    return "".join(c for c in text[:_MOST_TEXT] if c.isprintable())


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _object(payload: bytes) -> dict[str, Any] | None:
    parse: Callable[..., Any] = json.loads
    try:
        values = parse(payload, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
