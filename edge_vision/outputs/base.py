"""What every output is to the pipeline."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import EdgeVisionError
from edge_vision.frame import Stamps
from edge_vision.results import Scene


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """One analysed frame: its scene and its clock."""

    scene: Scene
    stamps: Stamps


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One displayed frame.

    canvas: uint8 (height, width, 3) BGR with the overlay drawn; valid only while `offer` runs.
    """

    canvas: NDArray[np.uint8]
    seq: int
    media_ns: int
    stamps: Stamps


class Output(Protocol):
    """A receiver of analysed frames (`wants` "scenes") or of displayed frames ("pictures")."""

    name: str
    wants: Literal["scenes", "pictures"]
    shows_status: bool
    """Also takes pictures that say why no camera delivers (`Picture.seq` -1)."""

    def start(self) -> None:
        """Open what it writes to.  Raises OutputError or BackendMissing."""
        ...

    def active(self) -> bool:
        """Somebody wants its work now; the renderer draws only then."""
        ...

    def offer(self, item: Analysed | Picture) -> bool:
        """Take an item; False when it had to be dropped (the reason is counted by the caller).

        Never blocks, unless the output was made `patient` (every frame counts, pace: fast).
        """
        ...

    def close(self, timeout_s: float) -> None:
        """Finish and close what was written; waits up to `timeout_s`; never raises."""
        ...

    def fault(self) -> EdgeVisionError | None:
        """Why it stopped writing, once it has."""
        ...
