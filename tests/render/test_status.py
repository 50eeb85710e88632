"""The picture that is shown while no camera delivers."""

import numpy as np
import pytest

from edge_vision.render.status import status_picture

MESSAGE = "no camera: /dev/video0 is not there; plug a USB camera in; trying again in 4 s"


@pytest.mark.parametrize("size", [(320, 240), (640, 272), (1280, 720), (1920, 1080)])
def test_the_message_is_in_the_middle_and_whole(size: tuple[int, int]) -> None:
    width, height = size
    picture = status_picture(width, height, MESSAGE)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    ys, xs = np.nonzero((picture != picture[0, 0]).any(axis=-1))
    assert xs.min() > width * 0.02
    assert xs.max() < width * 0.98
    assert abs((ys.min() + ys.max()) / 2 - height / 2) < height * 0.08
    assert abs((xs.min() + xs.max()) / 2 - width / 2) < width * 0.05


def test_another_message_is_another_picture() -> None:
    one, other = (status_picture(640, 272, text) for text in (MESSAGE, "no camera: unplugged"))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (3, 400), (400, 3)])
@pytest.mark.parametrize("message", ["", "x", MESSAGE, "\u00e9" * 3000, ": ", "no camera"])
def test_any_size_and_message(size: tuple[int, int], message: str) -> None:
    assert status_picture(*size, message).shape == (size[1], size[0], 3)
