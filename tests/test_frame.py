"""Image, Stamps and Frame: what they refuse, what they promise."""

import threading

import numpy as np
import pytest

from edge_vision.frame import Frame, Image, PixelFormat, Stamps


def _picture(height: int = 4, width: int = 6) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("data", "format", "width", "height", "stride", "said"),
    [
        (_picture(), PixelFormat.BGR, 0, 4, 18, "0x4 pixels; expected at least 1x1"),
        (_picture(), PixelFormat.BGR, 6, -1, 18, "6x-1 pixels"),
        (_picture().astype(np.int8), PixelFormat.BGR, 6, 4, 18, "int8; expected uint8"),
        (_picture().astype(np.float32), PixelFormat.RGB, 6, 4, 18, "float32; expected uint8"),
        (_picture(), PixelFormat.BGR, 4, 6, 18, r"BGR data of shape \(4, 6, 3\); expected \(6, 4"),
        (_picture()[:, :, 0], PixelFormat.RGB, 6, 4, 18, r"RGB data of shape \(4, 6\)"),
        (_picture(), PixelFormat.BGR, 6, 4, 17, "stride of 17 bytes; expected at least 18"),
        (np.zeros((6, 6), np.uint8), PixelFormat.YUV420, 5, 4, 6, "YUV420 of 5x4.*expected even"),
        (np.zeros((6, 6), np.uint8), PixelFormat.YUV420, 6, 3, 6, "YUV420 of 6x3.*expected even"),
        (np.zeros((6, 7), np.uint8), PixelFormat.YUV420, 6, 4, 7, "stride 7; expected even"),
        (np.zeros((5, 6), np.uint8), PixelFormat.YUV420, 6, 4, 6, r"shape \(5, 6\); expected \(6"),
        (np.zeros((6, 4), np.uint8), PixelFormat.YUV420, 6, 4, 4, "stride of 4 bytes.*least 6"),
        (_picture(), PixelFormat.RGBA, 6, 4, 24, r"RGBA data of shape .*expected \(4, 6, 4\)"),
    ],
)
def test_image_refuses(
    data: np.ndarray, format: PixelFormat, width: int, height: int, stride: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Image(data, format, width, height, stride)


def test_image_is_a_view_and_fixed() -> None:
    data = _picture()
    image = Image.from_array(data)
    data[1, 2] = 7
    assert image.data is data
    assert (image.width_px, image.height_px, image.stride_bytes) == (6, 4, 18)
    assert image.format is PixelFormat.BGR
    with pytest.raises(AttributeError):
        image.width_px = 3  # type: ignore[misc]


def test_image_of_a_crop_keeps_the_stride_of_the_whole() -> None:
    image = Image.from_array(_picture(20, 30)[5:9, 10:16], PixelFormat.RGB)
    assert (image.width_px, image.height_px, image.stride_bytes) == (6, 4, 90)


def test_smallest_images() -> None:
    assert Image.from_array(_picture(1, 1)).stride_bytes == 3
    small = Image.from_array(np.zeros((3, 2), np.uint8), PixelFormat.YUV420)
    assert (small.width_px, small.height_px, small.stride_bytes) == (2, 2, 2)


def test_yuv_with_row_padding() -> None:
    image = Image(np.zeros((6, 32), np.uint8), PixelFormat.YUV420, 6, 4, 32)
    assert (image.width_px, image.height_px) == (6, 4)


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 4), (4, 6, 1), (4,), (0, 6, 3), (4, 0, 3)])
def test_from_array_refuses(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Image.from_array(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(4, 6), (7, 6), (3, 3), (0, 0), (6, 4, 3), (2, 2)])
def test_from_array_refuses_what_is_no_i420(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Image.from_array(np.zeros(shape, np.uint8), PixelFormat.YUV420)


def test_stamps_name_the_stages_in_order() -> None:
    assert Stamps.stages() == (
        "exposed", "arrived", "taken", "prepared", "inferred", "tracked", "registered", "drawn",
        "encoded",
        "sent",
    )  # fmt: skip
    stamps = Stamps()
    assert all(getattr(stamps, stage) == 0 for stage in Stamps.stages())
    assert stamps.exposed_is_estimate


def test_stamps_take_no_misspelt_stage() -> None:
    with pytest.raises(AttributeError):
        Stamps().infered = 1  # type: ignore[attr-defined]


def _frame(recycled: list[int] | None = None) -> Frame:
    recycle = None if recycled is None else lambda: recycled.append(1)
    return Frame(3, Image.from_array(_picture()), Stamps(), recycle=recycle)


def test_the_last_release_gives_the_memory_back_once() -> None:
    recycled: list[int] = []
    frame = _frame(recycled)
    assert frame.acquire() is frame
    assert frame.leases == 2
    frame.release()
    assert recycled == []
    frame.release()
    assert recycled == [1]
    assert frame.leases == 0


def test_an_over_release_raises_and_recycles_nothing() -> None:
    recycled: list[int] = []
    frame = _frame(recycled)
    frame.release()
    with pytest.raises(RuntimeError, match="frame 3 released more often than acquired"):
        frame.release()
    assert recycled == [1]


def test_a_frame_given_back_cannot_be_acquired() -> None:
    frame = _frame()
    frame.release()
    with pytest.raises(RuntimeError, match="frame 3 acquired after its last release"):
        frame.acquire()
    assert frame.leases == 0


def test_recycle_may_use_the_frame() -> None:
    # A pool looks at the frame it gets back: the lock must not be held then.
    seen: list[int] = []
    frame = Frame(0, Image.from_array(_picture()), Stamps(), recycle=lambda: seen.append(1))
    again = Frame(
        0, frame.main, Stamps(), recycle=lambda: (seen.append(again.leases), frame.release())
    )
    again.release()
    assert seen == [0, 1]


def test_leases_from_many_threads_are_counted() -> None:
    recycled: list[int] = []
    frame = _frame(recycled)
    threads, rounds = 8, 500
    together = threading.Barrier(threads, timeout=10)

    def lease() -> None:
        together.wait()
        for _ in range(rounds):
            frame.acquire()
            frame.release()

    workers = [threading.Thread(target=lease) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
        assert not worker.is_alive()
    assert frame.leases == 1
    assert recycled == []
    frame.release()
    assert recycled == [1]


def test_gaps_inside_a_row_are_refused() -> None:
    wide = np.zeros((4, 8, 3), np.uint8)
    for view in (wide[:, ::2], wide[:, ::-1], np.zeros((4, 4, 4), np.uint8)[:, :, :3]):
        with pytest.raises(ValueError, match="strides"):
            Image(view, PixelFormat.BGR, view.shape[1], 4, 24)
    padded = wide[:, :5]
    assert Image.from_array(padded).stride_bytes == 24
