"""Tables "name -> module:Class": a part is imported when it is chosen, not before."""

import importlib
from collections.abc import Mapping
from typing import Any

from edge_vision.errors import ConfigError


def load(table: Mapping[str, str], name: str, what: str) -> Any:
    """Import and return the object that `table` names; ConfigError lists the names there are.

    table: name -> "module:attribute".  what: the kind of part, for the message ("camera").
    """
    try:
        module_name, attribute = table[name].split(":")
    except KeyError:
        known = ", ".join(sorted(table))
        raise ConfigError(f"there is no {what} named {name!r}; there are: {known}") from None
    return getattr(importlib.import_module(module_name), attribute)
