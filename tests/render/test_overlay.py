"""Boxes and labels on pictures of any size and on any ground."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config_overlay import OverlayConfig
from edge_vision.render.clock import Clock
from edge_vision.render.fonts import Face
from edge_vision.render.hud import Hud
from edge_vision.render.overlay import Overlay
from edge_vision.render.style import BLACK, class_colour, contrast
from edge_vision.render.surface import BgrSurface
from edge_vision.results import Track

Pixels = NDArray[np.uint8]
Found = Callable[..., list[Track]]
STYLES = ["boxes", "corners", "minimal", "hud"]
CLOCK = Clock(0, 0, 0, 0)
LABELS = {1: "person", 2: "bicycle", 3: "car", 17: "cat"}


def _draw(
    picture: Pixels,
    tracks: Sequence[Track],
    labels: Mapping[int, str] = LABELS,
    hud: Hud | None = None,
    **settings: Any,
) -> None:
    """Draw once on a BGR picture with a new overlay."""
    overlay = Overlay(OverlayConfig(**settings))
    overlay.draw(BgrSurface(picture), tracks, labels, CLOCK, hud)


def _ground(width: int, height: int, kind: str = "grey") -> Pixels:
    if kind == "noise":
        return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    return np.full((height, width, 3), {"grey": 128, "white": 255, "black": 0}[kind], np.uint8)


def _is(pixels: Pixels, class_id: int) -> NDArray[np.bool_]:
    return np.asarray((pixels == class_colour(class_id)).all(axis=-1))


def _plate_rows(picture: Pixels, class_id: int) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 of the label's filled plate: runs of the class colour longer than any line."""
    solid = _is(picture, class_id).astype(np.uint8)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    ys, xs = np.nonzero(solid)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


@pytest.mark.parametrize("kind", ["grey", "white", "black", "noise"])
def test_the_line_lies_on_the_box_between_dark_rims(found: Found, kind: str) -> None:
    picture = _ground(1280, 720, kind)
    _draw(picture, found([0.25, 0.25, 0.75, 0.75], class_ids=[3]), LABELS)
    # 3 px of colour centred on x = 320, with 1 px of dark on both sides, half way down.
    row = picture[360, 316:325]
    assert _is(row, 3).tolist() == [False] * 3 + [True] * 3 + [False] * 3
    assert tuple(row[2]) == BLACK
    assert tuple(row[6]) == BLACK
    column = picture[538:544, 640]
    assert _is(column, 3).sum() == 3
    assert contrast(class_colour(3), BLACK) > 4.5


def test_the_frame_is_whole_at_its_corners(found: Found) -> None:
    picture = _ground(400, 300)
    _draw(picture, found([0.25, 0.4, 0.75, 0.9]), label="", thickness_px=5)
    y, x = 120, 100  # upper left corner, a line of 5 px with a rim of 1
    for corner_y, corner_x in ((y, x), (270, x), (y, 300), (270, 300)):
        around = picture[corner_y - 2 : corner_y + 2, corner_x - 2 : corner_x + 2]
        assert _is(around, 1).all()
    # The coloured band closes: what it encloses cannot be reached from outside.
    band = _is(picture, 1).astype(np.uint8)
    filled, _, _, _ = cv2.floodFill(band.copy(), None, (0, 0), 2)
    assert filled < band.size - 150 * 200


def test_nothing_else_is_touched(found: Found) -> None:
    picture = _ground(640, 480)
    _draw(picture, found([0.5, 0.5, 0.75, 0.75]), LABELS)
    changed = (picture != 128).any(axis=-1)
    changed[240 - 40 : 360 + 6, 320 - 6 : 480 + 6] = False
    assert not changed.any()
    assert (picture[260:340, 340:460] == 128).all()  # the object itself stays visible


def test_the_label_stands_on_its_box(found: Found) -> None:
    picture = _ground(640, 480)
    _draw(picture, found([0.5, 0.5, 0.75, 0.75], class_ids=[17]), LABELS)
    x0, _, _, y1 = _plate_rows(picture, 17)
    assert abs(x0 - 320) <= 4
    assert abs(y1 - 240) <= 5


@pytest.mark.parametrize(
    "box",
    [[0.4, 0, 0.6, 0.5], [0, 0, 0.05, 0.05], [0.95, 0, 1, 0.1], [0.97, 0.97, 1, 1], [0, 0, 1, 1],
     [0.0, 0.99, 0.01, 1.0], [1, 1, 1, 1], [0, 0, 0, 0]],
)  # fmt: skip
def test_the_label_stays_inside_the_picture(found: Found, box: list[float]) -> None:
    plain, picture = _ground(640, 272), _ground(640, 272)
    _draw(plain, found([0.4, 0.5, 0.5, 0.6], class_ids=[17]), LABELS)
    _draw(picture, found(box, class_ids=[17]), LABELS)
    left, top, right, bottom = _plate_rows(plain, 17)
    x0, y0, x1, y1 = _plate_rows(picture, 17)
    assert x1 - x0 >= right - left - 2
    assert y1 - y0 >= bottom - top - 2


def test_labels_make_room_for_each_other(found: Found) -> None:
    """Two objects at one place: both labels are whole."""
    alone, both = _ground(640, 480), _ground(640, 480)
    boxes = [0.3, 0.5, 0.6, 0.8], [0.31, 0.51, 0.61, 0.81]
    for class_id, box in zip((1, 3), boxes, strict=True):
        _draw(alone, found(box, class_ids=[class_id]), LABELS)
        alone_rect = _plate_rows(alone, class_id)
        both[:] = 128
        _draw(both, found(*boxes, class_ids=[1, 3]), LABELS)
        rect = _plate_rows(both, class_id)
        assert rect[2] - rect[0] >= alone_rect[2] - alone_rect[0] - 2
        alone[:] = 128


def test_the_better_score_lies_on_top(found: Found) -> None:
    picture = _ground(640, 480)
    boxes = found([0.2, 0.4, 0.8, 0.9], [0.2, 0.4, 0.8, 0.9], class_ids=[2, 3], scores=[0.9, 0.5])
    _draw(picture, boxes, LABELS)
    assert _is(picture[430:436, 300], 2).sum() >= 2
    assert not _is(picture[425:440, 300], 3).any()


def test_labels_keep_clear_of_the_panel(found: Found, hud: Hud) -> None:
    with_panel = _ground(1280, 720)
    _draw(with_panel, found([0.02, 0.1, 0.1, 0.6], class_ids=[17]), LABELS, hud)
    x0, y0, x1, _ = _plate_rows(with_panel, 17)
    assert x1 > x0 + 60
    assert y0 > 100


def test_the_panel_can_be_turned_off(found: Found, hud: Hud) -> None:
    picture = _ground(640, 480)
    without = Overlay(OverlayConfig(hud=False))
    without.draw(BgrSurface(picture), [], {}, CLOCK, hud)
    _draw(picture, [], {}, None)
    assert (picture == 128).all()
    _draw(picture, [], {}, hud)
    assert (picture != 128).any()


def test_small_objects_are_not_covered(found: Found) -> None:
    picture = _ground(1920, 1080)
    _draw(picture, found([0.5, 0.5, 0.5104, 0.5185]), LABELS)  # 20 x 20 px
    assert (picture[545:555, 965:975] == 128).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (20, 20), (1, 300), (4000, 3), (64, 48)])
def test_tiny_pictures_never_raise(found: Found, hud: Hud, size: tuple[int, int]) -> None:
    for kind in ("white", "noise"):
        picture = _ground(*size, kind)
        boxes = found([0, 0, 1, 1], [0.2, 0.2, 0.21, 0.21], [1, 1, 1, 1], [0, 0.5, 1, 0.5])
        _draw(picture, boxes, LABELS, hud, thickness_px=32)
        _draw(picture, boxes, LABELS, hud)


def test_a_large_picture(found: Found, hud: Hud) -> None:
    picture = _ground(8000, 6000)
    _draw(picture, found([0.3, 0.3, 0.6, 0.6]), LABELS, hud)
    assert _is(picture[3000], 1).sum() >= 30


def test_colours_of_the_configuration(found: Found) -> None:
    picture = _ground(640, 480)
    boxes = found([0.1, 0.4, 0.4, 0.9], [0.5, 0.4, 0.9, 0.9])
    _draw(picture, boxes, label="", colour="#ff8800", colours={"bicycle": "#0000ff"})
    assert (picture[300, 60:70] == (0, 0x88, 0xFF)).all(axis=-1).any()
    assert (picture[300, 316:326] == (255, 0, 0)).all(axis=-1).any()


def test_an_empty_template_draws_no_plate(found: Found) -> None:
    picture = _ground(640, 480)
    _draw(picture, found([0.3, 0.3, 0.7, 0.7]), label="")
    assert (picture[:140] == 128).all()
    assert not cv2.morphologyEx(
        _is(picture, 1).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)
    ).any()


def test_numbers_that_change_cost_no_rendering(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once every letter has been drawn, no frame draws text again; kept plates stay bounded."""
    drawn: list[str] = []
    draw = Face.draw

    def counted(self: Face, text: str, cap_px: int) -> Pixels:
        drawn.append(text)
        return draw(self, text, cap_px)

    monkeypatch.setattr(Face, "draw", counted)
    overlay = Overlay(OverlayConfig(label="{label} {id} {score:.3f} {age_s:.3f} {width_px}"))
    surface = BgrSurface(_ground(640, 480))
    for seq in range(1200):
        ns = seq * 33_333_333
        tracks = found([0.2, 0.4, 0.3 + seq / 2000, 0.9], scores=[0.1 + seq / 2000], ids=[3])
        overlay.draw(surface, tracks, LABELS, Clock(seq, 10**15 + ns, ns, ns))
        if seq == 400:
            drawn.clear()
    assert drawn == []
    assert overlay.plates._kept.bytes <= 4 << 20
    assert len(overlay.plates._kept._pictures) < 600


def test_the_same_picture_twice(found: Found, hud: Hud) -> None:
    """What is cached looks like what is drawn anew, also after another size in between."""
    overlay = Overlay(OverlayConfig())
    tracks = found([0.1, 0.3, 0.5, 0.9], [0.4, 0.3, 0.9, 0.8])
    drawn = []
    for size in ((640, 480), (320, 240), (640, 480)):
        drawn.append(_ground(*size))
        overlay.draw(BgrSurface(drawn[-1]), tracks, LABELS, CLOCK, hud)
    assert np.array_equal(drawn[0], drawn[2])


def test_on_photographs(found: Found, coco: Path) -> None:
    """Ground-truth boxes of real pictures: every class colour shows, every picture differs."""
    table = json.loads((coco / "train2017.json").read_text())
    names = {entry["id"]: entry["name"] for entry in table["categories"]}
    overlay = Overlay(OverlayConfig())
    for image in table["images"][:24]:
        picture = cv2.imread(str(coco / "train2017" / image["file_name"]))
        own = [a for a in table["annotations"] if a["image_id"] == image["id"]][:20]
        x, y, w, h = np.array([a["bbox"] for a in own], np.float32).reshape(-1, 4).T
        scaled = np.stack(
            [x / image["width"], y / image["height"], (x + w) / image["width"],
             (y + h) / image["height"]], axis=1
        )  # fmt: skip
        ids = np.array([a["category_id"] for a in own], np.int32)
        scores = np.linspace(0.9, 0.5, len(own)).tolist()
        tracks = found(*scaled.clip(0, 1), scores=scores, class_ids=ids.tolist())
        overlay.draw(BgrSurface(picture), tracks, names, CLOCK, Hud())
        for class_id in set(ids[:3].tolist()):
            assert _is(picture, class_id).sum() > 20
