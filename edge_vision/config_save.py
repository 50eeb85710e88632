"""Writing values into a configuration file, whose comments and order stay as they are."""

import io
import os
import shlex
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_vision.config_file import read_text
from edge_vision.config_load import load_config
from edge_vision.errors import ConfigError, OutputError


def save_values(file: Path | None, values: Mapping[str, Mapping[str, Any]]) -> tuple[Path, Path]:
    """Set section -> key -> value in a YAML file; returns the file and the backup of the old one.

    The new file takes the place of the old one in one step, and only once it was read back without
    an error; the old one stays beside it as NAME.bak.
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
        old = read_text(file)
        new = _with_values(old, values)
        mode = file.stat().st_mode & 0o777
        _write(backup, old, mode)
        _write(file, new, mode, check=True)
    except ConfigError as error:
        raise OutputError(f"changed, but not saved: {error}") from None
    except OSError as error:
        folder = shlex.quote(str(file.parent))
        raise OutputError(
            f"changed, but not saved: {file.parent} cannot be written to: {error.strerror}; let "
            f"this user's group write there: sudo chgrp {os.getegid()} {folder} && "
            f"sudo chmod g+w {folder}"
        ) from None
    return file, backup


def _with_values(text: str, values: Mapping[str, Mapping[str, Any]]) -> str:
    from ruamel.yaml import YAML  # not needed by a run that saves nothing
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000  # a long line is never broken
    try:
        document = yaml.load(text)
    except YAMLError as error:
        raise ConfigError(f"the file cannot be read: {error}") from None
    if document is None:
        document = yaml.map()
    for section, wanted in values.items():
        if not isinstance(document.get(section), dict):
            document[section] = yaml.map()
        for key, value in wanted.items():
            document[section][key] = value
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _write(file: Path, text: str, mode: int, *, check: bool = False) -> None:
    """Replace a file in one step; check: only if it can be read as a configuration."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if check:
            load_config(Path(name))
        os.chmod(name, mode)
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
