"""The configuration section of the Pi camera."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from edge_vision.config_base import Section

Share = Annotated[float, Field(ge=0, le=1)]
LoresSide = Annotated[int, Field(ge=32, le=4096)]


class PiCameraConfig(Section):
    """What only a camera of libcamera has: the ribbon-cable cameras of a Raspberry Pi."""

    number: int = Field(
        default=0, ge=0, le=15, description="which one, as `edge-vision cameras` counts"
    )
    format: Literal["yuv420", "rgb"] = Field(
        default="yuv420", description="main picture: yuv420 is half the memory of rgb"
    )
    lores_px: tuple[LoresSide, LoresSide] | None = Field(
        default=None,
        description="width and height of the small picture for the detector, which the camera "
        "makes; null takes the size of the model's input",
    )
    hflip: bool = Field(default=False, description="mirror left and right")
    vflip: bool = Field(default=False, description="mirror top and bottom")
    rotation: Literal[0, 180] = Field(
        default=0, description="degrees; 180 for a camera mounted upside down"
    )
    autofocus: Literal["auto", "continuous", "manual", "none"] = Field(
        default="auto",
        description="auto focuses continuously where the lens can; manual stays at lens_position; "
        "none leaves the lens alone",
    )
    lens_position: float | None = Field(
        default=None, ge=0, le=40, description="dioptres (1/distance in metres), 0 is infinity"
    )
    exposure_us: int | None = Field(
        default=None, ge=1, le=1_000_000, description="fixed exposure time; null: automatic"
    )
    gain: float | None = Field(
        default=None, ge=1, le=64, description="fixed analogue gain; null: automatic"
    )
    zoom: tuple[Share, Share, Share, Share] | None = Field(
        default=None,
        description="x, y, width and height of the part to see, in shares of the whole picture",
    )
    tuning_file: str | None = Field(
        default=None, description="path of a libcamera tuning file; null: the sensor's own"
    )

    @model_validator(mode="after")
    def _lens_is_manual(self) -> "PiCameraConfig":
        if self.lens_position is not None and self.autofocus != "manual":
            raise ValueError(
                f"camera.pi.lens_position needs camera.pi.autofocus: manual; it is {self.autofocus}"
            )
        return self

    @model_validator(mode="after")
    def _zoom_is_a_part(self) -> "PiCameraConfig":
        if self.zoom is None:
            return self
        x, y, width, height = self.zoom
        if min(width, height) < 0.02 or x + width > 1 or y + height > 1:
            raise ValueError(
                f"camera.pi.zoom is {list(self.zoom)}; expected x, y, width, height with a width "
                "and height of 0.02 or more, inside the picture (x + width and y + height to 1)"
            )
        if abs(width - height) > 0.001:
            raise ValueError(
                f"camera.pi.zoom of {width:g} x {height:g} would stretch the picture; give the "
                "same share as width and height, and other proportions as camera.size_px"
            )
        return self
