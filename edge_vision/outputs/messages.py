"""What is told of an event to other programs: one message when it begins, one when it ends."""

import json
import threading
from typing import Literal

from edge_vision.events import Event

Phase = Literal["begin", "end"]

_MOST_OPEN = 1000
"""Events remembered as under way; more than any scene holds."""


class Phases:
    """Tells which of an event's many calls begin it and which ends it; any thread."""

    def __init__(self) -> None:
        self._open: dict[str, None] = {}
        self._lock = threading.Lock()

    def of(self, event: Event, *, begin: bool = True) -> tuple[Phase, ...]:
        """What this call is: both for an event that lasts no time, nothing for one that goes on.

        begin: False where no event may begin now; one that did not begin does not end either.
        """
        with self._lock:
            known = event.id in self._open
            if not known and not begin:
                return ()
            if event.end_s is not None:
                self._open.pop(event.id, None)
                return ("end",) if known else ("begin", "end")
            if known:
                return ()
            self._open[event.id] = None
            if len(self._open) > _MOST_OPEN:
                del self._open[next(iter(self._open))]
            return ("begin",)


def body_of(event: Event, phase: Phase) -> bytes:
    """The message: an event's values as JSON, and before them phase and revision.

    revision: 0 of the beginning, 1 of the end: with the id it names a message, whenever and however
    often it arrives.
    """
    values = {"phase": phase, "revision": 0 if phase == "begin" else 1, **event.to_dict()}
    return json.dumps(values, ensure_ascii=False, allow_nan=False).encode()


def marked(body: bytes) -> bytes:
    """The same message with `"duplicate": true`: it may have arrived before."""
    return body[:-1] + b', "duplicate": true}'
