"""Changing a configuration while the program runs: what can be, and what needs a restart."""

from dataclasses import dataclass
from typing import Any

from edge_vision.config import Config

_DETECTOR = frozenset(
    """size input_hw_px threads delegate delegate_options fallback_file
    min_score nms_iou max_detections classes""".split()  # noqa: SIM905
)
"""Keys of `model` that another detector for the same classes takes care of."""
_ANY_TIME = ("log", "governor", "power", "watch")
"""Sections that are looked at again and again."""
_IN_THE_FILE_ONLY = frozenset(
    """model.deadline_s model.delegate model.delegate_options model.fallback_file model.input_hw_px
    overlay.font overlay.renderer overlay.sprites""".split()  # noqa: SIM905
)
"""Keys that name files or code, can ask for more memory than any board has, or end the program:
whoever may only use the page or the API must not set them."""


@dataclass(frozen=True, slots=True)
class Change:
    """The way from one configuration to another.

    config: the new one as far as it can be had now.  detector, overlay: what must be made anew.
    changed: keys that take effect; restart: keys that do not until the program is started again.
    """

    config: Config
    detector: bool
    overlay: bool
    changed: tuple[str, ...]
    restart: tuple[str, ...]


def change_of(old: Config, new: Config) -> Change:
    """What differs between two configurations, sorted by what can be done about it."""
    before, after = (config.model_dump(exclude={"version"}) for config in (old, new))
    merged: dict[str, Any] = {name: dict(section) for name, section in before.items()}
    changed: list[str] = []
    restart: list[str] = []
    for section, values in after.items():
        for key, value in values.items():
            if value == before[section][key]:
                continue
            if _live(section, key):
                merged[section][key] = value
                changed.append(f"{section}.{key}")
            else:
                restart.append(f"{section}.{key}")
    return Change(
        Config.model_validate(merged),
        any(key.removeprefix("model.") in _DETECTOR for key in changed if "model." in key),
        any(key.startswith("overlay.") for key in changed),
        tuple(changed),
        tuple(restart),
    )


def _live(section: str, key: str) -> bool:
    if section == "model":
        return key in _DETECTOR or key == "deadline_s"
    return section in _ANY_TIME or (section == "overlay" and key != "timing")


def offered(section: str, key: str) -> bool:
    """Whether a key can be changed while running, and from outside: by the page or the API."""
    return _live(section, key) and f"{section}.{key}" not in _IN_THE_FILE_ONLY


def live_values(config: Config) -> dict[str, dict[str, Any]]:
    """Section -> key -> value of what is `offered`, as plain values."""
    plain = config.model_dump(mode="json", exclude={"version"})
    return {
        section: live
        for section, values in plain.items()
        if (live := {key: value for key, value in values.items() if offered(section, key)})
    }
