"""A keeper of events in a fresh folder."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_vision.config_events import EventsConfig, RecorderConfig

sys.path.insert(0, str(Path(__file__).resolve().parent))

from made_up import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """world(pre_s=..., keep_days=..., folder=..., clips=False): see World; closed at the end."""
    made: list[World] = []

    def make(folder: Path | None = None, **settings: Any) -> World:
        mine = {k: v for k, v in settings.items() if k in EventsConfig.model_fields}
        rest = {k: v for k, v in settings.items() if k not in mine and k != "clips"}
        folder = folder or tmp_path / "events"
        config = EventsConfig(**{"enabled": True, "min_free_mb": 0, "folder": str(folder), **mine})
        options = {"encoder": "software", "pre_s": 2.0, "post_s": 1.0, **rest}
        options["enabled"] = settings.get("clips", True)
        world = World(folder, config, RecorderConfig(**options))
        made.append(world)
        return world

    yield make
    for world in made:
        world.keeper.close()
