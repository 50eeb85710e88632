"""/api/..., /healthz, /metrics and /openapi.json: what can be asked of the run."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from edge_vision.events import Event
from edge_vision.health import ailing
from edge_vision.outputs.web.events import Events
from edge_vision.outputs.web.problem import Problem
from edge_vision.outputs.web.recent import Recent
from edge_vision.outputs.web.scenes import NewestScene, SceneWatch
from edge_vision.outputs.web.shapes import (
    ChangedShape,
    ConfigShape,
    HealthShape,
    ModelsShape,
)
from edge_vision.outputs.web.site import SITE
from edge_vision.outputs.web.state import state_of
from edge_vision.outputs.web.wish import choices_of, granted, save_of, wish_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What these handlers share: the newest scene, who listens, the last minutes."""

    newest: NewestScene
    events: Events
    recent: Recent


ASKED = web.AppKey("asked", Asked)


def add_api(app: web.Application) -> None:
    """The routes, and the thread that watches the scenes while the application runs."""
    control = app[SITE].control
    newest = NewestScene(control)
    app[ASKED] = Asked(newest, Events(newest.read), Recent(control.started_ns))
    app.cleanup_ctx.append(_watching)
    app.on_shutdown.append(_no_more_events)
    app.add_routes(
        [
            web.get("/api/state", _state),
            web.get("/api/scene", _scene),
            web.get("/api/events", app[ASKED].events.answer),
            web.get("/api/recent", _recent),
            web.get("/api/config", _config),
            web.patch("/api/config", _change),
            web.get("/api/models", _models),
            web.get("/healthz", _healthz),
            web.get("/metrics", _metrics),
            web.get("/openapi.json", _openapi),
        ]
    )


async def _watching(app: web.Application) -> AsyncIterator[None]:
    loop, asked = asyncio.get_running_loop(), app[ASKED]

    def news() -> None:
        if asked.events.count:
            loop.call_soon_threadsafe(lambda: asked.events.spread(loop.time()))

    def happened(event: Event) -> None:
        if asked.events.count:
            loop.call_soon_threadsafe(lambda: asked.events.happen(event, loop.time()))

    watch = SceneWatch(app[SITE].control, asked.recent, news)
    watch.start()
    app[SITE].happenings.listen(happened)
    yield
    app[SITE].happenings.listen(None)
    watch.close()


async def _no_more_events(app: web.Application) -> None:
    app[ASKED].events.close()


async def _state(request: web.Request) -> web.Response:
    return _answer(state_of(request.app[SITE], request.app[ASKED].events.count))


async def _scene(request: web.Request) -> web.Response:
    _, body = request.app[ASKED].newest.read()
    return web.Response(body=body, content_type="application/json")


async def _recent(request: web.Request) -> web.Response:
    return _answer(request.app[ASKED].recent.shape(time.monotonic_ns()))


async def _config(request: web.Request) -> web.Response:
    control = request.app[SITE].control
    values = control.live_values()
    choices = choices_of(values)
    shape: ConfigShape = {"values": values, "colours": control.colours(), "choices": choices}
    return _answer(shape)


async def _change(request: web.Request) -> web.Response:
    control = request.app[SITE].control
    save = save_of(request.query)
    done = await granted(control, wish_of(await request.read()), save=save)
    shape: ChangedShape = {
        "changed": list(done.changed),
        "saved_to": done.saved_to,
        "backup": done.backup,
        "values": control.live_values(),
    }
    return _answer(shape)


async def _models(request: web.Request) -> web.Response:
    shape = cast(ModelsShape, {"models": request.app[SITE].control.models()})
    return _answer(shape)


async def _healthz(request: web.Request) -> web.Response:
    control = request.app[SITE].control
    why = ailing(control.camera(), control.telemetry, control.config, time.monotonic_ns())
    if why:
        # Without the reason, which may name files and addresses: this is told to everybody.
        raise Problem(503, why.partition(":")[0])
    shape: HealthShape = {"healthy": True}
    return _answer(shape)


async def _metrics(request: web.Request) -> web.Response:
    from edge_vision.outputs.web.metrics import CONTENT_TYPE, text_of  # only where it is asked for

    site, asked = request.app[SITE], request.app[ASKED]
    state = state_of(site, asked.events.count)
    return web.Response(body=text_of(state, site), headers={"Content-Type": CONTENT_TYPE})


async def _openapi(request: web.Request) -> web.Response:
    from edge_vision.outputs.web.openapi import document  # costs time, and few ask

    values = request.app[SITE].control.live_values()
    keys = tuple(f"{section}.{key}" for section, inner in values.items() for key in inner)
    return web.Response(body=document(keys), content_type="application/json")


def _answer(values: Any) -> web.Response:
    body = json.dumps(values, allow_nan=False, separators=(",", ":")).encode()
    return web.Response(body=body, content_type="application/json")
