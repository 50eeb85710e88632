"""Video files: order, time, colours, pace, loops, memory."""

import itertools
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_vision.camera.base import EndOfStream
from edge_vision.camera.clip import ClipCamera
from edge_vision.camera.pool import FramePool
from edge_vision.camera.video import Timeline
from edge_vision.frame import PixelFormat

MS = 1_000_000


def test_fast_gives_every_frame_in_order_with_its_own_time(make_clip, read_all):
    camera = ClipCamera(str(make_clip()), pace="fast")
    seen = read_all(camera)
    assert [seq for seq, *_ in seen] == list(range(25))
    assert [media_ns for _, media_ns, *_ in seen] == [40 * MS * i for i in range(25)]
    assert [grey for *_, grey, _ in seen] == pytest.approx([40 + 4 * i for i in range(25)], abs=2)
    assert {format for *_, format in seen} == {PixelFormat.YUV420}
    assert camera.faults() == []


def test_info_tells_size_rate_and_that_a_file_does_not_come_back(make_clip):
    camera = ClipCamera(str(make_clip("street.mp4", fps=30)))
    info = camera.open()
    camera.close()
    assert (info.kind, info.name, info.reconnects) == ("clip", "clip street.mp4", False)
    assert (info.width_px, info.height_px, info.fps) == (64, 48, 30)


def test_the_real_clip_is_whole(bikes, read_all):
    camera = ClipCamera(str(bikes), pace="fast")
    seen = read_all(camera)
    assert len(seen) == 250
    assert seen[-1][1] == 9960 * MS
    assert camera.faults() == []


RED = (0, 0, 255)


def red(_index: int, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), RED, np.uint8)


@pytest.mark.parametrize(
    ("clip", "format"),
    [
        ({"matrix": 5}, PixelFormat.YUV420),
        ({"matrix": 6}, PixelFormat.YUV420),
        ({"matrix": 2}, PixelFormat.YUV420),  # untagged SD is BT.601
        ({"matrix": 1}, PixelFormat.BGR),
        ({"matrix": 1, "size": (1280, 720)}, PixelFormat.BGR),
        ({"matrix": 5, "size": (1280, 720)}, PixelFormat.YUV420),
        ({"matrix": 5, "full_range": True}, PixelFormat.BGR),
        ({"codec": "libvpx-vp9", "matrix": 5}, PixelFormat.YUV420),
        ({"codec": "libvpx-vp9", "matrix": 5, "full_range": True}, PixelFormat.BGR),
        ({"codec": "mjpeg", "pix_fmt": "yuvj420p", "full_range": True}, PixelFormat.BGR),
        ({"pix_fmt": "yuv444p"}, PixelFormat.BGR),
        ({"pix_fmt": "yuv444p", "size": (33, 21)}, PixelFormat.BGR),
        ({"pix_fmt": "yuv420p10le"}, PixelFormat.BGR),
    ],
    ids=str,
)
def test_red_stays_red_whatever_the_coding(make_clip, to_bgr, clip, format):
    camera = ClipCamera(str(make_clip("c.mkv", frames=2, pictures=red, **clip)), pace="fast")
    camera.open()
    frame = camera.read(1.0)
    width, height = clip.get("size", (64, 48))
    assert frame.main.format is format
    assert (frame.main.width_px, frame.main.height_px) == (width, height)
    assert np.abs(to_bgr(frame).astype(int) - RED).max() <= 6
    camera.close()


def test_untagged_hd_counts_as_bt709(make_clip, to_bgr):
    tagged = make_clip("hd.mkv", frames=1, size=(1280, 720), matrix=1, pictures=red)
    untagged = tagged.with_name("untagged.ts")
    with av.open(str(tagged)) as source, av.open(str(untagged), "w") as target:
        stream: Any = target.add_stream("mpeg2video", rate=25)  # writes no matrix unless told
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.bit_rate = 8_000_000
        for frame in source.decode(video=0):
            frame.pict_type = 0
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    with av.open(str(untagged)) as container:
        assert next(container.decode(video=0)).colorspace == 2  # unspecified
    camera = ClipCamera(str(untagged), pace="fast")
    camera.open()
    assert np.abs(to_bgr(camera.read(1.0)).astype(int) - RED).max() <= 8
    camera.close()


@pytest.mark.parametrize(("degrees", "corner"), [(90, "top right"), (180, "bottom right")])
def test_a_phone_clip_stands_upright(make_clip, to_bgr, degrees, corner):
    def corner_lit(_index, width, height):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[: height // 2, : width // 2] = 255
        return picture

    path = make_clip("phone.mp4", frames=3, pictures=corner_lit)
    turn_in_header(path, degrees)
    camera = ClipCamera(str(path), pace="fast")
    info = camera.open()
    frame = camera.read(1.0)
    picture = to_bgr(frame)[:, :, 0]
    size = (64, 48) if degrees == 180 else (48, 64)
    assert (info.width_px, info.height_px) == size
    assert (frame.main.width_px, frame.main.height_px) == size
    lit = {
        "top left": picture[4, 4],
        "top right": picture[4, -4],
        "bottom left": picture[-4, 4],
        "bottom right": picture[-4, -4],
    }
    assert max(lit, key=lit.__getitem__) == corner
    camera.close()


def turn_in_header(path: Path, degrees: int) -> None:
    """Write a clockwise rotation into the track header (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    cos, sin = {90: (0, 1), 180: (-1, 0)}[degrees]
    one, w = 1 << 16, 1 << 30
    matrix = struct.pack(">9i", cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, w)
    data[at : at + 36] = matrix
    path.write_bytes(data)


def test_variable_rate_keeps_the_clips_own_times(make_clip, read_all):
    pts = [0, 1, 2, 10, 11, 30]
    seen = read_all(ClipCamera(str(make_clip("v.mkv", frames=6, pts=pts)), pace="fast"))
    assert [media_ns for _, media_ns, *_ in seen] == [40 * MS * at for at in pts]


def test_a_stream_without_times_gets_them_from_its_rate(make_clip, read_all):
    seen = read_all(ClipCamera(str(make_clip("raw.h264", frames=10)), pace="fast"))
    times = [media_ns for _, media_ns, *_ in seen]
    assert len(seen) == 10
    assert np.diff(times) == pytest.approx(40 * MS, rel=0.01)


@given(
    st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**12)), min_size=1),
    st.integers(0, 10**9),
)
def test_media_time_starts_at_0_and_grows_whatever_the_file_says(file_times, shown_ns):
    timeline = Timeline()
    times = [timeline.at(file_ns, shown_ns) for file_ns in file_times]
    assert times[0] == 0
    assert all(before < after for before, after in itertools.pairwise(times))


def test_one_stray_frame_does_not_shift_the_timeline_but_a_reset_does():
    timeline = Timeline()
    assert [timeline.at(t * MS, 40 * MS) for t in (0, 2000, 40, 2040)][-1] == 2040 * MS
    times = [timeline.at(t * MS, 40 * MS) for t in (0, 40, 80, 120)]
    assert times[-1] - times[-2] == 40 * MS
    assert times[-2] // MS == 2080


def test_realtime_waits_for_the_time_of_a_frame(make_clip, clock):
    camera = ClipCamera(str(make_clip()), pacer=clock.pacer())
    camera.open()
    start_ns = clock.now_ns
    assert camera.read(1.0).media_ns == 0
    assert camera.read(0.01) is None
    assert clock.now_ns == start_ns + 10 * MS
    frame = camera.read(1.0)
    assert (frame.media_ns, clock.now_ns) == (40 * MS, start_ns + 40 * MS)
    assert frame.stamps.exposed == frame.stamps.arrived == clock.now_ns
    camera.close()


def test_realtime_skips_what_is_over_so_the_clip_keeps_its_speed(
    make_clip, clock, to_bgr, take_all
):
    camera = ClipCamera(str(make_clip()), pacer=clock.pacer())
    camera.open()
    start_ns = clock.now_ns
    numbers = []

    def look(frame):
        numbers.append(frame.seq)
        assert to_bgr(frame).mean() == pytest.approx(40 + 4 * frame.seq, abs=2)
        assert 0 <= clock.now_ns - start_ns - frame.media_ns < 40 * MS
        clock.now_ns += 130 * MS  # a slow board

    with pytest.raises(EndOfStream):
        take_all(camera, look)
    assert numbers == [0, 3, 6, 9, 13, 16, 19, 22]
    camera.close()


def test_a_board_too_slow_to_decode_still_shows_something(make_clip, clock, take_all):
    camera = ClipCamera(str(make_clip(frames=50)), pacer=clock.pacer())
    camera.open()
    clock.step_ns = 30 * MS  # each look at the clock costs most of a frame's time
    seen = []
    with pytest.raises(EndOfStream):
        take_all(camera, seen.append)
    assert len(seen) >= 12


def test_a_loop_goes_on_in_time_and_number(make_clip, read_all):
    camera = ClipCamera(str(make_clip(frames=10)), pace="fast", loop=True)
    seen = read_all(camera, most=35)
    assert [seq for seq, *_ in seen] == list(range(35))
    assert [media_ns for _, media_ns, *_ in seen] == [40 * MS * i for i in range(35)]
    assert seen[30][2] == pytest.approx(seen[0][2], abs=1)


def test_a_loop_at_real_time_does_not_hurry(make_clip, clock):
    camera = ClipCamera(str(make_clip(frames=10)), loop=True, pacer=clock.pacer())
    camera.open()
    start_ns = clock.now_ns
    for _ in range(25):
        camera.read(1.0).release()
    assert clock.now_ns - start_ns == 24 * 40 * MS
    camera.close()


def test_a_colon_in_the_name_is_no_protocol(make_clip, read_all):
    assert len(read_all(ClipCamera(str(make_clip("http:a.mp4", frames=3)), pace="fast"))) == 3


def test_memory_is_used_again_after_its_release_and_not_before(make_clip):
    camera = ClipCamera(str(make_clip()), pace="fast")
    camera.open()
    held = [camera.read(1.0) for _ in range(5)]
    greys = [frame.main.data[0, 0] for frame in held]
    assert len({frame.main.data.ctypes.data for frame in held}) == 5
    place = held[2].main.data.ctypes.data
    held[2].release()
    assert camera.read(1.0).main.data.ctypes.data == place
    assert [frame.main.data[0, 0] for frame in held[:2]] == greys[:2]
    camera.close()
    assert held[0].main.data[0, 0] == greys[0]  # valid after close, too


def test_the_pool_bounds_what_is_out():
    pool = FramePool(most_bytes=100)
    buffers = [pool.take((1000,)) for _ in range(3)]  # three, however large
    assert all(buffer is not None for buffer in buffers)
    assert pool.take((1000,)) is None
    pool.give_back(buffers[0])
    assert pool.take((1000,)) is buffers[0]
    with pytest.raises(RuntimeError, match="not handed out"):
        pool.give_back(np.empty(3, np.uint8))
    small = FramePool(most_bytes=100)
    taken = [small.take((10,)) for _ in range(20)]
    assert sum(buffer is not None for buffer in taken) == 10


def test_it_opens_again_from_the_start(make_clip, read_all):
    camera = ClipCamera(str(make_clip(frames=5)), pace="fast")
    first = read_all(camera)
    assert read_all(camera) == first


def test_pts_in_a_fine_time_base_are_exact(make_clip, read_all):
    path = make_clip("ntsc.mp4", frames=4)
    target = path.with_name("fine.mkv")
    with av.open(str(path)) as source, av.open(str(target), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    times = [media_ns for _, media_ns, *_ in read_all(ClipCamera(str(target), pace="fast"))]
    assert times == [int(Fraction(i, 25) * 10**9) for i in range(4)]


def test_yuv_planes_lie_as_opencv_reads_them(make_clip, to_bgr):
    def halves(_index, width, height):
        picture = np.zeros((height, width, 3), np.uint8)
        picture[:, : width // 2] = (255, 0, 0)
        picture[:, width // 2 :] = (0, 255, 0)
        return picture

    path = make_clip("odd_stride.mp4", frames=1, size=(70, 46), pictures=halves)  # padded rows
    camera = ClipCamera(str(path), pace="fast")
    camera.open()
    frame = camera.read(1.0)
    assert frame.main.format is PixelFormat.YUV420
    assert np.abs(to_bgr(frame).astype(int) - halves(0, 70, 46))[:, [5, 60]].max() <= 8
    camera.close()
