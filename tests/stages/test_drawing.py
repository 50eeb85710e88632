"""What is done to a frame before it is shown, with the real detector on a real picture."""

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
from edge_vision.render.fonts import Face
from edge_vision.results import Detections, Scene, Track
from edge_vision.stages.drawing import Drawing, as_tracks
from edge_vision.telemetry import Telemetry
from edge_vision.track.paths import Paths

PLAIN: dict[str, Any] = {"hud": False, "label": "", "registration": "none"}
STATES = ("confirmed", "tentative", "coasting")
BOX = (0.3, 0.3, 0.7, 0.7)


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return build_detector(ModelConfig(size="small", threads=1))


@pytest.fixture(scope="module")
def picture(pictures: Path) -> Any:
    image = cv2.imread(str(pictures / "astronaut.jpg"))
    assert image is not None
    return image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]


def drawing(detector: SsdDetector, tracking: bool = True, **overlay: Any) -> Drawing:
    config = parse_config({"overlay": {**PLAIN, **overlay}, "tracking": {"enabled": tracking}})
    return Drawing(config.overlay, config.tracking, detector, Telemetry(), Paths())


def scene(state: Any, last_seen_ns: int = 10**9, class_id: int = 1) -> Scene:
    box = np.array(BOX, np.float32)
    track = Track(7, box, np.zeros(4, np.float32), 0.9, class_id, state, 0, last_seen_ns)
    return Scene(3, 10**9, 10**9, Detections.empty(), "m", {1: "person", 17: "cat"}, (track,))


def frame(picture: Any, format: PixelFormat = PixelFormat.BGR) -> Frame:
    data = picture
    if format is PixelFormat.YUV420:
        data = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
    image = Image.from_array(np.ascontiguousarray(data), format)
    return Frame(3, image, Stamps(exposed=10**9), media_ns=10**9)


def detail(pixels: Any) -> float:
    """How much there is to recognise inside the box: the mean of its edges."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(BOX, (width, height) * 2, strict=True))
    grey = cv2.cvtColor(pixels[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4], cv2.COLOR_BGR2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.YUV420])
@pytest.mark.parametrize("state", STATES)
def test_what_is_to_be_blurred_is_blurred_whatever_its_state(
    detector: SsdDetector, picture: Any, state: str, format: PixelFormat
) -> None:
    """Also a track that is not drawn yet, or not drawn any more."""
    unseen_ns = 0 if state == "coasting" else 10**9
    blurred = drawing(detector, blur=["person"], linger_s=0.1)
    shown = blurred.draw(frame(picture, format), scene(state, unseen_ns), 10**9)
    plain = drawing(detector).draw(frame(picture, format), None, 10**9)
    assert detail(shown.bgr()) < 0.2 * detail(plain.bgr())


def test_another_class_is_not_blurred(detector: SsdDetector, picture: Any) -> None:
    shown = drawing(detector, blur=["cat"]).draw(frame(picture), scene("tentative"), 10**9)
    assert np.array_equal(shown.bgr(), picture)


def test_masks_without_anything_found(detector: SsdDetector, picture: Any) -> None:
    mask = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]]
    shown = drawing(detector, masks=[mask]).draw(frame(picture), None, 10**9).bgr()
    height, width = picture.shape[:2]
    assert shown[: height // 2 - 1, : width // 2 - 1].max() == 0
    assert np.array_equal(shown[height // 2 + 2 :], picture[height // 2 + 2 :])


def test_without_tracking_the_detections_are_drawn(detector: SsdDetector, picture: Any) -> None:
    found = detector.detect(picture)
    assert len(found) >= 1
    plain = Scene(3, 10**9, 10**9, found, "m", detector.labels)
    still = drawing(detector, tracking=False)
    assert not np.array_equal(still.draw(frame(picture), plain, 10**9).bgr(), picture)
    tracks = as_tracks(found, 10**9)
    assert [track.id for track in tracks] == [0] * len(found)
    assert np.array_equal(np.stack([track.box for track in tracks]), found.boxes)


def test_the_frame_goes_back_at_once(detector: SsdDetector, picture: Any) -> None:
    given = frame(picture)
    drawing(detector).draw(given, None, 10**9)
    assert given.leases == 0
    assert given.stamps.registered >= 10**9
    assert given.stamps.drawn >= given.stamps.registered


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        ({"blur": ["persn"]}, r"overlay\.blur names persn.*did you mean person"),
        (
            {"sprites": [{"label": "katze", "picture": "x.png"}]},
            r"overlay\.sprites\.0\.label names katze",
        ),
        ({"renderer": "no_such_module:f"}, "no_such_module"),
        ({"font": "/no/such/font.ttf"}, "font"),
    ],
)
def test_what_cannot_be_drawn_is_said_at_the_start(
    detector: SsdDetector, overlay: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        drawing(detector, **overlay)


def test_a_colour_for_no_class_is_said_once_at_the_start(
    detector: SsdDetector, picture: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made = drawing(detector, colours={"persn": "#ff0000", "cat": "#00ff00"})
    for _ in range(3):
        made.draw(frame(picture), scene("confirmed"), 10**9)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "overlay.colours names persn (did you mean person?), which this model does not know"
    ]


def test_once_warm_the_first_picture_draws_next_to_no_text(
    detector: SsdDetector, picture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fonts and figures are there; only the class's name is new."""
    drawn: list[str] = []
    draw = Face.draw

    def counted(self: Face, text: str, cap_px: int) -> Any:
        drawn.append(text)
        return draw(self, text, cap_px)

    monkeypatch.setattr(Face, "draw", counted)
    made = drawing(detector, hud=True, label="{label} {score:.0%}")
    made.warm_up((picture.shape[1], picture.shape[0]))
    assert len(drawn) > 20
    drawn.clear()
    made.draw(frame(picture), scene("confirmed", class_id=17), 10**9)
    assert drawn == ["cat"]


def test_warming_up_leaves_no_trace(detector: SsdDetector, picture: Any) -> None:
    pictures = []
    for warm in (False, True):
        made = drawing(detector, label="{label} {score:.0%}", trails_s=2.0)
        if warm:
            made.warm_up((64, 48))
        pictures.append(made.draw(frame(picture), scene("confirmed"), 10**9).bgr().copy())
    assert np.array_equal(*pictures)


@pytest.mark.parametrize("wanted", [True, False])
def test_places_are_drawn_where_they_are_wanted(
    detector: SsdDetector, picture: Any, wanted: bool
) -> None:
    """On the picture and on the overlay by itself."""
    zone = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
    config = parse_config(
        {"overlay": {**PLAIN, "places": wanted}, "watch": {"zones": {"yard": zone}}}
    )
    made = drawing(detector)
    made.draw_sheets()
    made.use_places(config, dict)
    shown = made.draw(frame(picture), None, 10**9)
    assert shown.overlay is not None
    assert bool(shown.overlay.any()) is wanted
    assert np.array_equal(shown.bgr(), picture) is not wanted


def bgr_of(image: Image) -> Any:
    if image.format is PixelFormat.BGR:
        return image.data
    return cv2.cvtColor(image.data, cv2.COLOR_YUV2BGR_I420)


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.YUV420])
@pytest.mark.parametrize("burn", [True, False])
def test_the_plain_picture_has_no_overlay(
    detector: SsdDetector, picture: Any, burn: bool, format: PixelFormat
) -> None:
    made = drawing(detector, hud=True, label="{label}")
    given = frame(picture, format)
    before = bgr_of(given.main).copy()
    shown = made.draw(given, scene("confirmed"), 10**9, burn=burn, plain=True)
    assert shown.plain is not None
    assert np.array_equal(bgr_of(shown.plain), before)
    assert np.array_equal(shown.bgr(), before) is not burn
    assert (shown.plain is shown.image) is not burn  # no copy where nothing is drawn
    assert [track.id for track in shown.tracks] == [7]
    assert shown.scene_seq == 3


def test_no_plain_picture_is_made_for_nobody(detector: SsdDetector, picture: Any) -> None:
    made = drawing(detector)
    assert made.draw(frame(picture), None, 10**9).plain is None
    assert made.draw(frame(picture), None, 10**9, burn=False).plain is None


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.YUV420])
@pytest.mark.parametrize("burn", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_the_plain_picture_is_blurred_too(
    detector: SsdDetector, picture: Any, state: str, burn: bool, format: PixelFormat
) -> None:
    unseen_ns = 0 if state == "coasting" else 10**9
    blurred = drawing(detector, blur=["person"], linger_s=0.1)
    shown = blurred.draw(
        frame(picture, format), scene(state, unseen_ns), 10**9, burn=burn, plain=True
    )
    assert shown.plain is not None
    assert detail(bgr_of(shown.plain)) < 0.2 * detail(picture)


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.YUV420])
@pytest.mark.parametrize("burn", [True, False])
def test_the_plain_picture_is_masked_too(
    detector: SsdDetector, picture: Any, burn: bool, format: PixelFormat
) -> None:
    mask = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]]
    masked = drawing(detector, masks=[mask])
    shown = masked.draw(frame(picture, format), None, 10**9, burn=burn, plain=True)
    assert shown.plain is not None
    plain = bgr_of(shown.plain)
    height, width = picture.shape[:2]
    assert plain[: height // 2 - 2, : width // 2 - 2].max() <= 2
    assert plain[height // 2 + 4 :].mean() > 30
