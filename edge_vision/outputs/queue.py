"""What outputs that write share: a worker thread behind a short queue, and failing in order."""

import logging
import threading
from collections import deque
from typing import Generic, Literal, TypeVar

from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.outputs.base import Picture
from edge_vision.results import Analysed
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

Job = TypeVar("Job")


class QueuedOutput(Generic[Job]):
    """Base of an output whose writing takes time.

    A subclass says how to open (caller's thread), how to make a job of an item (`_pack`, in
    `offer`), how to write it and how to finish (worker thread).  An OutputError that leaves
    `_write` or `_finish` ends the output: it is logged once, kept as `fault()`, and every later
    offer is refused at once.  `offer` is called by one thread.

    patient: `offer` waits for room instead of dropping; never after a failure or `close`.
    capacity: jobs that may wait.
    """

    name: str
    wants: Literal["scenes", "pictures"]
    shows_status = False

    def __init__(self, *, patient: bool, capacity: int) -> None:
        self._patient = patient
        self._capacity = capacity
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._open_for_offers = False
        self._fault: EdgeVisionError | None = None
        self._worker = Worker(f"output {self.name}", self._run, self._on_end)

    def _open(self) -> None:
        """Open what is written to.  Raises OutputError or BackendMissing."""
        raise NotImplementedError

    def _pack(self, item: Analysed | Picture) -> Job:
        """What is kept of an item; called in `offer`, and only when there is room."""
        raise NotImplementedError

    def _write(self, job: Job) -> None:
        """Write; raises OutputError."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Close what was opened, after the last write or a failed one; raises OutputError."""
        raise NotImplementedError

    def start(self) -> None:
        """Open and begin to write.  Raises OutputError or BackendMissing."""
        self._open()
        self._open_for_offers = True
        self._worker.start()

    def active(self) -> bool:
        """Started, not closed, not failed."""
        return self._open_for_offers

    def offer(self, item: Analysed | Picture) -> bool:
        """Queue an item; False when it is dropped for lack of room, a failure, or after `close`."""
        with self._changed:
            if self._patient:
                self._changed.wait_for(
                    lambda: len(self._jobs) < self._capacity or not self._open_for_offers
                )
            if not self._open_for_offers or len(self._jobs) >= self._capacity:
                return False
        # Outside the lock: packing may take a millisecond.  Only this thread adds, so room stays.
        job = self._pack(item)
        with self._changed:
            if not self._open_for_offers:
                return False
            self._jobs.append(job)
            self._changed.notify_all()
        return True

    def close(self, timeout_s: float) -> None:
        """Write what is queued and finish, for at most `timeout_s`; never raises."""
        with self._changed:
            self._open_for_offers = False
            self._changed.notify_all()
        self._worker.stop()
        if not self._worker.join(timeout_s) and self._fault is None:
            self._fail(OutputError(f"{self.name}: not finished within {timeout_s:g} s"))

    def fault(self) -> EdgeVisionError | None:
        """Why it stopped writing, once it has."""
        return self._fault

    def _run(self, stop: threading.Event) -> None:
        try:
            while (job := self._take(stop)) is not None:
                self._write(job)
        except OutputError as error:
            self._fail(error)
        try:
            self._finish()
        except OutputError as error:
            self._fail(error)

    def _take(self, stop: threading.Event) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or stop.is_set() or not self._open_for_offers)
            job = self._jobs.popleft() if self._jobs else None
            self._changed.notify_all()
            return job

    def _fail(self, error: EdgeVisionError) -> None:
        with self._changed:
            first = self._fault is None
            if first:
                self._fault = error
            self._open_for_offers = False
            self._jobs.clear()
            self._changed.notify_all()
        if first and not getattr(error, "reader_gone", False):
            log.error("%s", error)

    def _on_end(self, worker: Worker) -> None:
        """A failure nobody expected must not leave a giver waiting."""
        if worker.failure is not None:
            log.error("output %s failed", self.name, exc_info=worker.failure)
            self._fail(OutputError(f"{self.name}: {worker.failure!r}"))
