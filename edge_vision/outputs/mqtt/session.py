"""What is said during one connection with a broker, and when; see README for the topics."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any

from edge_vision.config_net import Command, MqttConfig
from edge_vision.config_watch import WatchConfig
from edge_vision.control import Changed, Control
from edge_vision.errors import EdgeVisionError
from edge_vision.events import Counts
from edge_vision.outputs.messages import marked
from edge_vision.outputs.mqtt import discovery
from edge_vision.outputs.mqtt.commands import Refused, pause_in, wish_in
from edge_vision.outputs.mqtt.link import Link, Message
from edge_vision.outputs.mqtt.rules_on import RulesOn
from edge_vision.outputs.mqtt.snapshots import Snapshots
from edge_vision.outputs.mqtt.state import ROOT, counts_of, essence, state_of
from edge_vision.outputs.outbox import Outbox

log = logging.getLogger(__name__)

_STATE_NS = 10_000_000_000
"""The state is told so often, and when it has changed."""
_LOOK_NS = 1_000_000_000
"""Whether it has is looked at so often."""
_SAY_NS = 60_000_000_000
"""A line about refused messages at most so often."""
_MOST_ASKED = 8
"""Commands under way."""


class Session:
    """All of it belongs to the thread that drives the link, but for `paused`, which others read.

    The link is given later: it needs `heard` and `sent` of this object.
    """

    def __init__(
        self,
        config: MqttConfig,
        control: Control,
        node: str,
        outbox: Outbox,
        rules_on: RulesOn,
        snapshots: Snapshots,
        wake: Callable[[], None],
    ) -> None:
        self._config = config
        self._control = control
        self._node = node
        self._base = f"{ROOT}/{node}"
        self._outbox = outbox
        self._rules_on = rules_on
        self._snapshots = snapshots
        self._wake = wake
        self.paused = False
        """Nothing is told of scenes and of what begins now."""
        self._link: Link
        self._under_way: dict[int, int] = {}
        """Number of the broker's acknowledgement -> number in the outbox."""
        self._answers: SimpleQueue[tuple[Command, Future[Changed]]] = SimpleQueue()
        self._asked = 0
        self._watch: WatchConfig | None = None
        self._counts: Counts | None = None
        self._essence: tuple[Any, ...] = ()
        self._state_ns = self._look_ns = 0
        self._scene_ns: int | None = None
        self._scene_edition = 0
        self._refused = 0
        self._said_ns: int | None = None

    def greet(self, link: Link) -> None:
        """The first words of a connection."""
        self._link = link
        self._under_way.clear()
        self._outbox.again()
        config, base = self._config, self._base
        link.listen([(f"{base}/set/{command}", 1, False) for command in config.commands])
        own = discovery.topic_of(config, self._node)
        if config.discovery:
            link.listen([(own, 1, True), (f"{config.discovery_prefix}/status", 1, False)])
        else:
            link.publish(Message(own, b"", retain=True, qos=1))
        if not config.snapshot_max_kb:
            link.publish(Message(f"{base}/snapshot", b"", retain=True))  # of an earlier run
        link.publish(Message(f"{base}/availability", b"online", retain=True, qos=1))
        self._tell_all_again()

    def step(self, now_ns: int) -> None:
        """Send what is due, then wait for something to happen, a second at most."""
        self._answer()
        self._send_events()
        if now_ns >= self._look_ns:
            self._look(now_ns)
        wait_ns = self._look_ns - now_ns
        if self._config.scene_per_s and not self.paused:
            wait_ns = min(wait_ns, self._tell_scene(now_ns))
        self._tell_snapshot()
        self._link.step(max(0.0, wait_ns / 1e9))

    def farewell(self, deadline_ns: int) -> None:
        """Send what waits as far as there is time, and say that we go."""
        while len(self._outbox) and time.monotonic_ns() < deadline_ns:
            self._send_events()
            self._link.step(0.1)
        self._link.publish(Message(f"{self._base}/availability", b"offline", retain=True, qos=1))

    def look_now(self) -> None:
        """Look at the state with the next step."""
        self._look_ns = 0

    def sent(self, number: int) -> None:
        """The broker has taken a message."""
        entry = self._under_way.pop(number, None)
        if entry is not None:
            self._outbox.done(entry)

    def heard(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message came; anybody may have sent it."""
        config, commands = self._config, f"{self._base}/set/"
        if topic == discovery.topic_of(config, self._node):
            if retained and payload:
                self._announce(discovery.gone_from(payload, self._components()))
        elif topic == f"{config.discovery_prefix}/status":
            if payload == b"online":
                self._tell_all_again()
        elif topic.startswith(commands):
            named = topic.removeprefix(commands)
            for command in config.commands:
                if command == named:
                    self._obey(command, payload, retained)

    def _obey(self, command: Command, payload: bytes, retained: bool) -> None:
        try:
            if retained:
                raise Refused("a command that the broker had kept; send it without retain")
            if command == "pause":
                self.paused = pause_in(payload)
                self.look_now()
                self._result(command, "")
            elif command == "snapshot":
                self._snapshots.want()
                self._result(command, "")
            elif self._asked >= _MOST_ASKED:
                raise Refused(f"{_MOST_ASKED} commands are under way")
            else:
                answer = self._control.ask(wish_in(command, payload), save=False)
                self._asked += 1
                answer.add_done_callback(lambda done: self._answered(command, done))
        except Refused as why:
            self._refuse(f"{command}: {why}")
            self._result(command, str(why))

    def _answered(self, command: Command, done: "Future[Changed]") -> None:
        """Main thread."""
        self._answers.put((command, done))
        self._wake()

    def _answer(self) -> None:
        with suppress(Empty):
            while True:
                command, done = self._answers.get_nowait()
                self._asked -= 1
                error = done.exception()
                if isinstance(error, EdgeVisionError):
                    self._result(command, str(error))
                else:
                    self._result(command, "")
                self.look_now()

    def _result(self, command: Command, why: str) -> None:
        self._tell("result", {"command": command, "ok": not why, "reason": why})

    def _refuse(self, what: str) -> None:
        self._refused += 1
        now_ns = time.monotonic_ns()
        if self._said_ns is None or now_ns - self._said_ns >= _SAY_NS:
            more = f" ({self._refused} since the last such line)" if self._refused > 1 else ""
            log.warning("mqtt: refused %s%s", what, more)
            self._said_ns, self._refused = now_ns, 0

    def _send_events(self) -> None:
        while len(self._under_way) < self._link.inflight:
            entry = self._outbox.take()
            if entry is None:
                return
            body = marked(entry.body) if entry.again else entry.body
            number = self._link.publish(Message(f"{self._base}/events", body, qos=1))
            self._under_way[number] = entry.number

    def _look(self, now_ns: int) -> None:
        self._look_ns = now_ns + _LOOK_NS
        watch = self._control.config.watch
        if watch is not self._watch:
            before = self._components() if self._watch is not None else {}
            self._watch, self._counts = watch, None
            self._announce(
                [(name, settings["platform"]) for name, settings in before.items()
                 if name not in self._components()]
            )  # fmt: skip
        state = state_of(self._control, now_ns)
        state["paused"] = self.paused
        state["rules"] = self._rules_on.states([rule.name for rule in watch.rules], now_ns)
        state["queue"] = len(self._outbox)
        short = essence(state)
        if short != self._essence or now_ns - self._state_ns >= _STATE_NS:
            self._essence, self._state_ns = short, now_ns
            self._tell("state", state, retain=True)
        counts = self._control.counts()
        if counts != self._counts:
            self._counts = counts
            self._tell("counts", counts_of(counts, watch), retain=True)

    def _components(self) -> discovery.Components:
        if self._watch is None or not self._config.discovery:
            return {}
        return discovery.components_of(self._node, self._config, self._watch)

    def _announce(self, gone: list[tuple[str, str]]) -> None:
        if not self._config.discovery:
            return
        topic, board = discovery.topic_of(self._config, self._node), self._control.board().name
        for leave in ([gone] if gone else []) + [[]]:
            payload = discovery.payload_of(self._node, board, self._components(), leave)
            self._link.publish(Message(topic, payload, retain=True, qos=1))

    def _tell_all_again(self) -> None:
        """Everything that does not change by itself, with the next step."""
        self._watch, self._counts, self._essence = None, None, ()
        self._look_ns = 0

    def _tell_scene(self, now_ns: int) -> int:
        """Tell the newest scene if it is time; how long until the next one may be, in ns."""
        interval_ns = round(1e9 / self._config.scene_per_s)
        if self._scene_ns is not None and self._scene_ns + interval_ns > now_ns:
            return self._scene_ns + interval_ns - now_ns
        analysed, edition = self._control.analysed.read()
        if analysed is None or edition == self._scene_edition:
            return interval_ns
        self._scene_ns, self._scene_edition = now_ns, edition
        scene = analysed.scene
        age_s = (now_ns - scene.exposed_ns) / 1e9
        at_s = datetime.now(UTC).timestamp() - age_s
        tracks = [track.to_dict(scene.labels) for track in scene.tracks]
        self._tell("scene", {"time_s": round(at_s, 3), "seq": scene.seq, "tracks": tracks})
        return interval_ns

    def _tell_snapshot(self) -> None:
        jpeg = self._snapshots.take()
        if jpeg is not None and len(jpeg) < self._link.most_bytes - 200:
            self._link.publish(Message(f"{self._base}/snapshot", jpeg, retain=True))

    def _tell(self, topic: str, values: Mapping[str, Any], *, retain: bool = False) -> None:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
        self._link.publish(Message(f"{self._base}/{topic}", text.encode(), retain))
