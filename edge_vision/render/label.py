"""overlay.label filled in for one object."""

import math
import re
import string
from dataclasses import dataclass
from typing import NamedTuple

from edge_vision.config_overlay import OverlayConfig
from edge_vision.errors import ConfigError
from edge_vision.results import Track

_LONGEST = 400
# A box that ends this close to the upper or lower border (share of the height) may be cut off.
_AT_BORDER = 0.004
_FOLLOWED_ONLY = re.compile(r"[^\s{}]*(?<!\{)\{(id|age_s)[^{}]*\}[^\s{}]*")


class Part(NamedTuple):
    """A piece of a label: `label` is the class's name, `figure` may change with every frame."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Field:
    """A piece of the template; source: "{score:.0%}", or plain text where name is None."""

    name: str | None
    source: str


class LabelTemplate:
    """Fills in overlay.label.

    ConfigError where the filled-in template would be longer than 400 characters.
    """

    def __init__(self, config: OverlayConfig) -> None:
        self._fields = _parsed(config.label)
        self._unfollowed = _parsed(_of_unfollowed(config.label))
        self._heights_m = config.heights_m
        self._hfov_rad = math.radians(config.hfov_deg)
        sample: dict[str, object] = {"label": "", "id": 1, "score": 0.5, "age_s": 1.0}
        sample |= {"width_px": 10, "height_px": 10, "distance_m": 1.0}
        length = sum(len(field.source.format(**sample)) for field in self._fields if field.name)
        if length > _LONGEST:
            raise ConfigError(
                f"overlay.label {config.label!r} gives texts of {length} characters; expected "
                f"{_LONGEST} at most: leave out the widths in it"
            )

    def parts(
        self, track: Track, label: str, media_ns: int, width_px: int, height_px: int
    ) -> tuple[Part, ...]:
        """The label's pieces from left to right; none where there is nothing to say.

        width_px, height_px: of the picture.  What nobody follows (id 0) has neither id nor age:
        these are left out, with the signs that touch them.  A distance that is not known is "?".
        """
        fields = self._fields if track.id else self._unfollowed
        values: dict[str, object] = {}
        parts = []
        for field in fields:
            if field.name is None:
                parts.append(Part(field.source, "text"))
                continue
            if not values:
                values = self._values(track, label, media_ns, width_px, height_px)
            if values[field.name] is None:
                parts.append(Part("?", "figure"))
            else:
                kind = "label" if field.name == "label" else "figure"
                parts.append(Part(field.source.format(**values), kind))
        return tuple(part for part in parts if part.text)

    def _values(
        self, track: Track, label: str, media_ns: int, width_px: int, height_px: int
    ) -> dict[str, object]:
        x0, y0, x1, y1 = track.box.tolist()
        return {
            "label": label,
            "id": track.id,
            "score": track.score,
            "age_s": max(0, media_ns - track.first_seen_ns) / 1e9,
            "width_px": round((x1 - x0) * width_px),
            "height_px": round((y1 - y0) * height_px),
            "distance_m": self._distance_m(label, y0, y1, width_px, height_px),
        }

    def _distance_m(
        self, label: str, y0: float, y1: float, width_px: int, height_px: int
    ) -> float | None:
        """Pinhole camera: distance = true height * focal length / height in the picture.

        None for a class without a height in overlay.heights_m, and where the box ends at the upper
        or lower border: there the object may go on.
        """
        height_m = self._heights_m.get(label)
        high_px = (y1 - y0) * height_px
        if height_m is None or high_px < 1 or y0 < _AT_BORDER or y1 > 1 - _AT_BORDER:
            return None
        focal_px = width_px / 2 / math.tan(self._hfov_rad / 2)
        return height_m * focal_px / high_px


def _parsed(template: str) -> list[_Field]:
    fields = []
    for text, name, spec, conversion in string.Formatter().parse(template):
        if text:
            fields.append(_Field(None, text))
        if name is not None:
            turned = f"!{conversion}" if conversion else ""
            fields.append(_Field(name, f"{{{name}{turned}{':' + spec if spec else ''}}}"))
    return fields


def _of_unfollowed(template: str) -> str:
    """The template without id and age, and without what touches them: "cat #{id} x" is "cat x"."""
    return re.sub(r"\s+", " ", _FOLLOWED_ONLY.sub("", template)).strip()
