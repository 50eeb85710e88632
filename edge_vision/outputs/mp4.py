"""An MP4 file that is playable at every moment, also after a power cut or on a full disk.

While it grows it is a fragmented MP4: about every second a self-contained piece is appended, and
nothing written before is touched.  A normal end makes a regular MP4 of it in place (FFmpeg's
`hybrid_fragmented`): an index is appended, then a few bytes at the start are changed.
"""

import logging
import os
import threading
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edge_vision.outputs.encoder import TICKS_PER_S, Encoder, whole_pictures
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

_FRAGMENT_TICKS = TICKS_PER_S
_FIRST_FRAME_TICKS = TICKS_PER_S // 30
_SYNC_S = 2.0
"""How often what was written is carried to the disk itself: more than this no power cut costs."""
MOVFLAGS = "hybrid_fragmented+frag_keyframe+empty_moov+default_base_moof"


class EncoderFailed(Exception):
    """The encoder failed, not the file; says what FFmpeg says."""


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
                os.fdatasync(self._fd)  # only then may anybody say that the file is finished
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


class Mp4Writer:
    """Encodes I420 pictures of one size into a file; used by one thread.

    fd: open for writing; it is emptied, and closed by `close`.
    Methods raise EncoderFailed, OSError or av's FFmpegError; after that only `close` may follow.
    """

    def __init__(self, fd: int, width_px: int, height_px: int, encoder: Encoder) -> None:
        os.ftruncate(fd, 0)
        self.frames = 0
        """Pictures taken."""
        self.kept_frames = 0
        """Pictures in whole fragments: they stay playable, come what may."""
        self._closed = False
        self._written = 0
        self._last_ticks = -1
        self._gap_ticks = _FIRST_FRAME_TICKS
        self._key_ticks = 0
        self._whole_bytes = 0
        self._encoder_works = True
        self._headers: list[bytes] | None = [] if encoder.headers_in_stream else None
        self._file = CarefulFile(fd)
        # delay_moov: the file begins with the first whole fragment, when the headers are known.
        late = "+delay_moov" if encoder.headers_in_stream else ""
        self._container = av.open(
            self._file,
            "w",
            format="mp4",
            options={"movflags": MOVFLAGS + late, "flush_packets": "1"},
        )
        stream = self._container.add_stream(encoder.codec)
        assert isinstance(stream, VideoStream)
        encoder.set_up(stream.codec_context, width_px, height_px)
        stream.time_base = Fraction(1, TICKS_PER_S)
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
        self._encode(frame)
        self._last_ticks = ticks
        self.frames += 1

    def close(self) -> None:
        """Write what the encoder holds, and the index; without them after a failure of the file.

        An encoder that has failed is not asked for more.  Calling it again does nothing.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._file.error is None and self.frames and self._encoder_works:
                self._encode(None)
        finally:
            try:
                self._container.close()
            finally:
                self._file.close(self._whole_bytes)
            if self._file.error is None:
                self.kept_frames = self._written
        self._raise_failure()

    def _encode(self, frame: av.VideoFrame | None) -> None:
        """Give the encoder a picture, or the end, and write what comes out."""
        packets: Iterable[Packet[Any]]
        try:
            packets = self._stream.encode(frame)
        except FFmpegError as error:
            self._encoder_works = False
            raise EncoderFailed(str(error)) from error
        if self._headers is not None:
            packets = whole_pictures(packets, self._headers)
        for packet in packets:
            # Holds for the last picture of the file; the others last until the next one.
            packet.duration = self._gap_ticks
            self._container.mux(packet)
            self._raise_failure()
            if packet.is_keyframe and self._written:
                self._mark_whole()  # it closed the fragment before it
            self._written += 1

    def _mark_whole(self) -> None:
        self._whole_bytes, self.kept_frames = self._file.tell(), self._written

    def _raise_failure(self) -> None:
        if self._file.error is not None:
            raise self._file.error


__all__ = ["TICKS_PER_S", "EncoderFailed", "FFmpegError", "Mp4Writer"]
