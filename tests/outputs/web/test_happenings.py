"""Events, from the rules to those who listen, and into the figures for Prometheus."""

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "events"))

from made_up import ended, event_at

from edge_vision.config_load import parse_config
from edge_vision.events import Counts
from edge_vision.outputs.web import events
from edge_vision.outputs.web.happenings import Happenings

Ask = Callable[..., Any]
FIRST, SECOND = event_at(3, 1), event_at(5, 2, rule="through")
LIMIT_S = 20


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_S
    pause = threading.Event()
    while not (found := holds()):
        assert time.monotonic() < deadline, "it does not come to pass"
        pause.wait(0.01)
    return found


class Listening:
    """A client of /api/events."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
        self.connection.request("GET", "/api/events")
        self.answer = self.connection.getresponse()

    def happening(self) -> Any:
        """The next one's data."""
        while (line := self.answer.readline()).strip() != b"event: happening":
            assert line, "the stream has ended"
        data = self.answer.readline()
        assert self.answer.readline() == b"\n"
        return json.loads(data.removeprefix(b"data: "))

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


@pytest.fixture
def two(site_server: Any, ask: Ask) -> Iterator[list[Listening]]:
    listening = [Listening(site_server.port) for _ in range(2)]
    until(lambda: ask(site_server.port, "GET", "/api/state").json()["listeners"] == 2)
    yield listening
    for one in listening:
        one.close()


def test_who_listens_is_told_of_each_beginning_and_each_end(
    site_server: Any, two: list[Listening]
) -> None:
    better = event_at(3, 1, score=0.99)
    for event in (FIRST, better, ended(better, 2), ended(SECOND, 0)):
        site_server.output.on_event(event)
    for one in two:
        told = [one.happening() for _ in range(3)]
        assert told == [e.to_dict() | {"box": list(e.box), "zones": list(e.zones)} for e in (
            FIRST, ended(better, 2), ended(SECOND, 0)
        )]  # fmt: skip


def test_nobody_listens_and_the_server_has_gone(site_server: Any) -> None:
    site_server.output.on_event(FIRST)
    site_server.output.close(5)
    site_server.output.on_event(SECOND)
    assert site_server.output._happenings.begun() == {"visitor": 1, "through": 1}


def test_one_that_does_not_read_costs_little() -> None:
    """What waits for it is bounded, and it is cut off like one that misses scenes."""
    transport: Any = _Stuck()
    listener = events.Listener(transport, _Gone(), chunked=True)  # type: ignore[arg-type]
    for number in range(1000):
        listener.tell(b"x" * 1000, b"x" * 1000, number / 1000)
    assert 10_000 < transport.size < 80_000
    listener.tell(b"x", b"x", 12.0)
    assert transport.cut


class _Stuck:
    size = 0
    cut = False

    def write(self, data: bytes) -> None:
        self.size += len(data)

    def get_write_buffer_size(self) -> int:
        return self.size

    def is_closing(self) -> bool:
        return self.cut

    def abort(self) -> None:
        self.cut = True


class _Gone:
    def done(self) -> bool:
        return True


def test_after_listen_nobody_else_is_told() -> None:
    happenings, told = Happenings(), []
    happenings.add(FIRST)
    happenings.listen(told.append)
    happenings.add(ended(FIRST, 1))
    happenings.listen(None)
    happenings.add(SECOND)
    assert told == [ended(FIRST, 1)]
    assert happenings.begun() == {"visitor": 1, "through": 1}


def scraped(server: Any, ask: Ask) -> dict[tuple[Any, ...], float]:
    text = ask(server.port, "GET", "/metrics").body.decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures(site_server: Any, ask: Ask) -> None:
    control = site_server.control
    control.config = parse_config({"watch": {"rules": [{"name": "visitor"}, {"name": "never"}]}})
    control.count_values = Counts(
        0.0,
        {"door": {"in": {"cat": 3, "dog": 1}, "out": {}}},
        {"lawn": {"cat": 2, "dog": 1}},
        {"": {"cat": 5}, "lawn": {"cat": 1}},
    )
    control.output_fault_values = {"web": "", "events": "events: the disk is full"}
    for event in (FIRST, ended(FIRST, 1), event_at(9, 3), SECOND):
        site_server.output.on_event(event)
    found = scraped(site_server, ask)
    assert found["edge_vision_events_total", "visitor"] == 2
    assert found["edge_vision_events_total", "through"] == 1
    assert found["edge_vision_events_total", "never"] == 0
    assert found["edge_vision_line_crossings_total", "cat", "door", "in"] == 3
    assert found["edge_vision_line_crossings_total", "dog", "door", "in"] == 1
    assert {key: value for key, value in found.items() if "zone_objects" in key[0]} == {
        ("edge_vision_zone_objects", "cat", "lawn"): 1,
        ("edge_vision_zone_objects", "dog", "lawn"): 0,
    }
    assert found["edge_vision_output_fault", "events"] == 1
    assert found["edge_vision_output_fault", "web"] == 0


def test_a_real_run_tells_logs_counts_and_forgets(
    make_live_server: Any, ask: Ask, tmp_path: Path
) -> None:
    server = make_live_server(
        node={"name": "porch-1"},
        events={"enabled": True, "folder": str(tmp_path / "events"), "min_free_mb": 0},
        recorder={"encoder": "software", "pre_s": 0.5, "post_s": 0.5},
    )
    port = server.port
    assert ask(port, "GET", "/api/history").json()["events"] == []
    watch = {"zones": {"all": [[0, 0], [1, 0], [1, 1], [0, 1]]},
             "rules": [{"name": "seen", "zone": "all", "cooldown_s": 3600}]}  # fmt: skip
    with closing(Listening(port)) as listening:
        assert ask(port, "PATCH", "/api/config", json_body={"watch": watch}).status == 200
        told = listening.happening()
    assert (told["rule"], told["place"], told["node"]) == ("seen", "all", "porch-1")
    at = f"/api/history/{told['id']}"
    until(lambda: ask(port, "GET", at).status == 200 and ask(port, "GET", at).json()["thumbnail"])
    assert ask(port, "GET", f"{at}/thumbnail.jpg").body.startswith(b"\xff\xd8")
    until(lambda: ask(port, "GET", f"{at}/clip.mp4").status == 200)
    until(lambda: ask(port, "GET", "/api/counts").json()["zones"].get("all"))
    found = scraped(server, ask)
    assert found["edge_vision_events_total", "seen"] == 1
    assert found["edge_vision_output_fault", "events"] == 0
    assert ask(port, "GET", "/api/state").json()["node"] == "porch-1"
    assert ask(port, "DELETE", at).status == 204
    assert ask(port, "GET", "/api/history").json()["events"] == []
