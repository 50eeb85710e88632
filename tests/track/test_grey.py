"""Small grey pictures of every size and format."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat
from edge_vision.track.grey import LONGEST_PX, Grey, small_grey

Pixels = NDArray[np.uint8]


def _picture(width: int, height: int) -> Pixels:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (height, width, 3), np.uint8)
    return np.ascontiguousarray(cv2.blur(noise, (5, 5)).reshape(height, width, 3))


@pytest.mark.parametrize(
    ("size", "grey_size"),
    [
        ((1280, 720), (640, 360)),
        ((640, 360), (640, 360)),
        ((641, 361), (320, 180)),
        ((1920, 1080), (480, 270)),
        ((720, 1280), (360, 640)),
        ((1, 1), (1, 1)),
        ((3, 1), (3, 1)),
        ((2000, 1), (2000, 1)),
        ((3001, 5), (750, 1)),
    ],
)
def test_sizes(size: tuple[int, int], grey_size: tuple[int, int]) -> None:
    grey = small_grey(Image.from_array(_picture(*size)))
    assert grey.pixels.shape == grey_size[::-1]
    assert grey.pixels.dtype == np.uint8
    assert grey.pixels.flags.c_contiguous


@pytest.mark.parametrize("size", [(1280, 720), (1283, 725), (500, 300), (300, 500)])
def test_a_place_in_the_picture_is_found_in_the_grey_picture(size: tuple[int, int]) -> None:
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    x, y = size[0] * 3 // 4, size[1] // 3
    picture[y - 8 : y + 8, x - 8 : x + 8] = 255
    grey = small_grey(Image.from_array(picture))
    rows, columns = np.nonzero(grey.pixels > 127)
    found = np.array([columns.mean(), rows.mean()])
    assert np.abs(grey.to_px(np.array([x / size[0], y / size[1]])) - found).max() <= 0.5


def test_all_formats_show_the_same() -> None:
    bgr = _picture(1280, 720)
    rgb = np.ascontiguousarray(bgr[:, :, ::-1])
    yuv = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    a = small_grey(Image.from_array(bgr)).pixels.astype(int)
    b = small_grey(Image.from_array(rgb, PixelFormat.RGB)).pixels.astype(int)
    c = small_grey(Image.from_array(yuv, PixelFormat.YUV420)).pixels.astype(int)
    assert np.abs(a - b).max() <= 1
    # Video levels: 16..235 instead of 0..255.
    assert np.abs((a * 219 / 255 + 16) - c).max() <= 3


@pytest.mark.parametrize("size", [(640, 360), (1280, 720)])
def test_the_end_of_long_rows_is_left_out(size: tuple[int, int]) -> None:
    width, height = size
    rows = np.full((height * 3 // 2, width + 64), 255, np.uint8)
    rows[:height, :width] = 40
    grey = small_grey(Image(rows, PixelFormat.YUV420, width, height, width + 64))
    assert grey.pixels.max() == 40


@pytest.mark.parametrize("format", [f for f in PixelFormat if f is not PixelFormat.RGBA])
def test_the_grey_picture_outlives_the_frame(format: PixelFormat) -> None:
    shape = (540, 640) if format is PixelFormat.YUV420 else (360, 640, 3)
    data = np.full(shape, 100, np.uint8)
    grey = small_grey(Image.from_array(data, format))
    data[:] = 0
    assert grey.pixels.min() >= 99


def test_pictures_of_other_sizes_do_not_fit() -> None:
    def grey(width: int, height: int) -> Grey:
        return small_grey(Image.from_array(_picture(width, height)))

    assert grey(1280, 720).fits(grey(1280, 720))
    assert not grey(1280, 720).fits(grey(1281, 721))  # the same grey size, another scale
    assert not grey(640, 360).fits(grey(640, 352))
    assert max(grey(8192, 100).pixels.shape) <= LONGEST_PX


def test_half_a_picture() -> None:
    picture = np.zeros((181, 321, 3), np.uint8)
    picture[80:100, 150:170] = 255
    whole = small_grey(Image.from_array(picture))
    half = whole.halved()
    assert half.pixels.shape == (90, 160)
    rows, columns = np.nonzero(half.pixels > 127)
    found = np.array([columns.mean(), rows.mean()])
    assert half.to_px(np.array([160 / 321, 90 / 181])) == pytest.approx(found, abs=0.01)
