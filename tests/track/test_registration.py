"""The registrar carries boxes: on the demo scene, and on small worlds made for one rule each."""

from itertools import pairwise
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.camera.demo import DemoCamera
from edge_vision.frame import Image
from edge_vision.results import Detections, Scene, Track
from edge_vision.track.paths import Paths
from edge_vision.track.registration import Method, Registrar

FRAME_NS = 33_333_333
BEGIN_NS = 5_000_000_000
BOX = (0.3, 0.3, 0.5, 0.7)
State = Literal["tentative", "confirmed", "coasting"]


def at(frame: float) -> int:
    return BEGIN_NS + round(frame * FRAME_NS)


def track(
    box: tuple[float, ...] = BOX,
    id: int = 1,
    *,
    frame: float = 0,
    state: State = "confirmed",
    velocity: tuple[float, ...] = (0, 0, 0, 0),
) -> Track:
    """One last seen in `frame`."""
    corners, speed = np.array(box, np.float32), np.array(velocity, np.float32)
    return Track(id, corners, speed, 0.9, 1, state, BEGIN_NS, at(frame), 0.004)


def scene(frame: float, *tracks: Track) -> Scene:
    return Scene(int(frame), at(frame), at(frame), Detections.empty(), "", {}, tracks)


def registrar(method: Method = "flow") -> Registrar:
    """Its clock is not the real one: a slow test machine does not make it step down."""
    return Registrar(method, Paths(), linger_s=0.4, may_step_down=False)


def _texture(seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (500, 900, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


GROUND, THING = _texture(1), _texture(2)


def world(x_px: float, pan_px: int = 0) -> Image:
    """640 x 360: a textured thing of 128 x 144 pixels, left edge at x_px, on textured ground."""
    picture = GROUND[60:420, 60 + pan_px : 700 + pan_px].copy()
    left = round(x_px)
    width = min(640 - left, 128)
    if left < 640 and width > 0 and left > -128:
        first = max(0, -left)
        picture[108:252, max(0, left) : left + width] = THING[:144, first:width]
    return Image.from_array(picture)


def world_box(x_px: float) -> tuple[float, float, float, float]:
    return (x_px / 640, 0.3, (x_px + 128) / 640, 0.7)


def left_px(tracks: tuple[Track, ...]) -> float:
    (one,) = tracks
    return float(one.box[0]) * 640


@pytest.fixture(scope="module")
def demo() -> list[tuple[Image, list[tuple[int, NDArray[np.float32]]]]]:
    """Three seconds of the demo scene: pictures, and true boxes by object."""
    camera = DemoCamera((640, 360), 30, 1, "fast")
    frames = []
    for seq in range(90):
        truth = camera.truth(seq).objects
        seen = [(one.object_id + 1, np.array(one.box, np.float32)) for one in truth]
        frames.append((Image.from_array(camera.render(seq).copy()), seen))
    return frames


def _demo_error(
    demo: list[tuple[Image, list[tuple[int, NDArray[np.float32]]]]], method: Method, late: int
) -> float:
    """Mean distance of the centres in pixels, of boxes that do not touch the border."""
    carried = registrar(method)
    newest, errors = None, []
    velocity: dict[int, tuple[int, NDArray[np.float32], NDArray[np.float32]]] = {}
    for frame, (image, seen) in enumerate(demo):
        if frame >= late and frame % late == 0:
            tracks = []
            for id, box in demo[frame - late][1]:
                last, old, speed = velocity.get(id, (frame, box, np.zeros(4, np.float32)))
                if last < frame:
                    speed = (box - old) / ((frame - last) * FRAME_NS / 1e9)
                velocity[id] = frame, box, speed
                one = track(tuple(box), id, frame=frame - late, velocity=tuple(speed))
                tracks.append(one)
            newest = scene(frame - late, *tracks)
        drawn = {one.id: one.box for one in carried.step(image, at(frame), newest)}
        for id, box in seen:
            if frame > 2 * late and id in drawn and box.min() > 0.01 and box.max() < 0.99:
                off = (drawn[id][:2] + drawn[id][2:] - box[:2] - box[2:]) / 2 * (640, 360)
                errors.append(float(np.hypot(*off)))
    assert len(errors) > 100
    return float(np.mean(errors))


@pytest.mark.parametrize("late", [3, 12])
def test_flow_is_nearer_than_prediction_and_that_than_nothing(
    demo: list[tuple[Image, list[tuple[int, NDArray[np.float32]]]]], late: int
) -> None:
    nothing, predicted, followed = (
        _demo_error(demo, method, late) for method in ("none", "predict", "flow")
    )
    assert followed < 0.15 * nothing
    assert followed < 0.5 * predicted
    assert predicted < 0.8 * nothing


def test_a_box_seen_in_an_old_frame_is_chased_to_the_new_one() -> None:
    carried = registrar()
    shown, old = [], scene(0, track(world_box(60)))
    for frame in range(16):
        newest = old if frame >= 12 else None
        shown.append(carried.step(world(60 + 9 * frame), at(frame), newest))
    assert not any(shown[:12])
    assert left_px(shown[14]) == pytest.approx(60 + 9 * 14, abs=2)
    assert left_px(shown[15]) == pytest.approx(60 + 9 * 15, abs=2)
    (one,) = shown[15]
    assert one.velocity[0] * 640 == pytest.approx(9 * 30, rel=0.1)


def test_the_tracker_is_told_of_the_way() -> None:
    paths = Paths()
    carried = Registrar("flow", paths, linger_s=0.4, may_step_down=False)
    old = scene(0, track(world_box(60)))
    for frame in range(20):
        newest = old if frame >= 6 else None
        carried.step(world(60 + 5 * frame), at(frame), newest)
    # Also of the time before it was known here, at which the detector saw it.
    for begin, end in ((0, 6), (0, 19), (8, 15)):
        path = paths.between(1, at(begin), at(end))
        assert path is not None
        assert path.dx * 640 == pytest.approx(5 * (end - begin), abs=1)
        assert 0 < path.variance < 0.01**2


def test_a_correction_is_blended_in_within_two_frames() -> None:
    carried = registrar()
    first = scene(0, track(world_box(200)))
    for frame in range(6):
        drawn = carried.step(world(200), at(frame), first)
    assert left_px(drawn) == pytest.approx(200, abs=0.5)
    corrected = scene(4, track(world_box(220), frame=4))
    assert left_px(carried.step(world(200), at(6), corrected)) == pytest.approx(210, abs=0.5)
    assert left_px(carried.step(world(200), at(7), corrected)) == pytest.approx(220, abs=0.5)
    assert left_px(carried.step(world(200), at(8), corrected)) == pytest.approx(220, abs=0.5)


def test_prediction_and_nothing() -> None:
    moving = scene(0, track(world_box(64), velocity=(0.5, 0, 0.5, 0)))
    ahead, still = registrar("predict"), registrar("none")
    for frame in range(4):
        predicted = ahead.step(world(0), at(frame), moving)
        unmoved = still.step(world(0), at(frame), moving)
        assert left_px(predicted) == pytest.approx(64 + 320 * frame / 30, abs=0.1)
        assert left_px(unmoved) == pytest.approx(64, abs=0.01)


def test_a_passing_thing_does_not_take_a_box_along() -> None:
    def passing(frame: int) -> Image:
        image = world(200, 0)
        left = 40 + 14 * frame
        image.data[60:260, left : left + 60] = GROUND[:200, 500:560]
        return image

    carried, first = registrar(), scene(0, track(world_box(200)))
    for frame in range(30):
        drawn = carried.step(passing(frame), at(frame), first)
    assert left_px(drawn) == pytest.approx(200, abs=3)


def test_ground_that_slides_away_slowly_does_not_hold_a_box_back() -> None:
    """Half a pixel a frame cannot be told from noise in one step, but after some it can."""
    carried = registrar()
    first = scene(0, track((140 / 640, 0.1, 388 / 640, 0.9)))
    for frame in range(61):
        drawn = carried.step(world(200 + frame // 2), at(frame), first)
    assert left_px(drawn) == pytest.approx(140 + 30, abs=2)


def test_a_box_that_followed_the_wrong_thing_is_put_right() -> None:
    carried = registrar()
    first = scene(0, track(world_box(420)))  # nothing but ground is there
    for frame in range(12):
        carried.step(world(30 + 9 * frame), at(frame), first)
    right = scene(6, track(world_box(84), frame=6))
    for frame in range(12, 15):
        drawn = carried.step(world(30 + 9 * frame), at(frame), right)
    assert left_px(drawn) == pytest.approx(30 + 9 * 14, abs=2)


def test_who_is_shown() -> None:
    def shown(frame: float, *tracks: Track) -> list[int]:
        carried = registrar()
        carried.step(world(200), at(frame), None)
        return [one.id for one in carried.step(world(200), at(frame + 1), scene(frame, *tracks))]

    assert shown(30, track(state="tentative", frame=30)) == []
    assert shown(30, track(state="coasting", frame=19)) == [1]
    assert shown(30, track(state="coasting", frame=17)) == []
    assert shown(30, track((1.02, 0.2, 1.3, 0.5), frame=30)) == []
    assert shown(30, track((0.95, 0.2, 1.05, 0.5), frame=30)) == [1]
    assert shown(30, track(id=3, frame=30), track((0.6, 0.2, 0.8, 0.4), 2, frame=30)) == [3, 2]


def test_a_track_that_is_no_longer_in_the_scene_is_gone() -> None:
    carried = registrar()
    carried.step(world(200), at(0), scene(0, track(), track((0.6, 0.2, 0.8, 0.4), 2)))
    assert len(carried.step(world(200), at(1), scene(0, track(), track(id=2)))) == 2
    drawn = carried.step(world(200), at(2), scene(1, track(frame=1)))
    assert [one.id for one in drawn] == [1]
    assert carried.step(world(200), at(3), scene(2)) == ()
    assert carried.step(world(200), at(4), None) == ()


def test_a_tentative_track_is_followed_until_it_is_confirmed() -> None:
    carried = registrar()
    first = scene(0, track(world_box(100), state="tentative"))
    for frame in range(10):
        assert carried.step(world(100 + 8 * frame), at(frame), first) == ()
    confirmed = scene(5, track(world_box(140), frame=5))
    drawn = carried.step(world(180), at(10), confirmed)
    assert left_px(drawn) == pytest.approx(180, abs=1)


def test_it_says_how_sure_it_is() -> None:
    seen, unseen = registrar(), registrar()
    black = Image.from_array(np.zeros((360, 640, 3), np.uint8))
    moving = scene(0, track(world_box(200)))
    sigmas = []
    for frame in range(12):
        (a,) = seen.step(world(200), at(frame), moving)
        (b,) = unseen.step(black, at(frame), moving)
        sigmas.append((a.sigma, b.sigma))
    assert 0.004 <= sigmas[-1][0] < 0.01
    assert sigmas[-1][1] > 3 * sigmas[-1][0]
    assert all(before[1] < after[1] for before, after in pairwise(sigmas))


def test_a_cut_in_a_film_takes_the_boxes_away(pictures: Path) -> None:
    carried = registrar()
    old = scene(0, track(world_box(200)))
    for frame in range(5):
        assert carried.step(world(200), at(frame), old)
    photograph = cv2.imread(str(pictures / "cat.jpg"))
    assert photograph is not None
    other = Image.from_array(cv2.resize(photograph, (640, 360)).astype(np.uint8))
    for frame, newest in ((5, old), (6, scene(4, track(world_box(200), frame=4)))):
        assert carried.step(other, at(frame), newest) == ()
    # The tracker still has the old one.
    both = scene(6, track(world_box(200), frame=4, state="coasting"), track(BOX, 2, frame=6))
    assert [one.id for one in carried.step(other, at(7), both)] == [2]
