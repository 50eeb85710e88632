"""What an output may know of the run it belongs to, and ask of it; from any thread."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from edge_vision.config import Config
from edge_vision.events import Counts
from edge_vision.history import History
from edge_vision.results import Analysed
from edge_vision.slot import Bulletin
from edge_vision.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """up: frames come; since_ns: since when (time.monotonic_ns); reason: why none comes.

    name: for people; width_px, height_px, fps: what was granted, 0 as long as none was opened.
    """

    up: bool
    since_ns: int
    reason: str
    name: str
    width_px: int
    height_px: int
    fps: float


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What looks for objects now.

    description: for people; engine: runtime, delegate and threads; size: the size's name or
    HEIGHTxWIDTH; input_hw_px: (height, width).
    """

    name: str
    description: str
    engine: str
    size: str
    input_hw_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """How the board feels.

    temperature_c: of the hottest sensor, None where there is none.  alarms: what its firmware
    complains of.  held_back: why less work is done than configured, or empty.  idle: detection
    rests, as nothing moves.
    """

    name: str
    temperature_c: float | None
    alarms: tuple[str, ...]
    held_back: str
    idle: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """What a wish to change the configuration led to; keys as "section.key".

    saved_to: the file it was written to, backup: the older file's copy; empty when not saved.
    """

    changed: tuple[str, ...]
    saved_to: str = ""
    backup: str = ""


class Control(Protocol):
    """The run, as an output sees it.  Everything may be called from any thread."""

    telemetry: Telemetry
    analysed: Bulletin[Analysed | None]
    started_ns: int

    @property
    def config(self) -> Config:
        """What is in effect now."""
        ...

    def camera(self) -> CameraStatus:
        """The camera now."""
        ...

    def model(self) -> ModelStatus:
        """The detector now."""
        ...

    def board(self) -> BoardStatus:
        """The board, as it was looked at last: at most about a second ago."""
        ...

    def faults(self) -> list[str]:
        """A sentence for each output that has stopped, and each fault of the camera."""
        ...

    def output_faults(self) -> dict[str, str]:
        """Name of each output -> what is wrong with it now, or empty."""
        ...

    def models(self) -> list[dict[str, Any]]:
        """What could run instead: plain values, one for each model known."""
        ...

    def colours(self) -> dict[str, str]:
        """Label -> "#rrggbb", as the overlay draws it, of every class the model knows."""
        ...

    def counts(self) -> Counts:
        """What passed the lines, entered the zones, and is there now."""
        ...

    def history(self) -> History | None:
        """The log of events; None where none is kept (events.enabled)."""
        ...

    def live_values(self) -> dict[str, dict[str, Any]]:
        """Section -> key -> value of everything that can be changed while running."""
        ...

    def ask(self, wish: Mapping[str, Mapping[str, Any]], *, save: bool) -> Future[Changed]:
        """Change live values, all or none; done in the main thread within some tenths of a second.

        wish: section -> key -> value.  save: also write them to the configuration file.
        The future raises ConfigError for what cannot be, or what making a detector raises, and
        OutputError when it was changed but could not be saved.
        """
        ...
