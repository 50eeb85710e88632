"""A stand-in for the board's H.264 encoder: x264 made to behave as FFmpeg's V4L2 wrapper does.

Headers come as a packet of their own, without a time; pictures come back late; and it fails when
told to.  What FFmpeg and the kernel do was read in libavcodec/v4l2_m2m_enc.c (FFmpeg 8) and in
bcm2835-codec.  It cannot show what only a real encoder would: buffers, strides, speed.
"""

import errno
from typing import Any

from av.error import FFmpegError
from av.packet import Packet

from edge_vision.outputs.encoder import Encoder, nal_types
from edge_vision.outputs.mp4 import Mp4Writer

BOARD = Encoder(
    "libx264",
    # Not zerolatency, so that pictures come back three pictures late.
    {"preset": "ultrafast", "bf": "0", "rc-lookahead": "0", "sync-lookahead": "0", "threads": "4",
     "thread_type": "frame", "x264-params": "sliced-threads=0", "forced-idr": "1"},
    bit_rate=1_000_000,
    headers_in_stream=True,
)  # fmt: skip


class BoardStream:
    """An encoding stream whose `encode` splits headers off, and fails at a picture."""

    def __init__(self, stream: Any, fails_at: int | None) -> None:
        self.stream = stream
        self.time_base = stream.time_base
        self.fails_at = fails_at
        self.given = 0

    def encode(self, frame: Any) -> list[Any]:
        if frame is not None and self.given == self.fails_at:
            raise FFmpegError(errno.EIO, "Input/output error")
        self.given += frame is not None
        return [part for packet in self.stream.encode(frame) for part in separated(packet)]


def separated(packet: Any) -> list[Any]:
    """A packet, or its headers (SPS, PPS, SEI) and its picture in packets of their own."""
    data = bytes(packet)
    kinds = nal_types(data)
    if kinds[0] in (1, 5):
        return [packet]
    at = data.index(b"\0\0\1", 4)
    while data[at + 3] & 31 not in (1, 5):
        at = data.index(b"\0\0\1", at + 3)
    headers, picture = Packet(data[:at]), Packet(data[at:])
    picture.pts, picture.dts, picture.time_base = packet.pts, packet.dts, packet.time_base
    picture.is_keyframe = packet.is_keyframe
    if packet.stream is not None:
        picture.stream = packet.stream
    return [headers, picture]


def writers(fails_at: int | None) -> tuple[type[Mp4Writer], list[Mp4Writer]]:
    """A class of writers with such streams, of which the first one fails; and those made of it."""
    made: list[Mp4Writer] = []

    class Writer(Mp4Writer):
        def __init__(self, fd: int, width_px: int, height_px: int, encoder: Encoder) -> None:
            super().__init__(fd, width_px, height_px, encoder)
            stream: Any = BoardStream(self._stream, None if made else fails_at)
            if encoder.headers_in_stream or stream.fails_at is not None:
                self._stream = stream
            made.append(self)

    return Writer, made
