"""Recordings that go on in another file: every picture once, and memory that is given back."""

import os
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from edge_vision.config_outputs import VideoConfig
from edge_vision.outputs.base import Picture
from edge_vision.outputs.video import VideoOutput

pytestmark = pytest.mark.usefixtures("no_thread_left")
MakePicture = Callable[..., Picture]
STEP_MS = 10_000


def _record(path: Path, picture: MakePicture, count: int) -> VideoOutput:
    """`count` pictures, ten seconds apart, in files of a minute."""
    output = VideoOutput(VideoConfig(path=str(path), split_s=60), patient=True)
    output.start()
    for number in range(count):
        output.offer(picture(number, 5000 + number * STEP_MS))
    output.close(30)
    return output


def _seen(path: Path) -> list[tuple[float, int]]:
    """Time in s and number of each picture, as FFmpeg decodes them."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    levels = [frame.to_ndarray(format="bgr24").mean() for frame in frames]
    times = [float(frame.time) for frame in frames]
    return [(at, round((level - 20) / 10)) for at, level in zip(times, levels, strict=True)]


def test_each_file_begins_anew_and_no_picture_is_lost(tmp_path: Path, picture: MakePicture) -> None:
    (tmp_path / "out-3.mp4").write_bytes(b"an older recording")
    output = _record(tmp_path / "out.mp4", picture, 14)
    assert output.fault() is None
    names = ["out.mp4", "out-2.mp4", "out-4.mp4"]
    assert sorted(os.listdir(tmp_path)) == sorted((*names, "out-3.mp4"))
    assert (tmp_path / "out-3.mp4").read_bytes() == b"an older recording"
    found = [_seen(tmp_path / name) for name in names]
    assert found[0] == [(n * 10.0, n) for n in range(6)]
    assert found[1] == [(n * 10.0, 6 + n) for n in range(6)]
    assert found[2] == [(0.0, 12), (10.0, 13)]


def test_descriptors_of_ended_files_are_given_back(tmp_path: Path, picture: MakePicture) -> None:
    before = len(os.listdir("/proc/self/fd"))
    _record(tmp_path / "out.mp4", picture, 40)
    assert len(list(tmp_path.iterdir())) == 7
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_next_file_that_cannot_be_made_keeps_the_one_before(
    tmp_path: Path, picture: MakePicture
) -> None:
    folder, elsewhere = tmp_path / "card", tmp_path / "elsewhere"
    folder.mkdir()
    output = VideoOutput(VideoConfig(path=str(folder / "out.mp4"), split_s=60), patient=True)
    output.start()
    folder.rename(elsewhere)
    for number in range(9):
        output.offer(picture(number, 5000 + number * STEP_MS))
    output.close(30)
    fault = output.fault()
    assert fault is not None
    assert "out-2.mp4: its folder does not exist; the recording ends with" in str(fault)
    assert [number for _, number in _seen(elsewhere / "out.mp4")] == list(range(6))


def test_a_service_keeps_what_was_recorded_before_it_was_started_again(
    tmp_path: Path, picture: MakePicture
) -> None:
    path = tmp_path / "out.mp4"
    for start in range(3):
        output = VideoOutput(VideoConfig(path=str(path)), patient=True, keep_old=True)
        output.start()
        for number in range(start + 1):
            output.offer(picture(number))
        output.close(30)
        assert output.fault() is None
    counts = [len(_seen(tmp_path / name)) for name in ("out.mp4", "out-2.mp4", "out-3.mp4")]
    assert counts == [1, 2, 3]


def test_one_that_showed_nothing_leaves_nothing(tmp_path: Path, picture: MakePicture) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"an older recording")
    output = VideoOutput(VideoConfig(path=str(path)), patient=True, keep_old=True)
    output.start()
    output.close(30)
    assert os.listdir(tmp_path) == ["out.mp4"]
    assert path.read_bytes() == b"an older recording"
