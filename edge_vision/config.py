"""The configuration: one pydantic model per section, with units, defaults, ranges, a sentence each.

`config_load.py` fills these from YAML and `--set`; `config.yaml` shows every key.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from edge_vision.config_base import Section
from edge_vision.config_board import GovernorConfig, PowerConfig
from edge_vision.config_camera import PiCameraConfig
from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.config_outputs import OutputsConfig
from edge_vision.config_overlay import OverlayConfig, TrackingConfig
from edge_vision.config_version import NEWEST
from edge_vision.config_watch import WatchConfig

SIZES_PX = {"small": 172, "medium": 236, "large": 300, "xlarge": 364}
"""What model.size stands for: the side in pixels of the default model's square input."""

DELEGATES = ("auto", "cpu", "xnnpack", "edgetpu")
"""The words model.delegate knows; anything else is a library's path."""


Side = Annotated[int, Field(ge=16, le=8192)]


class CameraConfig(Section):
    """Where frames come from."""

    kind: Literal["auto", "demo", "clip", "usb", "pi"] = Field(
        default="auto",
        description="auto takes a Pi camera or a USB camera if one opens, else the demo scene, or "
        "as a service waits for a camera",
    )
    source: str | int | list[str] | None = Field(
        default=None,
        description="clip: a video file, a folder, a list of pictures, an http/rtsp URL, or "
        "credential:NAME, a URL that the service is handed as a secret; "
        "usb: an index or a /dev path; else unused",
    )
    size_px: tuple[Side, Side] = Field(
        default=(1280, 720),
        description="width and height asked of a camera, and of the demo scene",
    )
    fps: float = Field(
        default=30.0,
        gt=0,
        le=240,
        description="frames a second: asked of a camera; of a picture folder",
    )
    pixel_format: str = Field(
        default="auto",
        pattern=r"^(auto|[A-Z0-9]{4})$",
        description="V4L2 FOURCC of a USB camera (MJPG, YUYV, ...); auto takes MJPG if offered",
    )
    pace: Literal["realtime", "fast"] = Field(
        default="realtime",
        description="fast: the source waits, every frame is analysed and shown once "
        "(clips and the demo scene)",
    )
    loop: bool = Field(default=False, description="start a clip again at its end")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="seed of the demo scene")
    timeout_s: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="a camera that opens or delivers nothing for so long is lost",
    )
    retry_max_s: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="longest pause between two attempts to open a lost camera",
    )

    pi: PiCameraConfig = PiCameraConfig()

    def for_input(self, hw_px: tuple[int, int]) -> "CameraConfig":
        """The section with `pi.lores_px` filled in: the model's input size, if not given."""
        if self.pi.lores_px is not None:
            return self
        pi = self.pi.model_copy(update={"lores_px": (hw_px[1], hw_px[0])})
        return self.model_copy(update={"pi": pi})

    @model_validator(mode="after")
    def _exposure_fits_the_rate(self) -> "CameraConfig":
        exposure_us = self.pi.exposure_us
        if exposure_us is not None and exposure_us * self.fps > 1e6:
            raise ValueError(
                f"camera.pi.exposure_us of {exposure_us} is longer than a frame at {self.fps:g} "
                f"fps ({1e6 / self.fps:.0f} us); lower camera.fps or the exposure"
            )
        return self

    @model_validator(mode="after")
    def _source_fits(self) -> "CameraConfig":
        if self.kind == "clip" and (self.source is None or self.source in ("", [])):
            raise ValueError("camera.kind clip needs camera.source: a file, a folder or a URL")
        if self.kind == "clip" and isinstance(self.source, int):
            raise ValueError("camera.kind clip needs a path or URL as camera.source, not a number")
        if self.pace == "fast" and self.kind in ("usb", "pi", "auto"):
            raise ValueError(
                f"camera.pace fast needs camera.kind clip or demo; kind {self.kind} "
                "cannot be made to wait"
            )
        return self


class ModelConfig(Section):
    """What looks for objects, and how big it runs."""

    name: str = Field(
        default="ssdlite_mobilenet_v2_coco", description="an entry of models/manifest.yaml"
    )
    file: str | None = Field(
        default=None, description="path of any SSD TFLite file, instead of name and size"
    )
    labels: str | None = Field(
        default=None, description="path of the label file that belongs to model.file"
    )
    input_range: Literal["auto", "-1..1", "0..1", "0..255"] = Field(
        default="auto",
        description="what black to white is for model.file with float32 or int8 input",
    )
    size: Literal["small", "medium", "large", "xlarge", "auto"] = Field(
        default="large",
        description="input size: 172, 236, 300 or 364 pixels square; auto: what edge-vision tune "
        "--write found best for this board",
    )
    input_hw_px: tuple[int, int] | None = Field(
        default=None, description="exact input height and width (96..4096), instead of size"
    )
    threads: Literal["auto"] | Annotated[int, Field(ge=1, le=64)] = Field(
        default="auto", description="interpreter threads; auto takes every core up to four"
    )
    delegate: str = Field(
        default="auto",
        description="what runs the network: auto (the Edge TPU for files compiled for it, else "
        "xnnpack), cpu (neither), xnnpack, edgetpu, or the path of an external delegate",
    )
    delegate_options: dict[str, str | int | float | bool] = Field(
        default={}, description="options handed to edgetpu or an external delegate"
    )
    fallback_file: str | None = Field(
        default=None,
        description="TFLite file that runs on the CPU when the delegate fails; null: the same file",
    )
    deadline_s: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="an inference that takes longer is stuck, and ends the program (exit code 70)",
    )
    min_score: float = Field(
        default=0.4, ge=0.01, le=1, description="detections below are not shown"
    )
    nms_iou: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="overlap above which the weaker of one class is dropped",
    )
    max_detections: int = Field(default=50, ge=1, le=1000, description="most objects in a picture")
    classes: list[str] = Field(default=[], description="only these labels; empty means all")

    @field_validator("input_hw_px")
    @classmethod
    def _big_enough(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not all(96 <= side <= 4096 for side in value):
            raise ValueError(f"sides of {value[0]} and {value[1]} px; each must be 96 to 4096")
        return value

    @field_validator("delegate")
    @classmethod
    def _delegate_named(cls, value: str) -> str:
        if value in DELEGATES or "/" in value or ".so" in value:
            return value
        raise ValueError(
            f"no delegate is called {value!r}; expected {', '.join(DELEGATES)}, or the path of "
            "an external delegate (a .so file)"
        )

    @model_validator(mode="after")
    def _file_stands_alone(self) -> "ModelConfig":
        if self.labels is not None and self.file is None:
            raise ValueError("model.labels belongs to model.file, which is not given")
        if self.file is not None and self.size not in ("large", "auto"):
            raise ValueError(
                f"model.size {self.size} is for the models of the manifest; model.file runs at its "
                "own size, or at model.input_hw_px where its heads are raw"
            )
        return self

    @model_validator(mode="after")
    def _options_have_a_taker(self) -> "ModelConfig":
        if self.delegate_options and self.delegate in ("cpu", "xnnpack"):
            raise ValueError(
                f"model.delegate_options are for edgetpu or an external delegate; "
                f"model.delegate is {self.delegate}"
            )
        return self


class NodeConfig(Section):
    """This board among others."""

    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
        description="its name in events, on the live page and in MQTT topics; null: the host name",
    )


class LogConfig(Section):
    """What is said on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least level"
    )


class Config(Section):
    """The whole configuration."""

    version: int = Field(
        default=NEWEST, ge=1, le=NEWEST, description="the version that these names of keys are of"
    )
    node: NodeConfig = NodeConfig()
    camera: CameraConfig = CameraConfig()
    model: ModelConfig = ModelConfig()
    tracking: TrackingConfig = TrackingConfig()
    watch: WatchConfig = WatchConfig()
    overlay: OverlayConfig = OverlayConfig()
    events: EventsConfig = EventsConfig()
    recorder: RecorderConfig = RecorderConfig()
    outputs: OutputsConfig = OutputsConfig()
    governor: GovernorConfig = GovernorConfig()
    power: PowerConfig = PowerConfig()
    log: LogConfig = LogConfig()

    @model_validator(mode="after")
    def _rules_can_hold(self) -> "Config":
        watch, seen = self.watch, self.model.classes
        if not self.tracking.enabled and (watch.zones or watch.lines or watch.rules):
            raise ValueError(
                "watch needs tracking.enabled: true; a place or a rule is about objects that are "
                "followed"
            )
        for at, rule in enumerate(watch.rules):
            unseen = [name for name in rule.classes if seen and name not in seen]
            if unseen:
                raise ValueError(
                    f"watch.rules.{at} ({rule.name}) names {unseen[0]}, which model.classes leaves "
                    f"out; it has {', '.join(seen)}"
                )
        return self
