"""Hard cuts: what is one, and what only looks like one."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.camera.demo import DemoCamera
from edge_vision.frame import Image, PixelFormat
from edge_vision.track.cuts import CutWatch
from edge_vision.track.paths import Paths

FRAME_NS = 33_333_333


def photograph(pictures: Path, name: str) -> NDArray[np.uint8]:
    picture = cv2.imread(str(pictures / name))
    assert picture is not None
    return cv2.resize(picture, (640, 360)).astype(np.uint8)


def as_yuv(picture: NDArray[np.uint8]) -> Image:
    yuv = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8)
    return Image.from_array(yuv, PixelFormat.YUV420)


@pytest.mark.parametrize("wrap", [Image.from_array, as_yuv], ids=["bgr", "yuv420"])
def test_another_picture_is_a_cut(pictures: Path, wrap) -> None:
    cat, man = wrap(photograph(pictures, "cat.jpg")), wrap(photograph(pictures, "astronaut.jpg"))
    paths = Paths()
    watch = CutWatch(paths)
    told = [watch.is_cut(seen, n * FRAME_NS) for n, seen in enumerate((cat, cat, man, man, cat))]
    assert told == [False, False, True, False, True]
    assert paths.cut_ns == 4 * FRAME_NS


def test_the_cuts_of_a_street_film(bikes: Path) -> None:
    """They were found by looking at the frames."""
    film, watch, cuts = cv2.VideoCapture(str(bikes)), CutWatch(Paths()), []
    for number in range(250):
        _, picture = film.read()
        if watch.is_cut(Image.from_array(picture), number * 40_000_000):
            cuts.append(number)
    film.release()
    assert cuts == [30, 76, 137, 187, 242]


def test_a_camera_that_pans_and_light_that_changes_are_none(pictures: Path) -> None:
    scene = DemoCamera((640, 360), 30.0, 0, "fast")
    watch = CutWatch(Paths())
    for frame in range(0, 300, 3):  # a tenth of a second from one to the next
        assert not watch.is_cut(Image.from_array(scene.render(frame)), frame * FRAME_NS)
    cat = photograph(pictures, "cat.jpg")
    watch = CutWatch(Paths())
    for number, light in enumerate((1.0, 0.3, 1.0, 0.1)):
        lit = (cat * light).astype(np.uint8)
        assert not watch.is_cut(Image.from_array(lit), number * FRAME_NS)


def test_what_it_cannot_know_is_none(pictures: Path) -> None:
    cat, man = (
        Image.from_array(photograph(pictures, name)) for name in ("cat.jpg", "astronaut.jpg")
    )
    dark = Image.from_array(np.full((360, 640, 3), 7, np.uint8))
    for seen in ((cat, dark, man), (dark, dark)):
        watch = CutWatch(Paths())
        assert not any(watch.is_cut(one, n * FRAME_NS) for n, one in enumerate(seen))
    for times_ns in ((0, 200_000_000), (10, 10), (10, 5)):
        watch = CutWatch(Paths())
        assert not any(
            watch.is_cut(one, at_ns) for one, at_ns in zip((cat, man), times_ns, strict=True)
        )
    tiny = [Image.from_array(np.full((1, 1, 3), n, np.uint8)) for n in (0, 255)]
    assert not any(CutWatch(Paths()).is_cut(one, 0) for one in tiny)


def test_who_looks_less_often_does_not_know_better(pictures: Path) -> None:
    """Two watch: one at every frame, one at every third; the first one's time of the cut stays."""
    shots = [photograph(pictures, name) for name in ("cat.jpg", "astronaut.jpg")]
    film = [Image.from_array(shots[n >= 4]) for n in range(7)]
    paths = Paths()
    often, seldom = CutWatch(paths), CutWatch(paths)
    told = []
    for number, one in enumerate(film):
        often.is_cut(one, number * FRAME_NS)
        if number % 3 == 0:
            told.append(seldom.is_cut(one, number * FRAME_NS))
    assert told == [False, False, True]
    assert paths.cut_ns == 4 * FRAME_NS
