"""Configurations of older versions: their keys get today's names, in memory."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from edge_vision.errors import ConfigError

log = logging.getLogger(__name__)

KeyPath = tuple[str | int, ...]

RENAMED: Sequence[Mapping[str, str]] = ()
"""For each version but the newest, from 1 on: "section.key" -> its name in the version after it."""

NEWEST = len(RENAMED) + 1
"""The version that this program writes and knows."""


def migrate(
    values: dict[str, Any],
    places: dict[KeyPath, str],
    renamed: Sequence[Mapping[str, str]] = RENAMED,
) -> list[str]:
    """Rename the keys of an older version, in place, with one warning in the log for each.

    values: section -> key -> value; without `version` they count as version 1.  places: where each
    key stands, for messages.  Returns a sentence for each key that stands there under both names.
    Raises ConfigError for a version newer than this program.
    """
    version, newest = values.get("version", 1), len(renamed) + 1
    if type(version) is not int or version < 1:
        return []  # the validation tells
    if version > newest:
        raise ConfigError(
            f"{places.get(('version',), 'configuration')}: version {version} is of a newer "
            f"edge-vision; this one knows versions up to {newest}: update edge-vision, or use the "
            "configuration that came with this one"
        )
    errors = []
    for step in range(version, newest):
        for old, new in renamed[step - 1].items():
            errors += _rename(values, places, tuple(old.split(".")), tuple(new.split(".")))
    if "version" in values:
        values["version"] = newest
    return errors


def _rename(
    values: dict[str, Any],
    places: dict[KeyPath, str],
    old: tuple[str, ...],
    new: tuple[str, ...],
) -> list[str]:
    home = _section(values, old[:-1])
    if home is None or old[-1] not in home:
        return []
    old_name, new_name = ".".join(old), ".".join(new)
    said = f"{places.get(old, 'configuration')}: {old_name} is called {new_name} now"
    target = _section(values, new[:-1], make=True)
    if target is None or new[-1] in target:
        return [f"{said}, which stands here as well; delete one of the two"]
    log.warning("%s; write that instead", said)
    target[new[-1]] = home.pop(old[-1])
    for path in [path for path in places if path[: len(old)] == old]:
        places[(*new, *path[len(old) :])] = places.pop(path)
    return []


def _section(
    values: dict[str, Any], names: tuple[str, ...], *, make: bool = False
) -> dict[str, Any] | None:
    """The section of this name; None where there is none, or where a plain value stands."""
    section = values
    for name in names:
        inner = section.setdefault(name, {}) if make else section.get(name)
        if not isinstance(inner, dict):
            return None
        section = inner
    return section
