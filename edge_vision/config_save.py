"""Writing values into a configuration file, whose comments, order and quotes stay as they are.

The text is changed where a value stands and nowhere else: what a YAML writer would lay out anew,
such as the columns of comments or the spaces in a list, is its owner's.
"""

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from edge_vision.config import Config
from edge_vision.config_load import load_config, parse_config
from edge_vision.errors import ConfigError, OutputError

KeyNames = tuple[str, ...]
"""Names of sections, and last that of a key."""
Pair = tuple[yaml.Node, yaml.Node]


def save_values(file: Path | None, values: Mapping[KeyNames, Any]) -> tuple[Path, Path]:
    """Set values in a YAML file; returns the file and the backup of the old one.

    values: for example {("overlay", "style"): "hud"}, or {("zones",): [...]}, plain values.
    The new file takes the place of the old one in one step, once it was read back and says what it
    should, and nothing else; the old one stays beside it as NAME.bak.
    Raises OutputError, and then the file is as it was.
    """
    if file is None or file.name == "_config.yaml":
        raise OutputError(
            "changed, but not saved: this run has no configuration file of its own; start it with "
            "-c FILE to save changes"
        )
    file = file.resolve()
    backup = file.with_name(file.name + ".bak")
    try:
        wanted = _with_values(load_config(file), values)
        old = file.read_bytes().decode("utf-8")
        new = old
        for path, value in values.items():
            new = _set(new, path, value)
        _write(backup, old, like=file)
        _write(file, new, like=file, wanted=wanted)
    except _UnknownLayoutError:
        keys = ", ".join(".".join(path) for path in values)
        raise OutputError(
            f"changed, but not saved: {file} is laid out in a way that only its writer can change; "
            f"write the new values of {keys} there"
        ) from None
    except ConfigError as error:
        raise OutputError(f"changed, but not saved: {error}") from None
    except OSError as error:
        raise OutputError(f"changed, but not saved: {_failed(file, error)}") from None
    return file, backup


class _UnknownLayoutError(Exception):
    """The text cannot be changed at one place."""


def _with_values(config: Config, values: Mapping[KeyNames, Any]) -> Config:
    plain = config.model_dump(mode="json")
    for path, value in values.items():
        section = plain
        for name in path[:-1]:
            section = section[name]
        section[path[-1]] = value
    return parse_config(plain)


def _failed(file: Path, error: OSError) -> str:
    if not isinstance(error, PermissionError):
        return f"{file} cannot be written: {error.strerror}"
    if os.access(file.parent, os.W_OK):  # where only a file's owner may replace it (sticky)
        return (
            f"{file} belongs to another user; let this one replace it: "
            f"sudo chown {os.geteuid()} {shlex.quote(str(file))}"
        )
    folder = shlex.quote(str(file.parent))
    return (
        f"{file.parent} cannot be written to: {error.strerror}; let this user's group write there: "
        f"sudo chgrp {os.getegid()} {folder} && sudo chmod g+w {folder}"
    )


def _write(file: Path, text: str, *, like: Path, wanted: Config | None = None) -> None:
    """Replace a file in one step; wanted: only if this is what it says."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode("utf-8"))
            out.flush()
            os.fsync(out.fileno())
        if wanted is not None and not _says(Path(name), wanted):
            raise _UnknownLayoutError
        found = like.stat()
        with suppress(PermissionError):  # another user's file, or a group that is not this user's
            os.chown(name, -1, found.st_gid)
        os.chmod(name, found.st_mode & 0o777)
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _says(file: Path, wanted: Config) -> bool:
    try:
        return load_config(file) == wanted
    except ConfigError:
        return False


def _set(text: str, path: KeyNames, value: Any) -> str:
    """The text with the value at this path, put in where there is none."""
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    key: yaml.Node | None = None
    for depth, name in enumerate(path):
        pairs: Sequence[Pair] = node.value if isinstance(node, yaml.MappingNode) else ()
        pair = next((pair for pair in pairs if pair[0].value == name), None)
        if pair is None:
            return _put_in(text, key, node, path[depth:], value)
        key, node = pair
    assert key is not None
    assert node is not None
    return _replaced(text, key, node, value)


def _replaced(text: str, key: yaml.Node, node: yaml.Node, value: Any) -> str:
    start, end = node.start_mark.index, _end(text, node)
    if start < key.end_mark.index:
        raise _UnknownLayoutError  # an alias: the value stands elsewhere
    written = _written(value, getattr(node, "style", None))
    between, after = text[key.end_mark.index : start], text[end:]
    if "\n" in between:  # the value began on a line of its own: it goes up to its key
        comment = between.split("\n", 1)[0].partition(":")[2].rstrip()
        return text[: key.end_mark.index] + ": " + written + comment + after
    if not between.endswith(" "):
        between += " "
    gap = re.match(" +(?=#)", after)
    if gap is not None and "\n" not in text[start:end]:  # it stays in its column
        room = end - start + len(gap[0])
        written, after = written.ljust(room - 2) + "  ", after[len(gap[0]) :]
    return text[: key.end_mark.index] + between + written + after


def _end(text: str, node: yaml.Node) -> int:
    """Where a value ends: YAML's own mark of a block stands after the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    start, end = node.start_mark.index, node.end_mark.index
    return start + len(text[start:end].rstrip())


def _put_in(
    text: str, key: yaml.Node | None, node: yaml.Node | None, names: KeyNames, value: Any
) -> str:
    """A key that is not there yet, into its section, whose own key is `key` (None: the file)."""
    written = _written(value)
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        at = node.start_mark.index + 1
        inner = ": {".join(names) + f": {written}" + "}" * (len(names) - 1)
        return text[:at] + inner + (", " if node.value else "") + text[at:]
    eol = "\r\n" if "\r\n" in text else "\n"
    if key is None:
        gap = "" if text.endswith("\n") else eol
        return text + gap + _lines(names, written, "", eol)
    if isinstance(node, yaml.MappingNode):
        first = node.value[0][0].start_mark
        at, indent = first.index - first.column, " " * first.column
    else:  # "overlay:" with nothing below it
        at, indent = _next_line(text, key.end_mark.index), " " * (key.start_mark.column + 2)
        if at == len(text) and not text.endswith("\n"):
            text, at = text + eol, at + len(eol)
    return text[:at] + _lines(names, written, indent, eol) + text[at:]


def _next_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _lines(names: Iterable[str], written: str, indent: str, eol: str) -> str:
    *sections, key = names
    lines = [indent + "  " * depth + name + ":" for depth, name in enumerate(sections)]
    lines.append(f"{indent}{'  ' * len(sections)}{key}: {written}")
    return "".join(line + eol for line in lines)


def _written(value: Any, style: str | None = None) -> str:
    """A value as YAML on one line; style: the quotes of the text it replaces, if it had any."""
    quotes = style if isinstance(value, str) and style in ("'", '"') else None
    for way in (quotes, '"' if isinstance(value, str) else None):
        # In a list: what is plain there is plain everywhere.
        listed = yaml.safe_dump(
            [value] if way is None else value,
            default_flow_style=True,
            default_style=way,
            allow_unicode=True,
            sort_keys=False,
            width=float("inf"),
        ).rstrip("\n")
        written = listed[1:-1] if way is None else listed
        if "\n" not in written:
            return written
    raise _UnknownLayoutError  # a list with a text of several lines
