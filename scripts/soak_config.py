"""What a soak run does: the demo scene, its rules, and every output that needs no screen."""

import socket
from pathlib import Path

from edge_vision.config import Config
from edge_vision.config_load import parse_config

_EVENTS_MB = 40
"""The space of clips and pictures: five minutes of the demo scene fill it."""
_WATCH = {
    "zones": {"left": [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]},
    "lines": {"middle": [[0.5, 1.0], [0.5, 0.0]]},
    "rules": [
        {"name": "passes", "line": "middle", "cooldown_s": 30.0},
        {"name": "stays", "zone": "left", "dwell_s": 2.0, "cooldown_s": 45.0},
    ],
}


def configuration(folder: Path) -> Config:
    """The demo scene to every output that needs no screen, written below `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outputs = {
        "web": {"enabled": True, "port": port},
        "window": {"enabled": False},
        # Small files of a minute: the index of one grows until its end.
        "video": {"path": str(folder / "soak.mp4"), "crf": 40, "split_s": 60.0},
        "jsonl": {"path": str(folder / "soak.jsonl")},
        "null": {"enabled": True},
    }
    events = {"enabled": True, "folder": str(folder / "events"), "max_mb": _EVENTS_MB}
    return parse_config(
        {"camera": {"kind": "demo"}, "watch": _WATCH, "events": events, "outputs": outputs}
    )
