"""A TCP or TLS connection with a broker, which is not waited for any longer than it is wanted."""

import errno
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from edge_vision.config_net import Broker
from edge_vision.errors import OutputError

Sockets = Sequence[socket.socket]


class NotWanted(OutputError):
    """Whoever wanted the connection does not want it any more."""


class Bell:
    """Lets another thread end a wait.  `ring` from any thread, all else from the one that waits."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        """End the wait that is under way, or the next one."""
        with suppress(OSError):  # closed
            os.eventfd_write(self._fd, 1)

    def wait(
        self, timeout_s: float, reads: Sockets = (), writes: Sockets = ()
    ) -> tuple[bool, bool]:
        """Wait for `ring`, or until a socket can be read or written; which of both is the case."""
        heard: list[Any] = [self._fd, *reads]
        readable, writable, _ = select.select(heard, writes, [], max(0.0, timeout_s))
        rung = self._fd in readable
        if rung:
            with suppress(BlockingIOError):
                os.eventfd_read(self._fd)
        return len(readable) > rung, bool(writable)

    def close(self) -> None:
        """Once is enough."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class Patience:
    """Waits for what a broker does until it is late, or until `stop` is set and `bell` rung."""

    def __init__(self, bell: Bell, stop: threading.Event, timeout_s: float) -> None:
        self._bell = bell
        self._stop = stop
        self._timeout_s = timeout_s
        self.renew()

    def renew(self) -> None:
        """Wait as long again."""
        self._until_ns = time.monotonic_ns() + round(self._timeout_s * 1e9)

    def left_s(self) -> float:
        """How long to wait yet.  Raises NotWanted, or TimeoutError when it is late."""
        if self._stop.is_set():
            raise NotWanted("the connection is not wanted any more")
        left_s = (self._until_ns - time.monotonic_ns()) / 1e9
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def until_readable(self, sock: socket.socket) -> None:
        """Wait.  Raises as `left_s` does."""
        while not self._bell.wait(self.left_s(), reads=[sock])[0]:
            pass

    def until_writable(self, sock: socket.socket) -> None:
        """Wait.  Raises as `left_s` does."""
        while not self._bell.wait(self.left_s(), writes=[sock])[1]:
            pass


def dial(broker: Broker, patience: Patience) -> socket.socket:
    """A connected TCP socket that does not block.

    Each address of the broker is given its time.  Raises OSError and NotWanted.  The resolution of
    the name alone cannot be ended early; resolv.conf(5) limits its time.
    """
    trouble = OSError(errno.EADDRNOTAVAIL, f"{broker.host} has no address")
    try:
        found = socket.getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)
    except UnicodeError:  # an empty part, or one of more than 63 characters
        raise socket.gaierror(socket.EAI_NONAME, "it is no host name") from None
    for family, kind, protocol, _name, address in found:
        patience.renew()
        try:
            return _connected(family, kind, protocol, address, patience)
        except OSError as error:
            trouble = error
    raise trouble


def _connected(
    family: int, kind: int, protocol: int, address: Any, patience: Patience
) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code == errno.EINPROGRESS:
            patience.until_writable(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except (OSError, NotWanted):
        sock.close()
        raise
    return sock


def tls_socket(patience: Patience) -> type[ssl.SSLSocket]:
    """What ssl.SSLContext.sslsocket_class may be, for one connection.

    A handshake that fails, raising OSError or NotWanted, leaves the socket closed; paho-mqtt leaves
    that to chance.
    """

    class TlsSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            self.setblocking(False)
            patience.renew()
            try:
                while not self._shaken():
                    pass
            except (OSError, NotWanted):
                self.close()
                raise

        def _shaken(self) -> bool:
            try:
                super().do_handshake()
            except ssl.SSLWantReadError:
                patience.until_readable(self)
            except ssl.SSLWantWriteError:
                patience.until_writable(self)
            else:
                return True
            return False

    return TlsSocket
