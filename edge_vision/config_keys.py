"""Which keys the configuration has, and where in the file an error's key stands."""

import difflib
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from edge_vision.config import Config
from edge_vision.config_base import Section
from edge_vision.config_version import KeyPath


def key_path(loc: tuple[str | int, ...]) -> KeyPath:
    """The part of pydantic's location that stands in the file (without its names of union arms)."""
    path: list[str | int] = []
    kind: Any = Config
    for part in loc:
        section = _section(kind)
        if section is not None:
            field = section.model_fields.get(str(part))
            kind = field.annotation if field is not None else None
        elif get_origin(kind) is dict and part != "[key]":
            kind = get_args(kind)[1]
        elif isinstance(part, int):
            kind = _item(kind)
        else:
            break
        path.append(part)
    return tuple(path)


def known(path: KeyPath) -> bool:
    """Whether the configuration has such a key."""
    section = section_at(path[:-1])
    return section is not None and path[-1] in section.model_fields


def suggest(path: KeyPath) -> str:
    """What may have been meant by an unknown key, or what there is, as the end of a sentence."""
    section, key = section_at(path[:-1]) or Config, str(path[-1])
    match = difflib.get_close_matches(key, section.model_fields, 1)
    if match:
        return f"; did you mean {match[0]}?"
    if section is Config:
        for home in Config.model_fields:
            if key in getattr(section_at((home,)), "model_fields", {}):
                return f"; did you mean {home}.{key}?"
    return f"; known here: {', '.join(section.model_fields)}"


def section_at(path: KeyPath) -> type[BaseModel] | None:
    """The section at a path; None where something else is, or nothing."""
    kind: Any = Config
    for part in path:
        section = _section(kind)
        if section is None:
            kind = _item(kind) if isinstance(part, int) else None
        else:
            field = section.model_fields.get(str(part))
            kind = field.annotation if field is not None else None
    return _section(kind)


def _section(kind: Any) -> type[BaseModel] | None:
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _item(kind: Any) -> Any:
    """What the items of a list are; None where that is not told."""
    if get_origin(kind) is not list:
        lists = [arm for arm in get_args(kind) if get_origin(arm) is list]
        kind = lists[0] if lists else NoneType
    return next(iter(get_args(kind)), None)
