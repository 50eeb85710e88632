"""Video decoding through PyAV: packets in, pictures and their times out; no pace, no threads."""

from collections.abc import Iterator, Sequence
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edge_vision.camera.pool import FramePool
from edge_vision.errors import SourceBroken
from edge_vision.frame import Image, PixelFormat

DEFAULT_FPS = 25.0
"""For streams that do not tell their rate."""
ONE_THREAD_PX = 1920 * 1088
"""Up to this size one decoder thread keeps up and costs least: more threads cost 5 to 15 % more
CPU time, which the interpreter beside it lacks."""

# Values of ISO/IEC 23091-2 (H.273) MatrixCoefficients, as FFmpeg numbers them.
BT709, UNSPECIFIED, BT470BG, SMPTE170M = 1, 2, 5, 6
BT601 = (BT470BG, SMPTE170M)
FULL_RANGE = 2

ANNOUNCING = ("mp4", "matroska", "flv", "asf")
"""Containers whose header says how long they are.  The length of others FFmpeg finds by looking at
what is there (of AVI too, where the file is shorter), so that they cannot be found too short."""

LIVE_OPTIONS = {"rtsp_flags": "prefer_tcp", "fflags": "nobuffer", "flags": "low_delay"}
"""Newest picture first.  RTSP over TCP where the camera can: lost UDP packets smear pictures."""


def reason_of(error: Exception) -> str:
    """What FFmpeg says about an error, without the address: that may hold a password."""
    text = error.strerror if isinstance(error, av.error.FFmpegError) else str(error)
    return (text or type(error).__name__).rstrip(".").lower()


class Decoder:
    """One pass over a video file or URL.

    address: what FFmpeg opens ("file:..." or a URL).  timeout_s: limit of opening and of each
    read, for URLs.  Raises SourceBroken when there is no video in it, FFmpegError, OSError or
    ValueError when it cannot be opened.
    """

    def __init__(self, address: str, timeout_s: float | None = None) -> None:
        live = timeout_s is not None and not address.startswith("http")
        # A timeout of None waits for ever.
        self._container = av.open(
            address, options=LIVE_OPTIONS if live else {}, timeout=timeout_s, mode="r"
        )
        try:
            stream = self._container.streams.best("video")
            if not isinstance(stream, VideoStream):
                raise SourceBroken("there is no video in it")
            self._stream = stream
            codec = stream.codec_context
            if codec is None:
                raise SourceBroken("there is no decoder for its video")
            self._hd = codec.width >= 1280 or codec.height > 576
            # Decoding several frames at once delays each: not for live pictures.
            big = codec.width * codec.height > ONE_THREAD_PX
            codec.thread_type = "FRAME" if big and timeout_s is None else "SLICE"
            codec.thread_count = 2 if big else 1
        except BaseException:
            self._container.close()
            raise
        self._packets = self._container.demux(self._stream)
        self._reformatter = VideoReformatter()
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        self.interval_ns = round(1e9 / (self.fps or DEFAULT_FPS))
        self.finite = self._container.duration is not None
        self.damaged = 0
        """Packets that could not be decoded."""
        self.ended_by = ""
        """Why reading ended before the end of the file, if it did."""

    def close(self) -> None:
        """Give the file back."""
        self._container.close()

    def announced_s(self) -> float | None:
        """How long the container says the video is, in seconds; None when it does not say."""
        stream, container = self._stream, self._container
        if not any(name in container.format.name for name in ANNOUNCING):
            return None
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        if container.duration is not None and len(container.streams) == 1:
            return float(container.duration) / 1e6  # av.time_base is 1 us
        return None

    def step(self) -> list[VideoFrame] | None:
        """The frames that the next packet completes (often one, or none); None at the end."""
        try:
            packet = next(self._packets)
        except StopIteration:
            return None
        except (av.error.FFmpegError, OSError) as error:
            self.ended_by = reason_of(error)
            return None
        try:
            return list(_frames(packet.decode()))
        except av.error.FFmpegError:
            self.damaged += 1
            return []

    def time_ns(self, frame: VideoFrame) -> int | None:
        """The frame's place on the file's own timeline (any origin); None when it has none."""
        time_base = frame.time_base or self._stream.time_base
        if frame.pts is None or time_base is None:
            return None
        return frame.pts * time_base.numerator * 1_000_000_000 // time_base.denominator

    def shown_ns(self, frame: VideoFrame) -> int:
        """For how long the frame is shown."""
        time_base = frame.time_base or self._stream.time_base
        if not frame.duration or time_base is None:
            return self.interval_ns
        return frame.duration * time_base.numerator * 1_000_000_000 // time_base.denominator

    def to_image(self, frame: VideoFrame, pool: FramePool, timeout_s: float) -> Image | None:
        """The frame in a buffer of the pool, upright; None when there is none within the time-out.

        YUV420 where the decoder's planes are what PixelFormat.YUV420 says (8 bit, BT.601, video
        levels, even size): two cheap copies less than BGR.  Everything else becomes BGR here, with
        the matrix and the range of the stream; HD without a tag counts as BT.709, as in players.
        """
        width, height = frame.width, frame.height
        turns = round(frame.rotation / 90) % 4  # counter-clockwise
        if turns % 2:
            width, height = height, width
        as_yuv = self._is_plain_yuv420(frame)
        shape = (height * 3 // 2, width) if as_yuv else (height, width, 3)
        buffer = pool.take(shape, timeout_s)
        if buffer is None:
            return None
        if as_yuv:
            for plane, target in zip(frame.planes, _planes_of(buffer, width, height), strict=True):
                _copy_turned(_rows(plane, plane.width), target, turns)
            return Image.from_array(buffer, PixelFormat.YUV420)
        self._copy_bgr(frame, buffer, turns)
        return Image.from_array(buffer, PixelFormat.BGR)

    def _is_plain_yuv420(self, frame: VideoFrame) -> bool:
        return (
            frame.format.name == "yuv420p"
            and frame.width % 2 == 0
            and frame.height % 2 == 0
            and frame.color_range != FULL_RANGE
            and self._matrix(frame) in BT601
        )

    def _matrix(self, frame: VideoFrame) -> int:
        matrix = int(frame.colorspace)
        if matrix != UNSPECIFIED:
            return matrix
        jpeg = frame.format.name.startswith("yuvj") or frame.color_range == FULL_RANGE
        return BT709 if self._hd and not jpeg else SMPTE170M

    def _copy_bgr(self, frame: VideoFrame, buffer: NDArray[np.uint8], turns: int) -> None:
        if int(frame.colorspace) == UNSPECIFIED:
            frame.colorspace = self._matrix(frame)
        plane = self._reformatter.reformat(frame, format="bgr24").planes[0]
        rows = _rows(plane, plane.width * 3)
        if turns:
            _copy_turned(rows.reshape(plane.height, plane.width, 3), buffer, turns)
        else:
            np.copyto(buffer.reshape(plane.height, plane.width * 3), rows)


def _frames(decoded: Sequence[object]) -> Iterator[VideoFrame]:
    for frame in decoded:
        if isinstance(frame, VideoFrame) and frame.width > 0 and frame.height > 0:
            yield frame


def _rows(plane: VideoPlane, row_bytes: int) -> NDArray[np.uint8]:
    """The visible part of a plane, uint8 (height, row_bytes), as a view on the decoder's memory."""
    memory: Any = plane  # a buffer, which the type stubs do not say
    data: NDArray[np.uint8] = np.frombuffer(memory, np.uint8, plane.line_size * plane.height)
    return data.reshape(plane.height, plane.line_size)[:, :row_bytes]


def _planes_of(buffer: NDArray[np.uint8], width: int, height: int) -> list[NDArray[np.uint8]]:
    """Views of the Y, U and V planes in a contiguous I420 buffer."""
    flat, luma, chroma = buffer.reshape(-1), width * height, width * height // 4
    half = (height // 2, width // 2)
    return [
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(half),
        flat[luma + chroma :].reshape(half),
    ]


def _copy_turned(source: NDArray[np.uint8], target: NDArray[np.uint8], turns: int) -> None:
    """Copy with `turns` quarter turns counter-clockwise; np.rot90 walks memory far slower."""
    if turns == 0:
        np.copyto(target, source)
        return
    codes = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)
    cv2.rotate(np.ascontiguousarray(source), codes[turns - 1], dst=target)
