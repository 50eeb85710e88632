"""Where other threads ask about the run, and ask for changes, which the main thread makes."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_vision.board import board_name
from edge_vision.config import Config
from edge_vision.config_load import parse_config
from edge_vision.config_save import save_values
from edge_vision.control import BoardStatus, CameraStatus, Changed, ModelStatus
from edge_vision.detect.zoo import read_manifest
from edge_vision.errors import ConfigError, EdgeVisionError, ShutdownError
from edge_vision.live import change_of, live_values
from edge_vision.render.style import Colours

if TYPE_CHECKING:
    from edge_vision.app import App

log = logging.getLogger(__name__)

Wish = Mapping[str, Mapping[str, Any]]


class _Asked(NamedTuple):
    wish: Wish
    save: bool
    answer: "Future[Changed]"


class Desk:
    """The Control of one run.

    file: the configuration file, for what is to be saved; None: nothing can be.
    """

    def __init__(self, app: "App", file: Path | None) -> None:
        self.telemetry = app.pipeline.telemetry
        self.analysed = app.pipeline.analysed
        self.started_ns = time.monotonic_ns()
        self._app = app
        self._file = file
        self._board_name = board_name()
        self._asked: SimpleQueue[_Asked] = SimpleQueue()
        self._closed = False

    @property
    def config(self) -> Config:
        """See Control, as with everything public here but `serve` and `close`."""
        return self._app.config

    def camera(self) -> CameraStatus:
        """See Control."""
        state = self._app.pipeline.camera_state.read()[0]
        info = state.info
        if info is None:
            return CameraStatus(state.up, state.since_ns, state.reason, "", 0, 0, 0.0)
        size = info.width_px, info.height_px
        return CameraStatus(state.up, state.since_ns, state.reason, info.name, *size, info.fps)

    def model(self) -> ModelStatus:
        """See Control."""
        detector, model = self._app.detector, self.config.model
        height, width = detector.input_hw_px
        sizes = next((e.sizes_hw_px for e in read_manifest() if e.name == model.name), {})
        named = next((size for size, hw in sizes.items() if tuple(hw) == (height, width)), None)
        return ModelStatus(
            detector.model_name,
            detector.description,
            detector.engine,
            named if named is not None and model.file is None else f"{height}x{width}",
            (height, width),
        )

    def board(self) -> BoardStatus:
        """See Control."""
        app = self._app
        readings = app.readings
        return BoardStatus(
            self._board_name,
            readings.temperature_c,
            readings.alarms,
            app.held_back,
            app.pipeline.idle,
        )

    def faults(self) -> list[str]:
        """See Control."""
        return [str(fault) for fault in self._app.faults()]

    def models(self) -> list[dict[str, Any]]:
        """See Control: name, family, classes, sizes, each with input_hw_px and its measured mAP."""
        found = []
        for entry in read_manifest():
            measured = {tuple(row["input_hw_px"]): row for row in entry.facts["measured"]}
            sizes = [
                {"size": size, "input_hw_px": list(hw), "map": measured.get(hw, {}).get("map")}
                for size, hw in entry.sizes_hw_px.items()
            ]
            found.append(
                {
                    "name": entry.name,
                    "family": entry.facts["family"],
                    "alpha": entry.alpha,
                    "classes": list(entry.labels.values()),
                    "sizes": sizes,
                    "active": entry.name == self._app.detector.model_name,
                }
            )
        return found

    def colours(self) -> dict[str, str]:
        """See Control."""
        colours = Colours(self.config.overlay)
        labels = self._app.detector.labels
        bgr = {label: colours.of(class_id, label) for class_id, label in labels.items()}
        return {
            label: f"#{red:02x}{green:02x}{blue:02x}" for label, (blue, green, red) in bgr.items()
        }

    def live_values(self) -> dict[str, dict[str, Any]]:
        """See Control."""
        return live_values(self.config)

    def ask(self, wish: Wish, *, save: bool) -> "Future[Changed]":
        """See Control."""
        answer: Future[Changed] = Future()
        if self._closed:
            answer.set_exception(_ending())
        else:
            self._asked.put(_Asked(wish, save, answer))
        return answer

    def serve(self) -> None:
        """Main thread: do what was asked for."""
        while (asked := self._next()) is not None:
            try:
                done = self._change(asked.wish, save=asked.save)
            except EdgeVisionError as error:
                asked.answer.set_exception(error)
            else:
                asked.answer.set_result(done)

    def close(self) -> None:
        """Main thread: nothing is changed any more; whoever still waits is told so."""
        self._closed = True
        while (asked := self._next()) is not None:
            asked.answer.set_exception(_ending())

    def _next(self) -> _Asked | None:
        try:
            return self._asked.get_nowait()
        except Empty:
            return None

    def _change(self, wish: Wish, *, save: bool) -> Changed:
        values = self.config.model_dump(mode="json")
        for section, wanted in wish.items():
            if not isinstance(values.get(section), dict):
                raise ConfigError(f"there is no section {section!r}; see config.yaml for the names")
            values[section] |= wanted
        new = parse_config(values)
        restart = change_of(self.config, new).restart
        if restart:
            raise ConfigError(
                f"{', '.join(restart)} cannot be changed while running; change it in the "
                "configuration file and start again"
            )
        change = self._app.change(new)
        if change.changed:
            log.info("changed from outside: %s", ", ".join(change.changed))
        if not save:
            return Changed(change.changed)
        saved, backup = save_values(self._file, wish)
        return Changed(change.changed, str(saved), str(backup))


def _ending() -> ShutdownError:
    return ShutdownError("the program is ending; nothing can be changed any more")
