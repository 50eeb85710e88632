"""Rows of a fleet on a page, for browsers of this computer alone."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from edge_vision.errors import OutputError
from edge_vision.fleet.feed import Feed
from edge_vision.fleet.nodes import Fleet
from edge_vision.outputs.reasons import reason_of

_PAGE = Path(__file__).with_name("page")
_FILES = {
    "/": ("fleet.html", "text/html"),
    "/fleet.js": ("fleet.js", "text/javascript"),
    "/fleet.css": ("fleet.css", "text/css"),
}
_HOSTS = ("127.0.0.1", "localhost")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only this computer's own names: no page elsewhere can read this one through its own name."""
    if (request.url.host or "") not in _HOSTS:
        raise web.HTTPMisdirectedRequest(text="Open this page as http://127.0.0.1")
    response = await handler(request)
    response.headers.update(_HEADERS)
    return response


def make_site(fleet: Fleet, feed: Feed, title: str) -> web.Application:
    """The page, and what it shows as JSON under /api/fleet.  title: the broker."""
    site = web.Application(middlewares=[_guard])

    async def rows(_request: web.Request) -> web.Response:
        return web.json_response(
            {
                "broker": title,
                "trouble": feed.trouble,
                "messages": fleet.messages,
                "refused": fleet.refused,
                "nodes": fleet.rows(time.monotonic_ns()),
            }
        )

    def sender(name: str, kind: str) -> Handler:
        text = (_PAGE / name).read_text(encoding="utf-8")

        async def send(_request: web.Request) -> web.Response:
            return web.Response(text=text, content_type=kind)

        return send

    for path, (name, kind) in _FILES.items():
        site.router.add_get(path, sender(name, kind))
    site.router.add_get("/api/fleet", rows)
    return site


def serve(
    site: web.Application, port: int, stop: threading.Event, ready: Callable[[str], None]
) -> None:
    """Serve on loopback until `stop` is set.  ready: told the address.

    Raises OutputError when the port cannot be had.
    """

    async def run() -> None:
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            ready(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            while not stop.is_set():
                await asyncio.sleep(0.1)
        except OSError as error:
            raise OutputError(
                f"the page cannot be served on port {port}: {reason_of(error)}; choose another "
                "with --page"
            ) from None
        finally:
            await runner.cleanup()

    asyncio.run(run())
