"""The annotated pictures as an MP4 file."""

import itertools
import logging
import os
import stat
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_vision.config_outputs import VideoConfig
from edge_vision.errors import BackendMissing, OutputError
from edge_vision.outputs.base import Picture
from edge_vision.outputs.encoder import (
    Encoder,
    hardware,
    software,
    why_not_hardware,
)
from edge_vision.outputs.fitting import Fitter
from edge_vision.outputs.h264_device import why_no_device
from edge_vision.outputs.mp4 import TICKS_PER_S, EncoderFailed, FFmpegError, Mp4Writer
from edge_vision.outputs.queue import QueuedOutput
from edge_vision.outputs.reasons import reason_of
from edge_vision.results import Analysed

log = logging.getLogger(__name__)

_QUEUE = 8
"""Pictures that may wait, 1.4 MB each at 1280x720: a quarter of a second at 30 a second."""
_SPARE = 3
"""Memory of written pictures kept for the next ones: what a busy moment needed goes back."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    i420: NDArray[np.uint8]
    at_ticks: int


class VideoOutput(QueuedOutput[_Job]):
    """Writes an MP4 in the time of the pictures' own timeline (`media_ns`).

    The first picture gives the size, an odd side less its last pixel; pictures of another size are
    scaled to fit it, with black bars.  YUV420 of that size is recorded as it is.  The file is
    emptied with the first picture; with keep_old one that holds something stays, and the recording
    begins with the next name.

    After `split_s` of the timeline it goes on in NAME-2.mp4, or the first such name that no file
    has; likewise, in software, where the board's own encoder fails.
    """

    name = "video"
    wants: Literal["scenes", "pictures"] = "pictures"

    def __init__(
        self, config: VideoConfig, *, patient: bool = False, keep_old: bool = False
    ) -> None:
        super().__init__(patient=patient, capacity=_QUEUE)
        self._keep_old = keep_old
        self._config = config
        self._path = self._named = Path(config.path or "").expanduser()
        self._fd = -1
        self._is_new = False
        self._begin_ticks = 0
        self._files = 1
        self._writer: Mp4Writer | None = None
        self._encoder: Encoder | None = None
        self._fitter: Fitter | None = None
        self._clock = _Clock()
        self._spare: deque[NDArray[np.uint8]] = deque(maxlen=_SPARE)

    def _open(self) -> None:
        path = self._path
        if path.is_dir():
            raise OutputError(f"{path} is a folder; name a file in it: {path / 'edge-vision.mp4'}")
        if path.suffix.lower() != ".mp4":
            raise OutputError(f"cannot write {path}: only .mp4; try {path.with_suffix('.mp4')}")
        if self._config.encoder == "hardware" and (reason := why_no_device()) is not None:
            raise BackendMissing(_refused(reason))
        if self._keep_old and path.is_file() and path.stat().st_size > 0:
            self._path = path = _next_part(path)
        self._is_new = not path.exists()
        if not self._is_new and not stat.S_ISREG(path.stat().st_mode):
            raise OutputError(f"cannot write {path}: it is no regular file; choose another name")
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise OutputError(
                f"cannot write {path}: {reason_of(error)}; "
                "choose a folder that exists and can be written"
            ) from error

    def _pack(self, item: Analysed | Picture) -> _Job:
        assert isinstance(item, Picture)
        if self._fitter is None:
            self._fitter = Fitter(item.image.width_px, item.image.height_px)
        try:
            i420 = self._spare.popleft()
        except IndexError:
            i420 = np.empty(self._fitter.i420_shape, np.uint8)
        self._fitter.fill(i420, item, item.image)
        return _Job(i420, self._clock.ticks(item.media_ns))

    def _write(self, job: _Job) -> None:
        try:
            if job.at_ticks - self._begin_ticks >= self._config.split_s * TICKS_PER_S:
                self._begin_next()
            self._add(job)
        except (EncoderFailed, OSError, FFmpegError) as error:
            raise self._gave_up(error) from error
        self._spare.append(job.i420)

    def _add(self, job: _Job) -> None:
        height, width = job.i420.shape[0] * 2 // 3, job.i420.shape[1]
        if self._encoder is None:
            self._encoder = self._choose(width, height)
        if self._writer is None:
            self._begin_ticks = job.at_ticks
            self._writer = Mp4Writer(self._fd, width, height, self._encoder)
        try:
            self._writer.write(job.i420, job.at_ticks - self._begin_ticks)
        except EncoderFailed as failure:
            if not self._encoder.headers_in_stream:
                raise
            self._go_on_in_software(self._writer, failure)
            self._add(job)

    def _choose(self, width_px: int, height_px: int) -> Encoder:
        """The encoder for pictures of a size; says in the log which one and why."""
        wish, in_software = self._config.encoder, software(self._config)
        if wish != "software":
            board = hardware(width_px, height_px)
            reason = why_no_device() or why_not_hardware(board, width_px, height_px)
            if reason is None:
                rate = (board.bit_rate or 0) / 1e6
                log.info("%s: the board's H.264 encoder, %.1f Mbit/s at 30 fps", self._path, rate)
                return board
            if wish == "hardware":
                raise OutputError(f"{self._path}: {_refused(reason)}")
            log.info("%s: encoded in software, as %s", self._path, reason)
        if in_software.codec != "libx264":
            log.warning("%s: this PyAV has no x264; writing MPEG-4 Part 2", self._path)
        return in_software

    def _go_on_in_software(self, writer: Mp4Writer, failure: EncoderFailed) -> None:
        """End the file of an encoder that has failed, and open the next one."""
        before = self._path
        writer.close()
        if writer.kept_frames:
            self._open_part(_next_part(self._named))
        else:
            self._open_part(before)
        log.warning(
            "%s: the board's encoder failed (%s) after %d frames, of which %d are kept; software "
            "goes on in %s", before, failure, writer.frames, writer.kept_frames, self._path,
        )  # fmt: skip
        self._writer, self._encoder = None, software(self._config)

    def _begin_next(self) -> None:
        """Go on in another file.  A file's index is held until its end: 72 bytes a picture."""
        assert self._writer is not None  # the first picture stands at 0
        self._writer.close()
        self._open_part(_next_part(self._named))
        self._writer = None

    def _open_part(self, path: Path) -> None:
        """Open the next file of the recording; the one before has been closed."""
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise OutputError(
                f"cannot go on in {path}: {reason_of(error)}; the recording ends with {self._path}"
            ) from error
        self._path = path

    def _finish(self) -> None:
        writer = self._writer
        if writer is None:
            os.close(self._fd)
            if self._fault is None:
                log.warning("%s: no picture was shown, so there is no video", self._path)
            self._remove_empty()
            return
        try:
            writer.close()
        except (EncoderFailed, OSError, FFmpegError) as error:
            raise self._gave_up(error) from error
        finally:
            if not writer.kept_frames:
                self._path.unlink(missing_ok=True)

    def _remove_empty(self) -> None:
        """A file that was there before keeps its content; one that we made goes."""
        if self._is_new:
            self._path.unlink(missing_ok=True)

    def _gave_up(self, error: EncoderFailed | OSError | FFmpegError) -> OutputError:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        writer = self._writer
        frames, kept_frames = (writer.frames, writer.kept_frames) if writer else (0, 0)
        kept = f"the first {kept_frames} are kept and playable" if kept_frames else "none is kept"
        return OutputError(f"{self._path}: {reason} after {frames} frames; {kept}")


def _refused(reason: str) -> str:
    return f"outputs.video.encoder is hardware, but {reason}; set it to auto or software"


def _next_part(path: Path) -> Path:
    """A name beside a file that no file has: out-2.mp4, out-3.mp4, ..."""
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(name for name in names if not name.exists())


class _Clock:
    """From a source's timeline to the file's, which starts at 0 and never goes back."""

    def __init__(self) -> None:
        self._last_ns = 0
        self._shift_ns: int | None = None
        self._gap_ns = 0

    def ticks(self, media_ns: int) -> int:
        """Ticks since the first picture; a timeline that starts again (a loop) is continued."""
        if self._shift_ns is None:
            self._shift_ns = -media_ns
        elif media_ns < self._last_ns:
            self._shift_ns += self._last_ns - media_ns + self._gap_ns
        else:
            self._gap_ns = media_ns - self._last_ns
        self._last_ns = media_ns
        return round((media_ns + self._shift_ns) * TICKS_PER_S / 1_000_000_000)
