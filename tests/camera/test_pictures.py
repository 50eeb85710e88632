"""Folders and lists of pictures: any size and kind, order, turns, what cannot be read."""

import shutil
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.camera.base import EndOfStream
from edge_vision.camera.clip import ClipCamera
from edge_vision.errors import SourceBroken, SourceMissing
from edge_vision.frame import PixelFormat

MS = 1_000_000


def write(path: Path, picture: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), picture)
    return path


def grey(value: int, height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def drain(camera: ClipCamera) -> list[np.ndarray]:
    """All pictures to the end, copied."""
    camera.open()
    found = []
    try:
        while True:
            frame = camera.read(1.0)
            assert frame is not None
            assert frame.main.format is PixelFormat.BGR
            found.append(frame.main.data.copy())
            frame.release()
    except EndOfStream:
        camera.close()
        return found


def test_every_kind_comes_as_bgr_in_its_own_size(tmp_path):
    rng = np.random.default_rng(1)
    kinds = {
        "1_grey.png": rng.integers(0, 255, (21, 33), np.uint8),
        "2_alpha.png": rng.integers(0, 255, (10, 12, 4), np.uint8),
        "3_one.png": rng.integers(0, 255, (1, 1, 3), np.uint8),
        "4_deep.png": rng.integers(0, 65535, (8, 9, 3), np.uint16),
        "5_odd.bmp": rng.integers(0, 255, (7, 5, 3), np.uint8),
        "6_web.webp": rng.integers(0, 255, (30, 31, 3), np.uint8),
        "7_tif.tiff": rng.integers(0, 255, (30, 31, 3), np.uint8),
        "8_caps.JPG": rng.integers(0, 255, (16, 24, 3), np.uint8),
    }
    for name, picture in kinds.items():
        write(tmp_path / name, picture)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "._1_grey.png").write_bytes(b"what macOS leaves behind")
    camera = ClipCamera(str(tmp_path), pace="fast")
    found = drain(camera)
    assert [picture.shape for picture in found] == [
        (*original.shape[:2], 3) for original in kinds.values()
    ]
    assert all(picture.dtype == np.uint8 for picture in found)
    assert (found[0] == kinds["1_grey.png"][:, :, None]).all()
    assert (found[1] == kinds["2_alpha.png"][:, :, :3]).all()
    assert (found[4] == kinds["5_odd.bmp"]).all()
    assert camera.faults() == []


def test_the_order_is_by_number(tmp_path):
    for number in (1, 2, 10, 9, 100):
        write(tmp_path / f"p{number}.png", grey(number))
    found = drain(ClipCamera(str(tmp_path), pace="fast"))
    assert [int(picture[0, 0, 0]) for picture in found] == [1, 2, 9, 10, 100]


def test_a_list_keeps_its_own_order(tmp_path):
    paths = [str(write(tmp_path / f"{n}.png", grey(n))) for n in (7, 3, 5)]
    found = drain(ClipCamera(paths, pace="fast"))
    assert [int(picture[0, 0, 0]) for picture in found] == [7, 3, 5]


def test_times_follow_the_rate(tmp_path):
    for number in range(4):
        write(tmp_path / f"{number}.png", grey(number))
    camera = ClipCamera(str(tmp_path), pace="fast", fps=20.0)
    info = camera.open()
    frames = [camera.read(1.0) for _ in range(4)]
    assert [frame.media_ns for frame in frames] == [50 * MS * i for i in range(4)]
    assert [frame.seq for frame in frames] == [0, 1, 2, 3]
    assert (info.fps, info.width_px, info.height_px, info.reconnects) == (20.0, 30, 20, False)
    camera.close()


def test_exif_orientation_is_applied(tmp_path):
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20, :30] = 255  # bright at the top left, as stored
    path = write(tmp_path / "p.jpg", picture)
    # Orientation 6: turn by 90 degrees clockwise to see it (Exif 2.3, tag 0x0112).
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    body = b"Exif\0\0" + tiff
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:])
    (found,) = drain(ClipCamera(str(path), pace="fast"))
    assert found.shape == (60, 40, 3)
    assert found[5, 35].min() > 200  # top right now
    assert found[5, 5].max() < 50


def test_unreadable_ones_are_skipped_and_each_is_named(tmp_path, pictures):
    write(tmp_path / "1.png", grey(1))
    (tmp_path / "2.png").write_bytes(b"no picture at all")
    (tmp_path / "3.jpg").touch()
    whole = (pictures / "cat.jpg").read_bytes()
    (tmp_path / "4.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "5.png").mkdir()
    write(tmp_path / "6.png", grey(6))
    camera = ClipCamera(str(tmp_path), pace="fast")
    found = drain(camera)
    assert [int(picture[0, 0, 0]) for picture in found] == [1, 6]
    faults = [str(fault) for fault in camera.faults()]
    assert [text.split("/")[-1] for text in faults] == [
        "2.png cannot be decoded",
        "3.jpg is empty",
        "4.jpg is cut off",
        "5.png cannot be read: Is a directory",
    ]
    assert len(drain(camera)) == 2
    assert len(camera.faults()) == 4


def test_a_real_photograph_is_not_called_cut_off(pictures):
    for name in ("cat.jpg", "cup.jpg", "astronaut.jpg", "cameraman.jpg"):
        expected = cv2.imread(str(pictures / name))
        (found,) = drain(ClipCamera(str(pictures / name), pace="fast"))
        assert (found == expected).all()


def test_what_holds_no_picture_is_one_sentence(tmp_path):
    with pytest.raises(SourceBroken, match=r"holds no picture; looked for names in \.jpg"):
        ClipCamera(str(tmp_path)).open()
    with pytest.raises(SourceMissing, match=r"picture .*none\.jpg does not exist"):
        ClipCamera(str(tmp_path / "none.jpg")).open()
    with pytest.raises(SourceMissing, match=r"none of 2 pictures can be read; the first: .*a\.jpg"):
        ClipCamera([str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]).open()
    (tmp_path / "bad.png").write_bytes(b"x")
    with pytest.raises(SourceBroken, match=r"bad\.png cannot be decoded"):
        ClipCamera(str(tmp_path)).open()


def test_a_loop_goes_on_and_names_a_bad_one_once(tmp_path):
    write(tmp_path / "1.png", grey(1))
    (tmp_path / "2.png").write_bytes(b"x")
    write(tmp_path / "3.png", grey(3))
    camera = ClipCamera(str(tmp_path), pace="fast", loop=True, fps=10.0)
    camera.open()
    frames = [camera.read(1.0) for _ in range(6)]
    assert [int(frame.main.data[0, 0, 0]) for frame in frames] == [1, 3, 1, 3, 1, 3]
    assert [frame.media_ns // (100 * MS) for frame in frames] == [0, 2, 3, 5, 6, 8]
    assert len(camera.faults()) == 1
    camera.close()


def test_a_loop_ends_when_nothing_can_be_read_any_more(tmp_path):
    path = write(tmp_path / "1.png", grey(1))
    camera = ClipCamera(str(tmp_path), pace="fast", loop=True)
    camera.open()
    path.write_bytes(b"x")
    assert camera.read(1.0) is not None  # was read ahead
    with pytest.raises(EndOfStream):
        camera.read(1.0)
    camera.close()


def test_realtime_skips_pictures_whose_time_is_over(tmp_path, clock):
    for number in range(10):
        write(tmp_path / f"{number}.png", grey(number))
    camera = ClipCamera(str(tmp_path), fps=10.0, pacer=clock.pacer())
    camera.open()
    start_ns = clock.now_ns
    seen = [camera.read(1.0).seq]
    assert camera.read(0.05) is None
    seen.append(camera.read(1.0).seq)
    assert clock.now_ns - start_ns == 100 * MS
    clock.now_ns += 350 * MS
    seen.append(camera.read(1.0).seq)
    clock.now_ns += 10_000 * MS
    seen.append(camera.read(1.0).seq)
    assert seen == [0, 1, 4, 9]
    with pytest.raises(EndOfStream):
        camera.read(1.0)
    camera.close()


def test_huge_pictures_are_not_piled_up(tmp_path):
    first = write(tmp_path / "0.png", np.zeros((6000, 8000), np.uint8))
    for number in (1, 2, 3):
        shutil.copy(first, tmp_path / f"{number}.png")
    camera = ClipCamera(str(tmp_path), pace="fast")
    camera.open()
    held = [camera.read(0) for _ in range(3)]
    assert held[0].main.data.shape == (6000, 8000, 3)
    assert camera.read(0) is None  # 432 MB are out
    held.pop().release()
    assert camera.read(0).seq == 3
    camera.close()
