"""Pictures, scenes and events to write, and a run to belong to."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config import Config
from edge_vision.control import BoardStatus, CameraStatus, Changed, ModelStatus
from edge_vision.events import Counts, Event
from edge_vision.frame import Image, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.results import Analysed, Detections, Scene
from edge_vision.slot import Bulletin
from edge_vision.telemetry import Telemetry

MS = 1_000_000
MakePicture = Callable[..., Picture]
MakeAnalysed = Callable[..., Analysed]


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """make_event(number, ...): of the rule "visitor", under way."""

    def make(number: int = 1, **changes: Any) -> Event:
        values: dict[str, Any] = {
            "id": f"e{number:06d}", "node": "porch", "kind": "enter", "rule": "visitor",
            "place": "drive", "direction": "", "track_id": number, "label": "person",
            "score": 0.8, "box": (0.1, 0.2, 0.3, 0.4), "count": 1, "zones": ("drive",),
            "start_s": 1000.0 + number, "start_ns": 1,
        }  # fmt: skip
        return Event(**{**values, **changes})

    return make


class StubControl:
    """A run that changes nothing by itself."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.telemetry = Telemetry()
        self.analysed: Bulletin[Analysed | None] = Bulletin(None)
        self.started_ns = time.monotonic_ns()
        self.told: list[str] = []
        self.wishes: list[Mapping[str, Mapping[str, Any]]] = []
        self.answer: BaseException | None = None
        self.counted = Counts(0.0, {}, {}, {})

    def camera(self) -> CameraStatus:
        return CameraStatus(True, 0, "", "a camera", 640, 480, 30.0)

    def model(self) -> ModelStatus:
        return ModelStatus("net", "a net", "cpu", "large", (300, 300))

    def board(self) -> BoardStatus:
        return BoardStatus("a board", 51.5, (), "", False)

    def faults(self) -> list[str]:
        return self.told

    def output_faults(self) -> dict[str, str]:
        return {}

    def models(self) -> list[dict[str, Any]]:
        return []

    def colours(self) -> dict[str, str]:
        return {}

    def live_values(self) -> dict[str, dict[str, Any]]:
        return {}

    def counts(self) -> Counts:
        return self.counted

    def ask(self, wish: Mapping[str, Mapping[str, Any]], *, save: bool) -> "Future[Changed]":
        self.wishes.append(wish)
        future: Future[Changed] = Future()
        if self.answer is not None:
            future.set_exception(self.answer)
        else:
            future.set_result(Changed(("model.min_score",)))
        return future


@pytest.fixture
def make_control() -> Callable[..., StubControl]:
    """make_control(config)."""
    return StubControl


@pytest.fixture
def picture() -> MakePicture:
    """picture(number, at_ms=..., size=(w, h)): a grey picture whose level tells its number."""

    def make(
        number: int = 0, at_ms: float | None = None, size: tuple[int, int] = (320, 240)
    ) -> Picture:
        canvas: NDArray[np.uint8] = np.full((size[1], size[0], 3), 20 + number % 22 * 10, np.uint8)
        media_ns = round((number * 40 if at_ms is None else at_ms) * MS)
        return Picture(Image.from_array(canvas), number, media_ns, Stamps())

    return make


@pytest.fixture
def analysed() -> MakeAnalysed:
    """analysed(seq): one person and one thing without a label."""

    def make(seq: int = 0, stamps: Stamps | None = None) -> Analysed:
        detections = Detections(
            np.array([[0.1, 0.2, 0.5, 0.75], [0, 0, 1, 1]], np.float32),
            np.array([0.91238, 0.5], np.float32),
            np.array([1, 99], np.int32),
        )
        scene = Scene(seq, 5_000_000_000 + seq, 0, detections, "model", {1: "person"})
        exposed = scene.exposed_ns
        times = stamps or Stamps(exposed=exposed, inferred=exposed + 12_345_678)
        return Analysed(scene, times)

    return make
