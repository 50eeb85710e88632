"""One clip: packets from the ring as an MP4 that is playable at every moment (see mp4.py)."""

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from av.packet import Packet

from edge_vision.outputs.events.ring import Piece
from edge_vision.outputs.mp4 import MOVFLAGS, TICKS_PER_S, CarefulFile

_TIME_BASE = Fraction(1, TICKS_PER_S)
_FIRST_GAP_TICKS = TICKS_PER_S // 30


class Clip:
    """Writes packets of one stream; used by one thread.

    path: a file that is not there yet.  first: the first piece, of a key picture.
    Everything raises OSError (also for what FFmpeg refuses); after that only `close` may follow.
    """

    def __init__(self, path: Path, first: Piece) -> None:
        self.path = path
        self.stream = first.stream
        self.begin_ns = first.at_ns
        self.next_number = first.number
        """Of the piece to write next."""
        self.missed = 0
        """Pictures that the ring dropped before they were written."""
        self._last_ticks = -1
        self._gap_ticks = _FIRST_GAP_TICKS
        self._whole_bytes = 0
        self._closed = False
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._file = CarefulFile(fd)
        # delay_moov: the headers are those in the first packet.
        options = {"movflags": f"{MOVFLAGS}+delay_moov", "flush_packets": "1"}
        self._container = av.open(self._file, "w", format="mp4", options=options)
        self._track = self._container.add_mux_stream(
            first.stream.codec,
            width=first.stream.width_px,
            height=first.stream.height_px,
            time_base=_TIME_BASE,
        )
        self._file.keep_synced()

    def write(self, pieces: Iterable[Piece]) -> None:
        """Add what follows; after a gap it goes on with the next key picture."""
        for piece in pieces:
            if piece.number != self.next_number and not piece.is_key:
                continue
            self.missed += piece.number - self.next_number
            self._mux(piece)
            self.next_number = piece.number + 1

    def close(self) -> None:
        """Write the index; without it after a failure.  Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._container.close()
        except FFmpegError as error:
            raise _as_os_error(error) from error
        finally:
            self._file.close(self._whole_bytes)
        self._raise_failure()

    def _mux(self, piece: Piece) -> None:
        ticks = round((piece.at_ns - self.begin_ns) * TICKS_PER_S / 1e9)
        ticks = max(ticks, self._last_ticks + 1)
        if self._last_ticks >= 0:
            self._gap_ticks = ticks - self._last_ticks
        self._last_ticks = ticks
        packet: Packet[Any] = Packet(piece.data)
        packet.stream = self._track
        packet.pts = packet.dts = ticks
        packet.time_base = _TIME_BASE
        packet.is_keyframe = piece.is_key
        # Holds for the last picture; the others last until the next one.
        packet.duration = self._gap_ticks
        try:
            self._container.mux(packet)
        except FFmpegError as error:
            raise _as_os_error(error) from error
        self._raise_failure()
        if piece.is_key:
            self._whole_bytes = self._file.tell()  # it closed the fragment before it

    def _raise_failure(self) -> None:
        if self._file.error is not None:
            raise self._file.error


def duration_s(path: Path) -> float:
    """How long a clip lasts that may have no end; 0 for what no player could show."""
    try:
        with av.open(str(path)) as container:
            times = [
                float((packet.pts + (packet.duration or 0)) * packet.time_base)
                for packet in container.demux(video=0)
                if packet.pts is not None and packet.size and packet.time_base is not None
            ]
    except (FFmpegError, OSError, IndexError):
        return 0.0
    return max(times, default=0.0)


def _as_os_error(error: FFmpegError) -> OSError:
    return OSError(error.errno, f"FFmpeg: {error.strerror}")
