"""A network stream as a camera."""

from typing import Literal

from edge_vision.camera.address import SCHEMES, display_url, scheme_of
from edge_vision.camera.guard import Guard, GuardedCamera
from edge_vision.camera.video import VideoCamera
from edge_vision.errors import ConfigError


class StreamCamera(GuardedCamera):
    """An http, https, rtsp, rtmp or udp URL, read in its own thread so that nothing here blocks.

    A source without a known duration is live: newest frame wins, and it may be opened again after
    a loss (`reconnects`).  One with a duration plays like a file.
    Raises ConfigError for a scheme that is not supported.
    """

    def __init__(
        self,
        url: str,
        *,
        pace: Literal["realtime", "fast"] = "realtime",
        loop: bool = False,
        timeout_s: float = 5.0,
    ) -> None:
        scheme = scheme_of(url)
        if scheme not in SCHEMES:
            raise ConfigError(
                f"{display_url(url)} has a scheme that is not supported; "
                f"use a path or one of: {', '.join(SCHEMES)}"
            )
        inner = VideoCamera(url, pace=pace, loop=loop, timeout_s=timeout_s)
        self._guard = Guard(inner, display_url(url), timeout_s, every_frame=pace == "fast")
