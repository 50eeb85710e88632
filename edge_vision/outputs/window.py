"""A window on this computer's screen."""

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.config_outputs import WindowConfig
from edge_vision.errors import BackendMissing, EdgeVisionError
from edge_vision.outputs.base import Picture
from edge_vision.results import Analysed
from edge_vision.slot import LatestSlot

TITLE = "edge-vision"

_KEYS_TO_CLOSE = (ord("q"), ord("Q"), 27)
_LARGEST_PX = 1280, 720
"""First size of the window: larger pictures are shown smaller until the user says otherwise."""
_PROBE_S = 20.0
_PROBE = f"import cv2; cv2.namedWindow({TITLE!r}, cv2.WINDOW_NORMAL); cv2.waitKey(1)"

Pixels = NDArray[np.uint8]


class WindowOutput:
    """Shows the newest picture.

    Window systems want one thread, the process's main thread: `offer` only copies the picture, and
    the main thread calls `pump` again and again, which shows it and handles keys.
    """

    name = "window"
    wants: Literal["scenes", "pictures"] = "pictures"
    shows_status = True

    def __init__(self, config: WindowConfig, *, patient: bool = False) -> None:
        # Never patient: a screen shows the newest picture.
        self._fullscreen = config.fullscreen
        self._spare: deque[Pixels] = deque(maxlen=3)
        self._slot: LatestSlot[Pixels] = LatestSlot(self._spare.append)
        self._active = False
        self._shown_in: threading.Thread | None = None

    def why_not(self) -> str | None:
        """Why no window can be opened here and what to do about it; None when one can."""
        return _no_display() or _no_gui() or _no_connection(_display())

    def start(self) -> None:
        """Raises BackendMissing when no window can be opened; it opens with the first picture."""
        reason = self.why_not()
        if reason is not None:
            raise BackendMissing(f"no window: {reason}")
        self._active = True

    def active(self) -> bool:
        """Started, and neither closed nor closed by the user."""
        return self._active

    def offer(self, item: Analysed | Picture) -> bool:
        """Keep a copy of the picture for the next `pump`, instead of the one before."""
        assert isinstance(item, Picture)
        if not self._active:
            return False
        copy = self._spare.popleft() if self._spare else np.empty((0, 0, 3), np.uint8)
        bgr = item.bgr()
        if copy.shape != bgr.shape:
            copy = np.empty_like(bgr)
        np.copyto(copy, bgr)
        return self._slot.put(copy)

    def pump(self, timeout_s: float) -> bool:
        """Main thread: wait up to `timeout_s` for a picture, show it, handle keys.

        False when the user has closed the window or pressed q or Esc.
        """
        if not self._active:
            return False
        picture = self._slot.take(timeout_s)
        if picture is not None:
            if self._shown_in is None:
                self._open_window(picture)
            cv2.imshow(TITLE, picture)
            self._spare.append(picture)
        if self._shown_in is None:
            return True
        key = cv2.waitKey(1) & 0xFF
        if key in _KEYS_TO_CLOSE or not _is_visible():
            self._active = False
        return self._active

    def close(self, timeout_s: float) -> None:
        """Close the window; only where called in the thread that pumped, else it ends with us."""
        self._active = False
        self._slot.close()
        if self._shown_in is threading.current_thread():
            self._shown_in = None
            with contextlib.suppress(cv2.error):  # the user has closed it already
                cv2.destroyWindow(TITLE)
                cv2.waitKey(1)

    def fault(self) -> EdgeVisionError | None:
        """A window that the user closed is no fault."""
        return None

    def _open_window(self, picture: Pixels) -> None:
        flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
        cv2.namedWindow(TITLE, flags)
        height, width = picture.shape[:2]
        scale = min(1.0, _LARGEST_PX[0] / width, _LARGEST_PX[1] / height)
        cv2.resizeWindow(TITLE, max(1, round(width * scale)), max(1, round(height * scale)))
        if self._fullscreen:
            cv2.setWindowProperty(TITLE, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_FULLSCREEN)
        self._shown_in = threading.current_thread()


def _is_visible() -> bool:
    try:
        return bool(cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1)
    except cv2.error:  # Qt knows nothing of a window that the user has closed
        return False


def _display() -> str:
    return os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or ""


def _no_display() -> str | None:
    if not sys.platform.startswith("linux"):
        return None
    if _display():
        return None
    return (
        "neither DISPLAY nor WAYLAND_DISPLAY is set, so there is no screen to show it on; "
        "run it in a desktop session, or save a video: outputs.video.path"
    )


def _no_gui() -> str | None:
    for line in cv2.getBuildInformation().splitlines():
        what, _, value = line.partition(":")
        if what.strip() == "GUI" and value.strip().upper() in ("NONE", "NO"):
            return (
                "this OpenCV is the headless build; for a window: "
                "pip uninstall opencv-python-headless, then pip install opencv-python"
            )
    return None


@lru_cache
def _no_connection(display: str) -> str | None:
    """Open a window in a child process: Qt ends a process that cannot reach the display."""
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_S
        )
    except subprocess.TimeoutExpired:
        return f"the display did not answer within {_PROBE_S:g} s"
    if probe.returncode == 0:
        return None
    said = next((line.strip() for line in probe.stderr.splitlines() if line.strip()), "no reason")
    return f"the display {display} cannot be used ({said})"
