"""What every output is to the pipeline."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import EdgeVisionError
from edge_vision.frame import Image, PixelFormat, Stamps
from edge_vision.results import Analysed, Track


@dataclass(slots=True, eq=False)
class Picture:
    """One displayed frame.

    image: BGR, or YUV420 without padding, with the overlay drawn; valid only while `offer` runs.
    overlay: the overlay by itself where an output wants it, uint8 (height, width, 4), see
    PixelFormat.RGBA; likewise.
    plain: the picture without overlay where an output wants it (see `takes`), like `image`, which
    it may be; what must be unrecognisable is so in it, too; likewise.
    tracks: where every object drawn is in this frame.  labels: class id -> label.
    scene_seq: of the newest analysed frame that was known of, -1 for none.
    Raises ValueError for another image.
    """

    image: Image
    seq: int
    media_ns: int
    stamps: Stamps
    overlay: NDArray[np.uint8] | None = None
    plain: Image | None = None
    tracks: tuple[Track, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)
    scene_seq: int = -1
    _bgr: NDArray[np.uint8] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        image = self.image
        padded = image.stride_bytes != image.width_px
        usable = (PixelFormat.BGR, PixelFormat.YUV420)
        if image.format not in usable or (image.format is PixelFormat.YUV420 and padded):
            raise ValueError(
                f"a picture of {image.format.name}, {image.width_px} px wide, with rows of "
                f"{image.stride_bytes} bytes; expected BGR, or YUV420 without padding"
            )

    def bgr(self) -> NDArray[np.uint8]:
        """uint8 (height, width, 3) BGR, to read only, and only while `offer` runs.

        YUV420 is converted the first time somebody asks.
        """
        if self._bgr is None:
            import cv2  # where no output asks for BGR it is not needed

            data = self.image.data
            if self.image.format is PixelFormat.YUV420:
                data = np.asarray(cv2.cvtColor(data, cv2.COLOR_YUV2BGR_I420), np.uint8)
            self._bgr = data
        return self._bgr


class Output(Protocol):
    """A receiver of analysed frames (`wants` "scenes") or of displayed frames ("pictures").

    One that wants "overlays" gets displayed frames too, with `Picture.overlay`; the overlay may be
    missing on `Picture.image`.  One with an attribute `recovers` that is true has faults that pass
    by themselves: the run goes on with them, also without another output.  While an attribute
    `idle` is true it has nothing to do: once the others have failed, no run goes on for it alone.
    """

    name: str
    wants: Literal["scenes", "pictures", "overlays"]
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


Taken = Literal["drawn", "plain", "overlays"]


def takes(output: Output) -> Collection[Taken]:
    """Which pictures an active output wants now: drawn on, without overlay, the overlay alone.

    An output of pictures may say so by a method `takes()`; else it wants those drawn on.
    """
    if hasattr(output, "takes"):
        taken: Collection[Taken] = output.takes()
        return taken
    kind: Taken = "overlays" if output.wants == "overlays" else "drawn"
    return (kind,)


class Screen(Protocol):
    """A display on which a camera shows its own pictures, with an overlay laid over them."""

    def start(self) -> None:
        """Show, from the next opening of the camera on.  Raises BackendMissing."""
        ...

    def show(self, overlay: NDArray[np.uint8]) -> bool:
        """Lay another overlay over the pictures, uint8 (height, width, 4), see PixelFormat.RGBA.

        It is copied.  Never waits; False where the display has failed.  Any thread.
        """
        ...

    def fault(self) -> EdgeVisionError | None:
        """Why nothing is shown any more."""
        ...
