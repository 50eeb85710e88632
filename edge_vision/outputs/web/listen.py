"""Where the server listens: the address, the socket, and the sentence when it cannot be had."""

import errno
import ipaddress
import socket

from edge_vision.config_web import WebConfig
from edge_vision.errors import ConfigError, OutputError
from edge_vision.outputs.web.holder import port_holder

_BACKLOG = 64
_NO_ROUTE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses of documentation (RFC 5737, RFC 3849): only looked up in the table of routes."""


class PortTaken(OutputError):
    """Another program listens there."""


def listen(config: WebConfig) -> socket.socket:
    """A socket that listens, not yet accepting.

    Raises ConfigError when everybody in the network could look without a login, or the name means
    no address; PortTaken; OutputError when the system does not let it listen there.
    """
    family, address = _resolve(config)
    here = ipaddress.ip_address(address[0].partition("%")[0])
    if not here.is_loopback and config.password_file is None and config.token_file is None:
        raise ConfigError(
            f"outputs.web.host is {config.host}: everybody in the network could watch; make a "
            "password by `edge-vision password FILE` and set outputs.web.password_file to FILE, or "
            "leave the host at 127.0.0.1"
        )
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _refused(config, error) from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # :: is IPv4, too
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _refused(config, error) from None
    return sock


def page_url(sock: socket.socket, scheme: str) -> str:
    """An address for a browser, with a slash at its end; of every network: of this board in it."""
    host, port = sock.getsockname()[:2]
    if ipaddress.ip_address(host.partition("%")[0]).is_unspecified:
        host = _own_address(sock.family) or f"{socket.gethostname()}.local"
    default = {"http": 80, "https": 443}[scheme]
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}/" if port == default else f"{scheme}://{name}:{port}/"


def _resolve(config: WebConfig) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else "no name of a host"
        raise ConfigError(
            f"outputs.web.host: {config.host!r} is no address of this computer: {reason}; expected "
            "one such as 127.0.0.1, 0.0.0.0 or ::, or a name that stands for one"
        ) from None
    # A name of both kinds, as localhost: IPv4, which every browser tries.
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address  # type: ignore[return-value]  # IPv6 has two more


def _refused(config: WebConfig, error: OSError) -> OutputError:
    where = f"the live page cannot listen at {config.host}, port {config.port}: "
    if error.errno == errno.EADDRINUSE:
        holder = port_holder(config.port)
        by = f"{holder} uses it" if holder else "another program uses it"
        return PortTaken(f"{where}{by}; end that, or choose another outputs.web.port")
    if error.errno == errno.EADDRNOTAVAIL:
        return OutputError(
            f"{where}no network of this computer has that address; `ip address` lists those it "
            "has, and outputs.web.host 0.0.0.0 takes all of them"
        )
    if error.errno == errno.EACCES:
        return OutputError(
            f"{where}ports below 1024 need a right that this user does not have; choose "
            "outputs.web.port 1024 or higher"
        )
    return OutputError(f"{where}{error.strerror}")


def _own_address(family: int) -> str:
    """The board's own address in the network it would leave by; nothing is sent for it."""
    # People type an IPv4 address, which a socket of IPv6 takes as well.
    for kind in dict.fromkeys((socket.AF_INET, family)):
        try:
            with socket.socket(kind, socket.SOCK_DGRAM) as probe:
                probe.connect((_NO_ROUTE[socket.AddressFamily(kind)], 9))
                return str(probe.getsockname()[0])
        except OSError:  # no network of that kind
            continue
    return ""
