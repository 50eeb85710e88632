"""YUV420 is recorded without a conversion, and in the same colours as BGR."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config_outputs import VideoConfig
from edge_vision.frame import Image, PixelFormat, Stamps
from edge_vision.outputs import fitting
from edge_vision.outputs.base import Picture
from edge_vision.outputs.video import VideoOutput

Pixels = NDArray[np.uint8]
PLAIN: tuple[tuple[int, int, int], ...] = ((0, 0, 220), (40, 200, 60), (230, 90, 20), (16, 16, 16))


def _recorded(path: Path, *images: Image) -> list[Pixels]:
    """Decoded again as I420, uint8 (h * 3 / 2, w)."""
    output = VideoOutput(VideoConfig(path=str(path), crf=5), patient=True)
    output.start()
    for number, image in enumerate(images):
        assert output.offer(Picture(image, number, number * 40_000_000, Stamps()))
    output.close(30)
    assert output.fault() is None
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


@pytest.fixture
def photo(pictures: Path) -> Pixels:
    """A real picture with four plain fields: uint8 (512, 512, 3) BGR."""
    picture = cv2.imread(str(pictures / "astronaut.jpg"))
    assert picture is not None
    for place, colour in enumerate(PLAIN):
        picture[100:160, 60 + 100 * place : 120 + 100 * place] = colour
    return np.asarray(picture, np.uint8)


def test_both_ways_give_the_same_film(tmp_path: Path, photo: Pixels) -> None:
    planes = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    (from_bgr,) = _recorded(tmp_path / "bgr.mp4", Image.from_array(photo))
    image = Image.from_array(planes, PixelFormat.YUV420)
    (from_yuv,) = _recorded(tmp_path / "yuv.mp4", image)
    assert np.array_equal(from_bgr, from_yuv)
    shown = cv2.cvtColor(from_yuv, cv2.COLOR_YUV2BGR_I420)
    for place, colour in enumerate(PLAIN):
        assert np.abs(shown[130, 90 + 100 * place].astype(int) - colour).max() <= 6


def test_nothing_is_converted(
    tmp_path: Path, photo: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    planes = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    monkeypatch.delattr(fitting, "cv2")
    image = Image.from_array(planes, PixelFormat.YUV420)
    shown = _recorded(tmp_path / "yuv.mp4", image, image)
    assert np.abs(shown[1].astype(int) - planes).mean() < 1


def test_another_size_or_format_in_between(tmp_path: Path, photo: Pixels) -> None:
    planes = cv2.cvtColor(photo, cv2.COLOR_BGR2YUV_I420)
    small = cv2.cvtColor(np.ascontiguousarray(photo[::2, ::2]), cv2.COLOR_BGR2YUV_I420)
    images = [
        Image.from_array(planes, PixelFormat.YUV420),
        Image.from_array(small, PixelFormat.YUV420),
        Image.from_array(photo),
        Image.from_array(planes, PixelFormat.YUV420),
    ]
    shown = _recorded(tmp_path / "out.mp4", *images)
    assert [picture.shape for picture in shown] == [planes.shape] * 4
    for picture, most in zip(shown, (1, 8, 1, 1), strict=True):
        assert np.abs(picture.astype(int) - planes).mean() < most


def test_the_planes_may_change_right_after_the_offer(tmp_path: Path) -> None:
    planes = np.full((360, 320), 128, np.uint8)
    output = VideoOutput(VideoConfig(path=str(tmp_path / "out.mp4")), patient=True)
    output.start()
    for number in range(10):
        planes[:240], planes[240:] = 40 + 10 * number, 128
        image = Image.from_array(planes, PixelFormat.YUV420)
        assert output.offer(Picture(image, number, number * 40_000_000, Stamps()))
        planes[:] = 255
    output.close(10)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
    levels = [round(float(frame[:240].mean())) for frame in frames]
    assert np.abs(np.array(levels) - [40 + 10 * number for number in range(10)]).max() <= 1
    assert all(abs(float(frame[240:].mean()) - 128) <= 1 for frame in frames)
