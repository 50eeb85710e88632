"""Pictures that carry their overlay by themselves, and who gets which."""

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.config import ModelConfig
from edge_vision.config_load import parse_config
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.errors import ConfigError
from edge_vision.frame import Frame, Image, PixelFormat, Stamps
from edge_vision.results import Detections, Scene, Track
from edge_vision.stages.capture import CameraState
from edge_vision.stages.drawing import Drawing
from edge_vision.stages.render import RenderStage, Showing
from edge_vision.telemetry import Telemetry
from edge_vision.track.paths import Paths

BOX = np.array([0.2, 0.2, 0.7, 0.8], np.float32)


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return build_detector(ModelConfig(size="small", threads=1))


@pytest.fixture
def picture(pictures: Path) -> Any:
    cat = cv2.resize(cv2.imread(str(pictures / "cat.jpg")), (320, 240))
    return np.asarray(cv2.cvtColor(cat, cv2.COLOR_BGR2YUV_I420), np.uint8)


def drawing(detector: SsdDetector, **overlay: Any) -> Drawing:
    config = parse_config({"overlay": {"registration": "none", "hud": False, **overlay}})
    return Drawing(config.overlay, config.tracking, detector, Telemetry(), Paths())


def frame(picture: Any) -> Frame:
    image = Image.from_array(picture.copy(), PixelFormat.YUV420)
    return Frame(0, image, Stamps(exposed=10**9), media_ns=10**9)


def scene() -> Scene:
    track = Track(7, BOX, np.zeros(4, np.float32), 0.9, 17, "confirmed", 0, 10**9)
    return Scene(0, 10**9, 10**9, Detections.empty(), "m", {17: "cat"}, (track,))


def test_the_overlay_alone_fits_the_drawn_one(detector: SsdDetector, picture: Any) -> None:
    made = drawing(detector)
    made.draw_sheets()
    both = made.draw(frame(picture), scene(), 10**9)
    assert both.overlay is not None
    assert both.overlay.shape == (240, 320, 4)
    plain = cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_I420)
    alpha = both.overlay[:, :, 3:] / 255
    shown = both.overlay[:, :, 2::-1] * alpha + plain * (1 - alpha)
    # Colour in YUV420 is shared by two by two pixels, so edges differ.
    with_it, without = (np.abs(one - both.bgr()).mean() for one in (shown, plain.astype(int)))
    assert without > 3
    assert with_it < without / 4


def test_unburnt_the_picture_is_the_camera_s(detector: SsdDetector, picture: Any) -> None:
    made = drawing(detector)
    made.draw_sheets()
    shown = made.draw(frame(picture), scene(), 10**9, burn=False)
    assert (shown.image.data == picture).all()
    assert shown.overlay is not None
    assert shown.overlay.any()


def test_nobody_asked_for_it(detector: SsdDetector, picture: Any) -> None:
    assert drawing(detector).draw(frame(picture), scene(), 10**9).overlay is None


def test_what_needs_the_picture_is_refused(detector: SsdDetector) -> None:
    with pytest.raises(ConfigError, match=r"no overlay\.blur with it"):
        drawing(detector, blur=["cat"]).draw_sheets()


class Output:
    """Keeps copies of what it gets."""

    shows_status = False

    def __init__(self, wants: Any, on: bool = True) -> None:
        self.name, self.wants, self.on = wants, wants, on
        self.got: list[tuple[Any, Any]] = []

    def active(self) -> bool:
        return self.on

    def offer(self, item: Any) -> bool:
        self.got.append((item.image.data.copy(), item.overlay.copy()))
        return True


@pytest.mark.parametrize("recording", [True, False])
def test_the_picture_is_drawn_on_only_for_those_who_want_it(
    detector: SsdDetector, picture: Any, recording: bool
) -> None:
    made = drawing(detector)
    made.draw_sheets()
    preview, video = Output("overlays"), Output("pictures", on=recording)
    stage = RenderStage(
        made, [preview, video], lambda: None, lambda: CameraState(True, "", 0), Telemetry(),
        size_px=(64, 48), wait=False,
    )  # fmt: skip
    stage.slot.put(Showing(frame(picture), scene()))
    stage.slot.close(drain=True)
    stage.run(threading.Event())
    ((image, overlay),) = preview.got
    assert overlay.any()
    assert (image == picture).all() == (not recording)
    assert len(video.got) == recording
