"""Pictures to JPEG: colours, sizes, and what takes simplejpeg's place."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.frame import Image, PixelFormat
from edge_vision.outputs.web import jpeg
from edge_vision.outputs.web.jpeg import JpegEncoder, scaled_px

COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (0, 0, 220),
    "green": (0, 200, 0),
    "blue": (230, 40, 20),
    "orange": (0, 136, 255),
}


@pytest.fixture(params=["simplejpeg", "opencv"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With simplejpeg, and as where it is missing."""
    if request.param == "opencv":
        monkeypatch.setattr(jpeg, "_find_simplejpeg", lambda: None)
    return str(request.param)


def image_of(bgr: Any, format: PixelFormat) -> Image:
    data = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420) if format is PixelFormat.YUV420 else bgr
    return Image.from_array(np.ascontiguousarray(data), format)


def decoded(data: bytes) -> Any:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.YUV420])
@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("colour", COLOURS)
def test_colours_are_kept(by: str, format: PixelFormat, scale: float, colour: str) -> None:
    """Video levels become full range: black stays black, white white, and red does not fade."""
    bgr = np.full((64, 96, 3), COLOURS[colour], np.uint8)
    shown = decoded(JpegEncoder(95, scale).encode(image_of(bgr, format)))
    assert shown.shape == (64 * scale, 96 * scale, 3)
    assert np.abs(shown.astype(int) - bgr[0, 0]).max() <= 4


@pytest.mark.parametrize("format", [PixelFormat.BGR, PixelFormat.YUV420])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.37])
def test_a_photograph_is_kept(by: str, pictures: Path, format: PixelFormat, scale: float) -> None:
    photograph = cv2.imread(str(pictures / "astronaut.jpg"))
    assert photograph is not None
    photograph = photograph[: photograph.shape[0] // 2 * 2, : photograph.shape[1] // 2 * 2]
    height, width = photograph.shape[:2]
    size_px = scaled_px(width, height, scale)
    shown = decoded(JpegEncoder(90, scale).encode(image_of(photograph, format)))
    assert (shown.shape[1], shown.shape[0]) == size_px
    expected = cv2.resize(photograph, size_px, interpolation=cv2.INTER_AREA)
    assert cv2.PSNR(shown, expected) > 30


def test_levels_below_black_and_above_white_are_cut(by: str) -> None:
    """They may come from a camera, and must not turn into their opposites."""
    for level, shown in ((0, 0), (10, 0), (16, 0), (235, 255), (255, 255)):
        data = np.full((48, 32), 128, np.uint8)
        data[:32] = level
        image = Image.from_array(data, PixelFormat.YUV420)
        assert np.abs(decoded(JpegEncoder(95, 1.0).encode(image)).astype(int) - shown).max() <= 1


def test_wild_chroma_does_not_turn_round() -> None:
    if jpeg._find_simplejpeg() is None:
        pytest.skip("no simplejpeg; OpenCV cuts red, green and blue instead")
    data = np.full((48, 32), 128, np.uint8)
    data[32:40] = 2
    full = decoded(JpegEncoder(95, 1.0).encode(Image.from_array(data, PixelFormat.YUV420)))
    data[32:40] = 16
    assert np.array_equal(
        full, decoded(JpegEncoder(95, 1.0).encode(Image.from_array(data, PixelFormat.YUV420)))
    )


@pytest.mark.parametrize("size_px", [(33, 17), (2, 2), (1, 1)])
def test_odd_and_tiny_sizes(by: str, size_px: tuple[int, int]) -> None:
    bgr = np.full((size_px[1], size_px[0], 3), 90, np.uint8)
    assert decoded(JpegEncoder(80, 1.0).encode(Image.from_array(bgr))).shape == bgr.shape
    small = decoded(JpegEncoder(80, 0.1).encode(Image.from_array(bgr)))
    assert min(small.shape[:2]) >= 2


def test_the_size_may_change_while_it_works(by: str) -> None:
    encoder = JpegEncoder(80, 0.5)
    for width in (64, 32, 64):
        for format in (PixelFormat.YUV420, PixelFormat.BGR):
            image = image_of(np.full((32, width, 3), 200, np.uint8), format)
            assert decoded(encoder.encode(image)).shape == (16, width // 2, 3)


def test_it_is_4_2_0_and_quality_counts(by: str, pictures: Path) -> None:
    photograph = cv2.imread(str(pictures / "cat.jpg"))
    image = Image.from_array(np.ascontiguousarray(photograph))
    small, large = (JpegEncoder(quality, 1.0).encode(image) for quality in (30, 95))
    assert len(small) < len(large) / 3
    frame_header = large.index(b"\xff\xc0")
    # ITU-T T.81, B.2.2: length 2, precision 1, height 2, width 2, components 1, then id, sampling.
    assert [large[frame_header + 11 + 3 * n] for n in range(3)] == [0x22, 0x11, 0x11]


def test_memory_is_used_again() -> None:
    """For what goes in; the JPEG itself is new each time."""
    encoder = JpegEncoder(80, 0.5)
    image = image_of(np.full((32, 64, 3), 200, np.uint8), PixelFormat.YUV420)
    encoder.encode(image)
    first = {number: id(memory) for number, memory in encoder._memory.items()}
    encoder.encode(image)
    assert {number: id(memory) for number, memory in encoder._memory.items()} == first
