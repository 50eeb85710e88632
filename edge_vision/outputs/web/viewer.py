"""Who watches, what for, and how fast it takes pictures."""

import asyncio
import logging
from typing import Literal, NamedTuple

from edge_vision.outputs.web.shot import Shot

log = logging.getLogger(__name__)

_PATIENCE_NS = 250_000_000
"""For a viewer whose last picture is under way for longer, none is made."""
_DEAD_NS = 10_000_000_000
"""A viewer whose socket takes nothing for so long is dropped."""


class Variant(NamedTuple):
    """Which JPEG: with or without overlay, and the share of width and height, 0.1..1."""

    kind: Literal["drawn", "plain"]
    scale: float


class Viewer:
    """One stream; of the event loop, but for `due` and `served`.

    variant: which JPEG.  fps: most pictures a second.  objects: each part says what is in it.
    transport: of its connection.
    """

    def __init__(
        self, variant: Variant, fps: float, transport: asyncio.Transport, *, objects: bool = False
    ) -> None:
        self.variant = variant
        self.objects = objects
        self._transport = transport
        self._period_ns = round(1e9 / fps)
        self._next_ns = 0
        self._shot: Shot | None = None
        self._news = asyncio.Event()
        self._over = False
        self._sending_ns = 0
        self._left_bytes = 0
        self._moved_ns = 0

    def due(self, now_ns: int) -> bool:
        """A picture made now would be sent."""
        return now_ns >= self._next_ns and not self._stuck(now_ns)

    def served(self, now_ns: int) -> None:
        """A picture is being made for it."""
        # One picture may come early: a camera as fast as `fps` is now early, now late.
        self._next_ns = max(self._next_ns + self._period_ns, now_ns)

    def give(self, shot: Shot) -> None:
        """The newest picture; one that it did not get to is forgotten."""
        self._shot = shot
        self._news.set()

    async def next(self) -> Shot | None:
        """Wait for a picture newer than the last; None when there will be none."""
        await self._news.wait()
        if self._over:
            return None
        self._news.clear()
        shot, self._shot = self._shot, None
        return shot

    def end(self) -> None:
        """No more pictures."""
        self._over = True
        self._news.set()

    def begin_to_send(self, now_ns: int) -> None:
        """A picture is on its way to the socket."""
        self._sending_ns = self._moved_ns = now_ns
        self._left_bytes = 0

    def has_sent(self, now_ns: int) -> None:
        """The socket has taken all of it."""
        shot = self._shot
        if shot is not None and shot.about.seq >= 0 and self._stuck(now_ns):
            self._shot = None  # made before it got stuck, so old
            self._news.clear()
        self._sending_ns = 0

    def _stuck(self, now_ns: int) -> bool:
        sending_ns = self._sending_ns
        return sending_ns > 0 and now_ns - sending_ns > _PATIENCE_NS

    def check(self, now_ns: int) -> None:
        """Every second or so: end what is gone or dead."""
        transport = self._transport
        if transport.is_closing():
            self.end()
        elif self._sending_ns:
            left = transport.get_write_buffer_size()
            if left != self._left_bytes:
                self._left_bytes, self._moved_ns = left, now_ns
            elif now_ns - self._moved_ns >= _DEAD_NS:
                log.info("a viewer took nothing for %d s and was dropped", _DEAD_NS // 10**9)
                transport.abort()
                self.end()
