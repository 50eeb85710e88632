"""What outputs are offered."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.frame import Image, PixelFormat, Stamps
from edge_vision.outputs.base import Picture


@pytest.fixture
def photo(pictures: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(pictures / "astronaut.jpg"))
    assert picture is not None
    return np.ascontiguousarray(picture[:300, :400])


def test_bgr_is_handed_on_as_it_is(photo: NDArray[np.uint8]) -> None:
    assert Picture(Image.from_array(photo), 3, 0, Stamps()).bgr() is photo


def test_yuv_is_converted_once_for_all_outputs(photo: NDArray[np.uint8]) -> None:
    planes = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    picture = Picture(Image.from_array(planes, PixelFormat.YUV420), 3, 0, Stamps())
    assert picture.bgr() is picture.bgr()
    assert picture.bgr().shape == photo.shape
    assert np.abs(picture.bgr().astype(int) - photo).mean() < 3


def test_what_no_renderer_makes_is_refused(photo: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="a picture of RGB, 400 px wide, with rows of 1200 bytes"):
        Picture(Image.from_array(photo, PixelFormat.RGB), 0, 0, Stamps())
    padded = Image(np.zeros((6, 16), np.uint8), PixelFormat.YUV420, 8, 4, 16)
    with pytest.raises(ValueError, match="expected BGR, or YUV420 without padding"):
        Picture(padded, 0, 0, Stamps())
