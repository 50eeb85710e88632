"""The connection with the broker that a fleet is seen through."""

import os
import threading
import time

from edge_vision.config_net import Broker
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.fleet.nodes import TOPICS, Fleet
from edge_vision.outputs.mqtt.link import Link, Login
from edge_vision.outputs.mqtt.state import ROOT
from edge_vision.worker import Worker

_LONGEST_PAUSE_S = 10.0


class Feed:
    """Listens in a thread of its own, and connects again for ever.

    login: its client_id is replaced by one of this process.
    Raises OutputError for files that cannot be read, BackendMissing without paho-mqtt.
    """

    def __init__(self, broker: Broker, login: Login, fleet: Fleet) -> None:
        self.trouble = ""
        """Why nothing is heard, as long as that is so."""
        self.connected = threading.Event()
        """Set once it has been."""
        self._link = Link(
            broker,
            login._replace(client_id=f"edge-vision-fleet-{os.getpid()}-{os.urandom(3).hex()}"),
            will=None,
            on_message=lambda topic, payload, _kept: fleet.heard(
                topic, payload, time.monotonic_ns()
            ),
        )
        self._worker = Worker("fleet", self._run)

    def start(self) -> None:
        """Begin to connect."""
        self._worker.start()

    def close(self) -> None:
        """End the connection."""
        self._worker.stop()
        self._link.wake()
        if self._worker.join(6):
            self._link.release()

    def failure(self) -> EdgeVisionError | None:
        """A failure that nobody expected, and that has ended it."""
        failure = self._worker.failure
        return None if failure is None else OutputError(f"fleet: {failure!r}")

    def _run(self, stop: threading.Event) -> None:
        pause_s = 1.0
        while not stop.is_set():
            try:
                self._link.connect(stop)
                self._link.listen([(f"{ROOT}/+/{what}", 1, True) for what in TOPICS])
                self.trouble, pause_s = "", 1.0
                self.connected.set()
                while not stop.is_set():
                    self._link.step(1.0)
            except OutputError as error:
                self.trouble = str(error)
                until = time.monotonic() + pause_s
                while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
                    self._link.rest(left_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            finally:
                self._link.close()
