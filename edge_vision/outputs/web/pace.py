"""How many requests are answered in a second: a flood of them must not slow the detector."""

MOST_PER_S = 2000.0
BURST_S = 0.02
"""What comes at once may be answered at once, up to what this long is allowed."""


class Pace:
    """Requests beyond a rate wait their turn (a leaky bucket as a meter, ITU-T I.371, annex A)."""

    def __init__(self, most_per_s: float = MOST_PER_S, burst_s: float = BURST_S) -> None:
        self._period_s = 1 / most_per_s
        self._burst_s = burst_s
        self._free_s = 0.0
        """When all that was let through would have come at the rate."""

    def wait_s(self, now_s: float) -> float:
        """Seconds that a request which comes now has to wait; it is counted."""
        self._free_s = max(self._free_s, now_s) + self._period_s
        return max(0.0, self._free_s - now_s - self._burst_s)
