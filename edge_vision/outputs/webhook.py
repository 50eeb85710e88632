"""Each event posted to a web server as JSON, when it begins and when it ends, signed if wanted."""

import hashlib
import hmac
import http.client
import logging
import random
import re
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from edge_vision import __version__
from edge_vision.config_net import WebhookConfig
from edge_vision.errors import OutputError
from edge_vision.events import Event
from edge_vision.outputs.messages import body_of, marked
from edge_vision.outputs.reasons import reason_of
from edge_vision.outputs.secrets import first_line, tls_context
from edge_vision.outputs.teller import KeepingTeller

log = logging.getLogger(__name__)

SIGNATURE = "X-Edge-Vision-Signature"
"""t=<Unix time>,v1=<hex>: HMAC-SHA256 with the secret over "<Unix time>." and the body."""

_FIRST_PAUSE_S = 1.0
_REFUSED = frozenset({400, 413, 422})
"""The message itself is not wanted: sending it again would hold up all others for ever."""
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_MOST_ANSWER_BYTES = 16 << 10


def sign(secret: str, body: bytes, now_s: int) -> str:
    """The value of the header SIGNATURE.  now_s: Unix time."""
    code = hmac.new(secret.encode(), b"%d." % now_s + body, hashlib.sha256).hexdigest()
    return f"t={now_s},v1={code}"


class WebhookOutput(KeepingTeller):
    """Retries with growing pauses until the server answers with 2xx; what waits is kept on disk.

    Redirects are not followed: what was signed for one server is nobody else's business.
    """

    name = "webhook"
    wants: Literal["scenes", "pictures"] = "scenes"

    def __init__(self, config: WebhookConfig, *, patient: bool = False) -> None:
        super().__init__()
        self._config = config
        self._url = urlsplit(config.url or "http://127.0.0.1")
        self._where = f"{self._url.scheme}://{self._url.netloc}"
        """For messages: a path may be a secret."""
        self._secret: str | None = None
        self._context: ssl.SSLContext | None = None
        self._ready = threading.Event()

    def start(self) -> None:
        """Read the files it needs and begin to send.  Raises OutputError."""
        if self._control is None:
            log.info("webhook: nothing is sent, as this is no live run")
            return
        config = self._config
        self._secret = first_line(config.secret_file, "secret")
        if self._url.scheme == "https":
            self._context = tls_context(config.ca_file)
        self._open_outbox(config.queue_mb, self._ready.set)
        self._started = True
        self._outbox.start()
        self._worker.start()

    def on_event(self, event: Event) -> None:
        """Queue what begins and what ends; never waits."""
        if self._started:
            for phase in self._phases.of(event):
                self._outbox.put(body_of(event, phase))
                self._ready.set()

    def close(self, timeout_s: float) -> None:
        """End the request under way, and write down what waits."""
        if not self._started:
            return
        self._started = False
        deadline = time.monotonic() + timeout_s
        self._worker.stop()
        self._ready.set()
        if not self._worker.join(timeout_s * 0.75):
            log.info("webhook: %s has not answered; the message is sent again", self._where)
        self._close_outbox(deadline - time.monotonic())

    def _run(self, stop: threading.Event) -> None:
        pause_s = _FIRST_PAUSE_S
        while not stop.is_set():
            self._ready.clear()
            entry = self._outbox.take()
            if entry is None:
                if not stop.is_set():
                    self._ready.wait()
                continue
            try:
                self._post(marked(entry.body) if entry.again else entry.body, stop)
            except OutputError as error:
                self._trouble(error)
                self._outbox.again()
                stop.wait(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, self._config.retry_max_s)
            else:
                self._outbox.done(entry.number)
                pause_s = _FIRST_PAUSE_S

    def _post(self, body: bytes, stop: threading.Event) -> None:
        """Send one message.  Raises OutputError when it is to be sent again."""
        try:
            status = self._exchange(body, stop)
        except socket.gaierror as error:
            raise OutputError(
                f"the name {self._url.hostname} does not resolve ({error.strerror})"
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise OutputError(
                f"the certificate of {self._where} is not accepted: {error.verify_message}; check "
                "the host name, or give ca_file"
            ) from None
        except TimeoutError:
            raise OutputError(
                f"{self._where} has not answered within {self._config.timeout_s:g} s"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = reason_of(error) if isinstance(error, OSError) else str(error)
            raise OutputError(f"nothing arrives at {self._where}: {reason}") from None
        if 300 <= status < 400:
            raise OutputError(
                f"{self._where} answers {status}, a redirect, which is not followed; give the "
                "final address"
            )
        if status in _REFUSED:
            log.error("webhook: %s refuses a message for good (%d)", self._where, status)
            assert self._control is not None
            self._control.telemetry.drop("webhook refused")
        elif not 200 <= status < 300:
            raise OutputError(f"{self._where} answers {status}")
        if self._fault is not None:
            log.info("webhook: %s answers again", self._where)
            self._fault = None

    def _exchange(self, body: bytes, stop: threading.Event) -> int:
        """The status that the server answers with, in time as a whole."""
        deadline = time.monotonic() + self._config.timeout_s
        url, timeout_s = self._url, self._config.timeout_s
        host = url.hostname or ""
        connection = (
            http.client.HTTPConnection(host, url.port, timeout=timeout_s)
            if self._context is None
            else http.client.HTTPSConnection(
                host, url.port, timeout=timeout_s, context=self._context
            )
        )
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"edge-vision/{__version__}",
            "Connection": "close",
        }
        if self._secret is not None:
            now_s = int(datetime.now(UTC).timestamp())
            headers[SIGNATURE] = sign(self._secret, body, now_s)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection.request("POST", path, body, headers)
            assert connection.sock is not None
            return _status(connection.sock, deadline, stop)
        finally:
            connection.close()


def _status(sock: socket.socket, deadline: float, stop: threading.Event) -> int:
    """Read an answer's status and as much of the rest as comes at once.

    By hand: http.client gives each byte a time of its own, and a server may send one a minute.
    """
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _MOST_ANSWER_BYTES:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or stop.is_set():
            break
        sock.settimeout(min(left_s, 0.25))
        try:
            more = sock.recv(4096)
        except TimeoutError:
            continue
        if not more:
            break
        answer += more
    found = _STATUS_LINE.match(answer)
    if found is not None:
        return int(found[1])
    if time.monotonic() >= deadline and not stop.is_set():
        raise TimeoutError
    raise http.client.HTTPException("it does not answer as a web server does")
