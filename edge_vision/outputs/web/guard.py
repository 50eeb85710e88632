"""What stands before every handler: whose request is answered, and how much it may hold."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from edge_vision.outputs.web.access import Access
from edge_vision.outputs.web.door import Connection
from edge_vision.outputs.web.pace import Pace
from edge_vision.outputs.web.problem import Problem
from edge_vision.outputs.web.sessions import Sessions

MOST_BODY_BYTES = 64 << 10
_MOST_HEADER_BYTES = 16 << 10
_CHANGES = frozenset(("POST", "PUT", "PATCH", "DELETE"))
_OPEN = frozenset(("/healthz", "/login", "/api/session", "/api/login", "/api/logout"))
"""Answered without a login, and the page's own files, which are public anyway."""
_FILES = "/static/"


def guard_of(access: Access, more_hosts: Sequence[str]) -> Middleware:
    """The middleware.  more_hosts: names of this board besides those it knows itself."""
    known, pace = host_check(more_hosts), Pace()

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        wait_s = pace.wait_s(time.monotonic())
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        headers = request.headers
        if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > (
            _MOST_HEADER_BYTES
        ):
            raise Problem(431, f"The headers have more than {_MOST_HEADER_BYTES} bytes.")
        hosts = headers.getall(hdrs.HOST, ())
        if len(hosts) != 1:
            raise Problem(400, f"The request has {len(hosts)} Host headers; it needs one.")
        if not known(hosts[0]):
            raise Problem(
                421,
                "The Host header names no host of this board; use its address or name, or add the "
                "name to outputs.web.hosts in its configuration.",
            )
        ticket = ""
        if not access.has_token(headers.get(hdrs.AUTHORIZATION, "")):
            _same_site(request)
            ticket = _ticket(request, access)
        refusal = request.match_info.http_exception
        if refusal is None and request.method in _CHANGES:
            _is_json(request)
            if (request.content_length or 0) > MOST_BODY_BYTES:
                raise Problem(413, f"The body has more than {MOST_BODY_BYTES} bytes.")
            await request.read()  # kept for the handler; of unknown length it stops at the limit
        elif request.method == "OPTIONS" and isinstance(refusal, web.HTTPMethodNotAllowed):
            return web.Response(status=204, headers={"Allow": _allowed(refusal)})
        # The whole request is here; the answer may take its time.
        cast(Connection, request.protocol).asked = None
        if ticket and request.method not in _CHANGES:  # a change that was made is answered
            return await _while_logged_in(request, handler, access.sessions, ticket)
        return await handler(request)

    return guard


def host_check(more_hosts: Sequence[str]) -> Callable[[str], bool]:
    """A function Host header -> it names this board.

    A page of another site can make its own name point here (DNS rebinding), and would then be of
    the same origin as this page.  An address cannot be made to point elsewhere.
    """
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    names = {own, short, f"{short}.local", "localhost"}
    names.update(name.lower().rstrip(".") for name in more_hosts)

    @lru_cache(maxsize=64)
    def known(header: str) -> bool:
        name, port = _split(header)
        if not (port == "" or (port.isascii() and port.isdigit())):
            return False
        if name in names or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    return known


def _split(header: str) -> tuple[str, str]:
    """Host in lower case, without brackets and a last dot, and port; ("", ""): neither."""
    if header.startswith("["):
        name, end, port = header[1:].partition("]")
        if not end or (port and not port.startswith(":")):
            return "", ""
        return name.lower(), port[1:]
    name, _, port = header.partition(":")
    return name.lower().rstrip("."), port


def _same_site(request: web.Request) -> None:
    """Refuse what another site's page makes a browser send.

    Sec-Fetch-Site and Origin cannot be set by a page (Fetch, "forbidden request-header").  A link
    to here, which is a navigation, is nobody's harm.
    """
    headers = request.headers
    site = headers.get("Sec-Fetch-Site", "same-origin")
    changes = request.method in _CHANGES
    link = not changes and headers.get("Sec-Fetch-Mode") == "navigate"
    foreign = site not in ("same-origin", "none") and not link
    if changes and not foreign and hdrs.ORIGIN in headers:
        origin = headers[hdrs.ORIGIN].partition("://")[2]
        foreign = origin.lower() != headers.get(hdrs.HOST, "").lower()
    if foreign:
        raise Problem(403, "A page of another site has asked for this; only the board's own may.")


def _ticket(request: web.Request, access: Access) -> str:
    """Of the session that may ask for this; empty where anybody may.  Raises what leads to one."""
    if not access.needed:
        return ""
    # The address that matched, not the one that was asked for: they may be read differently.
    resource = request.match_info.route.resource
    place = resource.canonical if resource is not None else ""
    if place in _OPEN or place.startswith(_FILES):
        return ""
    cookies = request.headers.get(hdrs.COOKIE, "")
    if access.logged_in(cookies, time.monotonic_ns()):
        return access.ticket(cookies)
    page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get(hdrs.ACCEPT, "")
    if page:
        raise web.HTTPSeeOther("/login")
    raise Problem(
        401,
        "A login is needed: open /login, or send the header 'Authorization: Bearer TOKEN' with a "
        "token made by `edge-vision password --token`.",
        headers={"WWW-Authenticate": 'Bearer realm="edge-vision"'},
    )


async def _while_logged_in(
    request: web.Request, handler: Handler, sessions: Sessions, ticket: str
) -> web.StreamResponse:
    """The answer, which is cut off when the session ends: a stream would go on for ever."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    ends_ns = sessions.begin_answer(ticket, transport.abort)
    left_s = (ends_ns - time.monotonic_ns()) / 1e9
    timer = asyncio.get_running_loop().call_later(left_s, sessions.end, ticket)
    try:
        return await handler(request)
    finally:
        timer.cancel()
        sessions.end_answer(ticket, transport.abort, time.monotonic_ns())


def _is_json(request: web.Request) -> None:
    """A form of another site cannot send JSON: a browser would ask here first."""
    if hdrs.CONTENT_TYPE not in request.headers and not request.can_read_body:
        return
    if request.content_type != "application/json" or hdrs.CONTENT_ENCODING in request.headers:
        raise Problem(415, "The body must be JSON, with Content-Type: application/json.")


def _allowed(refusal: web.HTTPMethodNotAllowed) -> str:
    return ", ".join(sorted({*refusal.allowed_methods, "OPTIONS"}))
