"""Real-time pace: when a frame of a made or recorded source is due on the monotonic clock."""

import time
from collections.abc import Callable


class Pacer:
    """Ties a source's own timeline (`media_ns`, from 0) to the monotonic clock.

    clock_ns: the clock, int ns.  wait_s: blocks for about so many seconds; it may end early or
    late.  Both are arguments so that tests run without waiting.

    Until the first `start()`, media time 0 is due at once when first asked for.
    """

    def __init__(
        self,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wait_s: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock_ns = clock_ns
        self._wait_s = wait_s
        self._origin_ns: int | None = None

    def start(self, media_ns: int = 0) -> None:
        """Make `media_ns` due now.  Call it again after a seek, a pause or a new start."""
        self._origin_ns = self._clock_ns() - media_ns

    def now_ns(self) -> int:
        """The clock's time."""
        return self._clock_ns()

    def due_ns(self, media_ns: int) -> int:
        """The clock's time at which `media_ns` is due."""
        if self._origin_ns is None:
            self.start()
            assert self._origin_ns is not None
        return self._origin_ns + media_ns

    def media_ns(self) -> int:
        """The media time that is due now."""
        return self._clock_ns() - self.due_ns(0)

    def wait_until(self, due_ns: int, timeout_s: float) -> bool:
        """Wait until the clock reads `due_ns`; False when it still does not after `timeout_s`.

        Returns True at once for a time that has passed, also with a time-out of 0.
        """
        now = self._clock_ns()
        give_up = now + max(0, round(timeout_s * 1e9))
        while now < due_ns and now < give_up:
            self._wait_s((min(due_ns, give_up) - now) / 1e9)
            now = self._clock_ns()
        return now >= due_ns
