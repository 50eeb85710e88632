"""The output: takes what other threads bring, and keeps a connection with the broker."""

import logging
import random
import threading
import time
from typing import Literal

from edge_vision.board import node_name
from edge_vision.config_net import MqttConfig, parse_broker
from edge_vision.errors import OutputError
from edge_vision.events import Event
from edge_vision.outputs.base import Picture
from edge_vision.outputs.messages import body_of
from edge_vision.outputs.mqtt.link import Link, Login, Message
from edge_vision.outputs.mqtt.rules_on import RulesOn
from edge_vision.outputs.mqtt.session import Session
from edge_vision.outputs.mqtt.snapshots import Snapshots
from edge_vision.outputs.mqtt.state import ROOT
from edge_vision.outputs.teller import KeepingTeller
from edge_vision.results import Analysed

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_HELD_NS = 10_000_000_000
"""A connection that lasted so long was one: the next attempt is made at once again."""
_FAREWELL_NS = 800_000_000


class MqttOutput(KeepingTeller):
    """See README for the topics.  Without `attach` (a replay, say) it does nothing."""

    name = "mqtt"
    wants: Literal["scenes", "pictures"] = "pictures"

    def __init__(self, config: MqttConfig, *, patient: bool = False) -> None:
        super().__init__()
        self._config = config
        self._broker = parse_broker(config.broker or "mqtt://127.0.0.1")
        self._rules_on = RulesOn()
        self._snapshots = Snapshots(config.snapshot_max_kb << 10)
        self._connected = False
        self._link: Link
        self._session: Session

    def start(self) -> None:
        """Read the files it needs and begin to connect.  Raises OutputError or BackendMissing."""
        control = self._control
        if control is None:
            log.info("mqtt: nothing is sent, as this is no live run")
            return
        config, node = self._config, node_name(control.config.node.name)
        self._open_outbox(config.queue_mb, self._wake)
        self._session = Session(
            config, control, node, self._outbox, self._rules_on, self._snapshots, self._wake
        )
        login = Login(
            config.client_id or f"edge-vision-{node}", config.username, config.password_file,
            config.ca_file, config.cert_file, config.key_file,
        )  # fmt: skip
        will = Message(f"{ROOT}/{node}/availability", b"offline", retain=True, qos=1)
        self._link = Link(
            self._broker, login, will=will,
            on_message=self._session.heard, on_sent=self._session.sent,
        )  # fmt: skip
        self._started = True
        self._outbox.start()
        self._worker.start()

    def active(self) -> bool:
        """A picture is wanted and can be sent."""
        return self._connected and self._snapshots.wanted

    def offer(self, item: Analysed | Picture) -> bool:
        """Keep a picture that is wanted; False before `start` and after `close`."""
        if self._started and isinstance(item, Picture):
            self._snapshots.offer(item)
        return self._started

    def on_event(self, event: Event) -> None:
        """Queue what begins and what ends; never waits."""
        if not self._started:
            return
        self._rules_on.seen(event, time.monotonic_ns())
        phases = self._phases.of(event, begin=not self._session.paused)
        for phase in phases:
            self._outbox.put(body_of(event, phase))
        if self._config.snapshot_max_kb and self._connected and not self._session.paused:
            self._snapshots.saw(event)
        if phases:
            self._session.look_now()
            self._wake()

    def close(self, timeout_s: float) -> None:
        """Send what waits as far as there is time, and write down the rest."""
        if not self._started:
            return
        self._started = False
        deadline = time.monotonic() + timeout_s
        self._worker.stop()
        self._wake()
        if self._worker.join(timeout_s * 0.75):
            self._link.release()
        else:
            log.error("mqtt: the connection with %s does not end", self._broker)
        self._close_outbox(deadline - time.monotonic())

    def _wake(self) -> None:
        self._link.wake()

    def _run(self, stop: threading.Event) -> None:
        pause_s = _FIRST_PAUSE_S
        while not stop.is_set():
            begin_ns = time.monotonic_ns()
            try:
                self._link.connect(stop)
                log.info("mqtt: connected with %s", self._broker)
                self._fault, self._connected = None, True
                self._talk(stop)
                return
            except OutputError as error:
                if not stop.is_set():
                    self._trouble(error)
            finally:
                self._connected = False
                self._link.close()
            if time.monotonic_ns() - begin_ns > _HELD_NS:
                pause_s = _FIRST_PAUSE_S
            # Boards that lost one broker together do not come back all at once.
            until = time.monotonic() + pause_s * random.uniform(0.5, 1.0)
            while not stop.is_set() and (left_s := until - time.monotonic()) > 0:
                self._link.rest(left_s)
            pause_s = min(2 * pause_s, self._config.retry_max_s)

    def _talk(self, stop: threading.Event) -> None:
        session = self._session
        session.greet(self._link)
        while not stop.is_set():
            session.step(time.monotonic_ns())
        session.farewell(time.monotonic_ns() + _FAREWELL_NS)
