"""Scenes as JSON, each made once however many ask; and the thread that waits for the next one."""

import json
import logging
import threading
from collections.abc import Callable
from typing import cast

from edge_vision.control import Control
from edge_vision.outputs.web.recent import Recent
from edge_vision.outputs.web.shapes import SceneShape, SeenObject
from edge_vision.results import Analysed, Scene, label_of
from edge_vision.telemetry import ANALYSIS
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

_LOOK_S = 0.5
"""How soon a wish to stop is noticed while no scene comes."""


def objects_of(scene: Scene, *, tracked: bool) -> list[SeenObject]:
    """Objects that are followed, with those out of sight; or detections, where nobody follows."""
    if tracked:
        followed = (track for track in scene.tracks if track.state != "tentative")
        return [cast(SeenObject, track.to_dict(scene.labels)) for track in followed]
    rest = {"state": "confirmed", "velocity": [0.0] * 4, "age_s": 0.0}
    return [
        cast(SeenObject, {"id": 0, **found, **rest})
        for found in scene.detections.to_list(scene.labels)
    ]


def shape_of(analysed: Analysed | None, *, tracked: bool) -> SceneShape:
    """A scene for the API; None: before the first one."""
    if analysed is None:
        return {
            "seq": -1,
            "exposed_ns": 0,
            "media_ns": 0,
            "model": "",
            "latency_ms": 0.0,
            "stamps_ms": {},
            "objects": [],
        }
    scene, stamps = analysed.scene, analysed.stamps
    reached = {stage: at for stage in ANALYSIS if (at := getattr(stamps, stage))}
    stamps_ms = {stage: round((at - stamps.exposed) / 1e6, 3) for stage, at in reached.items()}
    return {
        "seq": scene.seq,
        "exposed_ns": scene.exposed_ns,
        "media_ns": scene.media_ns,
        "model": scene.model,
        "latency_ms": max(stamps_ms.values(), default=0.0),
        "stamps_ms": stamps_ms,
        "objects": objects_of(scene, tracked=tracked),
    }


class NewestScene:
    """The newest scene as JSON; event loop only."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._tracked = control.config.tracking.enabled
        self._of: Analysed | None = None
        self._json = b""

    def read(self) -> tuple[int, bytes]:
        """Its frame's number, -1 before the first, and the JSON."""
        newest = self._control.analysed.read()[0]
        if newest is not self._of or not self._json:
            shape = shape_of(newest, tracked=self._tracked)
            self._json = json.dumps(shape, allow_nan=False, separators=(",", ":")).encode()
            self._of = newest
        return (newest.scene.seq if newest is not None else -1), self._json


def _told(worker: Worker) -> None:
    if worker.failure is not None:
        log.error("events and the history stop", exc_info=worker.failure)


class SceneWatch:
    """A thread that sees every scene: it keeps the history, and calls `news` after each."""

    def __init__(self, control: Control, recent: Recent, news: Callable[[], None]) -> None:
        self._analysed = control.analysed
        self._tracked = control.config.tracking.enabled
        self._recent = recent
        self._news = news
        self._worker = Worker("web scenes", self._run, _told)

    def start(self) -> None:
        """Begin to watch."""
        self._worker.start()

    def close(self) -> None:
        """End within half a second."""
        self._worker.stop()
        self._worker.join(2 * _LOOK_S)

    def _run(self, stop: threading.Event) -> None:
        seen = 0
        while not stop.is_set():
            newest, edition = self._analysed.wait_newer(seen, _LOOK_S)
            if edition > seen and newest is not None:
                seen = edition
                self._keep(newest)
                self._news()

    def _keep(self, analysed: Analysed) -> None:
        scene, labels = analysed.scene, analysed.scene.labels
        if self._tracked:
            ids = [track.class_id for track in scene.tracks if track.state != "tentative"]
        else:
            ids = scene.detections.class_ids.tolist()
        self._recent.add((label_of(labels, number) for number in ids), analysed.stamps.tracked)
