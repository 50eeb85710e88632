"""The same picture in any format and size is the same input; no memory is asked for on the way."""

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.detect.preprocess import Preprocessor, yuv_planes
from edge_vision.frame import Image, PixelFormat

Pixels = NDArray[np.uint8]
INPUTS = [(300, 300), (172, 172), (101, 333), (236, 300), (97, 96)]


@pytest.fixture(scope="module")
def astronaut(pictures: Path) -> Pixels:
    """A photograph, BGR, with even sides."""
    picture = cv2.imread(str(pictures / "astronaut.jpg"))
    assert picture is not None
    even: Pixels = np.ascontiguousarray(picture[: picture.shape[0] & ~1, : picture.shape[1] & ~1])
    return even


def _yuv(bgr: Pixels, padding: int = 0, fill: int = 255) -> Image:
    """I420 as a camera gives it: rows padded to a stride, the padding full of rubbish."""
    height, width = bgr.shape[:2]
    planar = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    data = np.full((height * 3 // 2, width + padding), fill, np.uint8)
    for source, target in zip(
        yuv_planes(planar, width, height), yuv_planes(data, width, height), strict=True
    ):
        target[:] = source
    return Image(data, PixelFormat.YUV420, width, height, width + padding)


def _padded_bgr(bgr: Pixels, padding_px: int) -> Image:
    wide = np.full((bgr.shape[0], bgr.shape[1] + padding_px, 3), 255, np.uint8)
    wide[:, : bgr.shape[1]] = bgr
    return Image.from_array(wide[:, : bgr.shape[1]])


def _filled(image: Image, hw: tuple[int, int]) -> Pixels:
    # Rubbish first: every pixel must be written.
    out = np.random.default_rng(0).integers(0, 256, (*hw, 3), np.uint8)
    Preprocessor(hw).fill(image, out)
    return out


def _expected(bgr: Pixels, hw: tuple[int, int]) -> Pixels:
    resized = cv2.resize(bgr, (hw[1], hw[0]), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(resized[:, :, ::-1])


def _difference(a: Pixels, b: Pixels) -> NDArray[np.int16]:
    return np.abs(a.astype(np.int16) - b)


@pytest.mark.parametrize("hw", INPUTS)
@pytest.mark.parametrize("padding", [0, 32])
def test_bgr_and_rgb_are_exactly_a_bilinear_resize(
    astronaut: Pixels, hw: tuple[int, int], padding: int
) -> None:
    expected = _expected(astronaut, hw)
    assert _difference(_filled(_padded_bgr(astronaut, padding), hw), expected).max() <= 1
    rgb = Image.from_array(np.ascontiguousarray(astronaut[:, :, ::-1]), PixelFormat.RGB)
    assert _difference(_filled(rgb, hw), expected).max() <= 1


@pytest.mark.parametrize("hw", INPUTS)
@pytest.mark.parametrize("padding", [0, 2, 64])
def test_yuv_is_nearly_the_same(astronaut: Pixels, hw: tuple[int, int], padding: int) -> None:
    # Smoothed by some pixels of the input, whose colour has half its sharpness on this way.
    sigma = 3 * max(1, astronaut.shape[0] / hw[0], astronaut.shape[1] / hw[1])
    smooth = cv2.GaussianBlur(astronaut, (0, 0), sigma)
    difference = _difference(_filled(_yuv(smooth, padding), hw), _expected(smooth, hw))
    assert difference.mean() < 1.5
    assert np.percentile(difference, 99) <= 7


@pytest.mark.parametrize("padding", [0, 16])
def test_padding_is_never_seen(astronaut: Pixels, padding: int) -> None:
    black, white = (_filled(_yuv(astronaut, padding, fill), (300, 300)) for fill in (0, 255))
    np.testing.assert_array_equal(black, white)


@pytest.mark.parametrize(
    ("bgr", "rgb"),
    [((0, 0, 255), (255, 0, 0)), ((0, 255, 0), (0, 255, 0)), ((255, 0, 0), (0, 0, 255)),
     ((0, 0, 0), (0, 0, 0)), ((255, 255, 255), (255, 255, 255))],
)  # fmt: skip
@pytest.mark.parametrize("hw", [(300, 300), (101, 333)])
def test_colours_stay_what_they_are(
    bgr: tuple[int, ...], rgb: tuple[int, ...], hw: tuple[int, int]
) -> None:
    picture = np.full((48, 64, 3), bgr, np.uint8)
    wanted = np.full((*hw, 3), rgb, np.uint8)
    for image in (Image.from_array(picture), _yuv(picture, 32)):
        assert _difference(_filled(image, hw), wanted).max() <= 3
    # Each corner by its own colour: nothing is mirrored or turned.
    picture[:24, :32], picture[24:, 32:] = (255, 255, 255), (0, 0, 0)
    for image in (Image.from_array(picture), _yuv(picture, 32)):
        out = _filled(image, hw)
        assert _difference(out[2, 2], np.full(3, 255, np.uint8)).max() <= 3
        assert _difference(out[-3, -3], np.zeros(3, np.uint8)).max() <= 3
        assert _difference(out[2, -3], np.array(rgb, np.uint8)).max() <= 3


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 7), (7, 1), (2, 2), (300, 300), (8000, 6000)])
@pytest.mark.parametrize("format", [f for f in PixelFormat if f is not PixelFormat.RGBA])
def test_sizes_from_one_pixel_to_48_megapixels(
    size_wh: tuple[int, int], format: PixelFormat
) -> None:
    width, height = size_wh
    if format is PixelFormat.YUV420:
        width, height = width + width % 2, height + height % 2
        data = np.full((height * 3 // 2, width), 128, np.uint8)
        data[:height] = 126  # mid grey in video levels
    else:
        data = np.full((height, width, 3), 128, np.uint8)
    out = _filled(Image.from_array(data, format), (300, 300))
    assert abs(out.astype(int) - 128).max() <= 1


@pytest.mark.parametrize("hw", [(300, 300), (101, 333)])
@pytest.mark.parametrize("same_size", [False, True])
def test_writes_in_place_and_asks_for_no_memory(
    astronaut: Pixels, hw: tuple[int, int], same_size: bool
) -> None:
    even = (hw[1] + hw[1] % 2, hw[0] + hw[0] % 2)
    picture = cv2.resize(astronaut, even if same_size else (640, 360))
    rgb = np.ascontiguousarray(picture[:, :, ::-1])
    images = [Image.from_array(picture), Image.from_array(rgb, PixelFormat.RGB), _yuv(picture, 64)]
    preprocessor = Preprocessor(hw)
    # An input tensor's memory is a window into something larger.
    memory = np.zeros((hw[0] * hw[1] * 3 + 128,), np.uint8)
    out = memory[64:-64].reshape(*hw, 3)
    for image in images:
        preprocessor.fill(image, out)
        assert out.any()
        assert not memory[:64].any()
        assert not memory[-64:].any()
        first = out.copy()
        out[:] = 0
        tracemalloc.start()
        try:
            preprocessor.fill(image, out)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        np.testing.assert_array_equal(out, first)
        # The smallest plane of such a picture has more than 8 kB.
        assert peak < 6_000, image.format


def test_a_picture_is_never_changed(astronaut: Pixels) -> None:
    for image in (Image.from_array(astronaut.copy()), _yuv(astronaut, 8)):
        before = image.data.copy()
        image.data.flags.writeable = False
        _filled(image, (101, 333))
        np.testing.assert_array_equal(image.data, before)


def test_one_preprocessor_takes_pictures_of_changing_size_and_format(astronaut: Pixels) -> None:
    preprocessor = Preprocessor((236, 300))
    out = np.empty((236, 300, 3), np.uint8)
    small = cv2.resize(astronaut, (160, 120))
    for image in (_yuv(astronaut), Image.from_array(small), _yuv(small, 32), _yuv(astronaut)):
        preprocessor.fill(image, out)
        np.testing.assert_array_equal(out, _filled(image, (236, 300)))


def test_yuv_planes_are_views() -> None:
    data = np.zeros((9, 16), np.uint8)  # 12x6 with a stride of 16
    y, u, v = yuv_planes(data, 12, 6)
    assert (y.shape, u.shape, v.shape) == ((6, 12), (3, 6), (3, 6))
    y[:], u[:], v[:] = 1, 2, 3
    flat = data.ravel()
    assert (flat[:96].reshape(6, 16)[:, :12] == 1).all()
    assert (flat[96:120].reshape(3, 8)[:, :6] == 2).all()
    assert (flat[120:].reshape(3, 8)[:, :6] == 3).all()
    assert (data == 0).sum() == data.size - 6 * 12 - 2 * 18


def test_an_overlay_is_no_picture() -> None:
    overlay = Image.from_array(np.zeros((64, 64, 4), np.uint8), PixelFormat.RGBA)
    with pytest.raises(ValueError, match="a picture of RGBA; expected BGR, RGB or YUV420"):
        Preprocessor((32, 32)).fill(overlay, np.empty((32, 32, 3), np.uint8))
