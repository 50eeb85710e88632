"""/api/events: every scene, and what happens, to all who listen, as server-sent events.

One function writes the same bytes to all connections, with no task woken for any of them: a hundred
listeners cost a hundred calls of send(2) a scene, and little else.  Who does not read skips scenes.
Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
import socket
from collections.abc import Callable

from aiohttp import HttpVersion11, web

from edge_vision.events import Event
from edge_vision.outputs.web.problem import Problem

MOST = 150
"""Listeners at the same time."""
_ALIVE_S = 15.0
_DEAD_S = 10.0
_LOOK_S = 5.0
"""How often dead and gone listeners are looked for while no scene comes."""
_ALIVE = b": alive\n\n"
_BACKLOG_BYTES = 32 << 10
"""What the kernel keeps for one that does not read."""


class Listener:
    """One connection that is written to directly.

    chunked: HTTP/1.1's framing (RFC 9112, section 7.1).  gone: done once nothing is written here.
    seq: of the scene it was told last.
    """

    def __init__(
        self, transport: asyncio.WriteTransport, gone: "asyncio.Future[None]", *, chunked: bool
    ) -> None:
        self.gone = gone
        self.seq = -1
        self._transport = transport
        self._chunked = chunked
        self._waiting_bytes = 0
        self._taken_s = 0.0

    def write(self, data: bytes, chunk: bytes, now_s: float) -> None:
        """Write unless what was written before still waits."""
        if self.look(now_s) and not self._waiting_bytes:
            self._transport.write(chunk if self._chunked else data)

    def tell(self, data: bytes, chunk: bytes, now_s: float) -> None:
        """Write behind what waits, if that is little: unlike a scene it does not come again."""
        if self.look(now_s) and self._waiting_bytes < _BACKLOG_BYTES:
            self._transport.write(chunk if self._chunked else data)

    def look(self, now_s: float) -> bool:
        """Whether it is still there; it is cut off when it has taken nothing for 10 s."""
        transport = self._transport
        if transport.is_closing():
            self.end()
            return False
        waiting = transport.get_write_buffer_size()
        if not waiting or waiting != self._waiting_bytes:
            self._waiting_bytes, self._taken_s = waiting, now_s
        elif now_s - self._taken_s > _DEAD_S:
            transport.abort()
            self.end()
            return False
        return True

    def end(self) -> None:
        """Let its handler return."""
        if not self.gone.done():
            self.gone.set_result(None)


class Events:
    """All listeners; event loop only.  newest: the newest scene's frame number, or -1, and JSON."""

    def __init__(self, newest: Callable[[], tuple[int, bytes]]) -> None:
        self._newest = newest
        self._listeners: dict[Listener, None] = {}
        self._told_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def count(self) -> int:
        """Listeners now; any thread."""
        return len(self._listeners)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Tell one client of every scene until it goes."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if request.method == "HEAD":
            return response
        if self._closed or len(self._listeners) >= MOST:
            raise Problem(
                503,
                f"{len(self._listeners)} programs listen already, which is the most; try again "
                "later, or ask /api/scene",
                headers={"Retry-After": "10"},
            )
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response  # it went at once
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BACKLOG_BYTES)
        loop = asyncio.get_running_loop()
        listener = Listener(
            transport, loop.create_future(), chunked=request.version >= HttpVersion11
        )
        self._add(listener, loop)  # before looking: a scene that comes now is told by `spread`
        listener.seq, text = self._newest()
        try:
            await response.write(_event(listener.seq, text) if listener.seq >= 0 else _ALIVE)
            await listener.gone
        finally:
            del self._listeners[listener]
        return response

    def spread(self, now_s: float) -> None:
        """Tell all of the newest scene.  now_s: the event loop's time."""
        if not self._listeners:
            return
        seq, text = self._newest()
        data = _event(seq, text)
        chunk = _chunk(data)
        self._told_s = now_s
        for listener in self._listeners:
            if listener.seq != seq:
                listener.seq = seq
                listener.write(data, chunk, now_s)

    def happen(self, event: Event, now_s: float) -> None:
        """Tell all of an event that has begun or ended."""
        text = json.dumps(event.to_dict(), allow_nan=False, separators=(",", ":")).encode()
        data = b"event: happening\ndata: %b\n\n" % text
        chunk = _chunk(data)
        for listener in self._listeners:
            listener.tell(data, chunk, now_s)

    def close(self) -> None:
        """End every answer, and begin none."""
        self._closed = True
        for listener in self._listeners:
            listener.end()
        if self._timer is not None:
            self._timer.cancel()

    def look(self, now_s: float) -> None:
        """Tell of life while no scene comes, and find those that are gone."""
        due = now_s - self._told_s > _ALIVE_S - _LOOK_S / 2
        if due:
            self._told_s = now_s
        for listener in self._listeners:
            if due:
                listener.write(_ALIVE, _chunk(_ALIVE), now_s)
            else:
                listener.look(now_s)

    def _add(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._listeners[listener] = None
        if self._timer is None:
            self._told_s = loop.time()
            self._timer = loop.call_later(_LOOK_S, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.look(loop.time())
        self._timer = None
        if self._listeners and not self._closed:
            self._timer = loop.call_later(_LOOK_S, self._tick, loop)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(seq: int, text: bytes) -> bytes:
    return b"event: scene\nid: %d\ndata: %b\n\n" % (seq, text)
