"""YAML and `--set` to a Config: every error at once, with its line and what is allowed."""

import copy
import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge_vision.config import Config
from edge_vision.config_file import read_text
from edge_vision.config_keys import key_path, known, suggest
from edge_vision.config_version import KeyPath, migrate
from edge_vision.errors import ConfigError

_WORDS = {
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "string_type": "expected text (put it in quotes)",
    "list_type": "expected a list, [like, this]",
    "tuple_type": "expected a list, [like, this]",
    "finite_number": "expected a finite number",
    # Every list of fixed length is a pair.
    "missing": "expected two values",
    "too_long": "expected two values",
}

_NO_VALUE = (yaml.YAMLError, ValueError, LookupError, AttributeError, OverflowError, TypeError)
"""What PyYAML raises on text that looks like a date, a number or a `!tag` and is none."""
_DEEPEST = 8
_MOST_VALUES = 100_000
"""More can only be aliases that multiply."""


@dataclass(slots=True)
class _Source:
    """Plain values read so far, where each stands, and what was wrong with the text itself."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def load_config(file: Path | None, settings: Sequence[str] = ()) -> Config:
    """Read a YAML file (None: defaults only), lay `section.key=value` settings over it, validate.

    A file of an older version is understood, with a warning for each key that has another name now.
    Raises ConfigError with one line per error found, each with file:line or `--set`.
    """
    source = _Source()
    if file is not None:
        _read_file(file, source)
    for setting in settings:
        _read_setting(setting, source)
    return _validate(source)


def parse_config(values: Mapping[str, Any]) -> Config:
    """A Config from plain values: section -> key -> value.  Raises ConfigError."""
    return _validate(_Source(copy.deepcopy(dict(values))))


def _validate(source: _Source) -> Config:
    errors = source.errors + migrate(source.values, source.places)
    try:
        # Through JSON: strict types (no "3" for 3), while YAML's lists may become tuples.
        config = Config.model_validate_json(json.dumps(source.values, default=str))
    except ValidationError as error:
        errors += _sentences(error.errors(), source.places)
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        raise ConfigError("\n".join([f"the configuration has {count}:", *errors]))
    return config


def _read_file(file: Path, source: _Source) -> None:
    text = read_text(file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise ConfigError(f"{file}: nested too deeply; see config.yaml for the keys") from None
    except _NO_VALUE as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{file}{line}: this is not YAML: {problem}") from None
    if node is None or node.value == "":  # nothing, or nothing but "---"
        return
    if not isinstance(node, yaml.MappingNode):
        found = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        raise ConfigError(f"{file}:1: expected sections such as 'camera:', found {found}")
    source.values = _plain(node, (), file, source)


def _plain(node: yaml.Node, path: KeyPath, file: Path, source: _Source) -> Any:
    """A YAML node as plain values, noting the line of every key; keys are always text."""
    source.places.setdefault(path, f"{file}:{node.start_mark.line + 1}")
    # An alias that holds itself comes to this too.
    if len(path) > _DEEPEST or len(source.places) > _MOST_VALUES:
        raise ConfigError(
            f"{source.places[path]}: nested too deeply, or repeated too often by aliases; "
            "see config.yaml for the keys"
        )
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)  # text as written: "null" is the name of an output
            place = f"{file}:{key_node.start_mark.line + 1}"
            where = source.places.get((*path, key))
            if where is not None:
                source.errors.append(
                    f"{place}: {_dotted((*path, key))} stands here a second time (first at {where})"
                )
            source.places[(*path, key)] = place
            plain = isinstance(value_node, yaml.ScalarNode) and value_node.style is None
            if plain and not value_node.value.strip() and known((*path, key)):
                continue  # "camera:" with nothing below it: everything at its default
            values[key] = _plain(value_node, (*path, key), file, source)
        return values
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), file, source) for i, item in enumerate(node.value)]
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except _NO_VALUE:
        return str(node.value)
    return value if _is_json(value) else str(node.value)


def _read_setting(setting: str, source: _Source) -> None:
    key, equals, text = setting.partition("=")
    names = tuple(key.strip().split("."))
    if not equals or not 2 <= len(names) <= _DEEPEST or not all(names):
        source.errors.append(
            f"--set {_without_password(setting)}: expected section.key=value, for example "
            "model.size=small"
        )
        return
    target = source.values
    for name in names[:-1]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner
    target[names[-1]] = _value(text)
    here = f"--set {key.strip()}"
    # What the file said below this key is gone, and so are its lines.
    source.places = {p: at for p, at in source.places.items() if p[: len(names)] != names}
    source.places[names] = here
    for depth in range(1, len(names)):
        source.places.setdefault(names[:depth], here)


def _value(text: str) -> Any:
    """What follows a `key=`: YAML on one line, or the text itself where that is no plain value."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style  # "-", "a: b"
        is_comment = node is None and text.strip() != ""  # "#1"
        value = text if is_block or is_comment else yaml.safe_load(text)
        return value if _is_json(value) else text
    except (*_NO_VALUE, RecursionError):
        return text


def _is_json(value: Any) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= 64  # Python refuses to write out monstrous ones
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_json(v) for k, v in value.items())
    return isinstance(value, str | float | None)


def _sentences(errors: Sequence[ErrorDetails], places: dict[KeyPath, str]) -> list[str]:
    """One sentence per key: a key of several allowed kinds fails once for each, told once."""
    found: dict[KeyPath, list[ErrorDetails]] = {}
    for error in errors:
        loc = error["loc"]
        if error["type"] == "missing" and isinstance(loc[-1], int):  # of a pair
            loc = loc[:-1]
        found.setdefault(key_path(loc), []).append(error)
    lines = []
    for path, group in found.items():
        sentence = _sentence(path, group)
        # What a section says of two keys together begins with one of them.
        words = sentence.split(" ", 1)[0].split(".")
        named = tuple(int(word) if word.isdecimal() else word for word in words)
        keys = [named, *(path[:n] for n in range(len(path), -1, -1))]
        place = next((places[key] for key in keys if key in places), "configuration")
        lines.append(f"{place}: {sentence}")
    return lines


def _sentence(path: KeyPath, group: Sequence[ErrorDetails]) -> str:
    first = group[0]
    name = _dotted(path)
    if first["type"] == "json_invalid":
        return "a value is no proper Unicode text, or nested too deeply"
    if first["type"] == "missing" and isinstance(first["loc"][-1], str):
        return f"{name} is missing; expected a value for it"
    if first["type"] == "extra_forbidden":
        return f"unknown key {name}{suggest(path)}"
    if first["type"] == "value_error":
        message = str(first["ctx"]["error"])
        return message if not path or message.startswith(name) else f"{name}: {message}"
    if first["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"{name} is {_show(first['input'])}; expected a section with keys below it"
    kinds = [_wanted(error).removeprefix("expected ") for error in group]
    wanted = "expected " + " or ".join(dict.fromkeys(kinds))
    allowed = _literals(group)
    near = ""
    if allowed and isinstance(first["input"], str):
        match = difflib.get_close_matches(first["input"], allowed, 1)
        near = f"; did you mean {match[0]}?" if match else ""
    return f"{name} is {_show(first['input'])}; {wanted}{near}"


def _wanted(error: ErrorDetails) -> str:
    words = error["msg"].replace("Input should be", "expected").replace("JSON ", "")
    words = words.replace("String should match pattern", "expected text of the form")
    return _WORDS.get(error["type"], words)


def _literals(group: Sequence[ErrorDetails]) -> list[str]:
    texts = [e["ctx"]["expected"] for e in group if e["type"] == "literal_error"]
    return [w.strip("' ") for t in texts for w in t.replace(" or ", ",").split(",")]


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path) or "the file"


def _without_password(text: str) -> str:
    """URLs in it lose what stands between // and @."""
    return re.sub(r"(?<=://)[^\s\"]*@", "", text)


def _show(value: Any) -> str:
    text = _without_password(json.dumps(value))
    return text if len(text) <= 60 else text[:57] + "..."
