"""How the pages look and weigh, and what axe finds on them, in a real browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

axe_api = pytest.importorskip(
    "axe_playwright_python.sync_playwright",
    reason="the extra `browser` (axe-playwright-python) is not installed",
)
OpenPage = Callable[..., Any]
PHONE = {"width": 360, "height": 740}
MOST_BYTES = 150_000


ADDRESSES = ["", "history", "login"]


@pytest.fixture(scope="module")
def served(make_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One run for the whole file, with a rule that makes events."""
    watch = [
        "watch.zones={yard: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]}",
        "watch.lines={door: [[0.5, 0.9], [0.5, 0.1]]}",
        "watch.rules=[{name: visit}]",
    ]
    return make_run(settings=[*watch, f"events.folder={tmp_path_factory.mktemp('events')}"])


def _filled(page: Any, address: str = "") -> None:
    wanted = {
        "": ("#objects li", "#history li", "#system dd", "#style label", "#places-list li"),
        "history": (".event img",),
        "login": (),
    }
    if not address:
        page.wait_for_selector("#stage[data-kind=live]")
    for selector in wanted[address]:
        page.wait_for_selector(selector)


def _edit_each(page: Any) -> Iterator[None]:
    """The editor with a zone, a line and a rule, one after the other."""
    page.click("#places-edit")
    for name in ("yard", "door", "visit"):
        page.locator("#chooser button", has_text=name).click()
        yield


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing(served: Any, open_page: OpenPage, address: str, scheme: str) -> None:
    # Its script is laid into the page, which the page's own policy rightly forbids.
    page = open_page(served.url + address, color_scheme=scheme, bypass_csp=True)
    _filled(page, address)
    found = axe_api.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_editor(served: Any, open_page: OpenPage, scheme: str) -> None:
    page = open_page(served.url, color_scheme=scheme, bypass_csp=True)
    _filled(page)
    for _ in _edit_each(page):
        found = axe_api.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_axe_finds_nothing_when_asked_to_delete(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url + "history", bypass_csp=True)
    page.locator(".event").first.get_by_role("button", name="Delete").click()
    page.wait_for_selector("#sure[open]")
    found = axe_api.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_phone_need_not_scroll_sideways(served: Any, open_page: OpenPage, address: str) -> None:
    page = open_page(
        served.url + address, viewport=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True
    )
    _filled(page, address)
    if not address:
        assert page.locator("#stage").bounding_box()["width"] == PHONE["width"]
        for button in page.locator(".tools button:visible").all():
            box = button.bounding_box()
            assert box["height"] >= 44, "as large as a finger"
            assert box["x"] + box["width"] <= PHONE["width"]
        for _ in _edit_each(page):
            _not_wider(page)
    _not_wider(page)


def _not_wider(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dark_is_dark_and_light_is_light(served: Any, open_page: OpenPage) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        page = open_page(served.url, color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds[scheme] = [int(part) for part in colour.strip("rgb()").split(",")]
    assert max(grounds["dark"]) < 40
    assert min(grounds["light"]) > 220


def test_the_page_is_light(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url)
    _filled(page)
    sizes = page.evaluate(
        "() => [...performance.getEntriesByType('navigation'),"
        " ...performance.getEntriesByType('resource')]"
        ".filter(e => !/stream|api/.test(e.name)).map(e => e.transferSize)"
    )
    assert len(sizes) > 10
    assert 20_000 < sum(sizes) < MOST_BYTES


def test_without_scripts_there_is_still_a_picture(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url, java_script_enabled=False)
    page.wait_for_selector("noscript img")
    assert page.get_attribute("noscript img", "src") == "/stream.mjpg"
