"""/api/history and /api/counts: what happened, with its pictures and clips."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar, cast, get_args

from aiohttp import web

from edge_vision.errors import OutputError
from edge_vision.events import Kind
from edge_vision.history import History, Recorded, Wanted
from edge_vision.outputs.web.files import Disk, send_file
from edge_vision.outputs.web.problem import Problem
from edge_vision.outputs.web.shapes import HistoryShape, PassedShape, RecordedShape
from edge_vision.outputs.web.site import SITE

LIMIT = (1, 200)
LONGEST_VALUE = 100
"""Characters of a value that is looked for."""
ID = "[0-9A-Za-z-]{1,64}"
KINDS = get_args(Kind)
_FIRST = 50
_PATIENCE_S = 20.0
"""For a disk that has to delete."""
_ID = re.compile(ID)
_SECONDS = re.compile(r"\d{1,11}(\.\d{1,9})?", re.ASCII)
_COUNT = re.compile(r"\d{1,3}", re.ASCII)
_FILES = {"thumbnail": "thumbnail.jpg", "snapshot": "snapshot.jpg", "clip": "clip.mp4"}

T = TypeVar("T")
DISK = web.AppKey("disk", Disk)


def add_past(app: web.Application) -> None:
    """The routes, and the threads that read for them while the application runs."""
    app[DISK] = Disk()
    app.cleanup_ctx.append(_with_disk)
    one = "/api/history/{id}"
    app.add_routes(
        [
            web.get("/api/counts", _counts),
            web.get("/api/history", _find),
            web.get(one, _get),
            web.delete(one, _delete),
            *(web.get(f"{one}/{name}", _sender(kind)) for kind, name in _FILES.items()),
        ]
    )


async def _with_disk(app: web.Application) -> AsyncIterator[None]:
    yield
    app[DISK].close()


async def _counts(request: web.Request) -> web.Response:
    counts = request.app[SITE].control.counts()
    shape = {"since_s": counts.since_s, "lines": counts.lines, "zones": counts.zones}
    return _answer(cast(PassedShape, {**shape, "now": counts.now}))


async def _find(request: web.Request) -> web.Response:
    wanted, limit = wanted_of(request.query)
    history = _history(request)
    found, totals = await _read(request, lambda: (history.find(wanted), history.totals()))
    more = len(found) > limit
    shape: HistoryShape = {
        "events": [shape_of(recorded) for recorded in found[:limit]],
        "next": found[limit - 1].event.id if more else None,
        "totals": {"events": totals.events, "bytes": totals.bytes},
    }
    return _answer(shape)


async def _get(request: web.Request) -> web.Response:
    return _answer(shape_of(await _recorded(request)))


async def _delete(request: web.Request) -> web.Response:
    # Looked for first: where there has never been an event there is nobody to remove one.
    event_id = (await _recorded(request)).event.id
    removed: Future[bool] = _history(request).delete(event_id)
    try:
        found = await asyncio.wait_for(asyncio.wrap_future(removed), _PATIENCE_S)
    except TimeoutError:
        raise Problem(
            503, f"The disk did not remove it within {_PATIENCE_S:g} s; try again later."
        ) from None
    except OutputError as error:
        raise Problem(503, str(error)) from None
    if not found:
        raise _no_event(event_id)
    return web.Response(status=204)


def _sender(kind: str) -> Callable[[web.Request], Any]:
    async def send(request: web.Request) -> web.StreamResponse:
        download = request.query.get("download", "0")
        if download not in ("0", "1"):
            raise Problem(400, f"download={download[:40]!r} in the address; expected 0 or 1")
        recorded = await _recorded(request)
        path = getattr(recorded, kind)
        if path is None:
            raise Problem(404, f"The event {recorded.event.id} has no {kind}.")
        name = f"edge-vision-{recorded.event.id}{path.suffix}"
        headers = {
            "Content-Type": "video/mp4" if kind == "clip" else "image/jpeg",
            "Content-Disposition": (
                f'{"attachment" if download == "1" else "inline"}; filename="{name}"'
            ),
        }
        done = kind != "clip" or recorded.clip_done
        return await send_file(request, request.app[DISK], path, headers, done=done)

    return send


def wanted_of(query: Mapping[str, str]) -> tuple[Wanted, int]:
    """What an address's query asks for, with one event more than the second, the page's length.

    Raises Problem 400.
    """
    for name in ("kind", "rule", "label", "place", "node", "before"):
        if len(query.get(name, "")) > LONGEST_VALUE:
            raise Problem(
                400,
                f"{name} in the address has {len(query[name])} characters; {LONGEST_VALUE} at most",
            )
    kind, before = query.get("kind"), query.get("before")
    if kind is not None and kind not in KINDS:
        raise Problem(400, f"kind={kind!r} in the address; expected {', '.join(KINDS)}")
    if before is not None and not _ID.fullmatch(before):
        raise Problem(400, f"before={before!r} in the address; expected an event's id")
    text = query.get("limit", str(_FIRST))
    limit = int(text) if _COUNT.fullmatch(text) else 0
    if not LIMIT[0] <= limit <= LIMIT[1]:
        raise Problem(
            400, f"limit={text[:40]!r} in the address; expected a number {LIMIT[0]} to {LIMIT[1]}"
        )
    wanted = Wanted(
        since_s=_moment(query, "since"),
        until_s=_moment(query, "until"),
        kind=kind,
        rule=query.get("rule"),
        label=query.get("label"),
        place=query.get("place"),
        node=query.get("node"),
        before=before,
        limit=limit + 1,
    )
    return wanted, limit


def shape_of(recorded: Recorded) -> RecordedShape:
    """As it is answered: files as addresses."""
    values = recorded.to_dict()
    for kind, name in _FILES.items():
        if values[kind] is not None:
            values[kind] = f"/api/history/{recorded.event.id}/{name}"
    return cast(RecordedShape, values)


def _moment(query: Mapping[str, str], name: str) -> float | None:
    """Unix time of the address's query: seconds, or ISO 8601, local unless it says."""
    text = query.get(name)
    if text is None:
        return None
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise Problem(
            400,
            f"{name}={text[:40]!r} in the address; expected Unix seconds, or a date or time such "
            "as 2026-11-22 or 2026-11-22T18:00 (a + must be written as %2B)",
        ) from None


def _history(request: web.Request) -> History:
    history = request.app[SITE].control.history()
    if history is None:
        raise Problem(
            404,
            "This run keeps no log of events; set events.enabled to true in its configuration "
            "file, and start it again.",
        )
    return history


def _id_of(request: web.Request) -> str:
    event_id = request.match_info["id"]
    if not _ID.fullmatch(event_id):
        raise Problem(404, f"{event_id[:40]!r} is no event's id.")
    return event_id


async def _recorded(request: web.Request) -> Recorded:
    event_id, history = _id_of(request), _history(request)
    recorded = await _read(request, lambda: history.get(event_id))
    if recorded is None:
        raise _no_event(event_id)
    return recorded


async def _read(request: web.Request, what: Callable[[], T]) -> T:
    try:
        return await request.app[DISK].do(what)
    except OutputError as error:
        raise Problem(503, str(error)) from None


def _no_event(event_id: str) -> Problem:
    return Problem(404, f"There is no event {event_id}; it may have been removed.")


def _answer(values: Any) -> web.Response:
    body = json.dumps(values, allow_nan=False, separators=(",", ":")).encode()
    return web.Response(body=body, content_type="application/json")
