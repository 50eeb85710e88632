"""An MP4 file that is playable at every moment, also after a power cut or on a full disk.

While it grows it is a fragmented MP4: about every second a self-contained piece is appended, and
nothing written before is touched.  A normal end makes a regular MP4 of it in place (FFmpeg's
`hybrid_fragmented`): an index is appended, then a few bytes at the start are changed.
"""

import logging
import os
import threading
from fractions import Fraction

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edge_vision.worker import Worker

log = logging.getLogger(__name__)

TICKS_PER_S = 60_000
"""The file's clock: whole ticks for the common frame rates, and below MPEG-4's limit of 65535."""

_FRAGMENT_TICKS = TICKS_PER_S
_FIRST_FRAME_TICKS = TICKS_PER_S // 30
_SYNC_S = 2.0
"""How often what was written is carried to the disk itself: more than this no power cut costs."""
_MOVFLAGS = "hybrid_fragmented+frag_keyframe+empty_moov+default_base_moof"


class CarefulFile:
    """The file under a container: it only grows, until all of it is known to be on the disk.

    A failed write is kept in `error`, and FFmpeg is told that all is well: it would go on after a
    failure, and turn the start of the file into that of a regular MP4 whose index is missing.
    For the same reason what it changes in the part already written waits for `close`.
    """

    def __init__(self, fd: int) -> None:
        self.error: OSError | None = None
        self._fd = fd
        self._place = 0
        self._end = 0
        self._changes: list[tuple[int, bytes]] = []
        self._syncing = Worker("output video sync", self._sync)

    def keep_synced(self) -> None:
        """Carry what is written to the disk every few seconds, until `close`."""
        self._syncing.start()

    def write(self, data: bytes) -> int:
        """Append; what lies before the end is kept for `close`."""
        if self._place < self._end:
            self._changes.append((self._place, data))
        elif self.error is None:
            try:
                self._put(self._place, data)
            except OSError as error:
                self.error = error
        self._place += len(data)
        self._end = max(self._end, self._place)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; from the start or from here, as FFmpeg does when it writes."""
        self._place = offset + (self._place if whence == os.SEEK_CUR else 0)
        return self._place

    def tell(self) -> int:
        """Where the next write goes."""
        return self._place

    def close(self, whole_bytes: int) -> None:
        """Make the changes and close; after a failure, cut off what lies beyond `whole_bytes`."""
        self._syncing.stop()
        self._syncing.join(_SYNC_S)
        try:
            if self.error is None and self._changes:
                os.fdatasync(self._fd)
                for place, data in self._changes:
                    self._put(place, data)
            elif self.error is not None:
                os.ftruncate(self._fd, whole_bytes)
        except OSError as error:
            self.error = self.error or error
        try:
            os.close(self._fd)
        except OSError as error:
            self.error = self.error or error

    def _put(self, place: int, data: bytes) -> None:
        while data:
            done = os.pwrite(self._fd, data, place)
            place, data = place + done, data[done:]

    def _sync(self, stop: threading.Event) -> None:
        # In a thread of its own: a slow card takes its time, and pictures go on meanwhile.
        while not stop.wait(_SYNC_S):
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self.error = self.error or error
                return


def encoder_name() -> str:
    """libx264 (H.264) where this PyAV has it, else mpeg4 (MPEG-4 Part 2)."""
    return "libx264" if "libx264" in av.codecs_available else "mpeg4"


class Mp4Writer:
    """Encodes I420 pictures of one size into a file; used by one thread.

    fd: open for writing; it is emptied, and closed by `close`.  crf: 0..51.  preset: of x264.
    Methods raise OSError or av's FFmpegError; after that only `close` may follow.
    """

    def __init__(self, fd: int, width_px: int, height_px: int, *, crf: int, preset: str) -> None:
        os.ftruncate(fd, 0)
        self.frames = 0
        """Pictures taken."""
        self.kept_frames = 0
        """Pictures in whole fragments: they stay playable, come what may."""
        self._closed = False
        self._last_ticks = -1
        self._gap_ticks = _FIRST_FRAME_TICKS
        self._key_ticks = 0
        self._whole_bytes = 0
        self._file = CarefulFile(fd)
        self._container = av.open(
            self._file,
            "w",
            format="mp4",
            options={"movflags": _MOVFLAGS, "flush_packets": "1"},
        )
        # The rate only chooses the H.264 level; times are those of the pictures.
        stream = self._container.add_stream(encoder_name(), rate=30)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.time_base = Fraction(1, TICKS_PER_S)
        context = stream.codec_context
        context.time_base = stream.time_base
        # Key frames are asked for by time, below; this is only the most there may be between two.
        context.gop_size = 600
        context.thread_count = 2 if (os.cpu_count() or 1) >= 4 else 1
        # YUV420 is BT.601, limited range, from the camera as from cv2; players would take BT.709
        # for large pictures.
        context.colorspace, context.color_range = 6, 1
        if encoder_name() == "libx264":
            # zerolatency: x264 holds no pictures back, neither in memory nor from the file.
            own = {"crf": str(crf), "preset": preset, "tune": "zerolatency", "forced-idr": "1"}
        else:
            own = {"flags": "+qscale", "global_quality": str(118 * max(2, crf * 31 // 51))}
        stream.options = dict[str, object](own)
        self._stream = stream
        self._file.keep_synced()

    def write(self, i420: NDArray[np.uint8], at_ticks: int) -> None:
        """Add a picture, uint8 (height * 3 / 2, width), shown from `at_ticks` on.

        A time that is not after the one before becomes the next tick.
        """
        ticks = max(at_ticks, self._last_ticks + 1)
        if self._last_ticks >= 0:
            self._gap_ticks = ticks - self._last_ticks
        frame = av.VideoFrame.from_numpy_buffer(i420, format="yuv420p")
        frame.pts, frame.time_base = ticks, self._stream.time_base
        if self.frames == 0 or ticks - self._key_ticks >= _FRAGMENT_TICKS:
            frame.pict_type = PictureType.I
            self._key_ticks = ticks
        for packet in self._stream.encode(frame):
            # Holds for the last picture of the file; the others last until the next one.
            packet.duration = self._gap_ticks
            self._container.mux(packet)
            self._raise_failure()
            if packet.is_keyframe and self.frames:
                self._mark_whole()  # it closed the fragment before it
        self._last_ticks = ticks
        self.frames += 1

    def close(self) -> None:
        """Write what the encoder holds, and the index; without them after a failure.

        Calling it again does nothing.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._file.error is None and self.frames:
                for packet in self._stream.encode(None):
                    self._container.mux(packet)
        finally:
            try:
                self._container.close()
            finally:
                self._file.close(self._whole_bytes)
        self._raise_failure()
        self.kept_frames = self.frames

    def _mark_whole(self) -> None:
        self._whole_bytes, self.kept_frames = self._file.tell(), self.frames

    def _raise_failure(self) -> None:
        if self._file.error is not None:
            raise self._file.error


__all__ = ["TICKS_PER_S", "FFmpegError", "Mp4Writer", "encoder_name"]
