"""Worker: a named thread with a stop event, a bounded join, and its failure kept for the caller."""

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Callable


class Worker:
    """Runs `body(stop)` in a daemon thread until it returns.

    The body ends soon after `stop` is set.  An exception that leaves the body is kept, with its
    traceback, in `failure` for the owner to raise; `on_end` is called in the thread in any case.
    yields: do not interrupt other threads when there is work again (Linux's SCHED_BATCH).
    """

    def __init__(
        self,
        name: str,
        body: Callable[[threading.Event], None],
        on_end: Callable[["Worker"], None] | None = None,
        *,
        yields: bool = False,
    ) -> None:
        self.name = name
        self.failure: BaseException | None = None
        self.stopping = threading.Event()
        self._body = body
        self._on_end = on_end
        self._yields = yields
        self._ending = threading.Lock()
        # Daemon: a thread stuck in a driver must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the body to end; returns at once."""
        self.stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when the thread still runs after `timeout_s`."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """The thread was started and has not ended."""
        return self._thread.is_alive()

    def stack(self) -> str:
        """Where the thread stands now, as text for a log; empty when it has ended."""
        if not self.alive:  # the system gives the number of an ended thread to the next one
            return ""
        frame = sys._current_frames().get(self._thread.ident or -1)
        return "".join(traceback.format_stack(frame)) if frame is not None else ""

    def give_up(self, failure: BaseException) -> None:
        """Count a thread that hangs in native code as ended by `failure`; it is left behind."""
        self._end(failure)

    def _end(self, failure: BaseException | None) -> None:
        # Never released: a thread given up may come back, and its end must not count twice.
        if self._ending.acquire(blocking=False):
            self.failure = failure
            if self._on_end is not None:
                self._on_end(self)

    def _run(self) -> None:
        if self._yields:
            with contextlib.suppress(OSError):  # a sandbox may forbid it
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        failure: BaseException | None = None
        try:
            self._body(self.stopping)
        except BaseException as error:  # the one place where a thread's exceptions are caught
            failure = error
        self._end(failure)
