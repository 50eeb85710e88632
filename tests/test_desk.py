"""What other threads may ask of a run, with the real model and the demo scene."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from edge_vision.app import App
from edge_vision.config import Config
from edge_vision.config_load import load_config
from edge_vision.control import Changed, Control
from edge_vision.errors import ConfigError, EdgeVisionError, OutputError, ShutdownError
from edge_vision.notify import Notifier
from edge_vision.service import Service

pytestmark = pytest.mark.usefixtures("no_thread_left")

TEXT = """# a hand-written file
camera: {kind: demo, size_px: [320, 240]}
model:
  size: small  # fast
  threads: 1
outputs: {window: {enabled: false}, web: {enabled: false}}
"""
LIMIT_S = 20


class Run:
    """A service on a file, in a thread; loads: how often the file was read again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.loads = 0
        self.ticks = 0
        self._ticked = threading.Condition()
        self._service = Service(Notifier(), file, self._load)
        self.app = App(load_config(file), on_tick=self._tick, unattended=True, file=file)
        self.desk: Control = self.app.desk
        self._thread = threading.Thread(target=self.app.run)
        self._thread.start()

    def _load(self) -> Config:
        self.loads += 1
        return load_config(self.file)

    def _tick(self, app: App, now_ns: int) -> None:
        # Each tick a minute after the last: the service looks at its file every time.
        self._service.tick(app, now_ns + self.ticks * 60_000_000_000)
        with self._ticked:
            self.ticks += 1
            self._ticked.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        with self._ticked:
            assert self._ticked.wait_for(holds, LIMIT_S)

    def some_ticks(self) -> None:
        begin = self.ticks
        self.until(lambda: self.ticks > begin + 2)

    def ask(self, wish: dict[str, Any], *, save: bool = False) -> Changed:
        return self.desk.ask(wish, save=save).result(LIMIT_S)

    def end(self) -> None:
        self.app.stop.set()
        self._thread.join(LIMIT_S)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    file = tmp_path / "config.yaml"
    file.write_text(TEXT)
    running = Run(file)
    yield running
    running.end()


def test_a_wish_changes_the_run(run: Run) -> None:
    run.until(lambda: run.app.pipeline.scene is not None)
    done = run.ask({"model": {"size": "medium"}, "overlay": {"style": "hud"}})
    assert done == Changed(("model.size", "overlay.style"))
    assert run.desk.model().input_hw_px == (236, 236)
    assert run.desk.model().size == "medium"
    assert run.desk.live_values()["overlay"]["style"] == "hud"
    run.until(lambda: "236x236" in model_of_the_newest_scene(run))
    assert run.file.read_text() == TEXT
    assert run.ask({"overlay": {"style": "hud"}}) == Changed(())


def model_of_the_newest_scene(run: Run) -> str:
    scene = run.app.pipeline.scene
    return scene.model if scene is not None else ""


def test_what_was_saved_is_neither_read_again_nor_undone(run: Run) -> None:
    run.ask({"overlay": {"style": "hud"}})
    done = run.ask({"model": {"min_score": 0.55}}, save=True)
    assert (done.saved_to, done.backup) == (str(run.file), f"{run.file}.bak")
    assert run.file.read_text() == TEXT.replace("model:\n", "model:\n  min_score: 0.55\n")
    run.some_ticks()
    assert run.loads == 0
    assert run.desk.config.overlay.style == "hud"
    other = run.file.with_name("other")
    other.write_text(TEXT)
    other.replace(run.file)  # somebody else writes it, and in one step: that counts
    run.until(lambda: run.loads == 1)
    run.some_ticks()
    assert run.loads == 1
    assert run.desk.config.model.min_score == 0.4
    assert run.desk.config.overlay.style == "boxes"


def test_a_file_that_goes_away_after_saving_is_noticed(run: Run) -> None:
    run.ask({"log": {"level": "debug"}}, save=True)
    run.some_ticks()
    run.file.unlink()
    run.until(lambda: run.loads == 1)
    with pytest.raises(OutputError, match="changed, but not saved: there is no config file"):
        run.ask({"log": {"level": "info"}}, save=True)
    assert run.desk.config.log.level == "info"


@pytest.mark.parametrize(
    ("wish", "lines"),
    [
        (
            {"overlay": {"style": "hut", "hud": 1}, "modl": {}, "model": {"siz": 1}},
            [
                'overlay.style is "hut"; expected',
                "overlay.hud is 1; expected true or false",
                "unknown key modl; did you mean model?",
                "unknown key model.siz; did you mean size?",
            ],
        ),
        (
            {"camera": {"fps": 12.5}, "overlay": {"style": "hud", "renderer": "os:system"}},
            [
                "camera.fps cannot be changed while running",
                "overlay.renderer can only be changed in the configuration file",
            ],
        ),
        ({"model": {"delegate": "/tmp/evil.so"}}, ["model.delegate can only be changed in"]),
        ({"outputs": {"web": {"password_file": None}}}, ["outputs.web cannot be changed while"]),
        ({"version": {"a": 1}}, ['version is {"a": 1}; expected a whole number']),
        ({"overlay": {"label": "{id:999999999}"}}, ["overlay.label: '{id:999999999}' has a field"]),
        ({"overlay": {"label": "{id:{id}}"}}, ["overlay.label: '{id:{id}}' has a field"]),
        ({"model": {"min_score": 7}}, ["model.min_score is 7; expected"]),
        ({"model": {"classes": ["unicorn"]}}, ["unicorn"]),
    ],
)
def test_what_cannot_be_changes_nothing(run: Run, wish: Any, lines: list[str]) -> None:
    before = run.desk.config
    with pytest.raises(EdgeVisionError) as caught:
        run.ask(wish, save=True)
    found = str(caught.value).splitlines()
    assert len(found) == len(lines)
    assert all(any(line in given for given in found) for line in lines), found
    assert isinstance(caught.value, ConfigError)
    assert run.desk.config == before
    assert run.file.read_text() == TEXT


def test_a_wish_whose_asker_is_gone_is_not_fulfilled(run: Run) -> None:
    """Cancelled while the main thread is busy with the one before it."""
    first = run.desk.ask({"model": {"size": "medium"}}, save=False)
    asked: list[Future[Changed]] = [
        run.desk.ask({"log": {"level": level}}, save=False) for level in ("debug", "error")
    ]
    gone = [future.cancel() for future in asked]
    first.result(LIMIT_S)
    run.some_ticks()
    assert run.desk.config.log.level in ("info", *(["debug", "error"] if not all(gone) else []))
    assert run.ask({"log": {"level": "warning"}}).changed == ("log.level",)


def test_after_the_end_nothing_is_changed(run: Run) -> None:
    run.end()
    for _ in range(2):
        with pytest.raises(ShutdownError, match="the program is ending"):
            run.ask({"log": {"level": "debug"}})


def test_what_it_tells(run: Run) -> None:
    run.until(lambda: run.app.pipeline.scene is not None)
    desk = run.desk
    camera = desk.camera()
    assert (camera.up, camera.reason, camera.width_px, camera.fps) == (True, "", 320, 30.0)
    assert 0 < desk.started_ns <= camera.since_ns <= time.monotonic_ns()
    assert desk.faults() == []
    assert desk.board().held_back == ""
    active = [model for model in desk.models() if model["active"]]
    assert [model["name"] for model in active] == ["ssdlite_mobilenet_v2_coco"]
    assert {size["size"] for size in active[0]["sizes"]} >= {"small", "large"}
    colours = desk.colours()
    assert colours["person"].startswith("#")
    assert len(colours) > 70
    assert "classes" in desk.live_values()["model"]
    assert "delegate" not in desk.live_values()["model"]


def test_what_is_wrong_with_each_output(run: Run) -> None:
    assert run.desk.output_faults() == {}
    run.app.outputs.append(_Failed())  # type: ignore[arg-type]
    try:
        assert run.desk.output_faults() == {"failed": "the disk is full"}
    finally:
        run.app.outputs.pop()


class _Failed:
    name = "failed"

    def fault(self) -> OutputError:
        return OutputError("the disk is full")


def test_places_and_rules_are_saved_in_lines_of_their_own(run: Run) -> None:
    watch: dict[str, Any] = {"lines": {"door": [[0.3, 0.9], [0.3, 0.2]]}}
    watch["rules"] = [{"name": "through", "line": "door", "classes": ["person"]}]
    done = run.ask({"watch": watch}, save=True)
    assert set(done.changed) == {"watch.lines", "watch.rules"}
    assert run.file.read_text() == TEXT + (
        "watch:\n  lines:\n    door: [[0.3, 0.9], [0.3, 0.2]]\n"
        "  rules:\n    - {name: through, line: door, classes: [person]}\n"
    )
    assert Path(done.backup).read_text() == TEXT
    run.some_ticks()
    assert run.loads == 0
    run.until(lambda: "door" in run.desk.counts().lines)
    for wrong, said in (
        ({"rules": [{"name": "r", "classes": ["unicorn"]}]}, "unicorn"),
        ({"lines": {}}, "names the line 'door', which is not there"),
        ({"zones": {"door": [[0, 0], [1, 0], [1, 1]]}}, "has the name of a zone"),
    ):
        with pytest.raises(ConfigError, match=said):
            run.ask({"watch": wrong}, save=True)
    assert "unicorn" not in run.file.read_text()
