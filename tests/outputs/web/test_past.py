"""/api/history and /api/counts beside a real log of made-up events."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "events"))

from made_up import NOON, World, ended, event_at

from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.errors import OutputError
from edge_vision.events import Counts
from edge_vision.history import Recorded, Wanted
from edge_vision.outputs.events.output import EventHistory
from edge_vision.outputs.web import past, shapes
from edge_vision.outputs.web.passwords import new_token, token_line

Ask = Callable[..., Any]
START_S = NOON.timestamp()
FIRST = event_at(3, 1, label="cat", rule="pets", place="lawn", zones=("lawn", "drive"))
SECOND = event_at(5, 2, kind="cross", direction="in", place="door", zones=(), node="yard")
GOES_ON = event_at(7, 3)
ONE = "/api/history/1"
FILES = tuple(("GET", f"{ONE}/{name}") for name in ("clip.mp4", "thumbnail.jpg", "snapshot.jpg"))
EVERYTHING = (
    *(("GET", "/api/counts"), ("GET", "/api/history"), ("GET", ONE), ("DELETE", ONE)),
    *FILES,
)


@dataclass
class Logged:
    """A server with a log: two events that are over, with a clip, and one that goes on."""

    port: int
    server: Any
    world: World
    ask: Ask

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        answer = self.ask(self.port, "GET", path, headers)
        assert answer.status == status, answer.body
        return answer

    def ids(self, query: str = "") -> list[str]:
        return [event["id"] for event in self.get(f"/api/history{query}").json()["events"]]


class SteppedHistory(EventHistory):
    """Does at once what it is asked for: the keeper has no thread here."""

    def __init__(self, world: World) -> None:
        super().__init__(world.folder, world.keeper)
        self._world = world

    def delete(self, event_id: str) -> Future[bool]:
        answer = super().delete(event_id)
        self._world.step()
        return answer


@pytest.fixture
def logged(site_server: Any, ask: Ask, tmp_path: Path) -> Iterator[Logged]:
    folder = tmp_path / "events"
    config = EventsConfig(enabled=True, min_free_mb=0, folder=str(folder))
    recorder = RecorderConfig(encoder="software", pre_s=1, post_s=0.5, snapshot="whole")
    world = World(folder, config, recorder)
    world.run_to(7.6, (FIRST, ended(FIRST, 1), SECOND, ended(SECOND, 0.5), GOES_ON))
    world.step()
    site_server.control.log = SteppedHistory(world)
    yield Logged(site_server.port, site_server, world, ask)
    world.end()


def test_the_newest_first_as_it_is_said_to_be(logged: Logged) -> None:
    answer = logged.get("/api/history")
    told = answer.json()
    assert TypeAdapter(shapes.HistoryShape).validate_json(answer.body, strict=True)
    assert [event["id"] for event in told["events"]] == [GOES_ON.id, SECOND.id, FIRST.id]
    assert set(told["events"][0]) == set(shapes.RecordedShape.__annotations__)
    assert told["next"] is None
    assert told["totals"]["events"] == 3
    assert told["totals"]["bytes"] > 1000
    first = told["events"][2]
    assert first["thumbnail"] == f"/api/history/{FIRST.id}/thumbnail.jpg"
    assert first["snapshot"] == f"/api/history/{FIRST.id}/snapshot.jpg"
    assert first["clip"] == f"/api/history/{FIRST.id}/clip.mp4"
    assert (first["start_s"], first["end_s"]) == (START_S + 3, START_S + 4)
    assert first["clip_done"] is True
    assert told["events"][0]["end_s"] is None
    assert str(logged.world.folder) not in answer.body.decode(), "a path is told"
    assert logged.get(f"/api/history/{FIRST.id}").json() == first


def test_page_by_page(logged: Logged) -> None:
    page = logged.get("/api/history?limit=2").json()
    assert [event["id"] for event in page["events"]] == [GOES_ON.id, SECOND.id]
    assert page["next"] == SECOND.id
    rest = logged.get(f"/api/history?limit=2&before={page['next']}").json()
    assert [event["id"] for event in rest["events"]] == [FIRST.id]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("label=cat", [FIRST]),
        ("place=drive", [GOES_ON, FIRST]),  # the object was in it, or the rule is about it
        ("kind=cross&rule=visitor", [SECOND]),
        ("node=yard", [SECOND]),
        ("node=nowhere", []),
        (f"since={START_S + 5:.0f}", [GOES_ON, SECOND]),
        ("until=2026-11-22T12:00:05%2B00:00", [FIRST]),
        (f"since={START_S + 3.5}&until={START_S + 6}", [SECOND]),
        ("since=2030-01-01", []),
        ("label=%27%20OR%201%3D1", []),
        ("rule=%00", []),
    ],
)
def test_filters(logged: Logged, query: str, found: list[Any]) -> None:
    assert logged.ids(f"?{query}") == [event.id for event in found]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit='0' in the address; expected a number 1 to 200"),
        ("limit=201", "expected a number 1 to 200"),
        ("limit=x", "expected a number"),
        ("kind=walk", "kind='walk' in the address; expected enter, dwell, occupancy, cross"),
        ("before=../../x", "expected an event's id"),
        ("since=yesterday", "since='yesterday' in the address; expected Unix seconds, or a date"),
        ("until=2026-13-01", "expected Unix seconds"),
        ("since=0001-01-01T00:00%2B14:00", None),
        ("since=9999-12-31T23:59-14:00", None),
        ("since=" + "9" * 400, "expected Unix seconds"),
        (f"label={'x' * 101}", "label in the address has 101 characters; 100 at most"),
    ],
)
def test_what_cannot_be_asked_for(logged: Logged, query: str, said: str | None) -> None:
    answer = logged.ask(logged.port, "GET", f"/api/history?{query}")
    assert answer.status in ((400,) if said is not None else (200, 400))
    if said is not None:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert said in answer.json()["detail"]


def test_pictures_and_the_clip(logged: Logged) -> None:
    at = f"/api/history/{FIRST.id}"
    for name, kind, begin in (
        ("thumbnail.jpg", "image/jpeg", b"\xff\xd8"),
        ("snapshot.jpg", "image/jpeg", b"\xff\xd8"),
        ("clip.mp4", "video/mp4", b"ftyp"),
    ):
        answer = logged.get(f"{at}/{name}")
        assert answer.headers["Content-Type"] == kind
        assert begin in answer.body[:8]
        shown = answer.headers["Content-Disposition"]
        assert shown == f'inline; filename="edge-vision-{FIRST.id}.{name[-3:]}"'
        kept = logged.get(f"{at}/{name}?download=1")
        assert kept.headers["Content-Disposition"].startswith("attachment; ")
        assert kept.body == answer.body
        known = {"If-None-Match": kept.headers["ETag"]}
        again = logged.ask(logged.port, "GET", f"{at}/{name}", known)
        assert (again.status, again.body) == (304, b"")
    said = logged.get(f"{at}/clip.mp4?download=x", 400).json()["detail"]
    assert said == "download='x' in the address; expected 0 or 1"


def test_what_is_not_there(logged: Logged) -> None:
    for path in (
        "/api/history/1",
        "/api/history/..%2f..%2fevents.db",
        "/api/history/%2e%2e/clip.mp4",
        "/api/history/..%2fpictures/thumbnail.jpg",
        f"/api/history/{FIRST.id}%00/clip.mp4",
        f"/api/history/{FIRST.id}%2f..%2f{SECOND.id}/clip.mp4",
        f"/api/history/{'x' * 65}",
        f"/api/history/{FIRST.id}/events.db",
        f"/api/history/{FIRST.id}/",
    ):
        for method in ("GET", "HEAD", "DELETE"):
            answer = logged.ask(logged.port, method, path)
            assert answer.status in (404, 405), path
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(logged.ids()) == 3


def test_an_event_without_files_and_files_that_are_gone(logged: Logged) -> None:
    bare = event_at(9, 4, label="bird")
    logged.world.now_s = 60.0
    logged.world.keeper.tell(ended(bare, 0.1))
    logged.world.step()
    logged.world.now_s = 70.0
    logged.world.step()
    assert bare.id in logged.ids("?label=bird")
    said = logged.get(f"/api/history/{bare.id}/snapshot.jpg", 404).json()["detail"]
    assert said == f"The event {bare.id} has no snapshot."
    (logged.world.folder / "pictures" / f"{FIRST.id}.jpg").unlink()
    said = logged.get(f"/api/history/{FIRST.id}/thumbnail.jpg", 404).json()["detail"]
    assert said.startswith("The file is gone")


def test_delete(logged: Logged) -> None:
    at = f"/api/history/{FIRST.id}"
    assert logged.ask(logged.port, "DELETE", at).status == 204
    assert logged.ids() == [GOES_ON.id, SECOND.id]
    assert logged.ask(logged.port, "DELETE", at).status == 404
    for path in (at, f"{at}/clip.mp4"):
        assert logged.get(path, 404).json()["detail"] == (
            f"There is no event {FIRST.id}; it may have been removed."
        )
    assert not list((logged.world.folder / "pictures").glob(f"{FIRST.id}*"))


def test_no_other_site_deletes(logged: Logged) -> None:
    at = f"/api/history/{FIRST.id}"
    answer = logged.ask(logged.port, "DELETE", at, {"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403
    assert FIRST.id in logged.ids()


@dataclass
class Broken:
    """A log on a disk that fails; future: what becomes of a wish to delete."""

    future: Future[bool]
    readable: bool = False

    def find(self, wanted: Wanted) -> Any:
        raise OutputError("events.db cannot be read: disk I/O error")

    def get(self, event_id: str) -> Any:
        return Recorded(FIRST) if self.readable else self.find(Wanted())

    def totals(self) -> Any:
        return self.find(Wanted())

    def delete(self, event_id: str) -> Future[bool]:
        return self.future


def test_a_disk_that_fails(site_server: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: Future[bool] = Future()
    failed.set_exception(OutputError("the event cannot be removed: read-only file system"))
    site_server.control.log = Broken(failed)
    for path in ("/api/history", "/api/history/1", "/api/history/1/clip.mp4"):
        answer = ask(site_server.port, "GET", path)
        assert answer.status == 503
        assert answer.json()["detail"] == "events.db cannot be read: disk I/O error"
    site_server.control.log.readable = True
    answer = ask(site_server.port, "DELETE", "/api/history/1")
    assert answer.status == 503
    assert answer.json()["detail"] == "the event cannot be removed: read-only file system"
    monkeypatch.setattr(past, "_PATIENCE_S", 0.01)
    site_server.control.log = Broken(Future(), readable=True)
    answer = ask(site_server.port, "DELETE", "/api/history/1")
    assert answer.status == 503
    assert answer.json()["detail"].startswith("The disk did not remove it within 0.01 s")


def test_without_a_log(site_server: Any, ask: Ask) -> None:
    for method, path in EVERYTHING[1:]:
        answer = ask(site_server.port, method, path)
        assert answer.status == 404
        assert "set events.enabled to true" in answer.json()["detail"]


def test_counts(site_server: Any, ask: Ask) -> None:
    site_server.control.count_values = Counts(
        12.5, {"door": {"in": {"cat": 3}, "out": {}}}, {"lawn": {"cat": 1}}, {"": {}, "lawn": {}}
    )
    answer = ask(site_server.port, "GET", "/api/counts")
    assert TypeAdapter(shapes.PassedShape).validate_json(answer.body, strict=True) == {
        "since_s": 12.5,
        "lines": {"door": {"in": {"cat": 3}, "out": {}}},
        "zones": {"lawn": {"cat": 1}},
        "now": {"": {}, "lawn": {}},
    }


def test_it_is_behind_the_login(make_site_server: Any, ask: Ask, tmp_path: Path) -> None:
    token = new_token()
    tokens = tmp_path / "tokens"
    tokens.write_text(token_line(token, "test") + "\n")
    tokens.chmod(0o600)
    server = make_site_server(token_file=str(tokens))
    inside = {"Authorization": f"Bearer {token}"}
    for method, path in EVERYTHING:
        assert ask(server.port, method, path).status == 401
        assert ask(server.port, method, path, inside).status in (200, 404)
