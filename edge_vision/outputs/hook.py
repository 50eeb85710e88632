"""A program of this computer, run for each event that begins."""

import logging
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from typing import Literal

from edge_vision.config_net import HOOK_FIELDS, HookConfig
from edge_vision.errors import OutputError
from edge_vision.events import Event
from edge_vision.outputs.messages import body_of
from edge_vision.outputs.reasons import reason_of
from edge_vision.outputs.teller import Teller

log = logging.getLogger(__name__)

_QUEUE = 32
"""Events that may wait for the program."""


class HookOutput(Teller):
    """One at a time; the event, as JSON, is its standard input, and what it prints goes nowhere.

    It runs without a shell, in a process group of its own, which is killed as a whole at the time
    limit.
    """

    name = "hook"
    wants: Literal["scenes", "pictures"] = "scenes"

    def __init__(self, config: HookConfig, *, patient: bool = False) -> None:
        super().__init__()
        self._command = config.command
        self._timeout_s = config.timeout_s
        self._waiting: deque[Event] = deque()
        self._changed = threading.Condition()
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to wait for events.  Raises OutputError when the program cannot be run at all."""
        if self._control is None:
            log.info("hook: nothing is run, as this is no live run")
            return
        if not os.access(self._command[0], os.X_OK) or os.path.isdir(self._command[0]):
            raise OutputError(
                f"hook: {self._command[0]} is no program that this user may run; make it "
                "executable, or change outputs.hook.command"
            )
        self._started = True
        self._worker.start()

    def on_event(self, event: Event) -> None:
        """Queue an event that begins; never waits."""
        if not self._started or "begin" not in self._phases.of(event):
            return
        with self._changed:
            full = len(self._waiting) >= _QUEUE
            if not full:
                self._waiting.append(event)
                self._changed.notify_all()
        if full and self._control is not None:
            self._control.telemetry.drop("hook busy")

    def close(self, timeout_s: float) -> None:
        """Kill the program that runs; what waits is not run."""
        if not self._started:
            return
        self._started = False
        with self._changed:
            self._waiting.clear()
            self._worker.stop()
            if self._running is not None:
                _kill(self._running)
            self._changed.notify_all()
        if not self._worker.join(timeout_s):
            log.error("hook: %s does not end", self._command[0])
        if self._worker.failure is None:
            self._fault = None  # the program's failure, told when it happened, is not the run's

    def _run(self, stop: threading.Event) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or stop.is_set())
                if stop.is_set():
                    return
                event = self._waiting.popleft()
            wrong = self._call(event, stop)
            if stop.is_set():
                return
            if wrong:
                log.warning("hook: %s", wrong)
            self._fault = OutputError(f"hook: {wrong}") if wrong else None

    def _call(self, event: Event, stop: threading.Event) -> str:
        """Run the program; what went wrong, or empty."""
        values = {name: getattr(event, name) for name in HOOK_FIELDS}
        program = self._command[0]
        arguments = [argument.format(**values) for argument in self._command[1:]]
        try:
            process = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            return f"{program} cannot be run: {reason_of(error)}"
        with self._changed:
            self._running = process
            if stop.is_set():
                _kill(process)
        try:
            process.communicate(body_of(event, "begin"), timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.communicate()
            return f"{program} was killed after {self._timeout_s:g} s (event {event.id})"
        finally:
            with self._changed:
                self._running = None
        status = process.returncode
        if status == 0:
            return ""
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        return f"{program} ended with {how} (event {event.id})"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it started, unless they left its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
