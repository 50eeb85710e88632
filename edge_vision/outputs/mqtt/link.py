"""One connection with an MQTT 5 broker, driven by the thread that uses it; no thread of its own."""

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from edge_vision.config_net import Broker
from edge_vision.errors import BackendMissing, OutputError
from edge_vision.outputs.mqtt.dial import Bell, Patience, dial, tls_socket
from edge_vision.outputs.reasons import reason_of
from edge_vision.outputs.secrets import first_line, tls_context

if TYPE_CHECKING:
    from paho.mqtt.client import Client

INFLIGHT = 20
"""Most messages sent and not acknowledged; a broker may allow fewer."""
MOST_BYTES = 256 << 10
"""Larger packets the broker keeps from us (Maximum Packet Size, MQTT 5, section 3.1.2.11.4)."""
_KEEPALIVE_S = 30
_CONNECT_S = 5.0
_CLOSE_S = 0.3
_NOT_LET_IN = (134, 135, 140)
"""Bad user name or password, not authorised, bad authentication method (MQTT 5, 3.2.2.2)."""
_TAKEN_OVER = 142


class Login(NamedTuple):
    """Who we are.  password_file: its first line; tls: how to trust and to be trusted."""

    client_id: str
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class Message(NamedTuple):
    """What to publish."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 0


OnMessage = Callable[[str, bytes, bool], None]
"""Topic, payload, and whether the broker had kept it for us (retained)."""


class Link:
    """Connects, publishes and listens.  All but `wake` belongs to one thread.

    will: what the broker publishes when we vanish.  on_message: a message came.
    on_sent: the broker has taken the message of this number (QoS 1).
    Raises OutputError when a file of `login` cannot be read, BackendMissing without paho-mqtt.
    """

    def __init__(
        self,
        broker: Broker,
        login: Login,
        *,
        will: Message | None,
        on_message: OnMessage,
        on_sent: Callable[[int], None] = lambda _number: None,
    ) -> None:
        try:
            import paho.mqtt.client as paho
        except ImportError:
            raise BackendMissing(
                "MQTT needs the package paho-mqtt 2; install it with: pip install 'paho-mqtt>=2'"
            ) from None
        self._paho = paho
        self.broker = broker
        self._login = login
        self._will = will
        self._on_message = on_message
        self._on_sent = on_sent
        self._password = first_line(login.password_file, "password")
        files = (login.ca_file, login.cert_file, login.key_file)
        self._context = tls_context(*files) if broker.tls else None
        self._client: Client | None = None
        self._answer: Any = None
        self._ended = ""
        self._bell = Bell()
        self.inflight = INFLIGHT
        """Most unacknowledged messages this broker takes."""
        self.most_bytes = 1 << 28
        """Largest packet this broker takes."""

    def connect(self, stop: threading.Event | None = None, timeout_s: float = _CONNECT_S) -> None:
        """Connect and log in; `wake` ends that early once `stop` is set.

        Raises OutputError with the reason as a sentence.
        """
        patience = Patience(self._bell, stop or threading.Event(), timeout_s)
        # A new client each time: what is unacknowledged at the end of a connection is ours to send
        # again, and to mark as sent before.
        self._client = client = self._make_client(patience)
        self._answer, self._ended = None, ""
        try:
            client.connect(
                self.broker.host, self.broker.port, _KEEPALIVE_S, clean_start=True,
                properties=self._properties(),
            )  # fmt: skip
            self._await_answer(patience)
        except OSError as error:
            self.close()
            raise OutputError(_why(error, self.broker)) from None
        except OutputError:
            self.close()
            raise
        self._check_answer()

    def _await_answer(self, patience: Patience) -> None:
        patience.renew()
        while self._answer is None:
            try:
                left_s = patience.left_s()
            except TimeoutError:
                said = f"{self.broker} does not answer as an MQTT broker does"
                raise OutputError(said) from None
            self._turn(left_s)

    def _make_client(self, patience: Patience) -> "Client":
        paho = self._paho
        client: Any = paho.Client(
            paho.CallbackAPIVersion.VERSION2, self._login.client_id, protocol=paho.MQTTv5
        )
        # paho-mqtt's own way to connect cannot be ended early.
        client._create_socket_connection = lambda: dial(self.broker, patience)
        client.username_pw_set(self._login.username, self._password)
        if self._context is not None:
            self._context.sslsocket_class = tls_socket(patience)
            client.tls_set_context(self._context)
        if self._will is not None:
            topic, payload, retain, qos = self._will
            client.will_set(topic, payload, qos, retain)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._came
        client.on_publish = lambda _client, _data, number, _reason, _more: self._on_sent(number)
        return cast("Client", client)

    def _properties(self) -> Any:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = MOST_BYTES
        return properties

    def _check_answer(self) -> None:
        reason, properties = self._answer
        if reason.is_failure:
            self.close()
            who = f"the user {self._login.username!r}" if self._login.username else "us"
            cure = "check username and password_file" if reason.value in _NOT_LET_IN else ""
            said = f"{self.broker} does not let {who} in: {str(reason).lower()}"
            raise OutputError(f"{said}; {cure}" if cure else said)
        # paho itself holds back what is above INFLIGHT; a smaller limit leaves room for the few
        # messages that are sent beside those that are counted.
        allowed = getattr(properties, "ReceiveMaximum", INFLIGHT)
        self.inflight = INFLIGHT if allowed >= INFLIGHT else max(1, allowed - 3)
        self.most_bytes = getattr(properties, "MaximumPacketSize", 1 << 28)

    def publish(self, message: Message) -> int:
        """Send; the number that `on_sent` will tell for QoS 1.  Raises OutputError."""
        assert self._client is not None
        topic, payload, retain, qos = message
        try:
            return self._client.publish(topic, payload, qos, retain).mid
        except OSError as error:
            raise OutputError(_why(error, self.broker)) from None

    def listen(self, topics: list[tuple[str, int, bool]]) -> None:
        """Subscribe: topic filter, QoS, and whether to get what the broker has kept of them."""
        from paho.mqtt.subscribeoptions import SubscribeOptions

        assert self._client is not None
        wanted = [
            (topic, SubscribeOptions(qos, retainHandling=0 if kept else 2))
            for topic, qos, kept in topics
        ]
        if wanted:
            self._client.subscribe(wanted)

    def step(self, timeout_s: float) -> None:
        """Send and receive what there is, after waiting for it up to `timeout_s`, or for `wake`.

        Raises OutputError when the connection has ended.
        """
        try:
            self._turn(timeout_s)
        except OSError as error:
            raise OutputError(_why(error, self.broker)) from None

    def wake(self) -> None:
        """Let `step` return; any thread."""
        self._bell.ring()

    def rest(self, timeout_s: float) -> None:
        """Wait without a connection, up to `timeout_s` or for `wake`."""
        self._bell.wait(timeout_s)

    def close(self) -> None:
        """End the connection in order, if there is one."""
        client, self._client = self._client, None
        if client is None:
            return
        with suppress(OSError):
            client.disconnect()
            sock = client.socket()
            if sock is not None and client.want_write():
                select.select([], [sock], [], _CLOSE_S)
                client.loop_write()
        client.on_disconnect = None

    def release(self) -> None:
        """Close, for good."""
        self.close()
        self._bell.close()

    def _turn(self, timeout_s: float) -> None:
        client = self._client
        assert client is not None
        sock: Any = client.socket()
        if sock is None:
            raise OutputError(self._end())
        decrypted = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        writes = [sock] if client.want_write() else []
        wait_s = 0.0 if decrypted else max(0.0, min(timeout_s, 1.0))
        readable, writable = self._bell.wait(wait_s, [sock], writes)
        if readable or decrypted:
            client.loop_read()
        if writable or client.want_write():
            client.loop_write()
        client.loop_misc()
        if client.socket() is None and self._answer is None:
            raise OutputError(self._end())

    def _end(self) -> str:
        if self._ended:
            return f"{self.broker} ended the connection: {self._ended}"
        if self._answer is None:
            hint = "" if self.broker.tls else "; if it wants TLS, write mqtts://"
        else:
            # Some brokers do not tell that it was for another connection of the same name.
            hint = f": it stopped, or another client calls itself {self._login.client_id!r}, too"
        return f"{self.broker} ended the connection{hint}"

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, more: Any) -> None:
        self._answer = (reason, more)

    def _disconnected(self, _client: Any, _data: Any, flags: Any, reason: Any, _more: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._ended = str(reason).lower()
            if reason.value == _TAKEN_OVER:
                self._ended = (
                    f"another client calls itself {self._login.client_id!r}, too; give each board "
                    "a node.name of its own"
                )

    def _came(self, _client: Any, _data: Any, message: Any) -> None:
        with suppress(UnicodeDecodeError):  # no topic of ours
            self._on_message(message.topic, message.payload, message.retain)


def _why(error: OSError, broker: Broker) -> str:
    """Why there is no connection, and what mends it."""
    if isinstance(error, socket.gaierror):
        return f"the name {broker.host} does not resolve ({error.strerror}); check the address"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {broker} is not accepted: {error.verify_message}; check the host "
            "name, or give ca_file"
        )
    if isinstance(error, ssl.SSLError):
        return f"{broker} and we cannot agree on TLS: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return f"{broker} does not answer"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {broker}; is the broker running?"
    return f"no connection with {broker}: {reason_of(error)}"
