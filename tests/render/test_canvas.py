"""Frames are copied in their own format, or become BGR, in memory that is reused."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat
from edge_vision.render.canvas import Canvas

Pixels = NDArray[np.uint8]


@pytest.fixture
def photo(pictures: Path) -> Pixels:
    picture = cv2.imread(str(pictures / "cat.jpg"))
    assert picture is not None
    return np.ascontiguousarray(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])


def _padded_i420(photo: Pixels, stride: int) -> Image:
    """The photo as I420 with longer rows, filled with what must not be seen."""
    height, width = photo.shape[:2]
    tight = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    data = np.full((height * 3 // 2, stride), 255, np.uint8)
    data[:height, :width] = tight[:height]
    data[height:].reshape(height, stride // 2)[:, : width // 2] = tight[height:].reshape(height, -1)
    return Image(data, PixelFormat.YUV420, width, height, stride)


def _in_bgr(image: Image) -> Pixels:
    return Canvas(bgr=True).fill(image).image.data


def test_bgr_is_copied(photo: Pixels) -> None:
    surface = Canvas().fill(Image.from_array(photo))
    assert surface.format is PixelFormat.BGR
    assert np.array_equal(surface.image.data, photo)
    assert not np.shares_memory(surface.image.data, photo)


@pytest.mark.parametrize("bgr", [False, True])
def test_rows_longer_than_the_picture_are_cut(photo: Pixels, bgr: bool) -> None:
    height, width = photo.shape[:2]
    memory = np.zeros((height, width + 9, 3), np.uint8)
    memory[:, :width] = photo
    for format, expected in ((PixelFormat.BGR, photo), (PixelFormat.RGB, photo[:, :, ::-1])):
        image = Image(memory[:, :width], format, width, height, memory.strides[0])
        data = Canvas(bgr=bgr).fill(image).image.data
        assert np.array_equal(data, expected)
        assert data.flags.c_contiguous


def test_rgb_is_turned_around(photo: Pixels) -> None:
    rgb = np.ascontiguousarray(photo[:, :, ::-1])
    surface = Canvas().fill(Image.from_array(rgb, PixelFormat.RGB))
    assert surface.format is PixelFormat.BGR
    assert np.array_equal(surface.image.data, photo)


@pytest.mark.parametrize("more", [0, 2, 32, 64])
def test_yuv_stays_yuv_without_padding(photo: Pixels, more: int) -> None:
    tight = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    image = _padded_i420(photo, photo.shape[1] + more)
    surface = Canvas().fill(image)
    assert surface.format is PixelFormat.YUV420
    assert np.array_equal(surface.image.data, tight)
    assert not np.shares_memory(surface.image.data, image.data)


def test_a_quarter_of_the_lines_is_odd() -> None:
    """Of 6 lines: the V plane begins in the middle of a row of the array."""
    data = np.arange(9 * 12, dtype=np.uint8).reshape(9, 12)
    image = Image(data, PixelFormat.YUV420, 8, 6, 12)
    expected = [*data[:6, :8].ravel()]
    expected += [*data[6:].reshape(6, 6)[:, :4].ravel()]
    assert Canvas().fill(image).image.data.ravel().tolist() == expected


def test_yuv_looks_like_the_photo(photo: Pixels) -> None:
    data = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    seen = _in_bgr(Image.from_array(data, PixelFormat.YUV420))
    # Colour has half the resolution: the mean stays close, single pixels may not.
    assert np.abs(seen.astype(int) - photo).mean() < 4


@pytest.mark.parametrize("more", [2, 32, 64])
def test_yuv_with_longer_rows_is_the_same(photo: Pixels, more: int) -> None:
    tight = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    expected = _in_bgr(Image.from_array(tight, PixelFormat.YUV420))
    assert np.array_equal(_in_bgr(_padded_i420(photo, photo.shape[1] + more)), expected)


def test_smallest_yuv() -> None:
    grey = np.full((3, 2), 128, np.uint8)
    image = Image.from_array(grey, PixelFormat.YUV420)
    assert Canvas().fill(image).image.data.tolist() == grey.tolist()
    seen = _in_bgr(image)
    assert seen.shape == (2, 2, 3)
    # BT.601 limited range: 255 * (128 - 16) / 219 = 130.4
    assert np.all(np.abs(seen.astype(int) - 130) <= 1)


def test_memory_stays_while_size_and_format_stay(photo: Pixels) -> None:
    canvas = Canvas()
    planes = Image.from_array(cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420), PixelFormat.YUV420)
    first = canvas.fill(Image.from_array(photo))
    again = canvas.fill(Image.from_array(photo[:, ::-1].copy()))
    assert again is first
    assert canvas.fill(Image.from_array(photo, PixelFormat.RGB)) is first
    other = canvas.fill(planes)
    assert other.format is PixelFormat.YUV420
    assert canvas.fill(planes) is other
    small = canvas.fill(Image.from_array(np.full((1, 1, 3), 7, np.uint8)))
    assert small.image.data.tolist() == [[[7, 7, 7]]]
    assert canvas.fill(Image.from_array(photo)).image.data.shape == photo.shape


def test_read_only_memory_will_do(photo: Pixels) -> None:
    planes = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    photo.flags.writeable = planes.flags.writeable = False
    for data, format in (
        (photo, PixelFormat.BGR),
        (photo, PixelFormat.RGB),
        (planes, PixelFormat.YUV420),
    ):
        for bgr in (False, True):
            filled = Canvas(bgr=bgr).fill(Image.from_array(data, format))
            assert filled.image.data.flags.writeable
