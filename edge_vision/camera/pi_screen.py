"""The Pi camera's pictures on the whole screen, without a desktop, and an overlay laid over them.

picamera2's DrmPreview puts the camera's buffers on one plane of the display hardware and the
overlay on another; the hardware scales and blends them.  Read in picamera2 0.3.18 and 0.3.38.
"""

import errno
import fcntl
import logging
import os
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_vision.camera.pi_stack import Stack
from edge_vision.errors import BackendMissing, EdgeVisionError, OutputError
from edge_vision.slot import LatestSlot

log = logging.getLogger(__name__)

HELD = 3
"""Pictures the screen keeps from the camera: the one shown, the next, and the one after it."""
_AUTH_MAGIC = 1 << 30 | 4 << 16 | ord("d") << 8 | 0x11
"""DRM_IOCTL_AUTH_MAGIC of the kernel's drm.h.  Only the one that holds the display may call it: for
a number that nobody has the answer is EINVAL, and EACCES to everybody else (as libdrm's drmIsMaster
has it)."""
_FAILURES = (RuntimeError, ValueError, OSError, LookupError, TypeError, AttributeError)
"""What comes out of picamera2's DrmPreview: kms++ raises the first two, the kernel the third, the
fourth is of a property the display does not have, and the last two of a CRTC that is None."""

Pixels = NDArray[np.uint8]


class Display(NamedTuple):
    """A connected screen.  card: its device node.  width_px, height_px: of its first mode."""

    card: Path
    width_px: int
    height_px: int


def find_display(dri: Path = Path("/dev/dri"), drm: Path = Path("/sys/class/drm")) -> Display:
    """The first connected screen, as picamera2 takes it.  Raises BackendMissing.

    drm: `card1-HDMI-A-1` and the like, each with `status` and `modes`, of which the display's own
    comes first.
    """
    for status in sorted(drm.glob("card*-*/status")):
        modes = status.with_name("modes").read_text("ascii").split()
        if status.read_text("ascii").strip() != "connected" or not modes:
            continue
        width, height = modes[0].rstrip("ip").split("x")
        return Display(dri / status.parent.name.split("-")[0], int(width), int(height))
    if not any(drm.glob("card*-*")):
        raise BackendMissing(
            f"outputs.preview needs a display of the kernel's DRM/KMS, and {drm} has none; on a "
            "Raspberry Pi put dtoverlay=vc4-kms-v3d into /boot/firmware/config.txt and reboot"
        )
    raise BackendMissing(
        "outputs.preview needs a screen, and none is connected; check its cable, and switch it on "
        "before the board"
    )


def check_free(card: Path, ioctl: Callable[[int, int, bytes], object] = fcntl.ioctl) -> None:
    """Raises BackendMissing when the display may not be had: no right to, or a desktop has it."""
    try:
        descriptor = os.open(card, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise BackendMissing(
            f"outputs.preview cannot open {card} ({reason}); add yourself to the group video: "
            "sudo usermod -aG video $USER, then log in again"
        ) from None
    try:
        ioctl(descriptor, _AUTH_MAGIC, struct.pack("I", 0))
    except OSError as error:
        if error.errno == errno.EACCES:
            raise BackendMissing(
                f"outputs.preview cannot have {card}: a desktop or another program holds the "
                "display; end it (sudo systemctl isolate multi-user.target), or use outputs.window"
            ) from None
    finally:
        os.close(descriptor)


class PiScreen:
    """Shows what the camera gives it; implements Screen of the outputs.

    The pictures come one later than they could, so that each finds its overlay: that is drawn while
    the next picture is taken.  `start`, `show` and `fault` are the output's, in any thread; the
    rest is the camera's, in its own.  What fails ends the preview, never the camera.
    """

    def __init__(
        self,
        stack: Stack,
        find: Callable[[], Display] = find_display,
        check: Callable[[Path], None] = check_free,
    ) -> None:
        self._stack = stack
        self._find = find
        self._check = check
        self._display: Display | None = None
        self._fault: EdgeVisionError | None = None
        self._drm: Any = None
        self._arrived: Any = None
        self._due: Any = None
        self._shown: Any = None
        self._planes_known = False
        self._spare: deque[Pixels] = deque(maxlen=3)
        self._overlays: LatestSlot[Pixels] = LatestSlot(self._spare.append)

    def start(self) -> None:
        """From the next opening of the camera on.  Raises BackendMissing."""
        display = self._find()
        self._check(display.card)
        self._display = display

    def show(self, overlay: Pixels) -> bool:
        """Lay a copy of an overlay, uint8 (height, width, 4) RGBA, over the next picture."""
        if self._fault is not None:
            return False
        copy = self._spare.popleft() if self._spare else np.empty((0, 0, 4), np.uint8)
        if copy.shape != overlay.shape:
            copy = np.empty_like(overlay)
        np.copyto(copy, overlay)
        return self._overlays.put(copy)

    def fault(self) -> EdgeVisionError | None:
        """Why nothing is shown any more."""
        return self._fault

    @property
    def held(self) -> int:
        """Buffers of the camera that it keeps; 0 where nothing is shown."""
        return HELD if self._drm is not None else 0

    def open(self, picam2: Any) -> None:
        """Take the display, where it is wanted; before the camera is configured."""
        if self._display is None or self._fault is not None:
            return
        try:
            drm = self._stack.picamera2.previews.DrmPreview(
                x=0, y=0, width=self._display.width_px, height=self._display.height_px
            )
        except _FAILURES as error:
            self._fail(error)
            return
        drm.picam2 = drm.thread = _Owner(picam2)
        self._drm, self._planes_known = drm, False

    def render_request(self, request: Any) -> None:
        """picamera2's call for each picture: kept, and shown by a later `refresh`."""
        if self._drm is None:
            return
        request.acquire()
        self._let_go(self._due)
        self._due, self._arrived = self._arrived, request

    def refresh(self) -> None:
        """Show the picture that is due and the newest overlay; waits for the display's next frame.

        Called when nothing else is to be done, as the wait takes up to 17 ms on a screen of 60 Hz.
        """
        due = self._due
        if due is None:
            return
        try:
            # The planes are made for the first picture; 0.3.38 takes no overlay before.
            overlay = self._overlays.take(0.0) if self._planes_known else None
            if overlay is not None:
                self._drm.set_overlay(overlay)
                self._spare.append(overlay)
            self._drm.render_request(_Borrowed(due))
        except _FAILURES as error:
            self._fail(error)
            return
        self._planes_known = True
        before, self._shown, self._due = self._shown, due, None
        self._let_go(before)

    def close(self) -> None:
        """Give back the display and the camera's pictures; never raises."""
        kept, drm = (self._arrived, self._due, self._shown), self._drm
        self._arrived = self._due = self._shown = self._drm = None
        if drm is not None:
            try:
                drm.stop()
            except _FAILURES as error:
                log.debug("the display was not given back in order: %s", error)
        for request in kept:
            with suppress(RuntimeError, OSError):  # of a camera that is gone
                self._let_go(request)

    def _let_go(self, request: Any) -> None:
        if request is not None:
            request.release()

    def _fail(self, error: Exception) -> None:
        self._fault = OutputError(
            f"outputs.preview: the display failed ({error}); the rest goes on without it"
        )
        log.error("%s", self._fault)
        self.close()


class _Borrowed:
    """A request for DrmPreview, which would keep a lease of its own.

    Giving one back fails when the camera is gone, and that is no failure of the display.
    """

    def __init__(self, request: Any) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def acquire(self) -> None:
        """The screen holds it."""

    def release(self) -> None:
        """The screen gives it back."""


class _Owner:
    """What DrmPreview asks of its camera and of its thread, for it has neither here.

    It is made to run picamera2's event loop; the camera's own loop hands it the pictures instead.
    """

    display_stream_name = None
    """So a new overlay waits for the next picture, and costs no wait for the display of its own."""

    def __init__(self, picam2: Any) -> None:
        self._picam2 = picam2

    @property
    def camera_config(self) -> Any:
        return self._picam2.camera_configuration()

    @property
    def stop_count(self) -> int:
        return int(self._picam2.stop_count)

    def detach_preview(self) -> None:
        """It was never attached."""

    def join(self) -> None:
        """There is no thread."""
