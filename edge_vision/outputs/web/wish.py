"""What a PATCH of /api/config may hold, and what it leads to."""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Literal, NoReturn, get_args, get_origin

from edge_vision.config import Config
from edge_vision.control import Changed, Control
from edge_vision.errors import EdgeVisionError, OutputError, ShutdownError
from edge_vision.outputs.web.problem import Problem

_PATIENCE_S = 20.0
"""For the main thread, which may be building a detector for somebody else."""
_DEEPEST = 8
_FLAGS = {"true": True, "false": False}
_DEFAULTS = Config()

Wish = dict[str, dict[str, Any]]


def wish_of(body: bytes) -> Wish:
    """Section -> key -> value.  Raises Problem 400 for no JSON, 422 for another form of it."""
    try:
        values = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {_said(error)}.") from None
    if not isinstance(values, dict):
        raise _refused([f"found {_kind(values)}; expected an object of sections"])
    errors = [
        f"{section} is {_kind(wanted)}; expected an object of its keys"
        for section, wanted in values.items()
        if not isinstance(wanted, dict)
    ]
    if errors:
        raise _refused(errors)
    if _too_deep(values, _DEEPEST):
        raise _refused(["the values are nested too deeply; see config.yaml for the keys"])
    return values


def choices_of(values: Wish) -> dict[str, list[str]]:
    """ "section.key" -> its words, for those of the keys that may only have one of a few."""
    found: dict[str, list[str]] = {}
    for section, keys in values.items():
        fields = type(getattr(_DEFAULTS, section)).model_fields
        for key in keys:
            kind = fields[key].annotation
            if get_origin(kind) is Literal:
                found[f"{section}.{key}"] = list(get_args(kind))
    return found


def save_of(query: Mapping[str, str]) -> bool:
    """Whether to save as well.  Raises Problem 400 for anything but ?save=true or false."""
    text = query.get("save", "false")
    if text not in _FLAGS:
        raise Problem(400, f"save is {text[:40]!r}; expected true or false")
    return _FLAGS[text]


async def granted(control: Control, wish: Wish, *, save: bool) -> Changed:
    """What was changed.  Raises Problem 422 for what cannot be, 409 when it was not saved, 503."""
    asked: Future[Changed] = control.ask(wish, save=save)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(asked), _PATIENCE_S)
    except TimeoutError:
        raise Problem(
            503,
            f"The program did not come to it within {_PATIENCE_S:g} s; look at /api/config for "
            "what holds, and try again.",
            headers={"Retry-After": "10"},
        ) from None
    except ShutdownError as error:
        raise Problem(503, str(error)) from None
    except OutputError as error:
        raise Problem(409, str(error)) from None
    except EdgeVisionError as error:
        raise _refused(str(error).splitlines()) from None


def _refused(errors: list[str]) -> Problem:
    return Problem(422, "; ".join(errors), errors=errors)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON's")


def _said(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]


def _kind(value: Any) -> str:
    names = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _too_deep(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return bool(inner) and (levels == 0 or any(_too_deep(item, levels - 1) for item in inner))
