"""The page's buttons, in a real browser: what they change is changed in the run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def served(make_run: Callable[..., Any]) -> Any:
    """One run for the whole file."""
    return make_run()


@pytest.fixture
def page(served: Any, open_page: OpenPage) -> Any:
    """The page, with its settings loaded."""
    page = open_page(served.url)
    page.wait_for_selector("#style input:checked", state="attached")
    return page


def _said(page: Any, text: str) -> None:
    page.wait_for_function(
        "text => document.getElementById('said').textContent.includes(text)", arg=text
    )


def _choose(page: Any, group: str, value: str) -> None:
    page.locator(f"#{group} label", has_text=value).click()


def _set_score(page: Any, percent: int) -> None:
    page.evaluate(
        "percent => { const score = document.getElementById('score'); score.value = percent;"
        " score.dispatchEvent(new Event('input'));"
        " score.dispatchEvent(new Event('change')); }",
        percent,
    )


def test_style_size_score_and_figures(page: Any, served: Any) -> None:
    app = served.app
    _choose(page, "style", "corners")
    _said(page, "Changed")
    assert app.config.overlay.style == "corners"
    _choose(page, "size", "medium")
    page.wait_for_function("() => !document.getElementById('settings').hasAttribute('aria-busy')")
    assert app.detector.input_hw_px == (236, 236)
    page.locator("#score").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.getElementById('score-value').textContent === '41%'")
    page.click("#hud")
    page.wait_for_function("() => !document.getElementById('settings').hasAttribute('aria-busy')")
    assert app.config.model.min_score == 0.41
    assert app.config.overlay.hud is False
    # Another page sees the same.
    page.reload()
    page.wait_for_selector("#style input[value=corners]:checked", state="attached")
    page.wait_for_selector("#size input[value=medium]:checked", state="attached")
    assert page.inner_text("#score-value") == "41%"
    assert not page.is_checked("#hud")


def test_what_is_refused_goes_back_and_says_why(page: Any, served: Any) -> None:
    before = served.app.config.model.min_score
    page.evaluate("document.getElementById('score').max = 200")
    _set_score(page, 150)
    page.wait_for_selector("#said.wrong")
    assert "min_score" in page.inner_text("#said")
    assert served.app.config.model.min_score == before
    assert page.inner_text("#score-value") == f"{round(before * 100)}%"


def test_only_what_was_changed_here_is_saved(page: Any, served: Any) -> None:
    page.click("#save")
    _said(page, "Nothing has been changed")
    before = served.file.read_text("utf-8")
    _choose(page, "style", "minimal")
    _said(page, "Changed")
    assert served.file.read_text("utf-8") == before, "saved only when asked"
    page.click("#save")
    _said(page, f"Saved to {served.file}")
    after = served.file.read_text("utf-8")
    new = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.strip() for line in new] == ["overlay:", "style: minimal"]
    assert "# A comment that stays." in after
    _said(page, ".bak")
    backup = page.inner_text("#said").rpartition(" ")[2].rstrip(".")
    assert Path(backup).read_text("utf-8") == before


def test_a_snapshot_is_a_file(page: Any) -> None:
    with page.expect_download() as download:
        page.click("#snapshot")
    name = download.value.suggested_filename
    assert name.endswith(".jpg")
    data = np.fromfile(download.value.path(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (360, 640, 3)
    assert float(picture.std()) > 10, "a picture of something"


def test_full_screen_and_back(page: Any) -> None:
    page.click("#full")
    page.wait_for_selector("#full[aria-pressed=true]")
    assert page.evaluate("document.fullscreenElement.id") == "live"
    assert page.is_visible("#pause")
    page.click("#full")
    page.wait_for_selector("#full[aria-pressed=false]")


def test_without_a_password_there_is_nothing_to_log_out_of(page: Any) -> None:
    assert page.is_hidden("#logout")
