"""The page of events in a real browser: they come, are filtered, played and deleted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

OpenPage = Callable[..., Any]
SETTINGS = [
    "watch.zones={yard: [[0.05, 0.05], [0.95, 0.05], [0.95, 0.95], [0.05, 0.95]]}",
    "watch.rules=[{name: visit, zone: yard}, {name: anyone}]",
    "recorder.pre_s=1",
    "recorder.post_s=1",
    "recorder.max_s=5",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the run keeps its events."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def served(make_run: Callable[..., Any], folder: Path) -> Any:
    """One run for the whole file, in whose demo scene much happens."""
    return make_run(settings=[*SETTINGS, f"events.folder={folder}"])


def _sentences(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".event .what").all_text_contents()]


def test_an_event_appears_by_itself_with_its_picture(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url + "history")
    page.wait_for_selector(".event")
    before = page.locator(".event").first.get_attribute("data-id")
    page.wait_for_function(
        "before => document.querySelector('.event').dataset.id > before", arg=before
    )
    page.wait_for_function(
        "() => [...document.querySelectorAll('.event img')].some(image => image.naturalWidth > 50)"
    )
    ids = [item.get_attribute("data-id") for item in page.locator(".event").all()]
    assert ids == sorted(ids, reverse=True), "the newest first"
    assert page.inner_text(".day h2") == "Today"
    assert "came into" in _sentences(page)[0]
    page.wait_for_function("() => /event.* kept/.test(document.getElementById('totals').innerText)")


def test_filters_show_what_fits_and_stay_in_the_address(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url + "history")
    page.wait_for_selector(".event")
    page.select_option("#rule", "visit")
    page.select_option("#place", "yard")
    page.wait_for_function(
        "() => { const facts = [...document.querySelectorAll('.event .text > .muted')];"
        " return facts.length > 0 && facts.every(fact => fact.textContent.includes('visit')); }"
    )
    label = _sentences(page)[0].partition(" came into ")[0]
    page.select_option("#label", label)
    page.wait_for_function(
        "label => { const said = [...document.querySelectorAll('.event .what')];"
        " return said.length > 0 && said.every(what => what.textContent.startsWith(label)); }",
        arg=label,
    )
    assert page.url.endswith(f"?label={label.replace(' ', '+')}&place=yard&rule=visit")
    page.reload()
    page.wait_for_selector(".event")
    assert {text.partition(" came into ")[0] for text in _sentences(page)} == {label}
    assert page.input_value("#rule") == "visit"
    page.select_option("#label", "toothbrush")
    page.wait_for_selector("#empty:visible")
    assert page.inner_text("#empty-title") == "No event fits"
    page.click("#all")
    page.wait_for_selector(".event")
    assert page.url.endswith("/history")
    assert page.is_hidden("#all")


def test_a_clip_is_played_and_closed(served: Any, open_page: OpenPage) -> None:
    page = open_page(served.url + "history")
    playable = page.locator(".event:has(button:visible:text-is('Play'))")
    playable.first.wait_for()
    entry = page.locator(f".event[data-id='{playable.first.get_attribute('data-id')}']")
    entry.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "() => { const video = document.querySelector('video');"
        " return video.duration > 0.5 && video.readyState >= 2 && video.videoWidth === 640; }"
    )
    with page.expect_download() as download:
        entry.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".mp4")
    reader = cv2.VideoCapture(str(download.value.path()))
    found, image = reader.read()
    reader.release()
    assert found
    assert image.shape == (360, 640, 3)
    entry.get_by_role("button", name="Close").click()
    assert page.locator("video").count() == 0


def test_deleting_asks_once_and_takes_the_files_with_it(
    served: Any, open_page: OpenPage, folder: Path
) -> None:
    page = open_page(served.url + "history")
    page.wait_for_selector(".event .text .head")
    # The oldest is finished: nothing of it is written any more.
    entry = page.locator(".event:has(img)").last
    event_id = entry.get_attribute("data-id")
    address = entry.locator("img").get_attribute("src").partition("?")[0]
    remove = entry.get_by_role("button", name="Delete")
    remove.focus()
    page.keyboard.press("Delete")
    page.wait_for_selector("#sure[open]")
    assert page.inner_text("#sure-what") in _sentences(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("#sure:not([open])", state="attached")
    assert page.locator(f".event[data-id='{event_id}']").count() == 1, "it was not deleted"
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    page.wait_for_selector("#sure:not([open])", state="attached")
    assert page.locator(f".event[data-id='{event_id}']").count() == 1, "Enter keeps it"
    page.keyboard.press("Delete")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".event[data-id='{event_id}']", state="detached")
    assert page.evaluate("document.activeElement.closest('.event') !== null"), "focus goes on"
    for gone in (f"api/history/{event_id}", address.removeprefix("/")):
        assert page.request.get(served.url + gone).status == 404
    # A clip may be that of other events, too.
    assert not [path for path in folder.rglob("*.jpg") if event_id in path.name]
