"""What makes H.264 of pictures: software (x264), or the board's own encoder."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from edge_vision.config_outputs import VideoConfig
from edge_vision.worker import Worker

TICKS_PER_S = 60_000
"""The file's clock: whole ticks for the common frame rates, and below MPEG-4's limit of 65535."""

_RATED_FPS = 30
"""What encoders are told.  Times are those of the pictures; x264 takes the H.264 level of it."""
_HARDWARE = "h264_v4l2m2m"
_WIDTH_STEP_PX = 64
"""FFmpeg hands rows over without padding, and bcm2835-codec takes rows of YUV420 that are multiples
of 64 bytes (raspberrypi/linux, pull request 4746); else the picture is skewed."""
_LARGEST_PX = 1920, 1080
_BITS_PER_S_1080P = 9_000_000
_WORST_LEVELS = 20
"""Of 256, on average over brightness or colour of a test picture: what a first picture may be off
for lack of bits.  x264 is off by less than 2; misplaced rows and planes cost 40 and more."""
_PATIENCE_S = 5.0
"""What a test picture may take."""
_GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER
_PICTURES, _IDR = (1, 5), 5  # NAL unit types, ITU-T H.264 table 7-1


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder and its settings.

    codec: FFmpeg's name.  options: of this codec.  bit_rate: bits a second at 30 pictures a second,
    None where the options say the quality.  headers_in_stream: it tells what a player must know
    first only with its first picture, so that a file cannot begin before that.
    """

    codec: str
    options: Mapping[str, str]
    bit_rate: int | None = None
    headers_in_stream: bool = False

    def set_up(self, context: VideoCodecContext, width_px: int, height_px: int) -> None:
        """Prepare FFmpeg's context, not yet open, for I420 pictures of a size."""
        context.width, context.height, context.pix_fmt = width_px, height_px, "yuv420p"
        context.time_base = Fraction(1, TICKS_PER_S)
        context.framerate = Fraction(_RATED_FPS)
        # Key frames are asked for by time; this is only the most there may be between two.
        context.gop_size = 600
        context.thread_count = 2 if (os.cpu_count() or 1) >= 4 else 1
        # YUV420 is BT.601, limited range, from the camera as from cv2; players would take BT.709
        # for large pictures.
        context.colorspace, context.color_range = 6, 1
        if self.bit_rate is not None:
            context.bit_rate = self.bit_rate
        if self.headers_in_stream:
            # Raspberry Pi's FFmpeg would obey the flag, everybody else's does not: the same of all.
            context.flags &= ~_GLOBAL_HEADER
        context.options = dict(self.options)


def software_name() -> str:
    """libx264 (H.264) where this PyAV has it, else mpeg4 (MPEG-4 Part 2)."""
    return "libx264" if "libx264" in av.codecs_available else "mpeg4"


def software(config: VideoConfig) -> Encoder:
    """x264 with the configured quality, or MPEG-4 Part 2 of about that quality."""
    if software_name() == "libx264":
        # zerolatency: x264 holds no pictures back, neither in memory nor from the file.
        tune = {"tune": "zerolatency", "forced-idr": "1"}
        return Encoder("libx264", {"crf": str(config.crf), "preset": config.preset, **tune})
    quality = str(118 * max(2, config.crf * 31 // 51))
    return Encoder("mpeg4", {"flags": "+qscale", "global_quality": quality})


def hardware(width_px: int, height_px: int) -> Encoder:
    """The board's encoder, through FFmpeg's V4L2 wrapper.

    Its bit rate is 9 Mbit/s x width x height / (1920 x 1080), for 30 pictures a second: picamera2's
    for Quality.HIGH (its encoders/h264_encoder.py, 0.3.38).  It is told 30 whatever comes, so that
    each picture gets the same number of bits, and a slower stream needs less.
    """
    share = width_px * height_px / (1920 * 1080)
    return Encoder(_HARDWARE, {}, round(_BITS_PER_S_1080P * share), headers_in_stream=True)


def why_not_hardware(encoder: Encoder, width_px: int, height_px: int) -> str | None:
    """Why an encoder cannot be used for I420 pictures of a size; None when it can.

    A test picture is encoded, decoded again, and compared.
    """
    widest, highest = _LARGEST_PX
    if width_px % _WIDTH_STEP_PX or width_px > widest or height_px > highest:
        return (
            f"pictures of {width_px}x{height_px}; the board's encoder takes widths that are "
            f"multiples of {_WIDTH_STEP_PX} px, and at most {widest}x{highest}"
        )
    if encoder.codec not in av.codecs_available:
        return f"this PyAV has no {encoder.codec}"
    wanted = _ramps(width_px, height_px)
    found: list[NDArray[np.uint8] | None] = []
    # In a thread of its own: FFmpeg waits for a driver without end.
    trial = Worker("encoder trial", lambda _: found.append(_there_and_back(encoder, wanted)))
    trial.start()
    if not trial.join(_PATIENCE_S):
        return f"the board's encoder did not answer within {_PATIENCE_S:g} s"
    if isinstance(trial.failure, FFmpegError):
        return f"the board's encoder refuses a test picture ({trial.failure})"
    if trial.failure is not None:
        raise trial.failure
    (seen,) = found
    if seen is None:
        return "the board's encoder gave nothing for a test picture"
    if seen.shape == wanted.shape:
        off = np.abs(seen.astype(int) - wanted)
        if max(off[:height_px].mean(), off[height_px:].mean()) <= _WORST_LEVELS:
            return None
    return "the board's encoder spoils a test picture"


def _ramps(width_px: int, height_px: int) -> NDArray[np.uint8]:
    """An I420 picture that costs few bits, and none of whose rows or planes may be misplaced."""
    i420 = np.full((height_px * 3 // 2, width_px), 128, np.uint8)
    i420[:height_px] = np.linspace(16, 235, width_px)
    chroma = i420[height_px:].reshape(2, height_px // 2, width_px // 2)
    chroma[0] = np.linspace(40, 215, height_px // 2)[:, None]
    return i420


def _there_and_back(encoder: Encoder, i420: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """A picture, uint8 (height * 3 / 2, width), after encoding and decoding; None if none came."""
    context = av.CodecContext.create(encoder.codec, "w")
    assert isinstance(context, VideoCodecContext)
    encoder.set_up(context, i420.shape[1], i420.shape[0] * 2 // 3)
    frame = av.VideoFrame.from_numpy_buffer(i420, format="yuv420p")
    frame.pts, frame.time_base = 0, Fraction(1, TICKS_PER_S)
    given = b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode()])
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    seen = [*decoder.decode(Packet(given)), *decoder.decode()] if _IDR in nal_types(given) else []
    return np.asarray(seen[0].to_ndarray(format="yuv420p"), np.uint8) if seen else None


def nal_types(stream: bytes) -> list[int]:
    """Types of the NAL units in an H.264 byte stream with start codes (ITU-T H.264, annex B)."""
    return [unit[0] & 31 for unit in stream.split(b"\0\0\1")[1:] if unit]


def whole_pictures(packets: Iterable["Packet[Any]"], held: list[bytes]) -> Iterator["Packet[Any]"]:
    """Packets of an encoder with headers in its stream, each with a picture.

    V4L2 encoders give the headers (SPS and PPS) as a packet of their own, and without a time; they
    become the beginning of the next one.  held: what waits for it; the same list every time.
    """
    for packet in packets:
        data = bytes(packet)
        if not any(kind in _PICTURES for kind in nal_types(data)):
            held.append(data)
        elif held:
            joined: Packet[Any] = Packet(b"".join([*held, data]))
            held.clear()
            joined.pts, joined.dts = packet.pts, packet.dts
            joined.time_base = packet.time_base
            if packet.stream is not None:  # of an encoder that is no part of a file
                joined.stream = packet.stream
            joined.is_keyframe = packet.is_keyframe
            yield joined
        else:
            yield packet
