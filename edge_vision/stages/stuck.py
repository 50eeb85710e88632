"""Noticing an inference that does not end."""

from edge_vision.errors import DetectorError

_LONGEST_STEP_NS = 1_000_000_000
"""What one look may add to the time an inference has been seen under way."""


class StuckWatch:
    """Looks, every so often, at which inference is under way, and for how long it has been so."""

    def __init__(self) -> None:
        self._looked_ns = 0
        self._run, self._spent_ns = 0, 0

    def is_stuck(self, running: int, now_ns: int, deadline_s: float) -> bool:
        """Whether inference number `running` (0: none) has been seen for longer than deadline_s."""
        # A process that was stopped itself (Ctrl-Z) must not take that time for the detector's.
        step_ns = min(now_ns - self._looked_ns, _LONGEST_STEP_NS)
        self._looked_ns = now_ns
        self._spent_ns = self._spent_ns + step_ns if running == self._run else 0
        self._run = running
        return running != 0 and self._spent_ns > deadline_s * 1e9


def stuck_error(running: int, deadline_s: float, engine: str) -> DetectorError:
    """What to say of inference number `running` of an engine."""
    return DetectorError(
        f"inference {running} is stuck: no result within {deadline_s:g} s (model.deadline_s) from "
        f"{engine}; start again, or try model.delegate: cpu"
    )
