"""Who is logged in, and who has guessed too often.  In memory: a new start ends every session."""

import hashlib
import ipaddress
import secrets
from collections import OrderedDict

_S = 1_000_000_000
_DAY_NS = 24 * 3600 * _S


class Sessions:
    """Tickets of browsers that have logged in.  Only their hashes are kept.

    A ticket ends 7 days after its last use, 30 days after its issue, at `end`, and when a hundred
    newer ones were issued.
    """

    most = 100
    idle_ns = 7 * _DAY_NS
    life_ns = 30 * _DAY_NS

    def __init__(self) -> None:
        # Hash -> when issued, when used last; the oldest issued first.
        self._known: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def begin(self, now_ns: int) -> str:
        """A new ticket of 256 random bits."""
        ticket = secrets.token_urlsafe(32)
        self._known[_hash(ticket)] = now_ns, now_ns
        if len(self._known) > self.most:
            self._known.popitem(last=False)
        return ticket

    def valid(self, ticket: str, now_ns: int) -> bool:
        """The ticket was issued here and has not ended; counts as use."""
        key = _hash(ticket)
        times = self._known.get(key)
        if times is None:
            return False
        issued_ns, used_ns = times
        if now_ns - issued_ns >= self.life_ns or now_ns - used_ns >= self.idle_ns:
            del self._known[key]
            return False
        self._known[key] = issued_ns, now_ns
        return True

    def end(self, ticket: str) -> None:
        """Log out; an unknown ticket is no error."""
        self._known.pop(_hash(ticket), None)


class Guesses:
    """How long an address has to wait before it may try a password again.

    The first five tries are free; each one after that costs 1 s, 2 s, 4 s ... 300 s of waiting.
    Of IPv6 all addresses of a /64 count as one: a single computer has them all.  The addresses that
    tried last are remembered, at most 1024, and for a day.
    """

    free = 5
    longest_s = 300
    most = 1024

    def __init__(self) -> None:
        # Address -> tries without success, when the next one is allowed.
        self._known: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def wait_s(self, address: str, now_ns: int) -> int:
        """Whole seconds until a try is allowed; 0 when it is now."""
        _, allowed_ns = self._known.get(_network(address), (0, 0))
        return max(0, -((now_ns - allowed_ns) // _S))

    def tried(self, address: str, now_ns: int) -> None:
        """A password is about to be looked at: counted before, so that many at once are slowed."""
        key = _network(address)
        tries, allowed_ns = self._known.pop(key, (0, 0))
        if now_ns - allowed_ns > _DAY_NS:
            tries = 0
        tries += 1
        over = tries - self.free
        wait_s = min(1 << min(over, 9), self.longest_s) if over >= 0 else 0
        self._known[key] = tries, now_ns + wait_s * _S
        if len(self._known) > self.most:
            self._known.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """The password was right: the address starts anew."""
        self._known.pop(_network(address), None)


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogateescape")).digest()


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # no network address, as of a socket file
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
