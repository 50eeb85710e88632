"""What holds for every surface: BGR is looked at as it is, YUV420 converted back to BGR."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_vision.config import ModelConfig
from edge_vision.detect.detector import build_detector
from edge_vision.frame import PixelFormat
from edge_vision.render.surface import BgrSurface, Surface
from edge_vision.render.surface_yuv import Yuv420Surface

Pixels = NDArray[np.uint8]
FORMATS = (PixelFormat.BGR, PixelFormat.YUV420)
ORANGE = (20, 140, 250)


def _make(format: PixelFormat, bgr: Pixels) -> Surface:
    if format is PixelFormat.BGR:
        return BgrSurface(bgr.copy())
    return Yuv420Surface(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8))


def _seen(surface: Surface) -> NDArray[np.int64]:
    """What a viewer sees: (height, width, 3) BGR as wide integers."""
    data = surface.image.data
    if surface.format is PixelFormat.YUV420:
        data = cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420)
    return data.astype(np.int64)


@pytest.fixture(params=FORMATS, ids=lambda format: format.value)
def surface(request: pytest.FixtureRequest) -> Surface:
    """A grey one, 64 x 48."""
    return _make(request.param, np.full((48, 64, 3), 128, np.uint8))


def _changed(surface: Surface) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 around all that is no longer grey."""
    ys, xs = np.nonzero(np.abs(_seen(surface) - 128).max(axis=2) > 2)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def test_it_knows_its_size(surface: Surface) -> None:
    assert (surface.width_px, surface.height_px) == (64, 48)
    assert (surface.image.width_px, surface.image.height_px) == (64, 48)
    assert surface.image.format is surface.format


def test_a_rectangle(surface: Surface) -> None:
    surface.fill_rect((10, 8, 30, 20), ORANGE)
    assert np.abs(_seen(surface)[8:20, 10:30] - ORANGE).max() <= 3
    assert _changed(surface) == (10, 8, 30, 20)


@pytest.mark.parametrize("rect", [(20, 8, 10, 20), (10, 20, 20, 20), (-9, 0, 0, 9), (64, 0, 70, 9)])
def test_nothing_of_what_is_empty_or_outside(
    surface: Surface, rect: tuple[int, int, int, int]
) -> None:
    patch = surface.patch(np.zeros((9, 9, 3), np.uint8))
    surface.fill_rect(rect, ORANGE)
    surface.tint(rect, ORANGE, 0.5)
    surface.blur(rect)
    surface.paste(patch, 64, 3)
    surface.blend(patch, 3, -9)
    surface.polyline(np.array([[-90.0, -9], [-20, -9]]), ORANGE, 3)
    surface.polyline(np.array([[9.0, 9]]), ORANGE, 3)
    assert np.abs(_seen(surface) - 128).max() <= 2


@pytest.mark.parametrize(("left", "top"), [(10, 8), (11, 8), (10, 9), (11, 9), (-7, -3), (55, 41)])
def test_a_patch_lands_where_it_should(surface: Surface, left: int, top: int) -> None:
    """A dark rim around a plain colour: no pixel of the colour is pale, none lies outside."""
    picture = np.full((15, 21, 3), 16, np.uint8)
    picture[2:-2, 2:-2] = ORANGE
    surface.paste(surface.patch(picture), left, top)
    seen = _seen(surface)
    inner = seen[max(0, top + 2) : top + 13, max(0, left + 2) : left + 19]
    off = np.abs(inner - ORANGE).max(axis=2)
    assert off.max() <= 45  # a corner, with three dark neighbours
    assert np.sort(off, axis=None)[-5] <= 20
    rim = seen[max(0, top) : top + 15, max(0, left) : left + 21].max(axis=2)
    assert (rim < 128).any()
    x0, y0, x1, y1 = _changed(surface)
    assert (x0, y0) == (max(0, left), max(0, top))
    assert (x1, y1) == (min(64, left + 21), min(48, top + 15))


@pytest.mark.parametrize(("left", "top"), [(0, 0), (1, 0), (0, 1), (1, 1), (-5, 9), (44, -5)])
def test_alpha(left: int, top: int, pictures: Path) -> None:
    """Both formats show the mixture that arithmetic gives."""
    photo = cv2.imread(str(pictures / "cat.jpg"))
    assert photo is not None
    ground, soft = photo[:48, :64].copy(), cv2.GaussianBlur(photo[100:130, 100:133], (0, 0), 3)
    alpha = np.zeros((30, 33), np.uint8)
    cv2.circle(alpha, (16, 15), 12, 255, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 3)
    share = alpha[:, :, np.newaxis] / 255
    expected = np.zeros((48 + 60, 64 + 66, 3))
    expected[30:78, 33:97] = ground
    window = expected[30 + top : 60 + top, 33 + left : 66 + left]
    window[:] = window * (1 - share) + soft * share
    expected = expected[30:78, 33:97]
    for format, worst, mean in ((PixelFormat.BGR, 2, 0.6), (PixelFormat.YUV420, 40, 4)):
        surface = _make(format, ground)
        surface.blend(surface.patch(np.rint(soft * share).astype(np.uint8), alpha), left, top)
        off = np.abs(_seen(surface) - expected)
        assert off.max() <= worst
        assert off.mean() <= mean


def test_blend_without_alpha_hides(surface: Surface) -> None:
    surface.blend(surface.patch(np.full((10, 10, 3), ORANGE, np.uint8)), 4, 4)
    assert np.abs(_seen(surface)[4:14, 4:14] - ORANGE).max() <= 3


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_tint(surface: Surface, share: float) -> None:
    surface.tint((4, 6, 40, 20), ORANGE, share)
    seen = _seen(surface)
    assert np.abs(seen[6:20, 4:40] - (128 + share * (np.array(ORANGE) - 128))).max() <= 4
    seen[6:20, 4:40] = 128
    assert np.abs(seen - 128).max() <= 2


def test_a_polygon(surface: Surface) -> None:
    surface.fill_polygon(np.array([[10, 10], [40, 10], [10, 40]]), ORANGE)
    seen = _seen(surface)
    assert np.abs(seen[11:30, 11:18] - ORANGE).max() <= 3
    assert np.abs(seen[44:, :] - 128).max() <= 2
    assert np.abs(seen[30:40, 35:60] - 128).max() <= 2


@pytest.mark.parametrize("far", [1 << 15, 1 << 40])
def test_a_polygon_larger_than_everything(surface: Surface, far: int) -> None:
    surface.fill_polygon(np.array([[-far, -far], [far, -far], [far, far], [-far, far]]), ORANGE)
    surface.polyline(np.array([[-far, 5.0], [far, 5.0]]), (0, 0, 0), 3)
    seen = _seen(surface)
    assert np.abs(seen[10:] - ORANGE).max() <= 3
    assert seen[5].max() <= 60


def test_a_mask_of_colour(surface: Surface) -> None:
    """As much of the colour as the mask says, and nothing beside it."""
    mask = np.zeros((12, 20), np.uint8)
    mask[2:10, 2:18] = np.linspace(15, 255, 16).astype(np.uint8)
    surface.cover((10, 8, 30, 20), mask, ORANGE)
    share = mask[2:10, 2:18, np.newaxis] / 255
    off = np.abs(_seen(surface)[10:18, 12:28] - (128 + share * (np.array(ORANGE) - 128)))
    assert off.max() <= (2 if surface.format is PixelFormat.BGR else 14)
    assert _changed(surface) == (12, 10, 28, 18)


@pytest.mark.parametrize("slope", [0.0, 0.4])
def test_a_thick_line_has_its_colour(surface: Surface, slope: float) -> None:
    surface.polyline(np.array([[8.0, 12.0], [56.0, 12.0 + 48 * slope]]), ORANGE, 5)
    along = _seen(surface)[[round(12 + (x - 8) * slope) for x in range(10, 54)], range(10, 54)]
    assert np.abs(along - ORANGE).max() <= 3
    seen = _seen(surface)
    below = [seen[round(19 + (x - 8) * slope) :, x] for x in range(10, 54)]
    assert all(np.abs(column - 128).max() <= 3 for column in below)


def test_a_line_is_placed_between_pixels() -> None:
    """Half a pixel lower is half as bright in one row and half as dark in the next."""
    drawn = []
    for y in (20.0, 20.5, 21.0):
        surface = _make(PixelFormat.BGR, np.full((48, 64, 3), 0, np.uint8))
        surface.polyline(np.array([[8.0, y], [56.0, y]]), (255, 255, 255), 1)
        drawn.append(float(np.average(np.arange(48), weights=_seen(surface)[:, 32, 0])))
    assert np.abs(np.diff(drawn) - 0.5).max() < 0.1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_points_that_are_none(surface: Surface, bad: float) -> None:
    with pytest.raises(ValueError, match="points that are not finite"):
        surface.polyline(np.array([[1.0, 1.0], [bad, 5.0]]), ORANGE, 2)


@pytest.mark.parametrize("format", FORMATS)
def test_a_face_is_no_longer_found(format: PixelFormat, pictures: Path) -> None:
    photo = cv2.imread(str(pictures / "astronaut.jpg"))
    assert photo is not None
    detector = build_detector(ModelConfig(name="face", size="medium", min_score=0.1, threads=1))
    surface = _make(format, photo)
    found = detector.detect(_seen(surface).astype(np.uint8))
    assert found.scores[0] > 0.5
    x0, y0, x1, y1 = (found.boxes[0] * 512).astype(int).tolist()
    surface.blur((x0, y0, x1, y1))
    again = detector.detect(_seen(surface).astype(np.uint8))
    assert len(again) == 0


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "rect", [(20, 30, 220, 190), (21, 31, 220, 191), (-60, -50, 70, 80), (0, 0, 9, 9)]
)
def test_only_a_few_means_are_left(
    format: PixelFormat, rect: tuple[int, int, int, int], pictures: Path
) -> None:
    """What is there after a blur can be told, nearly, from 4 x 4 numbers of each channel."""
    photo = cv2.imread(str(pictures / "cat.jpg"))
    assert photo is not None
    surface = _make(format, np.ascontiguousarray(photo[:200, :240]))
    surface.blur(rect)
    part = _seen(surface)[max(0, rect[1]) : rect[3], max(0, rect[0]) : rect[2]].astype(np.float32)
    second = np.abs(np.diff(part, 2, axis=1))
    assert np.median(second) <= 1
    # Straight between at most four values: the slope changes seldom.
    assert (second.mean(axis=(0, 2)) > 3).sum() <= 8


def test_a_blur_of_what_is_half_outside_is_no_finer(pictures: Path) -> None:
    photo = cv2.imread(str(pictures / "cat.jpg"))
    assert photo is not None
    surface = BgrSurface(photo.copy())
    surface.blur((-300, 0, 40, 340))
    part = surface.image.data[:340, :40]
    assert (np.ptp(part, axis=1) <= 2).all()  # 40 of 340 px lie in one of four columns


def test_what_is_no_surface_or_patch(surface: Surface) -> None:
    whole = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"strides .*; expected \(any, 3, 1\)"):
        BgrSurface(whole[:, ::2])
    with pytest.raises(ValueError, match=r"a surface of uint8\(8, 8\)"):
        BgrSurface(whole[:, :, 0])
    with pytest.raises(ValueError, match="YUV420 of 8x5"):
        Yuv420Surface(np.zeros((8, 8), np.uint8))
    for bad in (whole[:0], whole[:, :, :2], whole.astype(np.float32)):
        with pytest.raises(ValueError, match=r"expected uint8 \(h, w, 3\)"):
            surface.patch(bad)
    with pytest.raises(ValueError, match=r"alpha of uint8\(8, 7\); expected uint8 \(8, 8\)"):
        surface.patch(whole, np.zeros((8, 7), np.uint8))


numbers = st.integers(-40, 90)
rects = st.tuples(numbers, numbers, numbers, numbers)


def _everything(surface: Surface, rect: tuple[int, int, int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x0, y0, x1, y1 = rect
    size = rng.integers(1, 30, 2)
    bgr, alpha = rng.integers(0, 256, (*size, 3), np.uint8), rng.integers(0, 256, size, np.uint8)
    soft = np.rint(bgr * (alpha[:, :, np.newaxis] / 255)).astype(np.uint8)
    calls: list[Callable[[], None]] = [
        lambda: surface.fill_rect(rect, ORANGE),
        lambda: surface.fill_rect(rect, (16, 16, 16)),
        lambda: surface.tint(rect, ORANGE, 0.3),
        lambda: surface.tint(rect, (16, 16, 16), 0.3),
        lambda: surface.tint((x0, y0, x0 + 1, y1), (16, 16, 16), 0.3),
        lambda: surface.blur(rect),
        lambda: surface.paste(surface.patch(bgr), x0, y0),
        lambda: surface.blend(surface.patch(soft, alpha), x1, y1),
        lambda: surface.fill_polygon(np.array([[x0, y0], [x1, y0], [x1, y1]]), ORANGE),
        lambda: surface.polyline(np.array([[x0, y0], [x1, y1], [y0, x1]]) / 2, ORANGE, 5),
        lambda: surface.polyline(np.array([[x0, y0], [x0, y0]]) / 2, ORANGE, 1),
    ]
    for call in calls:
        call()


@settings(max_examples=150)
@given(st.integers(1, 60), st.integers(1, 60), rects, st.integers(0, 1000))
def test_nothing_is_drawn_beyond_the_picture(
    width: int, height: int, rect: tuple[int, int, int, int], seed: int
) -> None:
    memory = np.full((height + 8, width + 8, 3), 7, np.uint8)
    _everything(BgrSurface(memory[4:-4, 4:-4]), rect, seed)
    memory[4:-4, 4:-4] = 7
    assert (memory == 7).all()
    width, height = (width + 1) // 2 * 2, (height + 1) // 2 * 2
    size = height * 3 // 2 * width
    memory = np.full(size + 200, 7, np.uint8)
    _everything(Yuv420Surface(memory[100:-100].reshape(-1, width)), rect, seed)
    memory[100:-100] = 7
    assert (memory == 7).all()


@settings(max_examples=100)
@given(rects, st.integers(0, 1000))
def test_brightness_is_the_same_on_both(rect: tuple[int, int, int, int], seed: int) -> None:
    """Brightness has full resolution, so every pixel can be compared."""
    ground = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
    surfaces = [_make(format, ground) for format in FORMATS]
    for surface in surfaces:
        _everything(surface, rect, seed)
    one, other = surfaces[0].image.data, surfaces[1].image.data
    expected = cv2.cvtColor(one, cv2.COLOR_BGR2YUV_I420)[:48].astype(int)
    assert np.abs(expected - other[:48]).max() <= 6  # smooth lines round down, in every channel
