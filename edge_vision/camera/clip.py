"""The camera kind `clip`: recorded pictures, wherever they lie."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from edge_vision.camera.address import address_of, scheme_of
from edge_vision.camera.base import Camera, CameraInfo
from edge_vision.camera.pace import Pacer
from edge_vision.config import CameraConfig
from edge_vision.errors import ConfigError, EdgeVisionError
from edge_vision.frame import Frame


class ClipCamera:
    """A video file, a URL, or a folder, list or file of pictures.

    pace: "realtime" plays at the source's own speed and skips frames whose time has passed;
    "fast" gives every frame as fast as it is asked for.  loop: start again at the end.
    fps: pictures a second of a folder or list.  timeout_s: limit for a URL to deliver something.
    pacer: the clock of everything but URLs.  Raises ConfigError for an unknown URL scheme.
    """

    def __init__(
        self,
        source: str | Sequence[str],
        *,
        pace: Literal["realtime", "fast"] = "realtime",
        loop: bool = False,
        fps: float = 30.0,
        timeout_s: float = 5.0,
        pacer: Pacer | None = None,
    ) -> None:
        self._camera: Camera
        # Imported on choice: a folder of pictures needs no PyAV, a video no picture decoder.
        if isinstance(source, str) and scheme_of(source) is not None:
            from edge_vision.camera.stream import StreamCamera

            self._camera = StreamCamera(source, pace=pace, loop=loop, timeout_s=timeout_s)
            return
        from edge_vision.camera.pictures import PictureCamera, is_picture_name

        if isinstance(source, str):
            source = str(Path(source).expanduser())
            if is_picture_name(source) and not Path(source).is_dir():
                source = [source]
        if not isinstance(source, str) or Path(source).is_dir():
            self._camera = PictureCamera(source, fps=fps, pace=pace, loop=loop, pacer=pacer)
        else:
            from edge_vision.camera.video import VideoCamera

            self._camera = VideoCamera(source, pace=pace, loop=loop, pacer=pacer)

    @classmethod
    def from_config(cls, config: CameraConfig) -> "ClipCamera":
        """The camera that a `camera` section with kind clip describes; see `address_of`."""
        source = config.source
        if not source or isinstance(source, int):
            raise ConfigError("camera.kind clip needs camera.source: a file, a folder or a URL")
        return cls(
            address_of(source) if isinstance(source, str) else source,
            pace=config.pace,
            loop=config.loop,
            fps=config.fps,
            timeout_s=config.timeout_s,
        )

    @property
    def waits_outside(self) -> bool:
        """See Camera: true of URLs."""
        return self._camera.waits_outside

    def open(self) -> CameraInfo:
        """See Camera."""
        return self._camera.open()

    def read(self, timeout_s: float) -> Frame | None:
        """See Camera."""
        return self._camera.read(timeout_s)

    def close(self) -> None:
        """See Camera."""
        self._camera.close()

    def faults(self) -> list[EdgeVisionError]:
        """See Camera."""
        return self._camera.faults()
