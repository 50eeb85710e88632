"""What the page says when something is not as it should be."""

from collections.abc import Callable
from typing import Any

from edge_vision.control import BoardStatus

OpenPage = Callable[..., Any]


def _value(page: Any, name: str) -> str:
    value: str = page.locator(f'#system dd[data-name="{name}"]').inner_text()
    return value


def test_a_board_in_trouble(site_server: Any, open_page: OpenPage) -> None:
    control = site_server.control
    fault = "video: <img src=x onerror=alert(1)>.mp4 cannot be written: the disk is full"
    control.fault_list.append(fault)
    control.board_status = BoardStatus(
        "Raspberry Pi 4", 82.44, ("under-voltage",), "held back: 82 C", idle=True
    )
    control.telemetry.drop("display busy", 3)
    page = open_page(site_server.url)
    page.wait_for_selector("#faults li")
    # A name is text, whatever is in it.
    assert page.locator("#faults li").all_inner_texts() == [fault]
    assert page.locator("#faults img").count() == 0
    assert _value(page, "Temperature") == "82.4 \N{DEGREE SIGN}C"
    assert _value(page, "Throttling") == "under-voltage; held back: 82 C"
    assert page.locator("#system dd.alarm").count() == 1
    assert "resting, as nothing moves" in _value(page, "Health")
    assert _value(page, "Dropped") == "3 display busy"

    control.fault_list.clear()
    control.board_status = BoardStatus("Raspberry Pi 4", None, (), "", idle=False)
    page.wait_for_selector("#faults", state="hidden")
    page.wait_for_function(
        "() => document.querySelector('#system dd[data-name=Throttling]').textContent === 'none'"
    )
    assert _value(page, "Temperature") == "not known"
    assert page.locator("#system dd.alarm").count() == 0


def test_one_viewer_too_many_is_told_and_let_in_later(
    make_run: Callable[..., Any], open_page: OpenPage
) -> None:
    url = make_run(settings=["outputs.web.max_viewers=1"]).url
    first = open_page(url)
    first.wait_for_selector("#stage[data-kind=live]")
    second = open_page(url)
    second.wait_for_selector("#stage[data-kind=refused]")
    assert second.inner_text("#notice-title") == "No picture"
    assert "max_viewers" in second.inner_text("#notice-text")
    first.click("#pause")
    second.wait_for_selector("#stage[data-kind=live]")
