"""Zones, lines and rules drawn on the live page, in a real browser: the board has them then."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

OpenPage = Callable[..., Any]
YARD = [(0.2, 0.55), (0.8, 0.55), (0.8, 0.95), (0.2, 0.95)]

READ_BACK = ("willReadFrequently",)
"""The browser's advice to pages that read their pictures, which only these tests do."""


@pytest.fixture(scope="module")
def served(make_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run for the whole file; its picture without labels over the zones."""
    return make_run(
        settings=[f"events.folder={tmp_path_factory.mktemp('events')}", "model.min_score=1"]
    )


def _start(page: Any) -> Any:
    page.wait_for_selector("#stage[data-kind=live]")
    page.wait_for_selector("#style input:checked", state="attached")
    page.click("#places-edit")
    page.wait_for_selector("#editor:visible")
    return page


@pytest.fixture
def page(served: Any, open_page: OpenPage) -> Iterator[Any]:
    """The live page with the editor open, and nothing to watch yet."""
    yield _start(open_page(served.url, calm=READ_BACK))
    wish = {"watch": {"zones": {}, "lines": {}, "rules": []}}
    answer = open_page(served.url).evaluate(
        "wish => fetch('/api/config', {method: 'PATCH', body: JSON.stringify(wish),"
        " headers: {'Content-Type': 'application/json'}}).then(answer => answer.status)",
        wish,
    )
    assert answer == 200


def _at(page: Any, point: tuple[float, float]) -> tuple[float, float]:
    box = page.locator("#sketch").bounding_box()
    return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]


def _draw_zone(page: Any, name: str, points: list[tuple[float, float]]) -> None:
    page.click("#add-zone")
    for point in [*points, points[0]]:
        page.mouse.click(*_at(page, point))
    page.fill("#place-name", name)


def _said(page: Any, text: str) -> None:
    page.wait_for_function(
        "text => document.getElementById('editor-said').textContent.includes(text)", arg=text
    )


def _chosen(page: Any, name: str) -> None:
    page.locator("#chooser button", has_text=name).click()


def test_a_zone_and_a_rule_are_drawn_tried_and_saved(page: Any, served: Any) -> None:
    before = served.file.read_text("utf-8")
    _draw_zone(page, "yard", YARD)
    page.click("#add-rule")
    page.fill("#rule-name", "visit")
    page.fill("#rule-classes", "person, dog")
    page.fill("#rule-dwell_s", "2.5")
    page.fill("#rule-min_score", "60")
    page.fill("#rule-cooldown_s", "30")
    page.fill("#rule-schedule", "mon-fri 22:00-06:00")
    page.click("#try")
    _said(page, "In effect until the next start")
    watch = served.app.config.watch
    assert watch.zones["yard"] == [pytest.approx(point, abs=0.003) for point in YARD]
    (rule,) = watch.rules
    assert (rule.name, rule.zone, rule.line) == ("visit", "yard", None)
    assert rule.classes == ["person", "dog"]
    assert (rule.dwell_s, rule.min_score, rule.cooldown_s) == (2.5, 0.6, 30)
    assert rule.schedule == "mon-fri 22:00-06:00"
    assert served.file.read_text("utf-8") == before, "saved only when asked"

    page.click("#keep")
    _said(page, f"Saved to {served.file}")
    _said(page, ".bak")
    backup = page.inner_text("#editor-said").rpartition(" ")[2].rstrip(".")
    assert Path(backup).read_text("utf-8") == before
    saved = yaml.safe_load(served.file.read_text("utf-8"))["watch"]
    assert list(saved["zones"]) == ["yard"]
    assert saved["rules"][0]["name"] == "visit"

    page.click("#editor-close")
    page.wait_for_selector("#editor", state="hidden")
    page.wait_for_selector("#places-list li:has-text('yard')")
    assert page.inner_text("#places-list li b") == "0 there, 0 came"
    assert page.inner_text("#places-rules") == "Rules: visit"
    # The board's own overlay shows it: its colour on the upper edge, not beside it.
    page.wait_for_function(
        "() => { const canvas = document.getElementById('picture');"
        " const pixel = (x, y) => canvas.getContext('2d').getImageData("
        " Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data;"
        " const edge = [-2, -1, 0, 1, 2].map(off => pixel(0.3, 0.55 + off / canvas.height));"
        " return edge.some(([red, , blue]) => blue > 200 && blue - red > 80); }"
    )


def test_a_line_is_drawn_in_one_go_turned_round_renamed_and_removed(page: Any, served: Any) -> None:
    page.click("#add-line")
    page.mouse.move(*_at(page, (0.5, 0.9)))
    page.mouse.down()
    page.mouse.move(*_at(page, (0.5, 0.5)))
    page.mouse.move(*_at(page, (0.5, 0.2)))
    page.mouse.up()
    page.fill("#place-name", "door")
    page.click("#add-rule")
    page.select_option("#rule-direction", "in")
    assert page.is_hidden("#rule-stay")
    _chosen(page, "door")
    page.click("#turn")
    page.fill("#place-name", "gate")
    page.click("#try")
    _said(page, "In effect")
    watch = served.app.config.watch
    begin, end = watch.lines["gate"]
    assert begin == pytest.approx((0.5, 0.2), abs=0.003)
    assert end == pytest.approx((0.5, 0.9), abs=0.003)
    assert [(rule.line, rule.direction) for rule in watch.rules] == [("gate", "in")]
    page.click("#place-remove")
    _said(page, "rule-1")
    page.click("#try")
    _said(page, "In effect")
    assert served.app.config.watch.lines == {}
    assert served.app.config.watch.rules == []


def test_everything_goes_by_keyboard(page: Any, served: Any) -> None:
    page.locator("#add-zone").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == (
        "Point 1 of zone-1: 35% from the left, 35% from the top"
    )
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    page.keyboard.press("Insert")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.press("Delete")
    page.locator("#try").focus()
    page.keyboard.press("Enter")
    _said(page, "In effect")
    first, second, *rest = served.app.config.watch.zones["zone-1"]
    assert first == pytest.approx((0.33, 0.338))
    assert second == pytest.approx((0.49, 0.334))
    assert rest == [pytest.approx((0.65, 0.65)), pytest.approx((0.35, 0.65))]
    # A triangle keeps its corners.
    for expected in (3, 3):
        page.locator("#sketch .handle").first.focus()
        page.keyboard.press("Delete")
        assert page.locator("#sketch .handle").count() == expected
    _said(page, "needs 3 points")


def test_points_are_dragged_and_corners_added(page: Any, served: Any) -> None:
    _draw_zone(page, "yard", YARD)
    for begin, end in (((0.2, 0.55), (0.1, 0.3)), ((0.8, 0.75), (0.9, 0.75))):
        page.mouse.move(*_at(page, begin))
        page.mouse.down()
        page.mouse.move(*_at(page, end))
        page.mouse.up()
    page.mouse.move(*_at(page, (0.5, 0.7)))
    page.mouse.down()
    page.mouse.move(*_at(page, (0.55, 0.9)))
    page.mouse.up()
    page.click("#try")
    _said(page, "In effect")
    # Moved as a whole as far as the picture goes.
    wanted = [(0.15, 0.35), (0.85, 0.6), (0.95, 0.8), (0.85, 1.0), (0.25, 1.0)]
    found = served.app.config.watch.zones["yard"]
    assert found == [pytest.approx(point, abs=0.005) for point in wanted]


def test_fingers_draw_too(served: Any, open_page: OpenPage) -> None:
    page = _start(
        open_page(
            served.url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
        )
    )
    page.tap("#add-zone")
    page.locator("#stage").scroll_into_view_if_needed()
    for point in YARD[:3]:
        page.touchscreen.tap(*_at(page, point))
    page.tap("#finish")
    page.wait_for_selector("#place-form:visible")
    assert page.locator("#sketch .handle").count() == 3


def test_every_mistake_is_said_and_nothing_is_lost(page: Any, served: Any) -> None:
    crossed = [(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)]
    _draw_zone(page, "bow tie", crossed)
    page.click("#try")
    page.wait_for_selector("#wrongs li")
    assert "bow tie" in page.inner_text("#wrongs")
    page.fill("#place-name", "bow")
    page.click("#add-rule")
    page.fill("#rule-schedule", "whenever")
    page.click("#keep")
    page.wait_for_selector("#wrongs li:has-text('crosses itself')")
    page.wait_for_selector("#wrongs li:has-text('whenever')")
    assert served.app.config.watch.zones == {}
    assert page.locator("#chooser li").count() == 2
    _draw_zone(page, "bow", YARD)
    page.click("#try")
    page.wait_for_selector("#wrongs li:has-text('Two zones have the name bow')")
    page.click("#editor-close")
    _said(page, "Close again drops them")
    page.click("#editor-close")
    page.wait_for_selector("#editor", state="hidden")
    page.click("#places-edit")
    page.wait_for_function("document.querySelectorAll('#chooser li').length === 0")
