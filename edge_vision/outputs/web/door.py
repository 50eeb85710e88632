"""Every connection comes through here: how many there may be, and for how long they may dawdle."""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from http import HTTPStatus
from typing import Any, cast

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import LineTooLong
from aiohttp.typedefs import Handler

from edge_vision.outputs.web.headers import add_headers
from edge_vision.outputs.web.problem import Problem, as_problems

log = logging.getLogger(__name__)

MOST = 192
"""Connections at the same time."""
MOST_OF_ONE = 144
"""Of one address: 100 listeners, 8 viewers and some pages, also through a proxy."""
SLOWEST_S = 10.0
"""A request is here so long after the connection, or its first byte."""
IDLE_S = 30.0
_LOOK_S = 2.0
_LINGER_S = 1.0
"""A refused client reads its refusal meanwhile: a socket closed with unread bytes drops it."""
_MOST_LINGERING = 32
UNREAD_S = 15.0
"""A client that takes nothing of an answer for so long is gone: of what waits here, and of what
waits in the kernel (TCP_USER_TIMEOUT, tcp(7))."""
_LONGEST_LINE, _LONGEST_FIELD = 8190, 8192
"""Bytes of the request's line, and of a header."""
_MOST_HEAD_BYTES = 32 << 10
"""Kept while a head is not complete; what comes at once is looked at anyway."""
_PAUSE_S = 1.0
"""After the system refused a connection."""


class PathLog(AbstractAccessLogger):
    """One line a request at level debug; never a query or a header, which may hold secrets."""

    @property
    def enabled(self) -> bool:
        """See AbstractAccessLogger."""
        return self.logger.isEnabledFor(logging.DEBUG)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """See AbstractAccessLogger."""
        self.logger.debug(
            "%s %s %s: %d in %.1f ms",
            request.remote,
            request.method,
            request.path,
            response.status,
            time * 1e3,
        )


class Connection(web.RequestHandler):
    """aiohttp's own, with limits, and with problems for what is no HTTP.

    asked: since when a request is awaited (the loop's time, s); None: a whole one is here, or the
    connection rests.
    """

    def __init__(self, door: "Door", server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=IDLE_S,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_FIELD,
            lingering_time=2.0,
            auto_decompress=False,
            access_log_class=PathLog,
            access_log=log,
        )
        self._door = door
        self.asked: float | None = None
        self._head_bytes: int | None = 0  # None: the head is here, and may be followed by a body
        self._last = b""
        self._unsent_bytes = 0
        self._moved = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self.asked = self._door.now_s()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.asked is None:
            self.asked = self._door.now_s()
        if self._head_bytes is not None:
            if self._head_bytes > _MOST_HEAD_BYTES:
                self._door.cut(self)
                return
            seen = self._last + data
            self._last = seen[-3:]
            self._head_bytes = None if b"\r\n\r\n" in seen else self._head_bytes + len(data)
        super().data_received(data)

    def is_late(self, now_s: float) -> bool:
        """It dawdles with its request, or takes nothing of its answer; asked every few seconds."""
        unsent_bytes = self.transport.get_write_buffer_size() if self.transport is not None else 0
        if unsent_bytes == 0 or unsent_bytes != self._unsent_bytes:
            self._unsent_bytes, self._moved = unsent_bytes, now_s
        slow = self.asked is not None and now_s - self.asked >= SLOWEST_S
        return slow or now_s - self._moved >= UNREAD_S

    def answered(self, *, read: bool) -> None:
        """The next request may come.  read: of the last one nothing is left to read."""
        self.asked = None
        if read:  # else aiohttp takes the rest for a while, and ends the connection
            self._head_bytes = 0
            self._last = b""

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio.Protocol."""
        self._door.left(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP, and what a handler did not foresee; the connection ends."""
        if isinstance(exc, ConnectionError):  # nobody is there to be answered
            raise exc
        if status >= 500:
            log.error("live page: %s %s failed", request.method, request.path, exc_info=exc)
            if request.writer.output_size > 0:
                raise ConnectionError("the answer has begun")
            problem = Problem(status, "The server failed at this; its log has more.")
        elif isinstance(exc, LineTooLong):
            # The parser tells them apart by the limit alone.
            if str(exc.args[1]) == str(_LONGEST_LINE):
                problem = Problem(414, f"The address has more than {_LONGEST_LINE} bytes.")
            else:
                problem = Problem(431, f"A header has more than {_LONGEST_FIELD} bytes.")
        else:
            problem = Problem(400, "This is no HTTP request.")
        response = problem.response()
        add_headers(response)
        response.force_close()
        return response


def answered_by(handler: Handler) -> Handler:
    """A server's handler, with every refusal as a problem, and the clock of its connection."""

    async def answer(request: web.Request) -> web.StreamResponse:
        connection = cast(Connection, request.protocol)
        try:
            return await as_problems(request, handler)
        finally:
            connection.answered(read=request.content.is_eof())

    return answer


class Door:
    """Accepts connections for an aiohttp server.

    In place of asyncio's own: it knows who comes, and counts those, too, that have not finished
    the handshake of TLS.
    """

    def __init__(self, server: web.Server, context: ssl.SSLContext | None) -> None:
        inner = cast(Handler, server.request_handler)
        server.request_handler = cast(Any, answered_by(inner))
        self._server = server
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._inside: dict[Connection, str] = {}
        self._of_one: Counter[str] = Counter()
        self._entering: set[asyncio.Task[None]] = set()
        self._lingering: set[socket.socket] = set()
        self._looking = False

    async def serve(self, sock: socket.socket) -> None:
        """Until cancelled.  Takes the socket."""
        with sock:
            while True:
                try:
                    connection, address = await self._loop.sock_accept(sock)
                except OSError as error:  # most likely too many open files, which passes
                    log.warning("live page: no connection can be taken: %s", error.strerror)
                    await asyncio.sleep(_PAUSE_S)
                    continue
                self._enter(connection, address[0])
                await asyncio.sleep(0)  # a flood must not keep the rest of the loop waiting

    def now_s(self) -> float:
        """The loop's own time."""
        return self._loop.time()

    def left(self, connection: Connection) -> None:
        """A connection has ended."""
        address = self._inside.pop(connection, None)
        if address is not None:
            self._of_one[address] -= 1
            if self._of_one[address] == 0:
                del self._of_one[address]

    def cut(self, connection: Connection) -> None:
        """End a connection at once."""
        transport = connection.transport
        if transport is not None:
            transport.abort()

    async def close(self) -> None:
        """End all that is left."""
        for task in self._entering:
            task.cancel()
        if self._entering:
            await asyncio.wait(self._entering)
        for connection in list(self._inside):
            self.cut(connection)
        for sock in self._lingering:
            sock.close()
        self._lingering.clear()
        await asyncio.sleep(0)  # the ends of connections are told by callbacks

    def _enter(self, sock: socket.socket, address: str) -> None:
        if len(self._inside) >= MOST or self._of_one[address] >= MOST_OF_ONE:
            self._refuse(sock)
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNREAD_S * 1e3))
        connection = Connection(self, self._server, self._loop)
        self._inside[connection] = address
        self._of_one[address] += 1
        task = self._loop.create_task(self._open(sock, connection))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)
        if not self._looking:
            self._looking = True
            self._loop.call_later(_LOOK_S, self._look)

    async def _open(self, sock: socket.socket, connection: Connection) -> None:
        limit: dict[str, Any] = {}
        if self._context is not None:
            limit = {"ssl": self._context, "ssl_handshake_timeout": SLOWEST_S}
        try:
            await self._loop.connect_accepted_socket(lambda: connection, sock, **limit)
        except (OSError, asyncio.CancelledError) as error:
            log.debug("live page: a connection did not come about: %r", error)
            sock.close()
            self.left(connection)

    def _refuse(self, sock: socket.socket) -> None:
        if self._context is not None or len(self._lingering) >= _MOST_LINGERING:
            sock.close()
            return
        try:
            sock.send(_REFUSAL)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            sock.close()
            return
        self._lingering.add(sock)
        self._loop.call_later(_LINGER_S, self._let_go, sock)

    def _let_go(self, sock: socket.socket) -> None:
        self._lingering.discard(sock)
        sock.close()

    def _look(self) -> None:
        for connection in list(self._inside):
            if connection.is_late(self.now_s()):
                self.cut(connection)
        self._looking = bool(self._inside)
        if self._looking:
            self._loop.call_later(_LOOK_S, self._look)


def _refusal() -> bytes:
    body = Problem(
        503, "There are too many connections; close some, or try again later."
    ).response()
    assert isinstance(body.body, bytes)
    head = (
        f"HTTP/1.1 503 {HTTPStatus(503).phrase}\r\nContent-Type: {body.content_type}\r\n"
        f"Content-Length: {len(body.body)}\r\nRetry-After: 5\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body.body


_REFUSAL = _refusal()
