"""What every detector is to the pipeline.

The four steps are apart so that the pipeline can overlap them: while the interpreter runs on one
frame, the next is prepared and the last is decoded.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from edge_vision.frame import Image
from edge_vision.results import Detections


class InvokeTime(NamedTuple):
    """What one interpreter run took: wall time, and CPU time of the calling thread, in ns."""

    wall_ns: int
    cpu_ns: int


RawOutput = tuple[NDArray[Any], ...]
"""Copies of a network's output tensors, as it wrote them."""


class Detector(Protocol):
    """Finds objects in pictures."""

    @property
    def description(self) -> str:
        """Model and input size for people: "ssdlite_mobilenet_v2_coco 300x300"."""
        ...

    @property
    def engine(self) -> str:
        """What truly runs the network: "XNNPACK, 2 threads, ai-edge-litert 2.3.0"."""
        ...

    @property
    def labels(self) -> Mapping[int, str]:
        """Class id -> label."""
        ...

    @property
    def nonfinite(self) -> int:
        """Result rows thrown away so far because they held NaN or infinity."""
        ...

    def new_input(self) -> NDArray[Any]:
        """A buffer of the input's shape and dtype, for `prepare`."""
        ...

    def new_output(self) -> RawOutput:
        """Buffers of the outputs' shapes and dtypes, for `infer`."""
        ...

    def prepare(self, image: Image, out: NDArray[Any]) -> None:
        """Write the picture into an input buffer, as the network wants it."""
        ...

    def load(self, prepared: NDArray[Any]) -> None:
        """Copy a prepared input into the network."""
        ...

    def infer(self, raw: RawOutput) -> InvokeTime:
        """Run the network on what was loaded and copy its outputs; tells what the run took."""
        ...

    def decode(self, raw: RawOutput) -> Detections:
        """Raw outputs to detections.  Raises DetectorError when they make no sense."""
        ...
