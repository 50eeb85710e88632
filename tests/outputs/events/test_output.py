"""The output itself, and in a run with the demo scene."""

import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import pytest
from made_up import SECOND, ended, event_at, picture_at, times_of, wait_for

from edge_vision.app import App
from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.config_load import load_config, parse_config
from edge_vision.errors import OutputError
from edge_vision.events import Event
from edge_vision.history import Wanted
from edge_vision.outputs import make_outputs
from edge_vision.outputs.events.clip import Clip
from edge_vision.outputs.events.output import EventsOutput
from edge_vision.outputs.events.ring import Piece
from edge_vision.results import Scene

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture
def output(tmp_path: Path) -> Callable[..., EventsOutput]:
    """output(enabled=..., fps=...): one that keeps events in a fresh folder."""

    def make(enabled: Any = True, **recorder: Any) -> EventsOutput:
        config = EventsConfig(enabled=enabled, folder=str(tmp_path / "events"), min_free_mb=0)
        return EventsOutput(config, RecorderConfig(**{"encoder": "software", **recorder}))

    return make


def test_without_rules_it_does_nothing_and_makes_nothing(
    output: Callable[..., EventsOutput], tmp_path: Path
) -> None:
    idle = output(enabled="auto")
    idle.start()
    assert not idle.active()
    assert idle.idle
    assert idle.offer(picture_at(0)) is True
    idle.close(5)
    assert list(tmp_path.iterdir()) == []
    assert idle.fault() is None


def test_an_event_gets_its_clip_and_picture(output: Callable[..., EventsOutput]) -> None:
    here = output(pre_s=1, post_s=0.5)
    here.start()
    assert here.active()
    assert not here.idle
    begin_ns = time.monotonic_ns()
    event = ended(event_at(2, start_ns=begin_ns + 2 * SECOND), 0.5)
    here.on_event(event)
    for number in range(40):
        picture = picture_at(number / 10, yuv=True)
        picture.stamps.exposed += begin_ns
        wait_for(lambda shown=picture: here.offer(shown))
    wait_for(lambda: [one for one in here.history.find(Wanted()) if one.clip_done])
    here.close(10)
    (found,) = here.history.find(Wanted())
    assert found.event.id == event.id
    assert found.clip is not None
    assert found.thumbnail is not None
    assert times_of(found.clip)[-1] == pytest.approx(found.clip_offset_s + 1, abs=0.11)
    assert here.fault() is None


def test_an_event_is_removed_from_another_thread(output: Callable[..., EventsOutput]) -> None:
    here = output(enabled="auto")
    here.start()
    here.on_event(ended(event_at(1), 1))
    wait_for(lambda: here.history.totals().events)
    assert here.history.delete(event_at(1).id).result(10) is True
    assert here.history.delete(event_at(1).id).result(10) is False
    assert here.history.totals().events == 0
    here.close(5)
    with pytest.raises(OutputError, match="the log is closed"):
        here.history.delete("x").result(0)


@pytest.mark.parametrize(("fps", "expected"), [(30.0, 60), (10.0, 20), (7.0, 14), (20.0, 40)])
def test_not_more_pictures_than_recorder_fps(
    output: Callable[..., EventsOutput], fps: float, expected: int
) -> None:
    here = output(fps=fps)
    due = sum(here._due(round(number * SECOND / 30 + number % 3 * 1e6)) for number in range(60))
    assert due == pytest.approx(expected, abs=1)


def test_a_run_without_rules_leaves_a_log_to_the_one_that_has_it(
    output: Callable[..., EventsOutput],
) -> None:
    first = output()
    first.start()
    wait_for(lambda: first.history.folder.joinpath("events.db").exists())
    wait_for(lambda: first._keeper._shelf.is_open)
    second = output(enabled="auto")
    second._keeper.step(time.monotonic_ns(), datetime.now(UTC))
    assert second.fault() is None
    second._keeper.tell(event_at(1))
    second._keeper.step(time.monotonic_ns() + 100 * SECOND, datetime.now(UTC))
    assert "another edge-vision writes to" in str(second.fault())
    second._keeper.close()
    first.close(5)


def test_clean_or_annotated(output: Callable[..., EventsOutput]) -> None:
    assert tuple(output().takes()) == ("plain",)
    assert tuple(output(picture="annotated").takes()) == ("drawn",)


def test_an_encoder_that_is_not_there_is_a_fault_and_the_log_goes_on(
    output: Callable[..., EventsOutput],
) -> None:
    here = output(encoder="hardware")
    here.start()
    here.offer(picture_at(0))
    fault = wait_for(here.fault)
    assert "recorder.encoder is hardware, but" in str(fault)
    here.on_event(ended(event_at(1), 1))
    here.close(5)
    assert len(here.history.find(Wanted())) == 1


def test_it_is_made_where_it_is_wanted(tmp_path: Path) -> None:
    def names(**settings: Any) -> list[str]:
        page, rules = settings.pop("page", False), settings.pop("rules", False)
        config = load_config(None, ["outputs.window.enabled=false"])
        outputs = config.outputs
        if not settings.pop("web", True):
            web = outputs.web.model_copy(update={"enabled": False})
            outputs = outputs.model_copy(update={"web": web})
        events = EventsConfig(**settings)
        made = make_outputs(outputs, page=page, rules=rules, events=events)
        return [output.name for output in made if output.name == "events"]

    assert names() == []
    assert names(rules=True) == []
    assert names(page=True) == ["events"]
    assert names(page=True, web=False) == []
    assert names(page=True, web=False, rules=True) == ["events"]
    assert names(enabled=True) == ["events"]
    assert names(page=True, rules=True, enabled=False) == []


class Told:
    """Tells an output of one event about the first object seen, from then on for two seconds."""

    def __init__(self) -> None:
        self.app: App | None = None
        self.event: Event | None = None
        self.ended = threading.Event()

    def __call__(self, scene: Scene) -> None:
        if self.app is None:
            return
        (output,) = [o for o in self.app.outputs if isinstance(o, EventsOutput)]
        tracks = [track for track in scene.tracks if track.state == "confirmed"]
        if self.event is None and tracks and scene.media_ns > 2 * SECOND:
            track = tracks[0]
            x0, y0, x1, y1 = (float(side) for side in track.box)
            self.event = event_at(
                0, track_id=track.id, score=track.score, box=(x0, y0, x1, y1),
                label=scene.labels[track.class_id], start_ns=scene.exposed_ns,
                start_s=datetime.now(UTC).timestamp(),
            )  # fmt: skip
            output.on_event(self.event)
        elif self.event is not None and not self.ended.is_set():
            after_s = (scene.exposed_ns - self.event.start_ns) / 1e9
            if after_s > 2:
                output.on_event(ended(self.event, after_s))
                self.ended.set()


def _run(tmp_path: Path, *settings: str, seconds: float = 7.0) -> tuple[App, Told]:
    told = Told()
    config = load_config(
        None,
        [
            "camera.kind=demo", "camera.size_px=[640, 360]", "model.size=small",
            "outputs.window.enabled=false", "outputs.web.enabled=false", "events.enabled=true",
            f"events.folder={tmp_path / 'events'}", "events.min_free_mb=0", "recorder.pre_s=1",
            "recorder.post_s=1", *settings,
        ],
    )  # fmt: skip
    app = App(config, duration_s=seconds, on_scene=told)
    told.app = app
    app.run()
    return app, told


def test_in_a_run(tmp_path: Path) -> None:
    app, told = _run(tmp_path, "recorder.snapshot=crop", "recorder.encoder=software")
    assert app.faults() == []
    assert told.event is not None
    history = app.desk.history()
    assert history is not None
    (found,) = history.find(Wanted())
    assert found.event.id == told.event.id
    assert found.clip is not None
    assert found.clip_done
    times = times_of(found.clip)
    assert times[-1] > found.clip_offset_s + 1.5
    assert found.clip_offset_s > 0.9
    for file, most in ((found.thumbnail, 320), (found.snapshot, 640)):
        assert file is not None
        shown = cv2.imread(str(file))
        assert shown is not None
        assert 16 <= max(shown.shape[:2]) <= most


def test_rules_make_events_with_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    places = {"zones": {"all": [[0, 0], [1, 0], [1, 1], [0, 1]]}}
    rules = [{"name": "seen", "zone": "all", "classes": ["person"]}]
    config = parse_config(
        {
            "camera": {"kind": "demo", "size_px": [640, 360]}, "model": {"size": "small"},
            "outputs": {"window": {"enabled": False}, "web": {"enabled": False}},
            "events": {"min_free_mb": 0}, "recorder": {"post_s": 0.5, "encoder": "software"},
            "watch": {**places, "rules": rules},
        }
    )  # fmt: skip
    app = App(config, duration_s=5, page=True)
    app.run()
    assert app.faults() == []
    history = app.desk.history()
    assert history is not None
    found = history.find(Wanted(rule="seen", label="person", place="all"))
    assert found
    assert found[0].event.end_s is not None  # the end of the run is the end of its events
    assert found[0].clip is not None
    assert found[0].clip.parent.parent == tmp_path / "events"
    assert times_of(found[0].clip)
    assert found[0].thumbnail is not None


def test_a_disk_that_stalls_costs_the_pipeline_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes nothing for as long as the event lasts; then everything is in the clip."""
    let_go = threading.Event()
    stalled = threading.Event()
    write = Clip.write

    def stalling(clip: Clip, pieces: "list[Piece]") -> None:
        if clip.next_number > 0 and pieces and not let_go.is_set():
            if not stalled.is_set():
                stalled.set()
                release.start()
            let_go.wait(20)
        write(clip, pieces)

    monkeypatch.setattr(Clip, "write", stalling)
    release = threading.Timer(5.0, let_go.set)
    app, told = _run(tmp_path, "recorder.encoder=software", seconds=11)
    release.join()
    assert told.ended.is_set()
    assert stalled.is_set()
    drops = app.pipeline.telemetry.drops()
    assert drops.get("events busy", 0) == 0
    history = app.desk.history()
    assert history is not None
    (found,) = history.find(Wanted())
    assert found.clip is not None
    times = times_of(found.clip)
    # Far less than the disk stood still; a busy computer leaves some gaps of its own.
    assert max(b - a for a, b in itertools.pairwise(times)) < 2.5
    assert times[-1] > found.clip_offset_s + 1.5


def test_a_folder_that_cannot_be_written_is_a_fault_and_the_run_goes_on(tmp_path: Path) -> None:
    app, _ = _run(tmp_path, "events.folder=/proc/none/events", seconds=1.5)
    assert app.pipeline.telemetry.analysed.count > 3
    (fault,) = app.faults()
    assert "/proc/none/events cannot be written: its folder does not exist" in str(fault)
