"""The sections `tracking` and `overlay`: who is followed, and what is drawn."""

import re
import string
from typing import Annotated, Literal

from pydantic import Field, field_validator

from edge_vision.config_base import Section

LABEL_FIELDS = ("label", "id", "score", "age_s", "width_px", "height_px", "distance_m")
"""What overlay.label may name in braces."""

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class TrackingConfig(Section):
    """Which detections are one object over time."""

    enabled: bool = Field(default=True, description="give objects ids and follow them")
    weak_score: float = Field(
        default=0.2,
        ge=0.01,
        le=1,
        description="detections from here to model.min_score keep a track alive, but start none",
    )
    confirm_s: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="a new object is shown when it is seen again within so long (at once from a "
        "score of 0.6)",
    )
    coast_s: float = Field(
        default=3.0,
        ge=0,
        le=60,
        description="how long an object that is not seen keeps its id",
    )


class SpriteConfig(Section):
    """A picture attached to every object of a class."""

    label: str = Field(description="the class it is attached to, for example face")
    picture: str = Field(description="PNG file with alpha")
    anchor: Point = Field(
        default=(0.5, 0.5), description="point of the box, 0..1 from its top left corner"
    )
    pivot: Point = Field(
        default=(0.5, 0.5), description="point of the picture that lies on the anchor"
    )
    scale: float = Field(default=1.0, gt=0, le=20, description="width of the picture in box widths")
    turn: Literal["none", "motion"] = Field(
        default="none", description="motion: the picture's right side points where the object goes"
    )


class OverlayConfig(Section):
    """What is drawn on the picture."""

    timing: Literal["live", "exact"] = Field(
        default="live",
        description="live: the newest frame, its objects carried to the time of this frame; "
        "exact: each analysed frame with its own detections, so one inference late",
    )
    registration: Literal["none", "predict", "flow"] = Field(
        default="flow",
        description="how live boxes reach the shown frame: by image motion (flow), by the motion "
        "model alone (predict), or not at all (none)",
    )
    linger_s: float = Field(
        default=0.4,
        ge=0,
        le=60,
        description="how long an object that is not seen any more stays in the picture",
    )
    style: Literal["boxes", "corners", "minimal", "hud"] = Field(
        default="boxes", description="how objects are marked"
    )
    hud: bool = Field(default=True, description="rates, latency, model and drops in a corner")
    thickness_px: int = Field(
        default=0, ge=0, le=32, description="line width; 0 fits it to the picture"
    )
    colour: Literal["class"] | Colour = Field(
        default="class", description="a colour for each class, or one for all (#rrggbb)"
    )
    colours: dict[str, Colour] = Field(
        default={}, description="colours of single classes, for example {person: '#ff8800'}"
    )
    label: str = Field(
        default="{label} {score:.0%}",
        max_length=200,
        description=f"text at each object; fields: {', '.join(LABEL_FIELDS)}",
    )
    font: str | None = Field(
        default=None, description="TrueType or OpenType file; null: one of the system's"
    )
    trails_s: float = Field(
        default=0.0, ge=0, le=60, description="length of the line behind each object"
    )
    places: bool = Field(
        default=True, description="zones and lines of `watch`, with counts beside the lines"
    )
    heights_m: dict[str, Annotated[float, Field(gt=0, le=1000)]] = Field(
        default={"person": 1.7}, description="true heights of classes, for {distance_m}"
    )
    hfov_deg: float = Field(
        default=62.2, ge=1, le=179, description="the lens's horizontal field of view, likewise"
    )
    sprites: list[SpriteConfig] = Field(default=[], description="pictures attached to classes")
    blur: list[str] = Field(
        default=[], description="classes made unrecognisable before anything sees the picture"
    )
    masks: list[Annotated[list[Point], Field(min_length=3)]] = Field(
        default=[], description="polygons blacked out likewise; points x, y, 0..1"
    )
    renderer: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="module:function of your own that draws on each picture",
    )

    @field_validator("label")
    @classmethod
    def _fields_known(cls, value: str) -> str:
        try:
            fields = [field for field in string.Formatter().parse(value) if field[1] is not None]
        except ValueError as error:
            raise ValueError(f"{value!r} is no template: {error}") from None
        unknown = [name for _, name, _, _ in fields if name not in LABEL_FIELDS]
        if unknown:
            raise ValueError(
                f"{value!r} names {{{unknown[0]}}}; the fields are {', '.join(LABEL_FIELDS)}"
            )
        # {id:999999999} would fill the memory.
        if any(re.search(r"\d{5}|\{", spec or "") for _, _, spec, _ in fields):
            raise ValueError(f"{value!r} has a field wider than 9999, or of a width that varies")
        sample = {"label": "cat", "id": 1, "score": 0.5, "age_s": 1.0}
        try:
            value.format(**sample, width_px=10, height_px=10, distance_m=1.0)
        except (ValueError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"{value!r} cannot be filled in: {error}") from None
        return value
