"""Places and rules in a real run: the demo scene, the real model, an output that is told."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_vision import app as app_module
from edge_vision.app import App
from edge_vision.camera.demo import DemoCamera
from edge_vision.config_load import parse_config
from edge_vision.desk import Desk
from edge_vision.errors import ConfigError
from edge_vision.events import Event
from edge_vision.results import Analysed

pytestmark = pytest.mark.usefixtures("no_thread_left")

MIDDLE = {"middle": [[0.5, 1.0], [0.5, 0.0]]}
LEFT = {"left": [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]}
RULES = [{"name": "through", "line": "middle"}, {"name": "here", "zone": "left"}]


class Told:
    """An output that keeps what it is told."""

    name, wants, shows_status = "told", "scenes", False

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.control: Any = None

    def attach(self, control: Any) -> None:
        self.control = control

    def on_event(self, event: Event) -> None:
        self.events.append(event)

    def start(self) -> None: ...

    def active(self) -> bool:
        return False

    def offer(self, item: Analysed) -> bool:
        return True

    def close(self, timeout_s: float) -> None: ...

    def fault(self) -> None:
        return None


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Told:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    output = Told()
    monkeypatch.setattr(app_module, "make_outputs", lambda *_, **__: [output])
    return output


def config(pace: str = "fast", **sections: Any) -> Any:
    return parse_config(
        {
            "node": {"name": "porch"},
            "camera": {"kind": "demo", "pace": pace, "fps": 10.0, "size_px": [640, 360]},
            "model": {"size": "medium"},
            "governor": {"enabled": False},
            **sections,
        }
    )


def test_a_run_tells_counts_and_keeps(told: Told, tmp_path: Path) -> None:
    """The cup goes to and fro: both ways, and the same after a restart, where it goes on."""
    watch = {"lines": MIDDLE, "zones": LEFT, "rules": RULES}
    app = App(config(watch=watch), frames=100)
    app.run()
    counts = app.pipeline.watch.counts
    crossed = [event for event in told.events if event.rule == "through"]
    for way in ("in", "out"):
        found = sum(counts.lines["middle"][way].values())
        assert 1 <= found == len([event for event in crossed if event.direction == way])
    assert {event.node for event in told.events} == {"porch"}
    begun = {event.id for event in told.events if event.rule == "here"}
    ended = {event.id for event in told.events if event.rule == "here" and event.end_s is not None}
    assert begun == ended != set()
    assert counts.now == {"": {}, "left": {}}
    kept = json.loads((tmp_path / "counts.json").read_text())
    assert kept["lines"] == counts.lines
    assert told.control.counts() is counts

    again = App(config(watch=watch), frames=1)
    again.run()
    assert again.pipeline.watch.counts.lines == counts.lines
    assert again.pipeline.watch.counts.since_s == counts.since_s


def test_without_places_nothing_is_written(told: Told, tmp_path: Path) -> None:
    App(config(watch={"rules": [{"name": "any"}]}), frames=20).run()
    assert {event.rule for event in told.events} == {"any"}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_fault_and_no_end(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "file"))
    app = App(config(watch={"zones": LEFT}), frames=30)
    summary = app.run()
    assert summary.analysed == 30
    (fault,) = app.faults()
    assert "the counts cannot be written to" in str(fault)
    assert told.control.faults() == [str(fault)]


def test_a_class_that_the_model_does_not_know(told: Told) -> None:
    rules = [{"name": "r", "classes": ["persn"]}]
    with pytest.raises(ConfigError, match=r"watch\.rules\.0 \(r\) names persn.*mean person"):
        App(config(watch={"rules": rules}))


def test_rules_change_while_it_runs(told: Told, until: Callable[..., Any]) -> None:
    app = App(config("realtime"))
    thread = threading.Thread(target=app.run, name="run")
    thread.start()
    try:
        desk: Desk = told.control
        until(lambda: app.pipeline.analysed.read()[0] is not None)
        wrong = desk.ask({"watch": {"rules": [{"name": "r", "classes": ["persn"]}]}}, save=False)
        with pytest.raises(ConfigError, match="names persn"):
            wrong.result(10)
        assert desk.config.watch.rules == []
        right = desk.ask({"watch": {"zones": LEFT, "rules": RULES[1:]}}, save=False)
        assert right.result(10).changed == ("watch.zones", "watch.rules")
        until(lambda: told.events, "an event of the new rule")
        assert told.events[0].place == "left"
        assert "left" in desk.counts().zones
    finally:
        app.stop.set()
        thread.join(15)


def test_the_crossings_of_the_demo_scene(told: Told) -> None:
    """Within 3 % of its truth, worked out from the scene's own boxes."""
    seconds, per_s = 45, 10
    watched = config(model={}, watch={"lines": MIDDLE})
    app = App(watched, frames=seconds * per_s)
    app.run()
    ways = app.pipeline.watch.counts.lines["middle"]
    true = _true_crossings(DemoCamera((640, 360), float(per_s), 0), seconds * per_s)
    counted = sum(ways["in"].values()) + sum(ways["out"].values())
    assert true > 25
    assert abs(counted - true) <= 0.03 * true


def _true_crossings(camera: DemoCamera, frames: int) -> int:
    """How often the middle of a box goes from 2 % on one side of the middle to 2 % on the other."""
    sides: dict[int, bool] = {}
    crossings = 0
    for seq in range(frames):
        for thing in camera.truth(seq).objects:
            middle = (thing.box[0] + thing.box[2]) / 2
            if abs(middle - 0.5) > 0.02:
                crossings += sides.get(thing.object_id, middle > 0.5) != (middle > 0.5)
                sides[thing.object_id] = middle > 0.5
    return crossings
