"""/stream.mjpg and /snapshot.jpg."""

import asyncio
import re
import socket
import time
from datetime import UTC, datetime
from typing import cast

from aiohttp import web

from edge_vision.config_web import WebConfig
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.problem import Problem
from edge_vision.outputs.web.shot import BOUNDARY
from edge_vision.outputs.web.site import SITE
from edge_vision.outputs.web.viewer import Variant, Viewer

_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
"""A number as JSON writes it, without a sign."""
_LONGEST = 32
FPS = (0.1, 240.0)
SCALE = (0.1, 1.0)
_SNAPSHOT_S = 2.0
_RETRY_S = 5
_LEAST_BACKLOG = 16 << 10
_HEADERS = {
    "Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}",
    "Cache-Control": "no-store",
}


def add_streams(app: web.Application) -> None:
    """The live picture and the snapshot; viewers are told when the server ends."""
    app.add_routes([web.get("/stream.mjpg", stream), web.get("/snapshot.jpg", snapshot)])
    app.on_shutdown.append(_end_all)


async def _end_all(app: web.Application) -> None:
    app[SITE].hub.end_all()


async def stream(request: web.Request) -> web.StreamResponse:
    """Pictures until somebody has enough; each is followed at once by its boundary."""
    site = request.app[SITE]
    config, hub = site.config, site.hub
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    fps = min(_number(request, "fps", FPS, config.max_fps), config.max_fps)
    objects = _flag(request, "objects", False)
    viewer = Viewer(_variant(request, config), fps, transport, objects=objects)
    response = web.StreamResponse(headers=_HEADERS)
    if request.method == "HEAD":
        return response
    _check(hub)
    if not hub.join(viewer):
        raise Problem(
            503,
            f"{config.max_viewers} live pictures are being sent, as many as outputs.web.max_viewers"
            " allows; close one and try again",
            headers={"Retry-After": str(_RETRY_S)},
        )
    try:
        await response.prepare(request)
        await response.write(f"--{BOUNDARY}\r\n".encode("ascii"))
        if not site.control.camera().up:
            hub.show_status()
        await _send(request, response, viewer, transport, hub)
    except ConnectionError:
        pass  # the usual end of a stream
    finally:
        hub.leave(viewer)
    return response


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    viewer: Viewer,
    transport: asyncio.Transport,
    hub: Hub,
) -> None:
    # What was written waits in the kernel; what lies here would only grow old.
    transport.set_write_buffer_limits(high=1, low=0)  # 0: under TLS it would pause for good
    backlog_bytes = 0
    while (shot := await viewer.next()) is not None and not transport.is_closing():
        part = shot.part(objects=viewer.objects)
        # A slow connection lags by what lies in the kernel: about a picture, which it counts twice
        # (socket(7), SO_SNDBUF).
        if not backlog_bytes / 2 < len(part) <= backlog_bytes:
            backlog_bytes = max(len(part) * 5 // 4, _LEAST_BACKLOG)
            connection = cast(socket.socket, transport.get_extra_info("socket"))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, backlog_bytes)
        viewer.begin_to_send(time.monotonic_ns())
        await response.write(part)
        await request.writer.drain()
        if transport.is_closing():
            return
        now_ns = time.monotonic_ns()
        viewer.has_sent(now_ns)
        hub.sent(shot, now_ns)


async def snapshot(request: web.Request) -> web.Response:
    """One fresh picture; many who ask at once get the same."""
    site = request.app[SITE]
    _check(site.hub)
    try:
        shot = await site.hub.snapshot(_variant(request, site.config), _SNAPSHOT_S)
    except TimeoutError:
        camera = site.control.camera()
        why = "" if camera.up else f" (no camera: {camera.reason})"
        raise Problem(
            503,
            f"no picture came within {_SNAPSHOT_S:g} s{why}; try again later",
            headers={"Retry-After": str(_RETRY_S)},
        ) from None
    name = f"edge-vision-{datetime.now(UTC).astimezone():%Y%m%d-%H%M%S}-{shot.about.seq}.jpg"
    return web.Response(
        body=shot.jpeg,
        content_type="image/jpeg",
        headers={"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"},
    )


def _check(hub: Hub) -> None:
    if hub.fault is not None:
        raise Problem(503, "Pictures can be made no more; the log of the server says why.")


def _variant(request: web.Request, config: WebConfig) -> Variant:
    scale = min(_number(request, "scale", SCALE, config.scale), config.scale)
    return Variant("drawn" if _flag(request, "overlay", True) else "plain", scale)


def _number(request: web.Request, name: str, limits: tuple[float, float], default: float) -> float:
    """A number of the address's query; raises Problem."""
    text = request.query.get(name)
    if text is None:
        return default
    least, most = limits
    value = float(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else -1.0
    if not least <= value <= most:
        raise Problem(
            400,
            f"{name}={text[:_LONGEST]!r} in the address; expected a number {least:g} to {most:g}",
        )
    return value


def _flag(request: web.Request, name: str, default: bool) -> bool:
    """0 or 1 of the address's query; raises Problem."""
    text = request.query.get(name)
    if text is None:
        return default
    if text not in ("0", "1"):
        raise Problem(400, f"{name}={text[:_LONGEST]!r} in the address; expected 0 or 1")
    return text == "1"
