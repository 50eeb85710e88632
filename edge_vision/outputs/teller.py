"""What the outputs that tell others of events share: a run, a thread, and a fault that passes."""

import logging
import threading

from edge_vision.control import Control
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.outputs.messages import Phases
from edge_vision.worker import Worker

log = logging.getLogger(__name__)


class Teller:
    """Base of MQTT, webhook and hook.  Without `attach` (a replay, say) a subclass does nothing."""

    name: str
    shows_status = False
    recovers = True
    """A fault of it passes: the run goes on, also without another output."""

    def __init__(self) -> None:
        self._control: Control | None = None
        self._phases = Phases()
        self._fault: EdgeVisionError | None = None
        self._started = False
        self._worker = Worker(f"output {self.name}", self._run, self._on_end)

    def attach(self, control: Control) -> None:
        """The run: what to tell of, whom to ask, where drops are counted."""
        self._control = control

    def _run(self, stop: threading.Event) -> None:
        """The thread's body."""
        raise NotImplementedError

    def _trouble(self, error: OutputError) -> None:
        """Keep a fault that is tried again, and say it once."""
        said = OutputError(f"{self.name}: {error}")
        if self._fault is None or str(self._fault) != str(said):
            log.warning("%s; trying again", said)
        self._fault = said

    def _on_end(self, worker: Worker) -> None:
        if worker.failure is not None:
            log.error("%s failed", self.name, exc_info=worker.failure)
            self._fault = OutputError(f"{self.name}: {worker.failure!r}")
