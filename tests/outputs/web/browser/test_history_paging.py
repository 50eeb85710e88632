"""The page of events beside a made-up log: older pages, and what it says when there is nothing."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from edge_vision.errors import OutputError
from edge_vision.events import Event
from edge_vision.history import Recorded, Totals, Wanted

OpenPage = Callable[..., Any]


def _event(number: int) -> Event:
    start_s = 1_750_000_000.0 + number * 3600
    return Event(
        f"{round(start_s * 1000):013d}-0000-abcdef", "board", "enter", "visit", "yard", "", 1,
        "person", 0.9, (0.1, 0.1, 0.2, 0.2), 1, ("yard",), start_s, 0, start_s + 5, 0,
    )  # fmt: skip


@dataclass
class MadeUpLog:
    """A log in memory; fault: why nothing can be deleted."""

    events: list[Event] = field(default_factory=list)
    fault: str = ""

    def find(self, wanted: Wanted) -> Sequence[Recorded]:
        newest = sorted(self.events, key=lambda event: event.id, reverse=True)
        older = [e for e in newest if wanted.before is None or e.id < wanted.before]
        return [Recorded(event) for event in older[: wanted.limit]]

    def get(self, event_id: str) -> Recorded | None:
        return next((Recorded(event) for event in self.events if event.id == event_id), None)

    def totals(self) -> Totals:
        return Totals(len(self.events), 0)

    def delete(self, event_id: str) -> "Future[bool]":
        known = self.get(event_id)
        done: Future[bool] = Future()
        if self.fault:
            done.set_exception(OutputError(self.fault))
            return done
        self.events = [event for event in self.events if event.id != event_id]
        done.set_result(known is not None)
        return done


def test_older_events_come_page_by_page(site_server: Any, open_page: OpenPage) -> None:
    log = MadeUpLog([_event(number) for number in range(100)])
    site_server.control.log = log
    page = open_page(site_server.url + "/history", timezone_id="UTC")
    for count in (40, 80, 100):
        page.wait_for_function(
            "count => document.querySelectorAll('.event').length === count", arg=count
        )
        if count < 100:
            page.click("#older")
    page.wait_for_selector("#older", state="hidden")
    ids = [item.get_attribute("data-id") for item in page.locator(".event").all()]
    assert ids == sorted((event.id for event in log.events), reverse=True)
    assert page.locator(".day").count() == len({int(name[:13]) // 86_400_000 for name in ids})


def test_what_cannot_be_deleted_stays_and_says_why(site_server: Any, open_page: OpenPage) -> None:
    log = site_server.control.log = MadeUpLog([_event(1), _event(2)], "the disk is read-only")
    page = open_page(site_server.url + "/history", calm=("status of 409", "status of 503"))
    for fault in (log.fault, ""):
        log.fault = fault
        page.locator(".event").first.get_by_role("button", name="Delete").click()
        page.click("#sure-yes")
        if fault:
            page.wait_for_selector("#trouble:has-text('read-only')")
            assert page.locator(".event").count() == 2
    page.wait_for_function("() => document.querySelectorAll('.event').length === 1")
    assert page.is_hidden("#trouble")


def test_a_page_without_rules_or_log_says_what_to_do(site_server: Any, open_page: OpenPage) -> None:
    site_server.control.log = MadeUpLog()
    page = open_page(site_server.url + "/history", calm=("status of 404",))
    page.wait_for_selector("#empty:visible")
    assert page.inner_text("#empty-title") == "No rules yet"
    assert page.get_attribute("#empty-text a", "href") == "/#places"
    site_server.control.log = None
    page.reload()
    page.wait_for_selector("#trouble:visible")
    assert "events.enabled" in page.inner_text("#trouble")
    assert page.is_hidden("#empty")
