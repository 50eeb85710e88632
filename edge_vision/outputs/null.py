"""An output that wants pictures and throws them away: to measure, and to test."""

from typing import Literal

from edge_vision.config_outputs import NullConfig
from edge_vision.errors import EdgeVisionError
from edge_vision.outputs.base import Picture
from edge_vision.results import Analysed


class NullOutput:
    """Counts the pictures it is offered in `count`."""

    name = "null"
    wants: Literal["scenes", "pictures"] = "pictures"
    shows_status = False

    def __init__(self, config: NullConfig | None = None, *, patient: bool = False) -> None:
        self.count = 0
        self._active = False

    def start(self) -> None:
        """Nothing to open."""
        self._active = True

    def active(self) -> bool:
        """From `start` to `close`."""
        return self._active

    def offer(self, item: Analysed | Picture) -> bool:
        """Count; False outside start and close."""
        self.count += self._active
        return self._active

    def close(self, timeout_s: float) -> None:
        """Nothing to finish."""
        self._active = False

    def fault(self) -> EdgeVisionError | None:
        """It cannot fail."""
        return None
