"""The best view of each event."""

import numpy as np
import pytest
from made_up import SECOND, ended, event_at, picture_at

from edge_vision.frame import Image, PixelFormat
from edge_vision.outputs.events.views import Views, cropped
from edge_vision.results import Track

BLANK = Image.from_array(np.zeros((240, 320, 3), np.uint8))


def _track(box: tuple[float, float, float, float], score: float = 0.5, number: int = 1) -> Track:
    sides = np.array(box, np.float32)
    return Track(number, sides, np.zeros(4, np.float32), score, 1, "confirmed", 0, 0)


@pytest.mark.parametrize("yuv", [False, True])
def test_the_object_is_shown_where_it_is_in_this_picture(yuv: bool) -> None:
    views = Views("none")
    views.seek(event_at(1, box=(0.8, 0.8, 0.9, 0.9)))
    picture = picture_at(1, (640, 480), yuv)
    views.look(picture.image, picture.tracks, SECOND)
    (view,) = views.take().values()
    height, width = view.thumbnail.shape[:2]
    assert (width, height) == (208, 312)
    assert view.thumbnail[height // 2, width // 2].min() > 240
    assert view.thumbnail[2, 2].max() < 100
    assert view.snapshot is None
    assert views.take() == {}


def test_a_better_view_replaces_a_worse_one() -> None:
    views = Views("crop")
    event = event_at(0)
    views.seek(event)
    sizes = []
    for number, (side, score) in enumerate(((0.3, 0.5), (0.3, 0.55), (0.3, 0.7), (0.2, 0.9))):
        track = _track((0.1, 0.1, 0.1 + side, 0.1 + side), score)
        views.look(BLANK, (track,), (1 + number) * SECOND)
        sizes.append(len(views.take()))
    assert sizes == [1, 0, 1, 0]
    assert views.wanted
    views.seek(ended(event, 4))
    assert not views.wanted


def test_pictures_are_looked_at_four_times_a_second() -> None:
    views = Views("none")
    views.seek(event_at(0))
    seen = 0
    for number in range(1, 61):
        track = _track((0, 0, 0.01 * number, 0.01 * number))
        views.look(BLANK, (track,), number * SECOND // 30)
        seen += len(views.take())
    assert 7 <= seen <= 8


def test_an_object_that_is_not_found_is_shown_where_its_event_says() -> None:
    views = Views("none")
    views.seek(event_at(0))
    views.look(BLANK, (), SECOND // 3)
    assert views.take() == {}
    views.look(BLANK, (), SECOND)
    assert len(views.take()) == 1
    views.look(BLANK, (_track((0.2, 0.2, 0.4, 0.4)),), 2 * SECOND)  # there it is after all
    assert len(views.take()) == 1


def test_a_crossing_that_is_over_at_once_gets_a_view_too() -> None:
    views = Views("none")
    views.seek(ended(event_at(1, kind="cross"), 0))
    views.look(BLANK, (_track((0.2, 0.2, 0.4, 0.4)),), SECOND)
    assert len(views.take()) == 1
    assert not views.wanted


def test_several_objects_at_once_share_one_whole_picture() -> None:
    views = Views("whole")
    views.seek(event_at(0, 1))
    views.seek(event_at(0, 2, track_id=0, kind="occupancy"))
    views.look(BLANK, (_track((0.2, 0.2, 0.4, 0.4)),), SECOND)
    one, two = views.take().values()
    assert one.snapshot is two.snapshot
    assert one.snapshot is not None
    assert one.snapshot.shape == (240, 320, 3)
    assert not np.shares_memory(one.snapshot, BLANK.data)


@pytest.mark.parametrize("box", [(-0.5, -0.5, 1.5, 1.5), (0, 0, 0, 0), (0.99, 0.99, 1, 1)])
@pytest.mark.parametrize("size", [(320, 240), (64, 48), (16, 16)])
def test_boxes_at_and_beyond_the_border(
    box: tuple[float, float, float, float], size: tuple[int, int]
) -> None:
    for yuv in (False, True):
        views = Views("crop")
        views.seek(event_at(0))
        views.look(picture_at(0, size, yuv).image, (_track(box),), SECOND)
        (view,) = views.take().values()
        height, width = view.thumbnail.shape[:2]
        assert min(64, *size) <= width <= min(320, size[0])
        assert height <= min(320, size[1])


def test_not_more_than_so_many_events_wait() -> None:
    views = Views("none")
    for number in range(100):
        views.seek(event_at(number, number))
    views.look(BLANK, (), 200 * SECOND)
    assert len(views.take()) == 32


def test_a_crop_of_padded_rows() -> None:
    data = np.zeros((48, 64), np.uint8)
    data[:32] = np.arange(64, dtype=np.uint8)
    data[32:] = 128
    padded = Image(data, PixelFormat.YUV420, 48, 32, 64)
    part = cropped(padded, (8, 4, 24, 20))
    assert part.shape == (16, 16, 3)
    level = part[:, :, 1].astype(float)
    assert np.all(np.diff(level[3]) >= 0)
