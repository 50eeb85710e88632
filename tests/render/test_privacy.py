"""What must not be seen is not seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision import open_detector
from edge_vision.config_overlay import OverlayConfig
from edge_vision.errors import ConfigError
from edge_vision.render.privacy import Privacy
from edge_vision.render.surface import BgrSurface, Surface
from edge_vision.render.surface_yuv import Yuv420Surface
from edge_vision.results import Track

LABELS = {1: "person", 2: "face", 17: "cat"}
WIDTH, HEIGHT = 320, 240
Pixels = NDArray[np.uint8]
Make = Callable[[], tuple[Surface, Pixels]]


def _track(
    box: tuple[float, ...],
    class_id: int = 1,
    state: Literal["tentative", "confirmed", "coasting"] = "confirmed",
    sigma: float = 0.0,
) -> Track:
    still = np.zeros(4, np.float32)
    return Track(1, np.array(box, np.float32), still, 0.9, class_id, state, 0, 0, sigma)


def _noise() -> Pixels:
    return np.random.default_rng(1).integers(30, 226, (HEIGHT, WIDTH, 3), np.uint8)


def _surface(kind: str, picture: Pixels) -> tuple[Surface, Pixels]:
    """A surface, and what tells where it was changed: its pixels, or its brightness."""
    if kind == "bgr":
        surface = BgrSurface(picture.copy())
        return surface, surface.image.data
    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
    return Yuv420Surface(planes), planes[:HEIGHT, :, np.newaxis]


@pytest.fixture(params=["bgr", "yuv"])
def noisy(request: pytest.FixtureRequest) -> Make:
    return lambda: _surface(request.param, _noise())


def _changed(noisy: Make, privacy: Privacy, tracks: list[Track]) -> list[int] | None:
    """x0 y0 x1 y1 of what was changed."""
    surface, pixels = noisy()
    before = pixels.copy()
    privacy.apply(surface, tracks)
    ys, xs = np.nonzero((pixels != before).any(axis=2))
    if len(ys) == 0:
        return None
    return [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]


@pytest.mark.parametrize("state", ["tentative", "confirmed", "coasting"])
def test_the_classes_named_are_blurred_in_every_state(
    noisy: Make, state: Literal["tentative", "confirmed", "coasting"]
) -> None:
    privacy = Privacy(OverlayConfig(blur=["person", "face"]), LABELS)
    box = (0.25, 0.25, 0.75, 0.75)
    for class_id in (1, 2):
        assert _changed(noisy, privacy, [_track(box, class_id, state)]) == [64, 48, 256, 192]
    assert _changed(noisy, privacy, [_track(box, 17, state)]) is None
    assert _changed(noisy, privacy, []) is None


def test_what_is_uncertain_is_blurred_farther_out(noisy: Make) -> None:
    privacy = Privacy(OverlayConfig(blur=["person"]), LABELS)
    track = _track((0.25, 0.25, 0.75, 0.75), sigma=0.05)  # 16 px; two of them around
    assert _changed(noisy, privacy, [track]) == [64 - 32, 48 - 32, 256 + 32, 192 + 32]


@pytest.mark.parametrize(
    "track",
    [
        _track((np.nan, 0.2, 0.3, 0.4)),
        _track((0.1, 0.2, np.inf, 0.4)),
        _track((0.1, 0.2, 0.3, 0.4), sigma=np.nan),
        _track((-3e38, -3e38, 3e38, 3e38)),
    ],
)
def test_where_nobody_knows_the_whole_picture_is_blurred(noisy: Make, track: Track) -> None:
    privacy = Privacy(OverlayConfig(blur=["person"]), LABELS)
    assert _changed(noisy, privacy, [track]) == [0, 0, WIDTH, HEIGHT]


@pytest.mark.parametrize("box", [(1.5, 0, 2, 1), (-3e38, 0, -2e38, 1), (0.5, -2, 0.6, -1)])
def test_what_is_outside_changes_nothing(noisy: Make, box: tuple[float, ...]) -> None:
    assert _changed(noisy, Privacy(OverlayConfig(blur=["person"]), LABELS), [_track(box)]) is None


@pytest.mark.parametrize("kind", ["bgr", "yuv"])
def test_the_face_model_finds_no_face_any_more(pictures: Path, kind: str) -> None:
    portrait = np.asarray(cv2.imread(str(pictures / "astronaut.jpg")), np.uint8)
    detector = open_detector("face", min_score=0.2)
    found = detector.detect(portrait)
    assert found.scores.tolist() == pytest.approx([0.98], abs=0.1)
    surface = (
        BgrSurface(portrait)
        if kind == "bgr"
        else Yuv420Surface(np.asarray(cv2.cvtColor(portrait, cv2.COLOR_BGR2YUV_I420), np.uint8))
    )
    track = _track(tuple(found.boxes[0].tolist()), int(found.class_ids[0]))
    Privacy(OverlayConfig(blur=["face"]), detector.labels).apply(surface, [track])
    assert len(detector.detect(surface.image)) == 0


def test_masks_are_black_in_every_picture(noisy: Make) -> None:
    masks = [[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)], [(0.9, 0.5), (1, 0.5), (1, 1)]]
    privacy = Privacy(OverlayConfig(masks=masks), LABELS)
    surface, pixels = noisy()
    black = 0 if pixels.shape[2] == 3 else 16
    before = pixels.copy()
    privacy.apply(surface, [])
    assert (pixels[:, : WIDTH // 2] == black).all()
    assert (pixels[120:220, 316:] == black).all()
    assert (pixels[:, WIDTH // 2 + 1 : 280] == before[:, WIDTH // 2 + 1 : 280]).all()
    assert (pixels[:100, WIDTH // 2 + 1 :] == before[:100, WIDTH // 2 + 1 :]).all()


@pytest.mark.parametrize("kind", ["bgr", "yuv"])
def test_a_blur_draws_nothing_out_of_a_mask(kind: str) -> None:
    """What is masked shows neither through a blur over it nor beside it."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, : WIDTH // 2] = (0, 90, 255)
    masks = [[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]]
    surface, _ = _surface(kind, picture)
    privacy = Privacy(OverlayConfig(masks=masks, blur=["person"]), LABELS)
    privacy.apply(surface, [_track((0.3, 0.3, 0.6, 0.6))])
    if kind == "bgr":
        assert surface.image.data.max() == 0
    else:
        assert np.unique(surface.image.data[:HEIGHT]).tolist() == [16]
        assert np.unique(surface.image.data[HEIGHT:]).tolist() == [128]


def test_a_blur_over_a_mask_leaves_it_black(noisy: Make) -> None:
    masks = [[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]]
    surface, pixels = noisy()
    privacy = Privacy(OverlayConfig(masks=masks, blur=["person"]), LABELS)
    privacy.apply(surface, [_track((0.3, 0.3, 0.8, 0.6))])
    assert len(np.unique(pixels[:, : WIDTH // 2])) == 1
    assert len(np.unique(pixels[80:140, WIDTH // 2 + 1 : 256])) > 1


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="blur names persons, which this model does"):
        Privacy(OverlayConfig(blur=["cat", "persons"]), LABELS)
