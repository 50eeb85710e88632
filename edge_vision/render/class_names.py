"""From the names of classes in the configuration to the ids of the model in use."""

import difflib
import logging
import re
from collections.abc import Iterable, Mapping

from edge_vision.errors import ConfigError

log = logging.getLogger(__name__)


def class_ids(key: str, name: str, labels: Mapping[int, str]) -> frozenset[int]:
    """The ids of the class that a configuration names.

    key: where it stands, for the message ("overlay.blur").  labels: class id -> label.
    Raises ConfigError when no class has this label; it lists those that are spelled alike, or all.
    """
    found = frozenset(class_id for class_id, label in labels.items() if label == name)
    if found:
        return found
    known = list(dict.fromkeys(labels.values()))
    hint = _meant(name, labels) or f"it knows: {', '.join(known)}"
    raise ConfigError(f"{key} names {name}, which this model does not know; {hint}")


def warn_of_unknown(key: str, names: Iterable[str], labels: Mapping[int, str]) -> None:
    """One warning for all names that are no class of the model, where these do no harm.

    A class without a label is called `class <id>`.
    """
    unknown = set(names) - set(labels.values())
    told = [
        f"{name} ({hint})" if (hint := _meant(name, labels)) else name
        for name in sorted(unknown)
        if not re.fullmatch(r"class \d+", name)
    ]
    if told:
        log.warning("%s names %s, which this model does not know", key, ", ".join(told))


def _meant(name: str, labels: Mapping[int, str]) -> str:
    near = difflib.get_close_matches(name, list(dict.fromkeys(labels.values())), 3)
    return f"did you mean {' or '.join(near)}?" if near else ""
