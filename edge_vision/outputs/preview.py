"""The camera's own pictures full screen, without a desktop, and the overlay laid over them."""

from typing import Literal

from edge_vision.config_outputs import PreviewConfig
from edge_vision.errors import ConfigError, EdgeVisionError
from edge_vision.outputs.base import Picture, Screen
from edge_vision.results import Analysed


class PreviewOutput:
    """Hands the overlay to the screen of the camera; the pictures go there by themselves.

    screen: the camera's; None, where it has none, raises ConfigError.
    """

    name = "preview"
    wants: Literal["scenes", "pictures", "overlays"] = "overlays"
    # Without a camera there is no picture; the display then shows what is below, the console.
    shows_status = False

    def __init__(
        self, config: PreviewConfig, *, patient: bool = False, screen: Screen | None = None
    ) -> None:
        # Never patient: a screen shows the newest overlay.
        if screen is None:
            raise ConfigError(
                "outputs.preview shows the pictures of the Pi camera as it makes them, and "
                "camera.kind is another; set camera.kind: pi, or use outputs.window"
            )
        self._screen = screen
        self._active = False

    def start(self) -> None:
        """Raises BackendMissing where there is no display to be had."""
        self._screen.start()
        self._active = True

    def active(self) -> bool:
        """Started, not closed, and the display works."""
        return self._active and self._screen.fault() is None

    def offer(self, item: Analysed | Picture) -> bool:
        """Pass a copy of the overlay on."""
        assert isinstance(item, Picture)
        assert item.overlay is not None
        return self.active() and self._screen.show(item.overlay)

    def close(self, timeout_s: float) -> None:
        """Nothing to wait for: the display is given back with the camera."""
        self._active = False

    def fault(self) -> EdgeVisionError | None:
        """Why the display failed, once it has."""
        return self._screen.fault()
