"""Events as they begin and end: counted, and told to the event loop."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping

from edge_vision.events import Event
from edge_vision.outputs.messages import Phases


class Happenings:
    """From the thread that evaluates the rules to whoever listens."""

    def __init__(self) -> None:
        self._phases = Phases()
        self._begun: Counter[str] = Counter()
        self._tell: Callable[[Event], None] | None = None
        self._lock = threading.Lock()

    def add(self, event: Event) -> None:
        """An event begins, gets better or ends; never waits long."""
        phases = self._phases.of(event)
        if not phases:
            return
        with self._lock:
            if "begin" in phases:
                self._begun[event.rule] += 1
            if self._tell is not None:
                self._tell(event)

    def listen(self, tell: Callable[[Event], None] | None) -> None:
        """Whom to tell of each beginning and each end; it must not wait.  None: nobody.

        After it nobody else is told any more.
        """
        with self._lock:
            self._tell = tell

    def begun(self) -> Mapping[str, int]:
        """Rule -> events since the start; any thread."""
        with self._lock:
            return dict(self._begun)
