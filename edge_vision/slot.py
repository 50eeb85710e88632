"""Hand-over between threads: the newest item wins, or the giver waits; never a growing queue."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """One place, one taker.

    An item that was not taken when the next one comes is passed to `on_drop`; so is an item put
    after `close()`.  With `wait=True` the giver waits for the place to be empty instead, and only
    closing drops.  `on_drop` runs in the giver's thread (or the closer's), outside the lock.
    """

    def __init__(self, on_drop: Callable[[T], None], *, wait: bool = False) -> None:
        self._on_drop = on_drop
        self._wait = wait
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False

    def put(self, item: T) -> bool:
        """Offer an item; False when it was dropped because the slot is closed."""
        dropped: T | None = None
        with self._changed:
            while self._wait and self._item is not None and not self._closed:
                self._changed.wait()
            accepted = not self._closed
            if accepted:
                dropped, self._item = self._item, item
                self._changed.notify_all()
        if not accepted:
            self._on_drop(item)
        elif dropped is not None:
            self._on_drop(dropped)
        return accepted

    def take(self, timeout_s: float | None = None) -> T | None:
        """Wait for an item; None when the slot is closed and empty, or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            if item is not None and self._wait:
                self._changed.notify_all()
            return item

    def close(self, *, drain: bool = False) -> None:
        """Take no more items.  What lies here is dropped, or with `drain` left for the taker."""
        with self._changed:
            self._closed = True
            dropped: T | None = None
            if not drain:
                dropped, self._item = self._item, None
            self._changed.notify_all()
        if dropped is not None:
            self._on_drop(dropped)

    @property
    def closed(self) -> bool:
        """No more items come; `take()` still gives one that was left by `close(drain=True)`."""
        return self._closed


class Bulletin(Generic[T]):
    """One writer posts, any number of readers look; a slow reader skips what it missed."""

    def __init__(self, first: T) -> None:
        self._posted = (first, 0)
        self._changed = threading.Condition()

    def post(self, value: T) -> None:
        """Replace what readers see."""
        with self._changed:
            self._posted = (value, self._posted[1] + 1)
            self._changed.notify_all()

    def read(self) -> tuple[T, int]:
        """The newest value and its edition (0 = the first); never waits."""
        return self._posted  # one reference: a reader sees the old pair or the new pair

    def wait_newer(self, edition: int, timeout_s: float) -> tuple[T, int]:
        """Like `read()`, after waiting up to `timeout_s` for an edition after `edition`."""
        with self._changed:
            self._changed.wait_for(lambda: self._posted[1] > edition, timeout_s)
        return self._posted
