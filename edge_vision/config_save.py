"""Writing values into a configuration file, whose comments, order and quotes stay as they are.

How: config_text.py.
"""

import os
import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_vision.config import Config
from edge_vision.config_load import load_config, parse_config
from edge_vision.config_text import KeyNames, UnknownLayoutError, set_value
from edge_vision.config_watch import RuleConfig
from edge_vision.errors import ConfigError, OutputError
from edge_vision.whole_file import whole_file

_RULES = ("watch", "rules")


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
            brief = [_brief(rule) for rule in value] if path == _RULES else value
            new = set_value(new, path, brief)
        _write(backup, old, like=file)
        _write(file, new, like=file, wanted=wanted)
    except UnknownLayoutError:
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
    with whole_file(file, 0o600) as out:
        out.write(text.encode("utf-8"))
        out.flush()
        if wanted is not None and not _says(Path(out.name), wanted):
            raise UnknownLayoutError
        found = like.stat()
        with suppress(PermissionError):  # another user's file, or a group that is not this user's
            os.fchown(out.fileno(), -1, found.st_gid)
        os.fchmod(out.fileno(), found.st_mode & 0o777)


def _says(file: Path, wanted: Config) -> bool:
    try:
        return load_config(file) == wanted
    except ConfigError:
        return False


def _brief(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as people write it: without what it has by default."""
    fields = RuleConfig.model_fields
    return {name: value for name, value in rule.items() if value != fields[name].default}
