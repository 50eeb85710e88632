"""What stands beside the picture, in a real browser, while a run goes on."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def served(make_run: Callable[..., Any]) -> Any:
    """One run for the whole file."""
    return make_run()


@pytest.fixture
def page(served: Any, open_page: OpenPage) -> Any:
    """The page, with everything it shows already there once."""
    page = open_page(served.url)
    page.wait_for_selector("#stage[data-kind=live]")
    page.wait_for_selector("#objects li")
    page.wait_for_selector("#history li")
    page.wait_for_selector("#style input:checked", state="attached")
    return page


def _texts(page: Any, selector: str) -> list[str]:
    return [text.strip() for text in page.locator(selector).all_inner_texts()]


def test_the_list_names_what_is_seen(page: Any, served: Any) -> None:
    def followed() -> set[tuple[str, str]]:
        scene = served.app.pipeline.analysed.read()[0].scene
        return {
            (scene.labels[track.class_id], f"#{track.id}")
            for track in scene.tracks
            if track.state != "tentative"
        }

    page.wait_for_function("() => document.querySelectorAll('#objects li').length >= 2")
    before = followed()
    shown = page.evaluate(
        "() => [...document.querySelectorAll('#objects li')].map(li =>"
        " [li.querySelector('.name').textContent, li.querySelector('.id').textContent])"
    )
    assert {tuple(row) for row in shown} & (before | followed())
    assert int(page.inner_text("#objects-count")) >= 1
    assert page.is_hidden("#nothing")
    ids = [int(row[1][1:]) for row in shown]
    assert ids == sorted(ids), "rows keep their place"


def test_the_list_follows(page: Any, served: Any) -> None:
    page.evaluate(
        "() => fetch('/api/config', {method: 'PATCH', body: JSON.stringify("
        "{model: {classes: ['toothbrush']}}), headers: {'Content-Type': 'application/json'}})"
    )
    try:
        page.wait_for_selector("#nothing", state="visible")
        assert page.locator("#objects li").count() == 0
        assert page.inner_text("#objects-count") == "0"
    finally:
        page.evaluate(
            "() => fetch('/api/config', {method: 'PATCH', body: JSON.stringify("
            "{model: {classes: []}}), headers: {'Content-Type': 'application/json'}})"
        )
    page.wait_for_selector("#objects li")
    assert page.is_hidden("#nothing")


def test_the_waterfalls_show_every_stage(page: Any) -> None:
    page.wait_for_function(
        "() => [...document.querySelectorAll('.waterfall tbody tr')].every(row =>"
        " /\\d/.test(row.children[2].textContent))"
    )
    stages = _texts(page, ".waterfall tbody th")
    assert stages[:5] == ["arrived", "taken", "prepared", "inferred", "tracked"]
    assert stages[5:] == [
        "arrived", "registered", "drawn", "encoded", "received", "on your screen",
    ]  # fmt: skip
    # Each bar begins where the one before it ended.
    ends = page.evaluate(
        "() => [...document.querySelectorAll('#shown-table .part')].map(part =>"
        " [parseFloat(part.style.marginInlineStart), parseFloat(part.style.inlineSize)])"
    )
    for (begin, length), (following, _) in pairwise(ends):
        assert following == pytest.approx(begin + length, abs=0.1)
    assert ends[-1][0] + ends[-1][1] <= 100
    inferred = page.locator("#analysed-table tbody tr").nth(3).locator("td")
    assert float(inferred.nth(2).inner_text()) > 0  # p50 of the run, from the server


def test_rates_and_delay(page: Any) -> None:
    ids = ["rate-captured", "rate-analysed", "rate-shown", "rate-received", "delay"]
    for name in ids:
        page.wait_for_function(
            "id => Number(document.getElementById(id).textContent) > 0", arg=name
        )
    # One clock, two processes: the delay is that of this machine, not of a wrong epoch.
    assert float(page.inner_text("#delay")) < 5000


def test_the_last_minutes(page: Any, served: Any) -> None:
    names = set(_texts(page, "#history .name"))
    assert names <= set(served.app.detector.labels.values())
    path = page.locator("#history path").first
    assert "h2v" in (path.get_attribute("d") or "")
    assert "at most" in page.locator("#history li .hidden").first.inner_text()


def test_the_system(page: Any, served: Any) -> None:
    page.wait_for_selector("#system dd")
    told = dict(zip(_texts(page, "#system dt"), _texts(page, "#system dd"), strict=True))
    assert told["Camera"].startswith("demo scene; 640 \u00d7 360 at 30/s; since ")
    assert served.app.detector.description in told["Model"]
    assert told["Engine"] == served.app.detector.engine
    assert told["Watching"].startswith("1 of 8 pictures")
    assert {"Board", "Temperature", "Throttling", "Dropped", "Memory", "Running"} <= set(told)
    assert page.title().endswith(" \u2013 edge-vision")
    assert page.is_hidden("#faults")


def test_everything_can_be_reached_by_keyboard(page: Any) -> None:
    reached = set()
    at = "document.activeElement"
    page.keyboard.press("Tab")
    while page.evaluate(f"{at} !== document.body"):
        reached.add(page.evaluate(f"{at}.id || {at}.name || {at}.className"))
        # A choice shows it on its visible part.
        shown = f"({at}.matches('.segments input') ? {at}.nextElementSibling : {at})"
        assert page.evaluate(f"getComputedStyle({shown}).outlineStyle") == "solid"
        page.keyboard.press("Tab")
    wanted = {"skip", "pause", "snapshot", "crisp-toggle", "style", "size", "score", "hud", "save"}
    assert wanted | {"places-edit"} <= reached
