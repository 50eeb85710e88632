"""The preview without a display: what it passes on, and when it refuses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edge_vision.config_outputs import OutputsConfig, PreviewConfig, WindowConfig
from edge_vision.errors import BackendMissing, ConfigError, EdgeVisionError, OutputError
from edge_vision.outputs import make_outputs
from edge_vision.outputs.base import Picture
from edge_vision.outputs.preview import PreviewOutput


class Screen:
    """Keeps what it is shown; `broken` is its fault, `absent` what its start raises."""

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.broken: EdgeVisionError | None = None
        self.absent: EdgeVisionError | None = None

    def start(self) -> None:
        if self.absent is not None:
            raise self.absent

    def show(self, overlay: Any) -> bool:
        self.shown.append(overlay)
        return True

    def fault(self) -> EdgeVisionError | None:
        return self.broken


def test_it_passes_overlays_on(picture: Callable[..., Picture]) -> None:
    screen = Screen()
    output = PreviewOutput(PreviewConfig(enabled=True), screen=screen)
    item = picture(0)
    item.overlay = np.zeros((240, 320, 4), np.uint8)
    assert not output.offer(item)
    output.start()
    assert output.active()
    assert output.offer(item)
    assert screen.shown[0] is item.overlay
    screen.broken = OutputError("the display failed")
    assert not output.active()
    assert not output.offer(item)
    assert output.fault() is screen.broken
    assert len(screen.shown) == 1


def test_a_display_that_cannot_be_had_ends_the_start() -> None:
    screen = Screen()
    screen.absent = BackendMissing("no screen is connected")
    output = PreviewOutput(PreviewConfig(enabled=True), screen=screen)
    with pytest.raises(BackendMissing):
        output.start()
    assert not output.active()


def test_it_needs_the_pi_camera() -> None:
    off = WindowConfig(enabled=False)
    config = OutputsConfig(window=off, preview=PreviewConfig(enabled=True))
    with pytest.raises(ConfigError, match=r"camera\.kind is another; set camera\.kind: pi"):
        make_outputs(config)
    assert make_outputs(OutputsConfig(window=off)) == [], "it is off unless asked for"
