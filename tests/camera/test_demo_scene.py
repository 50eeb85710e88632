"""The demo scene: its pictures, what it says is in them, and its stored pictures."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.camera import demo_art
from edge_vision.camera.demo import DemoCamera
from edge_vision.camera.demo_scene import DemoScene
from edge_vision.errors import SourceBroken, SourceMissing

SMALL = (320, 180)
SEEDS = range(4)


# Pictures


@pytest.mark.parametrize(
    "size_px", [(64, 64), (320, 180), (181, 333), (720, 64), (64, 720), (1280, 720), (3840, 2160)]
)
def test_every_size_is_drawn(size_px: tuple[int, int]) -> None:
    picture = DemoCamera(size_px).render(40)
    assert picture.shape == (size_px[1], size_px[0], 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 10


def test_a_frame_depends_on_its_number_alone() -> None:
    one, other = DemoCamera(SMALL, seed=2), DemoCamera(SMALL, seed=2)
    for seq in (0, 7, 5000):
        one.render(seq)
    assert np.array_equal(one.render(33), other.render(33))
    assert one.truth(33) == other.truth(33)
    assert not np.array_equal(one.render(33), one.render(34))


def test_seeds_give_different_scenes() -> None:
    pictures = [DemoCamera(SMALL, seed=seed).render(20) for seed in SEEDS]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert cv2.absdiff(one, other).mean() > 5


def test_time_is_in_seconds_not_in_frames() -> None:
    slow, fast = DemoCamera(SMALL, fps=10), DemoCamera(SMALL, fps=40)
    assert slow.truth(10).objects == fast.truth(40).objects
    assert np.array_equal(slow.render(10), fast.render(40))


def test_draws_into_the_buffer_it_is_given() -> None:
    camera = DemoCamera(SMALL)
    out = np.zeros((180, 320, 3), np.uint8)
    assert camera.render(5, out) is out
    assert np.array_equal(out, camera.render(5))
    with pytest.raises(ValueError, match="expected uint8"):
        camera.render(5, np.zeros((180, 321, 3), np.uint8))


# Truth


def measured_box(scene: DemoScene, object_id: int, seq: int) -> tuple[float, ...]:
    """Where one object's pixels lie, found by drawing it alone, white on black."""
    actor, (width, height) = scene.actors[object_id], scene.size_px
    alpha = demo_art.cutout(actor.picture).bgra[:, :, 3]
    pose = scene.pose(actor, seq / scene.fps)
    pose[:, 2] += pose[:, :2] @ (0.5, 0.5) - 0.5
    drawn = cv2.warpAffine(alpha, pose, scene.size_px)
    x, y, w, h = cv2.boundingRect((drawn > 127).astype(np.uint8))
    return x / width, y / height, (x + w) / width, (y + h) / height


@pytest.mark.parametrize("seed", SEEDS)
def test_true_boxes_fit_the_pixels(seed: int) -> None:
    scene = DemoScene((640, 360), 30, seed)
    seen = 0
    for seq in range(0, 900, 60):
        for thing in scene.truth(seq).objects:
            if thing.visibility < 0.05:
                continue  # of a sliver at the border, one pixel decides where it ends
            found = measured_box(scene, thing.object_id, seq)
            # Two pixels: a thinned tip of an ear may fall below half when it is resampled.
            tolerance = np.array([2 / 640, 2 / 360] * 2)
            assert (np.abs(np.subtract(thing.box, found)) <= tolerance).all(), (seq, thing)
            seen += 1
    assert seen >= 45


def test_true_box_lies_where_the_object_is_drawn() -> None:
    """The rendered picture with and without an object differs exactly at its sticker."""
    scene, without = DemoScene((640, 360), 30, 0), DemoScene((640, 360), 30, 0)
    without.prepare()
    cat = next(i for i, actor in enumerate(scene.actors) if actor.label == "cat")
    without._sprites[cat].bgrt[:] = (0, 0, 0, 255)
    changed = cv2.absdiff(scene.render(30), without.render(30)).max(axis=2) > 60
    x, y, w, h = cv2.boundingRect(changed.astype(np.uint8))
    true = next(o.box for o in scene.truth(30).objects if o.object_id == cat)
    drawn = (x / 640, y / 360, (x + w) / 640, (y + h) / 360)
    # The sticker's rim is drawn around the object: 0.0075 of the height is 2.7 px.
    assert np.allclose(true, drawn, atol=5 / 360)


@pytest.mark.parametrize("seed", SEEDS)
def test_truth_is_in_range_and_objects_stay_mostly_in_view(seed: int) -> None:
    camera = DemoCamera(SMALL, seed=seed)
    truths = [camera.truth(seq) for seq in range(0, 3000, 25)]
    share: dict[str, list[float]] = {}
    for truth in truths:
        for thing in truth.objects:
            x0, y0, x1, y1 = thing.box
            assert 0 <= x0 < x1 <= 1
            assert 0 <= y0 < y1 <= 1
            assert 0 <= thing.visibility <= 1
            assert (thing.label, thing.class_id) in {("person", 1), ("cat", 17), ("cup", 47)}
            share.setdefault(f"{thing.label} {thing.object_id}", []).append(thing.visibility)
    assert len(share) == 4
    for seen in share.values():
        assert len(seen) >= 0.75 * len(truths)
        assert np.mean(seen) > 0.7
        assert max(seen) == 1.0


def test_objects_cover_each_other_and_leave_the_picture() -> None:
    camera = DemoCamera(SMALL)
    covered = cut = absent = 0
    for seq in range(0, 1800, 10):
        objects = camera.truth(seq).objects
        absent += len(objects) < 4
        for thing in objects:
            at_border = min(thing.box[:2]) <= 0 or max(thing.box[2:]) >= 1
            cut += at_border and thing.visibility < 0.8
            covered += not at_border and thing.visibility < 0.8
    assert min(covered, cut, absent) >= 5


def test_the_topmost_object_is_never_covered() -> None:
    camera = DemoCamera(SMALL)
    for seq in range(0, 900, 15):
        top = camera.truth(seq).objects[-1]
        if top.object_id == 3 and min(top.box[:2]) > 0 and max(top.box[2:]) < 1:
            assert top.visibility == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_motion_is_smooth_and_fast_enough(seed: int) -> None:
    scene, fps = DemoScene((1280, 720), 30, seed), 30
    fastest = 0.0
    for actor in scene.actors:
        places = np.array([scene.pose(actor, n / fps)[:, 2] / 1280 for n in range(1800)])
        speed = np.diff(places, axis=0) * fps
        fastest = max(fastest, float(np.abs(speed[:, 0]).max()))
        # At most 0.75 picture widths a second, and no jump of it from one frame to the next.
        assert np.hypot(*speed.T).max() < 0.75
        assert np.abs(np.diff(speed, axis=0)).max() < 0.25
    assert fastest > 0.4


def test_tilt_stays_small() -> None:
    for seed in SEEDS:
        scene = DemoScene(SMALL, 30, seed)
        for actor in scene.actors:
            for n in range(0, 900, 5):
                pose = scene.pose(actor, n / 30)
                assert abs(math.degrees(math.atan2(pose[1, 0], pose[0, 0]))) < 5


# Stored pictures


def test_missing_and_damaged_pictures_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_art, "FOLDER", tmp_path)
    with pytest.raises(SourceMissing, match=r"cat\.webp"):
        demo_art.read_picture("cat", cv2.IMREAD_UNCHANGED)
    for content in (b"", b"no picture"):
        (tmp_path / "cat.webp").write_bytes(content)
        with pytest.raises(SourceBroken, match="damaged"):
            demo_art.read_picture("cat", cv2.IMREAD_UNCHANGED)


def test_pictures_are_small_and_every_one_has_its_source() -> None:
    pictures = list(demo_art.FOLDER.glob("*.webp"))
    sources = (demo_art.FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in pictures) < 400_000
    assert {path.name for path in pictures} >= {"astronaut.webp", "cat.webp", "cup.webp"}
    for path in pictures:
        assert f"`{path.name}`" in sources


def test_ground_repeats_without_a_seam() -> None:
    for look in demo_art.GROUNDS:
        grey = demo_art.read_picture(look.texture, cv2.IMREAD_GRAYSCALE).astype(np.float64)
        for side in (grey, grey.T):
            inside = np.abs(np.diff(side, axis=1)).mean()
            across = np.abs(side[:, 0] - side[:, -1]).mean()
            assert across < 1.5 * inside
