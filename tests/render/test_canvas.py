"""Frames of every format become the same BGR picture, in memory that is reused."""

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


def test_bgr_is_copied(photo: Pixels) -> None:
    canvas = Canvas().fill(Image.from_array(photo))
    assert np.array_equal(canvas, photo)
    assert not np.shares_memory(canvas, photo)


def test_rows_longer_than_the_picture_are_cut(photo: Pixels) -> None:
    height, width = photo.shape[:2]
    memory = np.zeros((height, width + 9, 3), np.uint8)
    memory[:, :width] = photo
    for format, expected in ((PixelFormat.BGR, photo), (PixelFormat.RGB, photo[:, :, ::-1])):
        image = Image(memory[:, :width], format, width, height, memory.strides[0])
        canvas = Canvas().fill(image)
        assert np.array_equal(canvas, expected)
        assert canvas.flags.c_contiguous


def test_rgb_is_turned_around(photo: Pixels) -> None:
    rgb = np.ascontiguousarray(photo[:, :, ::-1])
    assert np.array_equal(Canvas().fill(Image.from_array(rgb, PixelFormat.RGB)), photo)


def test_yuv_looks_like_the_photo(photo: Pixels) -> None:
    data = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    canvas = Canvas().fill(Image.from_array(data, PixelFormat.YUV420))
    # Colour has half the resolution: the mean stays close, single pixels may not.
    assert np.abs(canvas.astype(int) - photo).mean() < 4


@pytest.mark.parametrize("more", [2, 32, 64])
def test_yuv_with_longer_rows_is_the_same(photo: Pixels, more: int) -> None:
    tight = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    expected = Canvas().fill(Image.from_array(tight, PixelFormat.YUV420))
    canvas = Canvas().fill(_padded_i420(photo, photo.shape[1] + more))
    assert np.array_equal(canvas, expected)


def test_smallest_yuv() -> None:
    grey = np.full((3, 2), 128, np.uint8)
    canvas = Canvas().fill(Image.from_array(grey, PixelFormat.YUV420))
    assert canvas.shape == (2, 2, 3)
    # BT.601 limited range: 255 * (128 - 16) / 219 = 130.4
    assert np.all(np.abs(canvas.astype(int) - 130) <= 1)


def test_memory_stays_while_the_size_stays(photo: Pixels) -> None:
    canvas = Canvas()
    first = canvas.fill(Image.from_array(photo))
    again = canvas.fill(Image.from_array(photo[:, ::-1].copy()))
    assert again is first
    small = canvas.fill(Image.from_array(np.full((1, 1, 3), 7, np.uint8)))
    assert small.tolist() == [[[7, 7, 7]]]
    assert canvas.fill(Image.from_array(photo)).shape == photo.shape


def test_read_only_memory_will_do(photo: Pixels) -> None:
    photo.flags.writeable = False
    for format in (PixelFormat.BGR, PixelFormat.RGB):
        assert Canvas().fill(Image.from_array(photo, format)).flags.writeable
