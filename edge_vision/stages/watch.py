"""Places, rules and counts: a step of the decode thread, after the tracker."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from edge_vision.board import node_name
from edge_vision.config import Config
from edge_vision.config_watch import WatchConfig
from edge_vision.errors import EdgeVisionError
from edge_vision.events import Counts, Event, OnEvent
from edge_vision.outputs.base import Output
from edge_vision.profile import profile_file
from edge_vision.render.class_names import class_ids
from edge_vision.results import Scene
from edge_vision.rules.counts_file import CountsKeeper, read_counts
from edge_vision.rules.engine import RuleEngine


def unix_s_of(moment_ns: int) -> float:
    """Unix time, for people, of a moment of time.monotonic_ns: it jumps when the clock is set."""
    return datetime.now(UTC).timestamp() - (time.monotonic_ns() - moment_ns) / 1e9


class WatchStage:
    """Runs the rule engine on each scene and tells what happens.

    labels: class id -> label of the model.  on_event: who is told, in the decode thread.
    counts: to go on from.  file: where they are kept; None: nowhere.
    unix_s: Unix time, in seconds, of a moment of the clock that scenes' `exposed_ns` are of.
    Raises ConfigError for a rule about a class that the model does not know.
    """

    def __init__(
        self,
        watch: WatchConfig,
        node: str,
        labels: Mapping[int, str],
        on_event: Sequence[OnEvent],
        counts: Counts,
        file: Path | None,
        *,
        unix_s: Callable[[int], float] = unix_s_of,
    ) -> None:
        self._labels = labels
        self._on_event = on_event
        self._unix_s = unix_s
        self._file = file
        self._keeper: CountsKeeper | None = None
        self._wanted = self._used = watch
        self.check(watch)
        self._engine = RuleEngine(watch, node, counts)
        self._kept = self._engine.counts

    @classmethod
    def from_config(
        cls, config: Config, labels: Mapping[int, str], outputs: Sequence[Output]
    ) -> "WatchStage":
        """As a configuration says; outputs that have a method on_event are told."""
        told = [output.on_event for output in outputs if hasattr(output, "on_event")]
        file = profile_file().with_name("counts.json")
        counts = read_counts(file, unix_s_of(time.monotonic_ns()))
        return cls(config.watch, node_name(config.node.name), labels, told, counts, file)

    @property
    def counts(self) -> Counts:
        """What was counted; any thread."""
        return self._engine.counts

    def crossings(self) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
        """Line -> direction -> label -> how often; any thread."""
        return self._engine.counts.lines

    def check(self, watch: WatchConfig) -> None:
        """Raises ConfigError for a rule about a class that the model does not know."""
        for at, rule in enumerate(watch.rules):
            for name in rule.classes:
                class_ids(f"watch.rules.{at} ({rule.name})", name, self._labels)

    def use(self, watch: WatchConfig) -> None:
        """Go on with other places and rules from the next scene on; any thread."""
        self._wanted = watch

    def step(self, scene: Scene) -> None:
        """Decode thread: a new scene."""
        wanted = self._wanted
        if wanted is not self._used:
            self._used = wanted
            self._tell(self._engine.use(wanted))
        self._tell(self._engine.step(scene, self._unix_s(scene.exposed_ns)))
        self._keep()

    def end(self) -> None:
        """Decode thread: no scene comes any more, so what goes on ends."""
        self._tell(self._engine.end())

    def close(self, timeout_s: float) -> None:
        """Write the counts; waits up to `timeout_s`."""
        if self._keeper is not None:
            self._keeper.close(timeout_s)

    def faults(self) -> list[EdgeVisionError]:
        """Why counts are not kept."""
        keeper = self._keeper
        return [keeper.fault] if keeper is not None and keeper.fault is not None else []

    def _tell(self, events: Sequence[Event]) -> None:
        for event in events:
            for tell in self._on_event:
                tell(event)

    def _keep(self) -> None:
        counts, kept = self._engine.counts, self._kept
        if self._file is None or (counts.lines is kept.lines and counts.zones is kept.zones):
            return
        if counts.lines == kept.lines and counts.zones == kept.zones:
            return
        self._kept = counts
        if self._keeper is None:  # no thread and no file where nothing is ever counted
            self._keeper = CountsKeeper(self._file)
            self._keeper.start()
        self._keeper.keep(counts)
