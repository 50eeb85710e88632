"""Where other threads ask about the run, and ask for changes, which the main thread makes."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_vision.board import board_name
from edge_vision.config import Config
from edge_vision.config_file import FileStamp, file_stamp
from edge_vision.config_load import parse_config
from edge_vision.config_save import save_values
from edge_vision.control import BoardStatus, CameraStatus, Changed, ModelStatus
from edge_vision.detect.zoo import ModelEntry, read_manifest
from edge_vision.errors import ConfigError, EdgeVisionError, ShutdownError
from edge_vision.events import Counts
from edge_vision.history import History
from edge_vision.live import change_of, live_values, offered
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
        self.saved: FileStamp | None = None
        """The configuration file as it was saved last: nobody need read it again."""

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
        known = self._known if model.file is None else ()
        sizes = next((entry.sizes_hw_px for entry in known if entry.name == model.name), {})
        named = next((size for size, hw in sizes.items() if tuple(hw) == (height, width)), None)
        return ModelStatus(
            detector.model_name,
            detector.description,
            detector.engine,
            named or f"{height}x{width}",
            (height, width),
        )

    @cached_property
    def _known(self) -> list[ModelEntry]:
        """The manifest, read once: it takes a slow board a tenth of a second."""
        return read_manifest()

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

    def output_faults(self) -> dict[str, str]:
        """See Control."""
        return {output.name: str(output.fault() or "") for output in self._app.outputs}

    def models(self) -> list[dict[str, Any]]:
        """See Control: name, family, classes, sizes, each with input_hw_px and its measured mAP."""
        found = []
        for entry in self._known:
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

    def counts(self) -> Counts:
        """See Control."""
        return self._app.pipeline.watch.counts

    def history(self) -> History | None:
        """See Control."""
        logs = (output.history for output in self._app.outputs if hasattr(output, "history"))
        return next(logs, None)

    def live_values(self) -> dict[str, dict[str, Any]]:
        """See Control."""
        return live_values(self.config)

    def ask(self, wish: Wish, *, save: bool) -> "Future[Changed]":
        """See Control."""
        answer: Future[Changed] = Future()
        self._asked.put(_Asked(wish, save, answer))
        if self._closed:
            self._refuse()
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
        self._refuse()

    def _refuse(self) -> None:
        while (asked := self._next()) is not None:
            asked.answer.set_exception(
                ShutdownError("the program is ending; nothing can be changed any more")
            )

    def _next(self) -> _Asked | None:
        """The next wish that is still one: whoever gave up waiting has cancelled it."""
        try:
            while True:
                asked = self._asked.get_nowait()
                if asked.answer.set_running_or_notify_cancel():
                    return asked
        except Empty:
            return None

    def _change(self, wish: Wish, *, save: bool) -> Changed:
        new = _wished(self.config, wish)
        change = self._app.change(new)
        if change.changed:
            log.info("changed from outside: %s", ", ".join(change.changed))
        if not save:
            return Changed(change.changed)
        plain = new.model_dump(mode="json")
        names = [(section, key) for section, values in wish.items() for key in values]
        saved, backup = save_values(self._file, {(s, key): plain[s][key] for s, key in names})
        self.saved = file_stamp(saved)
        return Changed(change.changed, str(saved), str(backup))


def _wished(config: Config, wish: Wish) -> Config:
    """The configuration with the wish in it.  Raises ConfigError with a line for each mistake."""
    values = config.model_dump(mode="json")
    known = {section for section, inner in values.items() if isinstance(inner, dict)}
    for section, wanted in wish.items():
        values[section] = values[section] | wanted if section in known else wanted
    try:
        new = parse_config(values)
    except ConfigError as error:
        # Without the heading, and without a file to name.
        lines = str(error).splitlines()[1:]
        raise ConfigError(
            "\n".join(line.removeprefix("configuration: ") for line in lines)
        ) from None
    refused = [f"{key} {_FIXED}" for key in change_of(config, new).restart]
    refused += [
        f"{section}.{key} {_NOT_OFFERED}"
        for section, wanted in wish.items()
        for key in wanted
        if f"{section}.{key} {_FIXED}" not in refused and not offered(section, key)
    ]
    if refused:
        raise ConfigError("\n".join(refused))
    return new


_FIXED = "cannot be changed while running; change it in the configuration file and start again"
_NOT_OFFERED = "can only be changed in the configuration file"
