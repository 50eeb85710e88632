"""Made-up events and pictures, and a keeper of them on a clock of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np

from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.events import Event
from edge_vision.frame import Image, PixelFormat, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.outputs.events.encoding import Encoding
from edge_vision.outputs.events.keeper import Keeper
from edge_vision.outputs.events.recorder import Recorder
from edge_vision.outputs.events.ring import Ring
from edge_vision.outputs.events.shelf import Shelf
from edge_vision.outputs.events.views import Views
from edge_vision.results import Track

SECOND = 1_000_000_000
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def event_at(at_s: float, number: int = 0, **more: Any) -> Event:
    """An event that begins `at_s` seconds after noon and after monotonic zero."""
    start_s = NOON.timestamp() + at_s
    made = Event(
        id=f"{round(start_s * 1000):015d}-{number:04d}",
        node="porch", kind="enter", rule="visitor", place="drive", direction="", track_id=1,
        label="person", score=0.8, box=(0.25, 0.25, 0.5, 0.75), count=1, zones=("drive",),
        start_s=start_s, start_ns=round(at_s * SECOND),
    )  # fmt: skip
    return replace(made, **more)


def ended(event: Event, after_s: float) -> Event:
    """The same, ended."""
    end_ns = event.start_ns + round(after_s * SECOND)
    return replace(event, end_s=event.start_s + after_s, end_ns=end_ns)


def picture_at(at_s: float, size: tuple[int, int] = (320, 240), yuv: bool = False) -> Picture:
    """A picture whose level tells its time, with track 1 as a white box left of the middle."""
    width, height = size
    level = 40 + round(at_s * 10) % 160
    track = Track(
        1, np.array([0.25, 0.25, 0.5, 0.75], np.float32), np.zeros(4, np.float32), 0.9, 1,
        "confirmed", 0, 0,
    )  # fmt: skip
    if yuv:
        data = np.full((height * 3 // 2, width), level, np.uint8)
        data[height:] = 128
        data[height // 4 : height * 3 // 4, width // 4 : width // 2] = 235
        image = Image.from_array(data, PixelFormat.YUV420)
    else:
        data = np.full((height, width, 3), level, np.uint8)
        data[height // 4 : height * 3 // 4, width // 4 : width // 2] = 255
        image = Image.from_array(data)
    at_ns = round(at_s * SECOND)
    return Picture(image, round(at_s * 10), at_ns, Stamps(exposed=at_ns), tracks=(track,))


@dataclass
class World:
    """A keeper without threads, on a clock of its own; pictures come ten times a second."""

    folder: Path
    config: EventsConfig = field(default_factory=EventsConfig)
    recorder: RecorderConfig = field(default_factory=RecorderConfig)
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.ring = Ring(self.recorder.pre_s + 8, self.recorder.ring_mb * 1_000_000)
        self.encoding = Encoding(self.recorder, self.ring)
        self.views = Views(self.recorder.snapshot)
        self.shelf = Shelf(self.folder, self.config)
        clips = Recorder(self.recorder, self.ring)
        self.keeper = Keeper(self.shelf, clips, self.views, lambda: True)

    def tell(self, *events: Event) -> None:
        for event in events:
            self.views.seek(event)
            self.keeper.tell(event)

    def step(self, *, last: bool = False) -> None:
        self.keeper.step(
            round(self.now_s * SECOND), NOON + timedelta(seconds=self.now_s), last=last
        )

    def run_to(self, until_s: float, events: tuple[Event, ...] = (), *, step: bool = True) -> None:
        """Pictures up to a time; each event is told when its time comes, twice a second a step."""
        waiting = list(events)
        while self.now_s < until_s - 1e-6:
            self.now_s = round(self.now_s + 0.1, 3)
            picture = picture_at(self.now_s)
            i420 = np.full((360, 320), picture.image.data[0, 0, 0], np.uint8)
            self.views.look(picture.image, picture.tracks, picture.stamps.exposed)
            self.encoding.add(i420, picture.stamps.exposed)
            due = [e for e in waiting if (e.end_ns or e.start_ns) <= self.now_s * SECOND]
            waiting = [e for e in waiting if e not in due]
            self.tell(*due)
            if step and (due or round(self.now_s * 10) % 5 == 0):
                self.step()

    def end(self) -> None:
        self.step(last=True)
        self.keeper.close()


def times_of(clip: Path) -> list[float]:
    """Times of a clip's pictures in seconds, all of them decoded."""
    with av.open(str(clip)) as container:
        return [float(frame.time or 0.0) for frame in container.decode(video=0)]


def wait_for(what: Callable[[], Any], seconds: float = 20) -> Any:
    """What `what` gives as soon as it is true; fails after some seconds."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "did not come"
        time.sleep(0.01)
    return found
