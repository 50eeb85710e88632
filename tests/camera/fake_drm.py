"""A stand-in for picamera2's DrmPreview and the display below it (read in 0.3.18 and 0.3.38).

What is on the screen is kept as numbers: of the picture's buffer, and a copy of the overlay.
"""

from typing import Any

import numpy as np


class FakeScreen:
    """A display; `shown` has, for each of its commits, (stamp of the picture, overlay or None).

    breaks: what the next commit raises.  refuses: what DrmPreview raises when it is made.
    """

    def __init__(self) -> None:
        self.shown: list[tuple[int, np.ndarray | None]] = []
        self.refuses: Exception | None = None
        self.breaks: Exception | None = None
        self.window: tuple[int, int, int, int] | None = None
        self.opened = 0

    def preview(self, x: int = 0, y: int = 0, width: int = 640, height: int = 480) -> "DrmPreview":
        if self.refuses is not None:
            raise self.refuses
        assert self.opened == 0, "the planes of an earlier preview are still reserved"
        self.opened += 1
        self.window = (x, y, width, height)
        return DrmPreview(self)


class DrmPreview:
    """Holds the request on the screen; its loop never runs here, so `stop` needs a thread."""

    def __init__(self, screen: FakeScreen) -> None:
        self.screen = screen
        self.picam2: Any = None
        self.current: Any = None
        self.overlay_plane: object | None = None
        self.overlay_new_fb: np.ndarray | None = None

    def set_overlay(self, overlay: np.ndarray) -> None:
        if self.picam2 is None:
            raise RuntimeError("Preview must be started before setting an overlay")
        if not self.picam2.camera_config:
            raise RuntimeError("Preview must be configured before setting an overlay")
        if self.picam2.camera_config["buffer_count"] < 2:
            raise RuntimeError("Need at least buffer_count=2 to set overlay")
        if self.overlay_plane is None:
            raise RuntimeError("Overlays not supported on this device")
        assert overlay.ndim == 3
        assert overlay.shape[2] == 4
        assert overlay.dtype == np.uint8
        self.overlay_new_fb = np.ascontiguousarray(overlay).copy()
        if self.picam2.display_stream_name is not None:
            self._commit(self.current)

    def render_request(self, request: Any) -> None:
        assert request.ref_count > 0, "shown after its release"
        _ = self.picam2.stop_count
        self.overlay_plane = self
        self._commit(request)
        if self.current is not None:
            self.current.release()
        self.current = request
        self.current.acquire()

    def _commit(self, request: Any) -> None:
        if self.screen.breaks is not None:
            raise self.screen.breaks
        self.screen.shown.append((request.stamp_ns, self.overlay_new_fb))

    def stop(self) -> None:
        self.thread.join()  # type: ignore[attr-defined]
        self.picam2.detach_preview()
        self.picam2 = None
        if self.current is not None:
            self.current.release()
        self.current = None
        self.screen.opened -= 1
