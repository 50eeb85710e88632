"""The MP4: decoded again, and checked for number, time and content of its pictures."""

import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config_outputs import VideoConfig
from edge_vision.errors import OutputError
from edge_vision.frame import Image, Stamps
from edge_vision.outputs import encoder
from edge_vision.outputs.base import Picture
from edge_vision.outputs.video import VideoOutput

pytestmark = pytest.mark.usefixtures("no_thread_left")
MakePicture = Callable[..., Picture]
Pixels = NDArray[np.uint8]


def _write(path: Path, *pictures: Picture, **config: object) -> VideoOutput:
    output = VideoOutput(VideoConfig(path=str(path), **config), patient=True)
    output.start()
    assert all(output.offer(picture) for picture in pictures)
    output.close(30)
    assert output.fault() is None
    return output


def decoded(path: Path) -> tuple[list[float], list[Pixels], float]:
    """Times in s, pictures, and the duration that the file states, in s."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert stream.duration is not None
        assert stream.time_base is not None
        duration_s = float(stream.duration * stream.time_base)
    times = [float(frame.time) for frame in frames]
    return times, [frame.to_ndarray(format="bgr24") for frame in frames], duration_s


def test_street_video(tmp_path: Path, bikes: Path) -> None:
    """Real pictures come back in their number, time and looks; OpenCV agrees with FFmpeg."""
    reader = cv2.VideoCapture(str(bikes))
    pictures = [reader.read()[1] for _ in range(75)]
    path = tmp_path / "out.mp4"
    _write(
        path,
        *(
            Picture(Image.from_array(p), n, n * 40_000_000, Stamps())
            for n, p in enumerate(pictures)
        ),
        crf=18,
    )
    times, shown, duration_s = decoded(path)
    assert times == pytest.approx([n * 0.04 for n in range(75)], abs=1e-4)
    assert duration_s == pytest.approx(3.0, abs=1e-3)
    for number in (0, 37, 74):
        assert np.abs(shown[number].astype(int) - pictures[number]).mean() < 4
    again = cv2.VideoCapture(str(path))
    assert again.get(cv2.CAP_PROP_FRAME_COUNT) == 75
    assert again.get(cv2.CAP_PROP_FPS) == pytest.approx(25, abs=0.01)
    assert sum(1 for _ in iter(lambda: again.read()[0], False)) == 75


def test_it_says_how_its_colours_are_meant(tmp_path: Path, picture: MakePicture) -> None:
    """Pure colours survive: matrix and range in the file are those of the conversion."""
    canvas = np.zeros((720, 1280, 3), np.uint8)
    canvas[:, :640], canvas[:, 640:] = (0, 0, 220), (40, 200, 60)
    path = tmp_path / "out.mp4"
    _write(path, Picture(Image.from_array(canvas), 0, 0, Stamps()), crf=10)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (6, 1)  # BT.601, limited
        assert context.name == "h264"
    shown = decoded(path)[1][0]
    assert np.abs(shown[300, 300].astype(int) - (0, 0, 220)).max() <= 6
    assert np.abs(shown[300, 900].astype(int) - (40, 200, 60)).max() <= 6


def test_time_is_that_of_the_pictures(tmp_path: Path, picture: MakePicture) -> None:
    """Dropped frames, a pause, and a live camera's large first time."""
    start_ms = 86_400_000.0
    at_ms = [0, 33.3, 66.7, 200, 233.3, 2500, 2540]
    path = tmp_path / "out.mp4"
    _write(path, *(picture(n, start_ms + ms) for n, ms in enumerate(at_ms)))
    times, _, duration_s = decoded(path)
    assert times == pytest.approx([ms / 1000 for ms in at_ms], abs=1e-4)
    assert duration_s == pytest.approx(2.58, abs=1e-3)  # the last lasts as long as the one before


def test_time_that_stands_still_or_starts_again(tmp_path: Path, picture: MakePicture) -> None:
    path = tmp_path / "out.mp4"
    _write(path, *(picture(n, ms) for n, ms in enumerate([0, 40, 40, 40, 80, 0, 40, 80])))
    times, _, _ = decoded(path)
    assert len(times) == 8
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert times[4:] == pytest.approx([0.08, 0.12, 0.16, 0.2], abs=1e-4)


def test_one_picture_is_a_video(tmp_path: Path, picture: MakePicture) -> None:
    _write(tmp_path / "out.mp4", picture(3))
    times, shown, duration_s = decoded(tmp_path / "out.mp4")
    assert times == [0]
    assert abs(int(shown[0].mean()) - 50) <= 2
    assert duration_s == pytest.approx(1 / 30, abs=1e-3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((641, 481), (640, 480)), ((16, 17), (16, 16)), ((1, 1), (16, 16)), ((7, 200), (16, 200)),
     ((4000, 3000), (3324, 2494))],
)  # fmt: skip
def test_sizes(
    tmp_path: Path, picture: MakePicture, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    path = tmp_path / "out.mp4"
    _write(path, picture(5, 0, size), picture(5, 40, size))
    shown = decoded(path)[1]
    assert len(shown) == 2
    width, height = shown[1].shape[1], shown[1].shape[0]
    assert (width, height) == expected
    assert abs(int(shown[1][height // 2, width // 2, 0]) - 70) <= 2


def test_the_odd_pixel_is_cut_and_nothing_is_scaled(tmp_path: Path) -> None:
    canvas = np.zeros((101, 131, 3), np.uint8)
    canvas[40:60, 60:80] = 200
    _write(tmp_path / "out.mp4", Picture(Image.from_array(canvas), 0, 0, Stamps()), crf=10)
    shown = decoded(tmp_path / "out.mp4")[1][0]
    assert shown.shape == (100, 130, 3)
    assert np.abs(shown.astype(int) - canvas[:100, :130]).mean() < 1


def test_another_size_is_scaled_into_the_first(tmp_path: Path, picture: MakePicture) -> None:
    path = tmp_path / "out.mp4"
    sizes = [(320, 240), (640, 480), (100, 240), (5000, 10), (320, 240)]
    _write(path, *(picture(10, n * 40, size) for n, size in enumerate(sizes)))
    shown = decoded(path)[1]
    assert [s.shape for s in shown] == [(240, 320, 3)] * 5
    assert abs(int(shown[1][0, 0, 0]) - 120) <= 3  # same shape: no bars
    assert shown[2][120, :100].max() <= 8  # bars left and right
    assert abs(int(shown[2][120, 160, 0]) - 120) <= 3
    assert shown[3][:100].max() <= 8  # bars above and below
    assert abs(int(shown[4][0, 0, 0]) - 120) <= 3


def test_the_canvas_may_change_right_after_the_offer(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    output = VideoOutput(VideoConfig(path=str(path)), patient=True)
    output.start()
    canvas = np.zeros((240, 320, 3), np.uint8)
    for number in range(20):
        canvas[:] = 20 + 10 * number
        assert output.offer(
            Picture(Image.from_array(canvas), number, number * 40_000_000, Stamps())
        )
        canvas[:] = 255
    output.close(10)
    levels = [round(float(shown.mean())) for shown in decoded(path)[1]]
    assert np.abs(np.array(levels) - [20 + 10 * number for number in range(20)]).max() <= 2


def test_no_picture_no_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, picture: MakePicture
) -> None:
    path = tmp_path / "out.mp4"
    _write(path)
    assert not path.exists()
    assert "no picture was shown" in caplog.text
    path.write_bytes(b"another recording")
    _write(path)
    assert path.read_bytes() == b"another recording"
    _write(path, picture(1))
    assert len(decoded(path)[0]) == 1


def test_an_older_longer_file_is_replaced(tmp_path: Path, picture: MakePicture) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"x" * 1_000_000)
    _write(path, picture(1))
    assert path.stat().st_size < 10_000


def test_without_h264(
    tmp_path: Path,
    picture: MakePicture,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(encoder, "software_name", lambda: "mpeg4")
    path = tmp_path / "out.mp4"
    with caplog.at_level(logging.WARNING):
        _write(path, *(picture(number) for number in range(60)))
    assert "this PyAV has no x264" in caplog.text
    times, shown, duration_s = decoded(path)
    assert len(times) == 60
    assert duration_s == pytest.approx(2.4, abs=1e-3)
    assert abs(int(shown[7].mean()) - 90) <= 3


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", r"is a folder; name a file in it: .*edge-vision\.mp4"),
        ("a.avi", r"only \.mp4; try .*a\.mp4"),
        ("video", r"only \.mp4; try .*video\.mp4"),
        ("missing/a.mp4", "its folder does not exist; choose a folder"),
        ("file/a.mp4", "a part of the path is not a folder"),
        ("pipe.mp4", "no regular file"),
    ],
)
def test_where_nothing_can_be_written(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe.mp4")
    output = VideoOutput(VideoConfig(path=str(tmp_path / path)))
    with pytest.raises(OutputError, match=said):
        output.start()
    assert not output.active()
    output.close(1)


def test_a_folder_that_cannot_be_written() -> None:
    # Nobody, not even root, can make files there.
    output = VideoOutput(VideoConfig(path="/proc/self/out.mp4"))
    with pytest.raises(OutputError, match=r"cannot write /proc/self/out\.mp4: .*; choose a folder"):
        output.start()


def test_the_same_settings_reach_the_encoder(tmp_path: Path, bikes: Path) -> None:
    reader = cv2.VideoCapture(str(bikes))
    pictures = [
        Picture(Image.from_array(reader.read()[1]), n, n * 40_000_000, Stamps()) for n in range(10)
    ]
    sizes = []
    for name, settings in (("good", {"crf": 15}), ("small", {"crf": 40}),
                           ("slow", {"crf": 40, "preset": "medium"})):  # fmt: skip
        _write(tmp_path / f"{name}.mp4", *pictures, **settings)
        sizes.append((tmp_path / f"{name}.mp4").stat().st_size)
    assert sizes[0] > 3 * sizes[1]
    assert sizes[2] != sizes[1]
