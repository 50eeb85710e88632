"""What counts as truth, and which number a detection has."""

from collections import deque

import numpy as np
import pytest

from edge_vision.camera.demo import DemoCamera
from edge_vision.camera.demo_scene import SceneTruth, TrueObject
from edge_vision.measure.metrics import TrueBox
from edge_vision.measure.truth import Moment, bridge, clip_truth, demo_truth, steady, with_ids
from edge_vision.results import Detections, Scene, Track

LEFT, RIGHT = (0.1, 0.1, 0.3, 0.3), (0.5, 0.1, 0.7, 0.3)
COCO = {"person": 1, "cat": 17, "cup": 47}


def thing(label: str, visibility: float) -> TrueObject:
    return TrueObject(3, label, COCO[label], LEFT, visibility)


def found(*rows: tuple[tuple[float, ...], float, int]) -> Detections:
    boxes, scores, class_ids = zip(*rows, strict=True)
    return Detections(
        np.array(boxes, np.float32), np.array(scores, np.float32), np.array(class_ids, np.int32)
    )


def track(id: int, box: tuple[float, ...], class_id: int = 17, last_seen_ns: int = 50) -> Track:
    array = np.array(box, np.float32)
    return Track(id, array, array * 0, 0.9, class_id, "confirmed", 0, last_seen_ns)


@pytest.mark.parametrize(("visibility", "counts"), [(1.0, True), (0.5, True), (0.49, False)])
def test_half_of_an_object_must_be_visible(visibility: float, counts: bool) -> None:
    (true,) = demo_truth(SceneTruth(0, 0, (thing("cup", visibility),)), COCO)
    assert (true.id, true.class_id, true.counts) == (4, 47, counts)
    assert true.box.tolist() == pytest.approx(LEFT)


def test_objects_that_nobody_looks_for_are_left_out() -> None:
    scene = SceneTruth(0, 0, (thing("cup", 1.0), thing("cat", 1.0)))
    assert [true.class_id for true in demo_truth(scene, {"cat": 3})] == [3]


def test_the_demo_scene_has_an_id_for_each_object() -> None:
    camera = DemoCamera((320, 180))
    ids = {
        (true.id, true.class_id)
        for n in range(0, 600, 10)
        for true in demo_truth(camera.truth(n), COCO)
    }
    assert ids == {(1, 1), (2, 1), (3, 17), (4, 47)}


def test_weak_detections_of_a_clip_need_not_be_drawn() -> None:
    detections = found((LEFT, 0.9, 17), (RIGHT, 0.3, 47))
    truth = clip_truth([track(8, LEFT)], detections, 0.4)
    assert [(true.id, true.class_id, true.counts) for true in truth] == [
        (8, 17, True),
        (0, 47, False),
    ]
    assert truth[1].box.tolist() == pytest.approx(RIGHT)


def numbers(detections: Detections, *tracks: Track) -> list[int]:
    drawn = with_ids(Scene(0, 50, 50, detections, "", {}, tracks))
    for given, one in zip(drawn, range(len(detections)), strict=True):
        assert np.array_equal(given.box, detections.boxes[one])
        assert given.class_id == detections.class_ids[one]
    return [given.id for given in drawn]


def test_a_detection_has_the_number_of_the_track_that_took_it() -> None:
    two = found((LEFT, 0.9, 17), (RIGHT, 0.8, 17))
    assert numbers(two, track(1, RIGHT), track(2, LEFT)) == [2, 1]
    shifted = (0.12, 0.1, 0.32, 0.3)  # a track's box is smoothed: it is not the detection's
    assert numbers(two, track(1, RIGHT), track(2, shifted)) == [2, 1]


def test_a_detection_that_no_track_took_has_none() -> None:
    one = found((LEFT, 0.9, 17))
    assert numbers(one) == [0]
    assert numbers(one, track(1, LEFT, class_id=47)) == [0]
    assert numbers(one, track(1, LEFT, last_seen_ns=20)) == [0]  # coasting: it saw nothing now
    assert numbers(one, track(1, RIGHT)) == [0]
    assert numbers(Detections.empty(), track(1, LEFT)) == []


# What only the frames around can tell


def moment(at_ms: int, *truth: TrueBox) -> Moment:
    return Moment(at_ms * 1_000_000, 100, 100, {}, list(truth))


def true(id: int, x0: float, counts: bool = True) -> TrueBox:
    return TrueBox(id, 17, np.array([x0, 0.1, x0 + 0.2, 0.3], np.float32), counts)


def test_a_gap_is_filled_on_the_straight_line_when_the_object_comes_back() -> None:
    moments = deque([moment(0, true(1, 0.0)), moment(40), moment(100)])
    bridge(moments)
    assert [len(one.truth) for one in moments] == [1, 0, 0]
    moments.append(moment(200, true(1, 0.4), true(2, 0.7)))
    bridge(moments)
    filled = [one.truth[0] for one in list(moments)[1:3]]
    assert [len(one.truth) for one in moments] == [1, 1, 1, 2]
    assert [(one.id, one.class_id, one.counts) for one in filled] == [(1, 17, False)] * 2
    assert [one.box[0] for one in filled] == [pytest.approx(0.08), pytest.approx(0.2)]


def test_a_second_gap_does_not_fill_the_first_again() -> None:
    moments = deque([moment(0, true(1, 0.0)), moment(40), moment(80, true(1, 0.2))])
    bridge(moments)
    moments += [moment(120), moment(160, true(1, 0.4))]
    bridge(moments)
    assert [len(one.truth) for one in moments] == [1, 1, 1, 1, 1]


def test_what_has_no_number_is_not_bridged() -> None:
    moments = deque([moment(0, true(0, 0.0)), moment(40), moment(80, true(0, 0.0))])
    bridge(moments)
    assert moments[1].truth == []


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (true(1, 0.48), true(1, 0.52), True),
        (None, true(1, 0.52), False),
        (true(1, 0.48), None, False),
        (true(2, 0.48), true(1, 0.52), False),
        (true(1, 0.38), true(1, 0.52), False),  # 0.08 of 0.32 wide: IoU 0.25
        (true(1, 0.48, counts=False), true(1, 0.52), False),
    ],
)
def test_an_object_counts_where_its_neighbours_confirm_it(before, after, counts: bool) -> None:
    around = [moment(at, *([one] if one else [])) for at, one in ((0, before), (80, after))]
    (judged,) = steady(around[0], moment(40, true(1, 0.5)), around[1])
    assert judged.counts == counts


def test_at_the_ends_of_a_clip_one_neighbour_is_enough() -> None:
    first, second = moment(0, true(1, 0.5)), moment(40, true(1, 0.5))
    assert [one.counts for one in steady(None, first, second)] == [True]
    assert [one.counts for one in steady(first, second, None)] == [True]
    assert [one.counts for one in steady(None, first, None)] == [True]  # a single picture


def test_what_does_not_count_never_comes_to_count() -> None:
    three = [moment(at, true(1, 0.5, counts=False)) for at in (0, 40, 80)]
    assert [one.counts for one in steady(*three)] == [False]
