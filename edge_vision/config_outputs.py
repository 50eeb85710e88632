"""The section `outputs`: where results go."""

from typing import Literal

from pydantic import Field

from edge_vision.config_base import Section
from edge_vision.config_net import HookConfig, MqttConfig, WebhookConfig
from edge_vision.config_web import WebConfig


class WindowConfig(Section):
    """A window on this computer's screen."""

    enabled: Literal["auto"] | bool = Field(
        default="auto",
        description="auto opens one where a display and an OpenCV with windows are there",
    )
    fullscreen: bool = Field(default=False, description="fill the screen")


class PreviewConfig(Section):
    """The Pi camera's own pictures on the whole screen, without a desktop."""

    enabled: bool = Field(
        default=False,
        description="show them, and the overlay over them, through DRM/KMS (camera.kind pi only)",
    )


class VideoConfig(Section):
    """An annotated MP4 file."""

    path: str | None = Field(default=None, description="file to write; it is replaced")
    encoder: Literal["auto", "software", "hardware"] = Field(
        default="auto",
        description="auto takes the board's H.264 encoder where there is one that works, else x264",
    )
    crf: int = Field(
        default=23, ge=0, le=51, description="x264 quality, lower is better and larger"
    )
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="ultrafast", description="x264 preset: faster costs less CPU and more bytes"
    )
    split_s: float = Field(
        default=3600.0,
        ge=60,
        le=86_400,
        description="seconds after which it goes on in NAME-2.mp4; 8 MB of memory an hour at 30/s",
    )


class JsonlConfig(Section):
    """One JSON line per analysed frame."""

    path: str | None = Field(
        default=None, description="file to append to, or - for standard output"
    )


class NullConfig(Section):
    """Draws and throws away, to measure."""

    enabled: bool = Field(default=False, description="draw every picture and discard it")


class OutputsConfig(Section):
    """Where results go; any number at once."""

    web: WebConfig = WebConfig()
    window: WindowConfig = WindowConfig()
    preview: PreviewConfig = PreviewConfig()
    video: VideoConfig = VideoConfig()
    jsonl: JsonlConfig = JsonlConfig()
    mqtt: MqttConfig = MqttConfig()
    webhook: WebhookConfig = WebhookConfig()
    hook: HookConfig = HookConfig()
    null: NullConfig = NullConfig()
