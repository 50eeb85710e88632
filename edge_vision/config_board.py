"""The sections `governor` and `power`: how hard the board may work, and when it may rest."""

from pydantic import Field

from edge_vision.config_base import Section


class GovernorConfig(Section):
    """Less work for a board that is too hot or short of power."""

    enabled: bool = Field(
        default=True,
        description="while the board is hot, throttled or short of power, show fewer pictures, "
        "then detect less often, then with a smaller model size; each is told in the log",
    )
    hot_c: float = Field(
        default=80.0,
        ge=40,
        le=110,
        description="degrees Celsius from which on the board is hot; a Raspberry Pi throttles "
        "itself from 80 on",
    )
    cool_by_c: float = Field(
        default=8.0, ge=1, le=40, description="it is cool again so many degrees below hot_c"
    )
    calm_s: float = Field(
        default=60.0,
        ge=10,
        le=3600,
        description="how long all must be well before one step back up; doubles, up to an hour, "
        "each time such a step led to trouble again",
    )
    detect_fps: float = Field(
        default=5.0, ge=0.1, le=240, description="detections a second while they are limited"
    )


class PowerConfig(Section):
    """Rest while nothing happens."""

    idle_after_s: float = Field(
        default=0.0,
        ge=0,
        le=3600,
        description="when nothing has moved for so long, detect at idle_fps until something does; "
        "0: never rest",
    )
    idle_fps: float = Field(
        default=1.0, ge=0.1, le=30, description="detections a second while nothing moves"
    )
