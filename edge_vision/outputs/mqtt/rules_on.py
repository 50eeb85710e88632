"""Which rules have something to tell now, for binary sensors."""

import threading
from collections.abc import Iterable

from edge_vision.events import Event

HOLD_NS = 3_000_000_000
"""A rule is on for so long at least: a crossing lasts no time, and nobody would see it."""


class RulesOn:
    """Written by the thread that makes events, read by any."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        """Event -> rule."""
        self._until_ns: dict[str, int] = {}
        self._lock = threading.Lock()

    def seen(self, event: Event, now_ns: int) -> None:
        """An event began, goes on, or ended."""
        with self._lock:
            if event.end_s is None:
                self._open[event.id] = event.rule
            known = self._open.get(event.id) is not None
            if event.end_s is not None:
                self._open.pop(event.id, None)
            if event.end_s is None or not known:
                self._until_ns[event.rule] = now_ns + HOLD_NS

    def states(self, rules: Iterable[str], now_ns: int) -> dict[str, bool]:
        """Rule -> something goes on, or began less than HOLD_NS ago."""
        with self._lock:
            under_way = set(self._open.values())
            return {
                rule: rule in under_way or self._until_ns.get(rule, now_ns) > now_ns
                for rule in rules
            }
