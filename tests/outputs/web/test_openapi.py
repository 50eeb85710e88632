"""/openapi.json says what the server does, and the server does what it says."""

import http.client
import json
import re
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import schemathesis.specs.openapi.schemas  # else imported in the midst of a test
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from edge_vision.config import Config
from edge_vision.config_web import WebConfig
from edge_vision.events import Event
from edge_vision.history import Recorded, Totals, Wanted
from edge_vision.live import live_values, offered
from edge_vision.outputs.web import openapi
from edge_vision.outputs.web.access import Access
from edge_vision.outputs.web.app import make_app
from edge_vision.outputs.web.happenings import Happenings
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.site import Site
from edge_vision.slot import Bulletin

Ask = Callable[..., Any]
ENDLESS = ("/stream.mjpg", "/api/events")
"""Their answers end when the client has had enough: looked at one by one."""
EVENT = Event(
    id="1-1", node="porch", kind="cross", rule="r", place="door", direction="in", track_id=3,
    label="cat", score=0.5, box=(0.1, 0.2, 0.3, 0.4), count=1, zones=("a",), start_s=1e9,
    start_ns=0,
)  # fmt: skip
BOUNDED = settings(max_examples=30, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture
def document(live_server: Any, ask: Ask) -> Any:
    answer = ask(live_server.port, "GET", "/openapi.json")
    assert answer.status == 200
    return answer.json()


@pytest.mark.parametrize(
    ("mode", "least"), [(GenerationMode.POSITIVE, 21), (GenerationMode.NEGATIVE, 3)]
)
def test_any_request_gets_an_answer_that_stands_there(
    live_server: Any, document: Any, mode: GenerationMode, least: int
) -> None:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=live_server.url)
    seen = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in ENDLESS:
            continue

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask_it(case: Any) -> None:
            # No login is needed here; values that fit together are more than a schema can say.
            case.call_and_validate(
                timeout=20, excluded_checks=[ignored_auth, positive_data_acceptance]
            )

        with suppress(Unsatisfiable):  # an address without anything to get wrong
            ask_it()
            seen.add(operation.label)
    assert len(seen) >= least
    assert "PATCH /api/config" in seen
    assert live_server.app.stop.is_set() is False


class AnyEvent:
    """A log in which everything that is asked for is found."""

    def __init__(self, file: Path) -> None:
        self.found = Recorded(EVENT, file, file, file, True, 1.5)

    def find(self, wanted: Wanted) -> list[Recorded]:
        return [self.found] * min(wanted.limit, 3)

    def get(self, event_id: str) -> Recorded:
        return self.found

    def totals(self) -> Totals:
        return Totals(3, 12)

    def delete(self, event_id: str) -> Future[bool]:
        done: Future[bool] = Future()
        done.set_result(True)
        return done


def test_what_a_log_answers_is_what_stands_there(
    site_server: Any, ask: Ask, tmp_path: Path
) -> None:
    file = tmp_path / "file.bin"
    file.write_bytes(b"some bytes")
    site_server.control.log = AnyEvent(file)
    document = ask(site_server.port, "GET", "/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=site_server.url)
    seen: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        if not operation.path.startswith(("/api/history", "/api/counts")):
            continue

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        def ask_it(case: Any) -> None:
            left_out = [ignored_auth, positive_data_acceptance]
            answer = case.call_and_validate(timeout=20, excluded_checks=left_out)
            seen.setdefault(case.operation.label, set()).add(answer.status_code)

        ask_it()
    assert len(seen) == 7
    assert all(statuses & {200, 204} for statuses in seen.values()), seen


def test_every_address_stands_there_and_the_other_way_round() -> None:
    config = Config()
    site = Site(WebConfig(), _NoControl(config), Hub(WebConfig()), Happenings())  # type: ignore[arg-type]
    app = make_app(site, Access())
    routes = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    document = json.loads(openapi.document(("log.level",)))
    told = {(method, path) for path, item in document["paths"].items() for method in item}
    assert routes == told


class _NoControl:
    """As much of a run as making the application needs."""

    started_ns = 0
    analysed: Bulletin[None] = Bulletin(None)

    def __init__(self, config: Config) -> None:
        self.config = config


def test_every_reference_leads_somewhere(document: Any) -> None:
    text = json.dumps(document)
    assert document["openapi"].startswith("3.1")
    for place in set(re.findall(r'"\$ref": "([^"]*)"', text)):
        here = document
        for name in place.removeprefix("#/").split("/"):
            here = here[name]
        assert here


def test_what_can_be_changed_is_what_is_offered(document: Any) -> None:
    body = document["paths"]["/api/config"]["patch"]["requestBody"]
    sections = body["content"]["application/json"]["schema"]["properties"]
    told = {(section, key) for section, inner in sections.items() for key in inner["properties"]}
    values = live_values(Config())
    assert told == {(section, key) for section, inner in values.items() for key in inner}
    assert all(offered(section, key) for section, key in told)
    assert "default" not in json.dumps(sections)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/stream.mjpg", 200, "multipart/x-mixed-replace; boundary=frame"),
        ("/stream.mjpg?overlay=0&fps=0.1&scale=0.1&objects=1", 200, "multipart/x-mixed-replace"),
        ("/stream.mjpg?fps=0", 400, "application/problem+json"),
        ("/stream.mjpg?scale=2", 400, "application/problem+json"),
        ("/api/events", 200, "text/event-stream"),
    ],
)
def test_the_endless_ones(
    live_server: Any, document: Any, path: str, status: int, kind: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live_server.port, timeout=20)
    with closing(connection):
        connection.request("GET", path)
        with connection.getresponse() as answer:
            assert answer.status == status
            assert answer.headers["Content-Type"].startswith(kind)
    responses = document["paths"][path.partition("?")[0]]["get"]["responses"]
    assert kind.partition(";")[0] in responses[str(status)]["content"]


def test_the_ranges_are_the_servers(live_server: Any, document: Any, ask: Ask) -> None:
    """What the document says to be the least and the most is taken, and what is beyond is not."""
    for query in document["paths"]["/snapshot.jpg"]["get"]["parameters"]:
        if "minimum" in query["schema"]:
            low, high = query["schema"]["minimum"], query["schema"]["maximum"]
            for value, status in ((low, 200), (high, 200), (low * 0.9, 400), (high * 1.1, 400)):
                path = f"/snapshot.jpg?{query['name']}={value}"
                assert ask(live_server.port, "GET", path).status == status
