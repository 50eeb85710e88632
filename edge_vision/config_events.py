"""The sections `events` and `recorder`: the log of what happened, and its pictures and clips."""

from typing import Literal

from pydantic import Field

from edge_vision.config_base import Section


class EventsConfig(Section):
    """The log of events, and the space that it and what belongs to it may use."""

    enabled: Literal["auto"] | bool = Field(
        default="auto",
        description="auto: with `edge-vision run` at camera.pace realtime, as soon as there are "
        "rules; true: also without rules, for events of your own program",
    )
    folder: str | None = Field(
        default=None,
        min_length=1,
        description="where the log, pictures and clips are kept; null: events in the state folder; "
        "the folder it stands in must exist",
    )
    keep_days: float = Field(
        default=30.0, gt=0, le=3650, description="events that are older are removed"
    )
    max_mb: int = Field(
        default=4000,
        ge=10,
        le=10_000_000,
        description="most megabytes of pictures and clips; the oldest events go first",
    )
    min_free_mb: int = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="megabytes of the disk that stay free; the oldest events make room, and where "
        "that is not enough no clip is recorded",
    )


class RecorderConfig(Section):
    """The clips and pictures of events."""

    enabled: bool = Field(default=True, description="record a clip of each event")
    picture: Literal["clean", "annotated"] = Field(
        default="clean",
        description="clean: without overlay; overlay.blur and overlay.masks hold in both",
    )
    pre_s: float = Field(default=5.0, ge=0, le=30, description="seconds before an event")
    post_s: float = Field(default=5.0, ge=0, le=60, description="seconds after its end")
    max_s: float = Field(default=60.0, ge=5, le=3600, description="longest clip in seconds")
    fps: float = Field(default=30.0, gt=0, le=240, description="most pictures a second")
    encoder: Literal["auto", "software", "hardware", "mjpeg"] = Field(
        default="auto",
        description="auto: the board's H.264 encoder where one works, else x264, else, where that "
        "is too slow, single JPEG pictures, which browsers do not play",
    )
    crf: int = Field(
        default=26, ge=0, le=51, description="x264: quality; lower is better and larger"
    )
    ring_mb: int = Field(
        default=16,
        ge=1,
        le=512,
        description="most megabytes of memory for the seconds before an event, and for what a slow "
        "disk has not taken yet",
    )
    snapshot: Literal["none", "crop", "whole"] = Field(
        default="none",
        description="a JPEG of full size of the best view of each event: of the object, or of the "
        "whole picture",
    )
