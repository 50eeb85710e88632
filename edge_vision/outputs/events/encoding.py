"""Pictures into the ring: which encoder, and whether the board keeps up with it."""

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from statistics import median

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from edge_vision.config_events import RecorderConfig
from edge_vision.config_outputs import VideoConfig
from edge_vision.errors import OutputError
from edge_vision.outputs.encoder import (
    TICKS_PER_S,
    Encoder,
    hardware,
    software,
    whole_pictures,
    why_not_hardware,
)
from edge_vision.outputs.events.ring import Ring, Stream
from edge_vision.outputs.h264_device import why_no_device

log = logging.getLogger(__name__)

_KEY_NS = 1_000_000_000
"""Between key pictures: a clip begins with one."""
_JUDGED = 90
"""Pictures whose encoding is measured before it is judged: three seconds."""
_MOST_BUSY = 0.6
"""Of a core: what x264 may take from detection."""
_JPEG_QUALITY = 75


class Encoding:
    """Encodes I420 pictures of one size into a ring; used by one thread."""

    def __init__(self, config: RecorderConfig, ring: Ring) -> None:
        self._config = config
        self._ring = ring
        self._context: VideoCodecContext | None = None
        self._encoder: Encoder | None = None
        self._jpeg = config.encoder == "mjpeg"
        self._stream: Stream | None = None
        self._headers: list[bytes] = []
        self._times: deque[tuple[int, int]] = deque(maxlen=64)
        self._last_ticks = 0
        self._key_ns: int | None = None
        self._load = Load()

    def add(self, i420: NDArray[np.uint8], at_ns: int) -> None:
        """Encode a picture, uint8 (height * 3 / 2, width), exposed at `at_ns`.

        Raises OutputError where no encoder works.
        """
        begin_ns = time.thread_time_ns()
        try:
            if self._context is None and not self._jpeg:
                self._open(self._encoder or self._choose(i420), i420)
            if self._jpeg:
                self._add_jpeg(i420, at_ns)
                return
            self._add_video(i420, at_ns)
        except FFmpegError as error:
            self._replace(error)
            return
        in_software = self._encoder is not None and self._encoder.bit_rate is None
        if in_software and self._config.encoder == "auto":
            self._load.add(at_ns, time.thread_time_ns() - begin_ns)
            if (share := self._load.too_much()) is not None:
                self._go_over_to_jpeg(share)

    def _add_video(self, i420: NDArray[np.uint8], at_ns: int) -> None:
        assert self._context is not None
        assert self._stream is not None
        ticks = max(at_ns * TICKS_PER_S // 1_000_000_000, self._last_ticks + 1)
        self._last_ticks = ticks
        frame = av.VideoFrame.from_numpy_buffer(i420, format="yuv420p")
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS_PER_S)
        if self._key_ns is None or at_ns - self._key_ns >= _KEY_NS:
            frame.pict_type = PictureType.I
            self._key_ns = at_ns
        self._times.append((ticks, at_ns))
        for packet in whole_pictures(self._context.encode(frame), self._headers):
            exposed = next((ns for at, ns in self._times if at == packet.pts), at_ns)
            self._ring.add(self._stream, exposed, bytes(packet), packet.is_keyframe)

    def _open(self, encoder: Encoder | None, i420: NDArray[np.uint8]) -> None:
        if encoder is None:
            log.warning("recorder: this PyAV has no x264; single JPEG pictures are recorded")
            self._jpeg = True
            return
        height_px, width_px = i420.shape[0] * 2 // 3, i420.shape[1]
        context = av.CodecContext.create(encoder.codec, "w")
        assert isinstance(context, VideoCodecContext)
        encoder.set_up(context, width_px, height_px)
        # A second thread would only take cores from detection, and its time could not be measured.
        context.thread_count = 1
        context.open()
        self._encoder, self._context = encoder, context
        self._headers.clear()
        self._key_ns = None
        self._stream = Stream("h264", width_px, height_px)

    def _choose(self, i420: NDArray[np.uint8]) -> Encoder | None:
        """None: single JPEG pictures."""
        wish = self._config.encoder
        height_px, width_px = i420.shape[0] * 2 // 3, i420.shape[1]
        if wish != "software":
            board = hardware(width_px, height_px)
            reason = why_no_device() or why_not_hardware(board, width_px, height_px)
            if reason is None:
                log.info("recorder: the board's H.264 encoder")
                return board
            if wish == "hardware":
                raise OutputError(
                    f"recorder.encoder is hardware, but {reason}; set it to auto or software"
                )
        return self._in_software()

    def _in_software(self) -> Encoder | None:
        made = software(VideoConfig(crf=self._config.crf, preset="ultrafast"))
        if made.codec != "libx264":
            return None
        log.info("recorder: x264 in software")
        # Each key picture holds its headers, so that a clip can begin with any of them.
        return replace(made, headers_in_stream=True)

    def _replace(self, error: FFmpegError) -> None:
        """Go on in software where the board's encoder has failed."""
        if self._encoder is None or self._encoder.bit_rate is None:
            raise OutputError(f"recorder: the encoder failed: {error}") from error
        log.warning("recorder: the board's encoder failed (%s); software goes on", error)
        self._context, self._encoder = None, self._in_software()

    def _go_over_to_jpeg(self, share: float) -> None:
        if _jpeg_of_planes() is None:
            log.warning("recorder: x264 takes %.0f %% of a core; lower recorder.fps", 100 * share)
            return
        log.warning(
            "recorder: x264 takes %.0f %% of a core; it goes on with single JPEG pictures, which "
            "browsers do not play; lower recorder.fps or camera.size_px, or insist on H.264 with "
            "recorder.encoder: software",
            100 * share,
        )  # fmt: skip
        self._jpeg, self._context, self._stream = True, None, None

    def _add_jpeg(self, i420: NDArray[np.uint8], at_ns: int) -> None:
        encode = _jpeg_of_planes()
        if encode is None:
            raise OutputError(
                "single JPEG pictures need the package simplejpeg, of 1.9 or newer, which is not "
                "installed: pip install -U simplejpeg"
            )
        height, width = i420.shape[0] * 2 // 3, i420.shape[1]
        if self._stream is None:
            self._stream = Stream("mjpeg", width, height)
        chroma = i420[height:].reshape(2, height // 2, width // 2)
        data = encode(i420[:height], chroma[0], chroma[1], quality=_JPEG_QUALITY, fastdct=True)
        self._ring.add(self._stream, at_ns, data, is_key=True)


def _jpeg_of_planes() -> Callable[..., bytes] | None:
    """The encoder of JPEG; None where there is none: it has no wheel for 32-bit ARM."""
    try:
        from simplejpeg import encode_jpeg_yuv_planes
    except ImportError:
        return None
    encode: Callable[..., bytes] = encode_jpeg_yuv_planes
    return encode


class Load:
    """What share of a core encoding takes, judged once, by the first seconds."""

    def __init__(self) -> None:
        self._took_ns: list[int] = []
        self._gaps_ns: list[int] = []
        self._last_ns: int | None = None

    def add(self, at_ns: int, took_ns: int) -> None:
        """A picture exposed at `at_ns` took so much CPU time; after the first ones: nothing."""
        if len(self._took_ns) >= _JUDGED:
            return
        if self._last_ns is not None:
            self._gaps_ns.append(at_ns - self._last_ns)
            self._took_ns.append(took_ns)
        self._last_ns = at_ns

    def too_much(self) -> float | None:
        """The share (1 = a whole core), once, where it is too much; else None."""
        if len(self._took_ns) != _JUDGED:
            return None
        share = median(self._took_ns) / max(1, median(self._gaps_ns))
        self._took_ns.append(0)  # judged
        return share if share > _MOST_BUSY else None
