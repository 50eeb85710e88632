"""What the browser gets: the pages and their files; read once, at the start."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from edge_vision.outputs.web.problem import Problem

_FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# fmt: off
_STATIC = (
    "ask.js", "clock.js", "crisp.js", "draft.js", "editor.js", "entry.js", "events.css",
    "events.js", "history.js", "icon.svg", "latency.js", "live.js", "login.js", "main.js",
    "objects.js", "places.js", "ruleform.js", "session.js", "settings.js", "sketch.js",
    "stream.js", "style.css", "system.js", "timeline.js", "words.js",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    content_type: str
    etag: str

    @classmethod
    def read(cls, name: str) -> "_File":
        path = _FOLDER / name
        body = path.read_bytes()
        return cls(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])

    def answer(self, request: web.Request) -> web.Response:
        """The file, or 304 to a browser that has it."""
        known = request.if_none_match or ()
        # A newer version of the program must be seen at once; asking costs one small answer.
        headers = {"Cache-Control": "no-cache", "ETag": f'"{self.etag}"'}
        if any(tag.value in (self.etag, "*") for tag in known):
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=self.body, content_type=self.content_type, charset="utf-8", headers=headers
        )


def page_routes() -> list[web.RouteDef]:
    """/, /history, /login and /static/NAME.  Only files named here are ever served."""
    static: Mapping[str, _File] = {name: _File.read(name) for name in _STATIC}

    async def one_static(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in static:
            raise Problem(404, "The page has no file of this name.")
        return static[name].answer(request)

    def whole(name: str) -> Handler:
        file = _File.read(name)

        async def handler(request: web.Request) -> web.StreamResponse:
            return file.answer(request)

        return handler

    return [
        web.get("/", whole("index.html")),
        web.get("/history", whole("history.html")),
        web.get("/login", whole("login.html")),
        web.get("/static/{name}", one_static),
    ]
