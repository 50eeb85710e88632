"""Who is logged in, and who has guessed too often.  In memory: a new start ends every session."""

import hashlib
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

_S = 1_000_000_000
_DAY_NS = 24 * 3600 * _S


@dataclass(slots=True)
class _Session:
    """cuts: each ends an answer that is being given to it."""

    issued_ns: int
    used_ns: int
    cuts: list[Callable[[], None]] = field(default_factory=list)


class Sessions:
    """Tickets of browsers that have logged in.  Only their hashes are kept.

    A ticket ends 7 days after its last use, 30 days after its issue, at `end`, and when a hundred
    newer ones were issued; and with it the answers that are still being given to it.
    """

    most = 100
    idle_ns = 7 * _DAY_NS
    life_ns = 30 * _DAY_NS

    def __init__(self) -> None:
        # By hash; the oldest issued first.
        self._known: OrderedDict[bytes, _Session] = OrderedDict()

    def begin(self, now_ns: int) -> str:
        """A new ticket of 256 random bits."""
        ticket = secrets.token_urlsafe(32)
        self._known[_hash(ticket)] = _Session(now_ns, now_ns)
        if len(self._known) > self.most:
            self._end(next(iter(self._known)))
        return ticket

    def valid(self, ticket: str, now_ns: int) -> bool:
        """The ticket was issued here and has not ended; counts as use."""
        key = _hash(ticket)
        session = self._known.get(key)
        if session is None:
            return False
        idle = not session.cuts and now_ns - session.used_ns >= self.idle_ns
        if idle or now_ns - session.issued_ns >= self.life_ns:
            self._end(key)
            return False
        session.used_ns = now_ns
        return True

    def begin_answer(self, ticket: str, cut: Callable[[], None]) -> int:
        """An answer begins for a valid ticket, which is in use until `end_answer`.

        cut: ends the answer; called when the ticket ends before it.  Returns when the ticket ends
        at the latest, in ns.
        """
        session = self._known[_hash(ticket)]
        session.cuts.append(cut)
        return session.issued_ns + self.life_ns

    def end_answer(self, ticket: str, cut: Callable[[], None], now_ns: int) -> None:
        """The answer has ended, by itself or not."""
        session = self._known.get(_hash(ticket))
        if session is not None:
            session.cuts.remove(cut)
            session.used_ns = now_ns

    def end(self, ticket: str) -> None:
        """Log out; an unknown ticket is no error."""
        self._end(_hash(ticket))

    def _end(self, key: bytes) -> None:
        session = self._known.pop(key, None)
        if session is not None:
            for cut in session.cuts:
                cut()


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
