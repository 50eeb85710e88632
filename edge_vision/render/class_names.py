"""From the names of classes in the configuration to the ids of the model in use."""

import difflib
from collections.abc import Mapping

from edge_vision.errors import ConfigError


def class_ids(key: str, name: str, labels: Mapping[int, str]) -> frozenset[int]:
    """The ids of the class that a configuration names.

    key: where it stands, for the message ("overlay.blur").  labels: class id -> label.
    Raises ConfigError when no class has this label; it lists those that are spelled alike, or all.
    """
    found = frozenset(class_id for class_id, label in labels.items() if label == name)
    if found:
        return found
    known = list(dict.fromkeys(labels.values()))
    near = difflib.get_close_matches(name, known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it knows: {', '.join(known)}"
    raise ConfigError(f"{key} names {name}, which this model does not know; {hint}")
