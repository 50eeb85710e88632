"""A folder or a list of pictures as a camera."""

import logging
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.camera.base import CameraInfo, EndOfStream
from edge_vision.camera.pace import Pacer
from edge_vision.camera.pool import FramePool
from edge_vision.errors import CameraLost, EdgeVisionError, SourceBroken, SourceMissing
from edge_vision.frame import Frame, Image, Stamps

log = logging.getLogger(__name__)

JPEG_ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif")
ENDINGS = (*JPEG_ENDINGS, ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")


def is_picture_name(path: str) -> bool:
    """The name ends like a picture's, in upper or lower case."""
    return Path(path).suffix.lower() in ENDINGS


class PictureCamera:
    """Pictures one after the other, each as BGR uint8 (H, W, 3) in its own size, upright (EXIF).

    source: a folder (its pictures, "2.jpg" before "10.jpg") or a list of paths.
    fps: pictures a second, at real-time pace and on the media timeline.

    Only one picture is read ahead, and not while large ones are still in use (see FramePool).
    Pictures that cannot be read are skipped and named in `faults()`.
    """

    waits_outside = False

    def __init__(
        self,
        source: str | Sequence[str],
        *,
        fps: float = 30.0,
        pace: Literal["realtime", "fast"] = "realtime",
        loop: bool = False,
        pacer: Pacer | None = None,
    ) -> None:
        self._source = source
        self._fps = fps
        self._shown_ns = round(1e9 / fps)
        self._realtime = pace == "realtime"
        self._loop = loop
        self._pacer = pacer or Pacer()
        self._pool = FramePool()
        self._faults: dict[Path, EdgeVisionError] = {}
        self._paths: list[Path] = []
        self._ahead: NDArray[np.uint8] | None = None
        self._next = 0
        self._paced = False

    def open(self) -> CameraInfo:
        """See Camera.  The size is that of the first readable picture; others may differ."""
        self.close()
        self._faults.clear()
        self._next, self._paced = 0, False
        self._paths = _listed(self._source)
        for index, path in enumerate(self._paths):
            self._ahead = self._read_picture(path)
            if self._ahead is not None:
                self._next = index
                break
        else:
            raise self._no_picture()
        height, width = self._ahead.shape[:2]
        one = len(self._paths) == 1
        name = f"picture {self._paths[0].name}" if one else f"{len(self._paths)} pictures"
        if isinstance(self._source, str) and not one:
            name += f" in {self._source}"
        return CameraInfo("clip", name, width, height, self._fps, reconnects=False)

    def read(self, timeout_s: float) -> Frame | None:
        """See Camera.  At real-time pace, pictures whose time has passed are not even read."""
        if not self._paths:
            raise CameraLost("the pictures are not open")
        give_up_ns = self._pacer.now_ns() + round(timeout_s * 1e9)
        while True:
            count = len(self._paths)
            if self._next >= count and (not self._loop or len(self._faults) == count):
                raise EndOfStream
            exposed_ns = 0
            media_ns = self._next * self._shown_ns
            if self._realtime:
                exposed_ns = self._due_ns(media_ns)
                late_ns = self._pacer.now_ns() - exposed_ns
                if late_ns >= self._shown_ns:
                    self._skip(late_ns // self._shown_ns)
                    continue
                if not self._pacer.wait_until(exposed_ns, self._left_s(give_up_ns)):
                    return None
            if not self._pool.wait_for_room(self._left_s(give_up_ns)):
                return None
            seq, picture = self._next, self._ahead
            if picture is None:
                picture = self._read_picture(self._paths[seq % count])
            self._ahead = None
            self._next += 1
            if picture is not None:
                return self._frame(seq, picture, media_ns, exposed_ns)

    def close(self) -> None:
        """See Camera."""
        self._ahead = None
        self._paths = []

    def faults(self) -> list[EdgeVisionError]:
        """See Camera.  One for each unreadable picture."""
        return list(self._faults.values())

    def _due_ns(self, media_ns: int) -> int:
        if not self._paced:
            self._paced = True
            self._pacer.start(media_ns)
        return self._pacer.due_ns(media_ns)

    def _left_s(self, give_up_ns: int) -> float:
        return max(0, give_up_ns - self._pacer.now_ns()) / 1e9

    def _skip(self, pictures: int) -> None:
        self._ahead = None
        self._next += pictures
        if not self._loop:  # the last one is shown however late it is
            last = len(self._paths) - 1
            if self._next > last:
                self._next = last
                self._pacer.start(last * self._shown_ns)

    def _frame(self, seq: int, picture: NDArray[np.uint8], media_ns: int, exposed_ns: int) -> Frame:
        self._pool.adopt(picture)
        now_ns = self._pacer.now_ns()
        stamps = Stamps(exposed=exposed_ns or now_ns, arrived=now_ns)
        recycle = partial(self._pool.give_back, picture, keep=False)
        return Frame(seq, Image.from_array(picture), stamps, media_ns=media_ns, recycle=recycle)

    def _read_picture(self, path: Path) -> NDArray[np.uint8] | None:
        """Decode one file; None, and a fault, when that cannot be done."""
        if path in self._faults:
            return None
        try:
            return read_picture(path)
        except (SourceMissing, SourceBroken) as error:
            log.warning("%s", error)
            self._faults[path] = error
            return None

    def _no_picture(self) -> EdgeVisionError:
        faults = self.faults()
        if len(faults) == 1:
            return faults[0]
        text = f"none of {len(faults)} pictures can be read; the first: {faults[0]}"
        if all(isinstance(fault, SourceMissing) for fault in faults):
            return SourceMissing(text)
        return SourceBroken(text)


def _listed(source: str | Sequence[str]) -> list[Path]:
    """The files to read, in order.  Raises SourceMissing or SourceBroken when there is none."""
    if not isinstance(source, str):
        if not source:
            raise SourceBroken("the list of pictures is empty")
        return [Path(item) for item in source]
    folder = Path(source)
    try:
        names = [entry.name for entry in folder.iterdir()]
    except FileNotFoundError:
        raise SourceMissing(f"the folder {source} does not exist") from None
    except OSError as error:
        raise SourceBroken(f"{source} cannot be read as a folder: {error.strerror}") from None
    names = [name for name in names if is_picture_name(name) and not name.startswith(".")]
    if not names:
        raise SourceBroken(
            f"the folder {source} holds no picture; looked for names in {' '.join(ENDINGS)}"
        )
    return [folder / name for name in sorted(names, key=_natural)]


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts the numbers in names as numbers."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [(int(part) if part.isdigit() else -1, part) for part in parts], name


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture as BGR uint8 (H, W, 3), turned as its EXIF orientation says."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceMissing(f"the picture {path} does not exist") from None
    except OSError as error:
        raise SourceBroken(f"the picture {path} cannot be read: {error.strerror}") from None
    if not data:
        raise SourceBroken(f"the picture {path} is empty")
    if _is_cut_jpeg(data):  # OpenCV before 5 fills the missing part with black and says nothing
        raise SourceBroken(f"the picture {path} is cut off")
    try:
        # Not imread: that writes its own lines to standard error when it fails.
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None or picture.dtype != np.uint8 or picture.ndim != 3:
        raise SourceBroken(f"the picture {path} cannot be decoded")
    return np.ascontiguousarray(picture, dtype=np.uint8)


def _is_cut_jpeg(data: bytes) -> bool:
    """A JPEG whose picture data has no end marker (ITU-T T.81, annex B: EOI is FF D9)."""
    if not data.startswith(b"\xff\xd8\xff"):
        return False
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:  # SOS: data follows
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data.find(b"\xff\xd9", at) < 0
