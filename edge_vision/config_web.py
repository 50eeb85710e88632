"""The section `outputs.web`: the live page and the API."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge_vision.config_base import Section


class WebConfig(Section):
    """The live page, its streams and the API for other programs."""

    enabled: Literal["auto"] | bool = Field(
        default="auto",
        description="auto: with `edge-vision run`, where the port is free and camera.pace is "
        "realtime",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description="address or name to listen at; 0.0.0.0 or :: for every network, which needs a "
        "password_file or token_file",
    )
    port: int = Field(default=8080, ge=0, le=65535, description="TCP port; 0 takes any free one")
    hosts: list[Annotated[str, Field(min_length=1, max_length=255)]] = Field(
        default=[],
        description="further names under which browsers reach this board, besides addresses, "
        "localhost and the board's own name",
    )
    password_file: str | None = Field(
        default=None, description="what `edge-vision password` wrote: people log in with it"
    )
    token_file: str | None = Field(
        default=None,
        description="what `edge-vision password --token` wrote: programs send it as bearer token",
    )
    tls_cert: str | None = Field(default=None, description="PEM file of the certificate chain")
    tls_key: str | None = Field(default=None, description="PEM file of its private key")
    max_viewers: int = Field(
        default=8, ge=1, le=100, description="most live pictures sent at the same time"
    )
    jpeg_quality: int = Field(default=80, ge=1, le=100, description="of streams and snapshots")
    max_fps: float = Field(
        default=30.0, gt=0, le=240, description="most pictures a second to one viewer"
    )
    scale: float = Field(
        default=1.0,
        ge=0.1,
        le=1,
        description="width and height sent, as a share of the picture's own; a viewer may ask for "
        "less",
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "WebConfig":
        if (self.tls_cert is None) != (self.tls_key is None):
            given, lacks = (
                ("tls_cert", "tls_key") if self.tls_key is None else ("tls_key", "tls_cert")
            )
            raise ValueError(f"outputs.web.{given} is given without {lacks}; TLS needs both")
        return self
