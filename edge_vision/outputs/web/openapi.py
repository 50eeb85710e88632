"""/openapi.json: what can be asked and what is answered, from the types that answer; 3.1."""

import functools
import json
from typing import Any

from pydantic import TypeAdapter

from edge_vision import __version__
from edge_vision.config import Config
from edge_vision.outputs.web import shapes
from edge_vision.outputs.web.passwords import LONGEST
from edge_vision.outputs.web.past import ID, KINDS, LIMIT, LONGEST_VALUE
from edge_vision.outputs.web.streams import FPS, SCALE

Json = dict[str, Any]

_SHAPES = (
    shapes.State,
    shapes.SceneShape,
    shapes.RecentShape,
    shapes.ConfigShape,
    shapes.ChangedShape,
    shapes.ModelsShape,
    shapes.PassedShape,
    shapes.HistoryShape,
    shapes.RecordedShape,
    shapes.HealthShape,
    shapes.SessionShape,
    shapes.ProblemShape,
)
_WORDS = {
    400: "A value in the address or the body cannot be read.",
    401: "A login is needed, or the password was wrong.",
    403: "A page of another site asks, or there is no password to log in with.",
    404: "There is no such file, no such event, or no log of events (see events.enabled).",
    409: "The change is in effect, but could not be saved.",
    413: "The body is too large.",
    416: "The file has nothing of this range.",
    415: "The body is not sent as JSON.",
    421: "The Host header names no host of this board.",
    422: "What is asked for cannot be; the sentences say why.",
    429: "Too many tries; see Retry-After.",
    431: "The headers are too large.",
    503: "Not now: too many ask, no picture comes, a disk fails, or the program is ending.",
}
_HERE = "#/components/schemas/"
_ANY = (401, 403, 421, 431, 503)
"""What stands before every handler answers these."""
_SENT = (400, 413, 415, 422, *_ANY)


@functools.cache
def document(keys: tuple[str, ...]) -> bytes:
    """The document as JSON.  keys: what PATCH /api/config takes, as "section.key"."""
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "edge-vision",
                "version": __version__,
                "description": "Live object detection.  Without a password or token file in the "
                "configuration nobody has to log in.  Browsers log in with /api/login and get a "
                "session's cookie; programs send a bearer token.",
            },
            "servers": [{"url": "/"}],
            "security": [{}, {"token": []}],
            "paths": {**_pages(), **_streams(), **_logins(), **_api(keys), **_past(), **_watch()},
            "components": {
                "schemas": _schemas(keys),
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }
    ).encode()


def _schemas(keys: tuple[str, ...]) -> Json:
    """Of every shape, and those that they consist of; an answer holds nothing else."""
    given: list[Any] = [(kind, "serialization", TypeAdapter(kind)) for kind in _SHAPES]
    _, found = TypeAdapter.json_schemas(given, ref_template=_HERE + "{model}")
    schemas: Json = found["$defs"] | _nested(keys)
    for name, schema in schemas.items():
        if "properties" in schema and name != "ProblemShape":
            schema["additionalProperties"] = False
    return schemas


def _get(said: str, answer: Json, *more: int, query: list[Json] | None = None) -> Json:
    operation = _operation(said, {"200": answer}, (*_ANY, *more))
    if query:
        operation["parameters"] = query
    return {"get": operation}


def _operation(
    said: str, answers: Json, problems: tuple[int, ...], body: Json | None = None
) -> Json:
    refused = {
        str(status): _content(_WORDS[status], "application/problem+json", _ref(shapes.ProblemShape))
        for status in sorted(problems)
    }
    operation: Json = {"summary": said, "responses": {**answers, **refused}}
    if body is not None:
        content = {"application/json": {"schema": body}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _content(said: str, kind: str, schema: Json) -> Json:
    return {"description": said, "content": {kind: {"schema": schema}}}


def _json(said: str, shape: type) -> Json:
    return _content(said, "application/json", _ref(shape))


def _ref(shape: type) -> Json:
    return {"$ref": _HERE + shape.__name__}


def _query(name: str, schema: Json, said: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": said}


def _range(limits: tuple[float, float]) -> Json:
    return {"type": "number", "minimum": limits[0], "maximum": limits[1]}


_TEXT: Json = {"type": "string"}
_FLAG: Json = {"type": "string", "enum": ["0", "1"]}


def _pages() -> Json:
    name = {"name": "name", "in": "path", "required": True, "schema": _TEXT}
    kinds = ("text/css", "text/javascript", "image/svg+xml")
    file = {"description": "The file.", "content": {kind: {"schema": _TEXT} for kind in kinds}}
    static = _get("A file of the page.", file, 404)
    static["get"]["parameters"] = [name]
    login = _content("HTML.", "text/html", _TEXT)
    page = _get("The page.", login)
    page["get"]["responses"]["303"] = {"description": "To /login, for a browser."}
    log = _get("What happened, as a page.", login)
    log["get"]["responses"]["303"] = page["get"]["responses"]["303"]
    pages = {"/": page, "/history": log}
    return {**pages, "/login": _get("The page to log in.", login), "/static/{name}": static}


def _streams() -> Json:
    overlay = _query("overlay", _FLAG, "0: the picture without overlay")
    scale = _query("scale", _range(SCALE), "width and height, as a share of the picture's")
    fps = _query("fps", _range(FPS), "most pictures a second")
    objects = _query("objects", _FLAG, "1: X-Objects says where each object is, a JSON list")
    stream = _content(
        "JPEG after JPEG, each with its boundary behind it.  Headers of a part: X-Seq (the frame's "
        "number; -1: there is no camera), X-Scene-Seq, X-Exposed-Ns, X-Stamps (JSON: ms since "
        "exposure).",
        "multipart/x-mixed-replace",
        _TEXT,
    )
    picture = _content("A fresh picture.", "image/jpeg", _TEXT)
    return {
        "/stream.mjpg": _get(
            "The live picture.", stream, 400, query=[overlay, fps, scale, objects]
        ),
        "/snapshot.jpg": _get("One picture.", picture, 400, query=[overlay, scale]),
    }


def _logins() -> Json:
    password = {
        "type": "object",
        "properties": {"password": {"type": "string", "maxLength": LONGEST}},
        "required": ["password"],
        "additionalProperties": False,
    }
    done = {"204": {"description": "Done; the cookie comes or goes with it."}}
    return {
        "/api/session": _get(
            "Who is asking?", _json("Whether a login is needed.", shapes.SessionShape)
        ),
        "/api/login": {"post": _operation("Log in.", done, (*_SENT, 429), password)},
        "/api/logout": {"post": _operation("Log out.", done, (413, 415, *_ANY))},
    }


def _api(keys: tuple[str, ...]) -> Json:
    events = _content(
        "One event `scene` for each scene: the frame's number as id, and data as in /api/scene.  "
        "One event `happening` when something that a rule is about begins, and one when it ends: "
        "data as in /api/history/{id}, without what is kept of it (thumbnail and so on).",
        "text/event-stream",
        _TEXT,
    )
    change = _operation(
        "Change what can be while running: all of it or nothing.",
        {"200": _json("What holds now.", shapes.ChangedShape)},
        (*_SENT, 409),
        _wish_schema(keys),
    )
    save = {"type": "string", "enum": ["true", "false"]}
    change["parameters"] = [_query("save", save, "true: write it to the configuration file too")]
    config = _get("What can be changed while running.", _json("The values.", shapes.ConfigShape))
    return {
        "/api/state": _get("The run in figures.", _json("Now.", shapes.State)),
        "/api/scene": _get("What was seen last.", _json("The newest scene.", shapes.SceneShape)),
        "/api/events": _get("Every scene, and what happens, as it comes.", events),
        "/api/recent": _get(
            "The last ten minutes.", _json("Objects by class.", shapes.RecentShape)
        ),
        "/api/config": {**config, "patch": change},
        "/api/models": _get("What could run.", _json("All models known.", shapes.ModelsShape)),
    }


def _past() -> Json:
    text = {"type": "string", "maxLength": LONGEST_VALUE}
    moment = {"type": "string", "examples": ["1763812800", "2026-11-22", "2026-11-22T18:00"]}
    event_id = {"type": "string", "pattern": f"^{ID}$"}
    limit = {"type": "integer", "minimum": LIMIT[0], "maximum": LIMIT[1]}
    query = [
        _query("since", moment, "Unix seconds or ISO 8601: begun then or later"),
        _query("until", moment, "begun before then"),
        _query("kind", {"type": "string", "enum": list(KINDS)}, "what happened"),
        _query("rule", text, "its rule"),
        _query("label", text, "class of the object"),
        _query("place", text, "zone or line of the rule, or a zone the object was in"),
        _query("node", text, "name of the board"),
        _query("before", event_id, "events older than this one, for the next page"),
        _query("limit", limit, "at most so many"),
    ]
    found = _json("The newest first.", shapes.HistoryShape)
    one = _get("One event.", _json("It.", shapes.RecordedShape), 404)
    removed = {"204": {"description": "It is gone, with what only it had."}}
    paths = {
        "/api/counts": _get(
            "What passed lines, and is in zones.", _json("Counted.", shapes.PassedShape)
        ),
        "/api/history": _get("Events.", found, 400, 404, query=query),
        "/api/history/{id}": {
            **one,
            "delete": _operation("Remove it.", removed, (404, 413, 415, *_ANY)),
        },
        "/api/history/{id}/clip.mp4": _file("Its clip.", "video/mp4"),
        "/api/history/{id}/thumbnail.jpg": _file("Its picture, small.", "image/jpeg"),
        "/api/history/{id}/snapshot.jpg": _file("Its picture.", "image/jpeg"),
    }
    place = {"name": "id", "in": "path", "required": True, "schema": event_id}
    for path, item in paths.items():
        for operation in item.values() if "{id}" in path else ():
            operation.setdefault("parameters", []).append(place)
    return paths


def _file(said: str, kind: str) -> Json:
    download = _query("download", _FLAG, "1: for a browser to keep, instead of to show")
    item = _get(said, _content("The file.", kind, _TEXT), 400, 404, 416, query=[download])
    answers = item["get"]["responses"]
    answers["206"] = _content("The range asked for by Range.", kind, _TEXT)
    answers["304"] = {"description": "What the browser has is still right."}
    return item


def _watch() -> Json:
    own = {"type": "object"}
    return {
        "/healthz": _get("Do frames and results advance?", _json("They do.", shapes.HealthShape)),
        "/metrics": _get("For Prometheus.", _content("Its text format.", "text/plain", _TEXT)),
        "/openapi.json": _get("This document.", _content("It.", "application/json", own)),
    }


def _wish_schema(keys: tuple[str, ...]) -> Json:
    """The configuration's own schema, of these keys."""
    whole = _whole()
    sections: Json = {}
    for name in keys:
        section, key = name.split(".")
        home = getattr(Config.model_fields[section].annotation, "__name__", "")
        inner = sections.setdefault(
            section, {"type": "object", "properties": {}, "additionalProperties": False}
        )
        schema: Json = whole["$defs"][home]["properties"][key]
        # What is not sent stays as it is: there is no default.
        inner["properties"][key] = {
            k: v for k, v in schema.items() if k not in ("default", "title")
        }
    return {"type": "object", "properties": sections, "additionalProperties": False}


def _nested(keys: tuple[str, ...]) -> Json:
    """What the schema of these keys consists of, by name."""
    known: Json = _whole()["$defs"]
    wish = json.dumps(_wish_schema(keys))
    return {name: schema for name, schema in known.items() if f'"{_HERE}{name}"' in wish}


def _whole() -> Json:
    return Config.model_json_schema(ref_template=_HERE + "{model}")
