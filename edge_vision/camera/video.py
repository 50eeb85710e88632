"""A video file or URL as a camera: its own timeline, real-time pace, loops, and what was broken."""

import errno
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from av.error import FFmpegError
from av.video.frame import VideoFrame

from edge_vision.camera.address import display_url
from edge_vision.camera.base import CameraInfo, EndOfStream
from edge_vision.camera.decode import Decoder, reason_of
from edge_vision.camera.pace import Pacer
from edge_vision.camera.pool import FramePool
from edge_vision.errors import (
    CameraError,
    CameraLost,
    CameraUnavailable,
    EdgeVisionError,
    SourceBroken,
    SourceMissing,
)
from edge_vision.frame import Frame, Stamps

log = logging.getLogger(__name__)

SKIP_MOST_NS = 150_000_000
"""Longest time spent on skipping late frames before one is shown all the same: on a board that
decodes slower than the clip plays, a slow clip is better than none."""
RESET_FRAMES = 3
"""So many frames in a row behind the one before: a new timeline; fewer: strays, as after damage."""
BREAK_S = 0.2
"""A video that ends by more than this (and two frames) before its announced end broke off."""


class Timeline:
    """Turns a file's own times into media_ns: from 0, ever growing, also over loops and resets."""

    def __init__(self) -> None:
        self._offset_ns: int | None = None
        self._behind = 0
        self.last_ns = 0
        self.end_ns = 0

    def at(self, file_ns: int | None, shown_ns: int) -> int:
        """The media time of the next frame; `file_ns` None means right after the one before."""
        if self._offset_ns is None:
            media_ns = self.end_ns
            self._offset_ns = media_ns - (file_ns or 0)
        elif file_ns is None:
            media_ns = self.end_ns
        else:
            media_ns = file_ns + self._offset_ns
            self._behind = self._behind + 1 if media_ns <= self.last_ns else 0
            if self._behind == RESET_FRAMES:
                media_ns = self.end_ns
                self._offset_ns = media_ns - file_ns
            elif self._behind:
                media_ns = self.last_ns + 1
        self.last_ns = media_ns
        self.end_ns = max(self.end_ns, media_ns + max(1, shown_ns))
        return media_ns

    def start_pass(self) -> None:
        """The next frame is the first of a new pass, and follows the last one."""
        self._offset_ns = None


@dataclass(frozen=True, slots=True)
class _Decoded:
    seq: int
    picture: VideoFrame
    media_ns: int
    shown_ns: int


class VideoCamera:
    """A video file, or with `timeout_s` a URL (whose reads may block: see Guard).

    A URL without a known duration is live: it is not paced, its frames are stamped when they
    arrive, and its end is a loss.  Anything else plays in real time, skipping frames whose time
    has passed, or with pace "fast" gives every frame.
    """

    waits_outside = False

    def __init__(
        self,
        source: str,
        *,
        pace: Literal["realtime", "fast"] = "realtime",
        loop: bool = False,
        timeout_s: float | None = None,
        pacer: Pacer | None = None,
    ) -> None:
        self._source = source
        self._remote = timeout_s is not None
        self._timeout_s = timeout_s
        self._name = display_url(source) if self._remote else source
        self._realtime = pace == "realtime"
        self._loop = loop
        self._pacer = pacer or Pacer()
        self._pool = FramePool()
        self._faults: dict[str, EdgeVisionError] = {}
        self._decoder: Decoder | None = None
        self._reset()

    def open(self) -> CameraInfo:
        """See Camera.  Decodes the first picture, so that what opens also delivers."""
        self.close()
        self._reset()
        self._faults.clear()
        decoder = self._decoder = self._start()
        self._live = self._remote and not decoder.finite
        if not self._decode_first(decoder):
            self.close()
            raise self._cannot(decoder.ended_by or "none of its pictures can be decoded")
        picture = self._ready[0].picture
        width, height = picture.width, picture.height
        if round(picture.rotation / 90) % 2:
            width, height = height, width
        name = f"stream {self._name}" if self._remote else f"clip {Path(self._source).name}"
        return CameraInfo("clip", name, width, height, decoder.fps, self._live)

    def read(self, timeout_s: float) -> Frame | None:
        """See Camera."""
        pacer, skipping_since_ns = self._pacer, 0
        give_up_ns = pacer.now_ns() + round(timeout_s * 1e9)
        while True:
            now_ns = pacer.now_ns()
            if not self._ready:
                self._decode()
            if not self._ready:
                if now_ns >= give_up_ns:
                    self._check_alive(now_ns)
                    return None
                continue
            item = self._ready[0]
            exposed_ns = 0
            if self._realtime and not self._live:
                exposed_ns = self._due_ns(item)
                late_ns = pacer.now_ns() - exposed_ns
                if late_ns >= item.shown_ns:
                    skipping_since_ns = skipping_since_ns or now_ns
                    if now_ns - skipping_since_ns < SKIP_MOST_NS:
                        self._ready.pop(0)
                        continue
                    pacer.start(item.media_ns)
                    exposed_ns = pacer.due_ns(item.media_ns)
                elif not pacer.wait_until(exposed_ns, (give_up_ns - now_ns) / 1e9):
                    return None
            return self._deliver(item, exposed_ns, (give_up_ns - pacer.now_ns()) / 1e9)

    def close(self) -> None:
        """See Camera."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        self._ready.clear()
        self._pool.clear()

    def faults(self) -> list[EdgeVisionError]:
        """See Camera.  Those of one opening; each once, however often the clip loops."""
        return list(self._faults.values())

    def _reset(self) -> None:
        self._ready: list[_Decoded] = []
        self._timeline = Timeline()
        self._pass_start_ns = 0
        self._damaged_at_ns: int | None = None
        self._seq = 0
        self._live = False
        self._paced = False
        self._first_ns = 0
        self._last_good_ns = 0

    def _start(self) -> Decoder:
        if self._remote:
            address = self._source
        else:
            path = Path(self._source)
            if not path.exists():
                raise SourceMissing(f"{self._name} does not exist")
            if path.is_char_device():
                raise SourceBroken(f"{self._name} is a device; use camera.kind usb for it")
            # The prefix keeps FFmpeg from reading a name such as "a:b.mp4" as a protocol.
            address = f"file:{path}"
        try:
            return Decoder(address, self._timeout_s)
        except SourceBroken as error:
            raise self._cannot(str(error)) from None
        except (FFmpegError, OSError, ValueError) as error:
            reason = reason_of(error)
            if self._remote and isinstance(error, OSError) and error.errno == errno.EIO:
                reason = "the host is not found, or the connection broke"
            raise self._cannot(reason) from None

    def _cannot(self, reason: str) -> EdgeVisionError:
        if self._remote:
            return CameraUnavailable(f"{self._name} cannot be opened: {reason}")
        return SourceBroken(f"{self._name} is no video that can be played: {reason}")

    def _due_ns(self, item: _Decoded) -> int:
        if not self._paced:
            self._paced = True
            self._pacer.start(item.media_ns)
        return self._pacer.due_ns(item.media_ns)

    def _decode_first(self, decoder: Decoder) -> bool:
        while not self._ready:
            frames = decoder.step()
            if frames is None:
                return False
            self._take_in(decoder, frames)
        return True

    def _decode(self) -> None:
        """Decode one packet; starts the clip again, or ends the stream, at its end."""
        decoder = self._decoder
        if decoder is None:
            raise CameraLost(f"{self._name} is not open")
        frames = decoder.step()
        if frames is not None:
            self._take_in(decoder, frames)
            return
        if self._live:
            reason = decoder.ended_by or "the sender closed it"
            raise CameraLost(f"{self._name} ended: {reason}")
        self._note_faults(decoder)
        if not self._loop:
            raise EndOfStream
        decoder.close()
        self._decoder = None
        try:
            self._decoder = self._start()
        except CameraError as error:
            raise CameraLost(f"the clip could not start again: {error}") from None
        self._timeline.start_pass()
        self._pass_start_ns = self._timeline.end_ns
        self._damaged_at_ns = None
        if not self._decode_first(self._decoder):
            raise CameraLost(f"{self._name} could not be played a second time")

    def _take_in(self, decoder: Decoder, frames: list[VideoFrame]) -> None:
        if decoder.damaged and self._damaged_at_ns is None:
            self._damaged_at_ns = self._timeline.end_ns - self._pass_start_ns
        for picture in frames:
            shown_ns = decoder.shown_ns(picture)
            media_ns = self._timeline.at(decoder.time_ns(picture), shown_ns)
            self._ready.append(_Decoded(self._seq, picture, media_ns, shown_ns))
            self._seq += 1

    def _deliver(self, item: _Decoded, exposed_ns: int, timeout_s: float) -> Frame | None:
        assert self._decoder is not None
        # A live picture does not get better by waiting for memory: drop it, a gap in seq tells.
        image = self._decoder.to_image(item.picture, self._pool, 0 if self._live else timeout_s)
        if image is None and not self._live:
            return None
        self._ready.pop(0)
        now_ns = self._pacer.now_ns()
        self._last_good_ns = now_ns
        if image is None:
            return None
        media_ns = item.media_ns
        if self._live:
            self._first_ns = self._first_ns or now_ns
            media_ns = now_ns - self._first_ns
        stamps = Stamps(exposed=exposed_ns or now_ns, arrived=now_ns)
        recycle = partial(self._pool.give_back, image.data)
        return Frame(item.seq, image, stamps, media_ns=media_ns, recycle=recycle)

    def _check_alive(self, now_ns: int) -> None:
        """Packets without one picture among them are no sign of life."""
        self._last_good_ns = self._last_good_ns or now_ns
        limit_s = self._timeout_s or 0
        if self._live and now_ns - self._last_good_ns > limit_s * 1e9:
            raise CameraLost(f"{self._name} sent no readable picture for {limit_s:g} s")

    def _note_faults(self, decoder: Decoder) -> None:
        length_s = (self._timeline.end_ns - self._pass_start_ns) / 1e9
        announced_s = decoder.announced_s() or 0.0
        if announced_s - length_s > BREAK_S + 2e-9 * decoder.interval_ns or decoder.ended_by:
            text = f"{self._name} breaks off at {length_s:.1f} s"
            if announced_s > length_s:
                text += f" of {announced_s:.1f} s"
            if decoder.ended_by:
                text += f": {decoder.ended_by}"
        elif decoder.damaged:
            at_s = (self._damaged_at_ns or 0) / 1e9
            text = f"{self._name} is damaged at {at_s:.1f} s: {decoder.damaged} parts unreadable"
        else:
            return
        if text not in self._faults:
            log.warning("%s", text)
            self._faults[text] = SourceBroken(text)
