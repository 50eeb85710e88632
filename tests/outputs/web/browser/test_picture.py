"""The live picture in a real browser: it moves, and its boxes are where the demo's truth says."""

import base64
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.camera.demo import DemoCamera
from edge_vision.render.style import class_colour

OpenPage = Callable[..., Any]
CAMERA = DemoCamera((640, 360))
SEEN = 0.9
"""Objects less visible than this may rightly be missed, or have a smaller box."""
REACH = 0.035
"""How far an edge may lie off the truth, as a share of the picture's width or height."""
OBJECTS = 24
FRAMES = 40
READ_BACK = ("willReadFrequently",)
"""The browser's advice to pages that read their pictures, which only these tests do."""


@pytest.fixture(scope="module")
def served(make_run: Callable[..., Any]) -> Any:
    """One run for the whole file.

    Lines so thick that JPEG leaves them their colour; each frame with its own detections, so that
    a busy machine does not move the boxes.
    """
    looks = ["overlay.thickness_px=4", "overlay.hud=false", "overlay.timing=exact"]
    return make_run(settings=["model.size=large", "model.threads=2", *looks])


def _live(page: Any) -> None:
    page.wait_for_selector("#stage[data-kind=live]")


def _next_frame(page: Any, canvas: str = "") -> tuple[int, str]:
    """The next frame on the screen: its number, and what a canvas shows of it, as a data: URL."""
    before = page.evaluate("document.getElementById('picture').dataset.seq")
    seq, url = page.wait_for_function(
        "([before, name]) => {"
        " const seq = document.getElementById('picture').dataset.seq;"
        " const canvas = document.getElementById(name);"
        " return seq !== before && [Number(seq), canvas ? canvas.toDataURL() : '']; }",
        arg=[before, canvas],
    ).json_value()
    return seq, url


def _edges_found(shown: NDArray[np.uint8], box: tuple[float, ...], class_id: int) -> int:
    """How many of a box's four edges are drawn, in its class's colour, where they should be.

    shown: uint8 (height, width, 4) BGRA.
    """
    high, wide = shown.shape[:2]
    off = np.abs(shown[..., :3].astype(np.int16) - np.array(class_colour(class_id), np.int16))
    hit = (off.max(axis=2) < 60) & (shown[..., 3] > 128)
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(box, (wide, high, wide, high), strict=True))
    reach_x, reach_y = round(REACH * wide), round(REACH * high)
    # Without the corners, which belong to two edges.
    along_x = slice(x0 + (x1 - x0) // 10, x1 - (x1 - x0) // 10)
    along_y = slice(y0 + (y1 - y0) // 10, y1 - (y1 - y0) // 10)
    across = [
        hit[max(0, y - reach_y) : y + reach_y + 1, along_x].any(axis=0).mean() for y in (y0, y1)
    ]
    across += [
        hit[along_y, max(0, x - reach_x) : x + reach_x + 1].any(axis=1).mean() for x in (x0, x1)
    ]
    return sum(float(share) > 0.8 for share in across)


def _share_found(page: Any, canvas: str) -> float:
    """Of the edges of well visible objects in some frames, the share drawn where the truth is."""
    objects = found = 0
    for _ in range(FRAMES):
        seq, url = _next_frame(page, canvas)
        data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
        shown = np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
        if shown.shape[2] == 3:
            shown = np.asarray(cv2.cvtColor(shown, cv2.COLOR_BGR2BGRA), np.uint8)
        for each in CAMERA.truth(seq).objects:
            inside = min(each.box[:2]) > 0.01 and max(each.box[2:]) < 0.99
            if each.visibility > SEEN and inside:
                found += _edges_found(shown, each.box, each.class_id)
                objects += 1
        if objects >= OBJECTS:
            return found / (4 * objects)
    raise AssertionError("too few objects are well visible to say anything")


def test_the_picture_moves_as_the_scene_does(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url)
    _live(page)
    one = page.locator("#stage").screenshot()
    for _ in range(8):
        _next_frame(page)
    assert page.locator("#stage").screenshot() != one


def test_drawn_boxes_are_where_the_truth_is(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url, calm=READ_BACK)
    _live(page)
    assert _share_found(page, "picture") > 0.8
    assert page.evaluate("document.getElementById('crisp').hidden")


def test_crisp_boxes_are_vectors_over_the_plain_picture(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url, calm=READ_BACK, device_scale_factor=1.5)
    _live(page)
    with page.expect_request(lambda asked: "overlay=0" in asked.url):
        page.click("#crisp-toggle")
    assert page.get_attribute("#crisp-toggle", "aria-pressed") == "true"
    page.wait_for_function(
        "() => { const c = document.getElementById('crisp'); return !c.hidden && c.width > 640; }"
    )
    assert _share_found(page, "crisp") > 0.8
    # The picture below has none: what is drawn is drawn by the browser.
    assert _share_found(page, "picture") < 0.2
    # As sharp as the screen: one canvas pixel for each of the screen's.
    assert page.evaluate(
        "() => { const c = document.getElementById('crisp');"
        " return c.width === Math.round(c.clientWidth * devicePixelRatio); }"
    )


def _watching(page: Any, viewers: int, listeners: int) -> None:
    page.wait_for_function(
        "wanted => fetch('/api/state').then(answer => answer.json())"
        ".then(state => state.viewers === wanted[0] && state.listeners === wanted[1])",
        arg=[viewers, listeners],
    )


def _goes_on(page: Any) -> None:
    before = int(page.get_attribute("#picture", "data-seq"))
    _live(page)
    assert _next_frame(page)[0] > before


def test_the_board_draws_nothing_for_a_page_that_pauses(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url)
    _live(page)
    page.click("#pause")
    _watching(page, 0, 1)
    assert page.inner_text("#notice-title") == "Paused"
    page.click("#pause")
    _goes_on(page)
    _watching(page, 1, 1)


def test_the_board_rests_while_the_page_is_hidden(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url)
    _live(page)
    turn = (
        "value => { Object.defineProperty(document, 'hidden', { value, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    page.evaluate(turn, True)
    _watching(page, 0, 0)
    page.evaluate(turn, False)
    _goes_on(page)
    _watching(page, 1, 1)


def test_the_newest_picture_wins_where_decoding_is_slow(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url)
    _live(page)
    page.evaluate(
        "() => { const decode = createImageBitmap; window.createImageBitmap = async (blob) => {"
        " await new Promise((done) => setTimeout(done, 500)); return decode(blob); } }"
    )
    _next_frame(page)  # of those that were under way
    _next_frame(page)
    shown = [_next_frame(page)[0] for _ in range(3)]
    assert min(after - before for before, after in pairwise(shown)) > 2
