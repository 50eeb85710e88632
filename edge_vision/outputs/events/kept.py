"""What is held in memory of an event until all of it is written."""

from dataclasses import dataclass

import cv2

from edge_vision.outputs.events.store import EventRow
from edge_vision.outputs.events.views import View

_SETTLED_NS = 3_000_000_000
"""How long after its end an event still waits for a picture."""
_JPEG_QUALITY = 85


@dataclass(slots=True)
class Kept:
    """An event that is going on, or not wholly written yet.

    pictures: JPEG by name of the file, to be written.  dirty: to be written to the log; urgent:
    within a second.
    """

    row: EventRow
    begun_ns: int
    pictures: dict[str, bytes]
    dirty: bool = True
    urgent: bool = True
    has_picture: bool = False


def is_settled(kept: Kept, now_ns: int) -> bool:
    """Over and written: nothing of it is held any more."""
    event = kept.row.event
    if event.end_s is None or kept.dirty or kept.pictures:
        return False
    return now_ns - (event.end_ns or kept.begun_ns) > _SETTLED_NS


def encoded(event_id: str, view: View) -> dict[str, bytes]:
    """JPEG by name of the file: the thumbnail first."""
    made = {f"{event_id}.jpg": view.thumbnail}
    if view.snapshot is not None:
        made[f"{event_id}-full.jpg"] = view.snapshot
    quality = (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
    return {name: cv2.imencode(".jpg", bgr, quality)[1].tobytes() for name, bgr in made.items()}
