"""The overlay by itself, on a transparent picture."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_vision.config_overlay import OverlayConfig
from edge_vision.errors import ConfigError
from edge_vision.render.clock import Clock
from edge_vision.render.overlay import Hud, Overlay
from edge_vision.render.places import PlaceMarks
from edge_vision.render.sprites import Sprites
from edge_vision.render.surface_rgba import RgbaSurface
from edge_vision.results import Track


class Sheet:
    """Draws sprites and overlay for a display that shows the camera's own picture below.

    ConfigError for what needs the picture itself: blur, masks, a renderer of the user's, and
    `overlay.timing: exact`.  Used by one thread.
    """

    def __init__(self, config: OverlayConfig, labels: Mapping[int, str]) -> None:
        asked = {
            "overlay.blur": config.blur,
            "overlay.masks": config.masks,
            "overlay.renderer": config.renderer,
            "overlay.timing: exact": config.timing == "exact",
        }
        found = [name for name, value in asked.items() if value]
        if found:
            raise ConfigError(
                "outputs.preview shows the camera's own pictures, which are not drawn on, so there "
                f"can be no {' and no '.join(found)} with it; take that out, or set "
                "outputs.preview.enabled: false"
            )
        self._labels = labels
        self._overlay = Overlay(config)
        self._sprites = Sprites(config.sprites, labels)
        self._surface = RgbaSurface(1, 1)

    def draw(
        self,
        width_px: int,
        height_px: int,
        tracks: Sequence[Track],
        clock: Clock,
        hud: Hud | None,
        places: PlaceMarks | None = None,
    ) -> NDArray[np.uint8]:
        """The overlay for a picture of a size: uint8 (height, width, 4) RGBA, see PixelFormat.RGBA.

        places: drawn below all else.
        It is the sheet's own memory: the next `draw` changes it.
        """
        surface = self._surface
        if (surface.width_px, surface.height_px) != (width_px, height_px):
            surface = self._surface = RgbaSurface(width_px, height_px)
        surface.clear()
        if places is not None:
            places.draw(surface)
        self._sprites.draw(surface, tracks, clock.media_ns)
        self._overlay.draw(surface, tracks, self._labels, clock, hud)
        return surface.image.data
