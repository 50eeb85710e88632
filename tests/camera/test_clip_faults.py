"""Video files that break off, are damaged, or are no video."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from edge_vision.camera.clip import ClipCamera
from edge_vision.errors import ConfigError, SourceBroken, SourceMissing


def cut(path: Path, part: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


def noise(index: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 255, (height, width, 3), np.uint8)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.flv"])
def test_a_cut_off_clip_gives_what_is_there_and_tells_where_it_ends(make_clip, read_all, name):
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = cut(make_clip(name, frames=100, pictures=noise, options=options), 0.5)
    camera = ClipCamera(str(path), pace="fast")
    seen = read_all(camera)
    assert 30 < len(seen) < 70
    (fault,) = camera.faults()
    assert isinstance(fault, SourceBroken)
    at_s = float(str(fault).partition("breaks off at ")[2].split()[0])
    assert at_s == pytest.approx(len(seen) / 25, abs=0.1)
    assert str(fault).startswith(f"{path} breaks off at ")
    assert "s of 4.0 s" in str(fault)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi", "clip.ts", "clip.h264"])
def test_a_whole_clip_has_no_fault(make_clip, read_all, name):
    camera = ClipCamera(str(make_clip(name, frames=30)), pace="fast")
    assert len(read_all(camera)) == 30
    assert camera.faults() == []


def test_a_hole_in_the_middle_is_told_once_and_not_the_end(make_clip, read_all):
    path = make_clip(frames=100, pictures=noise, options={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(data)
    camera = ClipCamera(str(path), pace="fast", loop=True)
    seen = read_all(camera, most=250)
    assert len(seen) == 250
    (fault,) = camera.faults()
    assert "is damaged at" in str(fault)
    assert "breaks off" not in str(fault)


def test_what_is_not_there_or_no_video_is_one_sentence(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.txt").write_text("hello\n" * 50)
    (tmp_path / "zeros.mp4").write_bytes(bytes(5000))
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    for name in ("empty.mp4", "text.txt", "zeros.mp4", "sound.wav"):
        with pytest.raises(SourceBroken, match=rf"{name} is no video that can be played: \w"):
            ClipCamera(str(tmp_path / name)).open()
    with pytest.raises(SourceMissing, match=r"none\.mp4 does not exist"):
        ClipCamera(str(tmp_path / "none.mp4")).open()
    with pytest.raises(SourceBroken, match="is a device"):
        ClipCamera("/dev/null").open()


def test_a_header_without_pictures_is_broken(make_clip):
    path = make_clip(frames=30, pictures=noise, options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 8])
    with pytest.raises(SourceBroken, match="no video that can be played"):
        ClipCamera(str(path)).open()


def test_an_unknown_scheme_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"^gopher://host/x has a scheme .* rtsp"):
        ClipCamera("gopher://me:secret@host/x")
