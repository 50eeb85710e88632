"""What every camera is to the pipeline."""

from dataclasses import dataclass
from typing import Protocol

from edge_vision.errors import EdgeVisionError
from edge_vision.frame import Frame


class EndOfStream(Exception):
    """The source has no more frames: the regular end of a clip that does not loop."""


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """What was opened and granted.

    name: for people ("demo scene", "clip street.mp4", "USB /dev/video0 C920").
    fps: the nominal frame rate; 0 when the source does not say.
    reconnects: True when a lost source may come back (devices, URLs), False for files.
    notes: what the user should know, one sentence each ("asked for 60 fps, granted 30").
    """

    kind: str
    name: str
    width_px: int
    height_px: int
    fps: float
    reconnects: bool
    notes: tuple[str, ...] = ()


class Camera(Protocol):
    """A source of frames, used by one thread.

    `open()` may be called again after `close()`; `close()` any time, any number of times.
    """

    @property
    def waits_outside(self) -> bool:
        """`open()` and `read()` may wait for a device or a network.

        `close()` may then be called from another thread to end the wait.
        """
        ...

    def open(self) -> CameraInfo:
        """Open the source.  Raises CameraUnavailable, SourceMissing, SourceBroken."""
        ...

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, with one lease; None when there is none within `timeout_s`.

        Frames come at the source's pace (real time), or as fast as they are asked for when the
        camera was made with `pace: fast`.  Stamps `exposed` and `arrived` are set.
        Raises CameraLost, or EndOfStream at the regular end.
        """
        ...

    def close(self) -> None:
        """Give the source back; never raises."""
        ...

    def faults(self) -> list[EdgeVisionError]:
        """What went wrong without ending the stream: unreadable pictures, a clip that broke off."""
        ...
