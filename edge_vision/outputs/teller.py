"""What the outputs that tell others of events share: a run, a thread, and a fault that passes."""

import logging
import threading
from collections.abc import Callable

from edge_vision.control import Control
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.outputs.base import Picture
from edge_vision.outputs.messages import Phases
from edge_vision.outputs.outbox import Outbox
from edge_vision.profile import profile_file
from edge_vision.results import Analysed
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

    def active(self) -> bool:
        """It wants events alone."""
        return False

    def offer(self, item: Analysed | Picture) -> bool:
        """Nothing is taken."""
        return False

    def fault(self) -> EdgeVisionError | None:
        """Why nothing arrives, as long as that is so."""
        return self._fault

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


class KeepingTeller(Teller):
    """One whose messages must arrive: they wait in an Outbox, which `start` makes."""

    _outbox: Outbox

    def fault(self) -> EdgeVisionError | None:
        """Why nothing arrives, or is not written down, as long as that is so."""
        if self._fault is not None or not self._started:
            return self._fault
        return self._outbox.fault()

    def _open_outbox(self, queue_mb: int, on_ready: Callable[[], None]) -> None:
        file = profile_file().with_name(f"{self.name}-queue.journal")
        self._outbox = Outbox(file, queue_mb << 20, self._lost, on_ready)

    def _close_outbox(self, timeout_s: float) -> None:
        """Write down what waits."""
        self._outbox.close(timeout_s)
        if self._worker.failure is None:
            # Nobody who listens is no failure of the run, as long as what waits is written down.
            self._fault = self._outbox.fault() if len(self._outbox) else None

    def _lost(self, count: int) -> None:
        assert self._control is not None
        self._control.telemetry.drop(f"{self.name} queue full", count)
