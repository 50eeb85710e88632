"""Pictures from the render thread: JPEG once for all who want the same, and the newest to each."""

from collections.abc import Collection

from edge_vision.config_web import WebConfig
from edge_vision.outputs.base import Picture, Taken


class Hub:
    """Between the render thread and the viewers in the event loop."""

    def __init__(self, config: WebConfig) -> None:
        self._config = config

    def takes(self) -> Collection[Taken]:
        """What viewers want now; any thread."""
        return ()

    def offer(self, picture: Picture) -> bool:
        """Render thread: never waits; False when the encoder is busy."""
        return False
