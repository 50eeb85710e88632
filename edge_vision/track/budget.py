"""What following the image may cost, and when to try again after it cost too much."""

import logging
from collections import deque

import numpy as np

log = logging.getLogger(__name__)

SHARE = 0.4
"""Most that following may take of the time between two shown frames (medians)."""
WINDOW_NS = 2_000_000_000
FIRST_PAUSE_NS, LONGEST_PAUSE_NS = 10_000_000_000, 640_000_000_000
STEADY_NS = 60_000_000_000
"""After so long without trouble the next pause is a short one again."""
_LEAST_FRAMES = 10


class Budget:
    """Says whether the board can afford to follow the image; times are times."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, float]] = deque()
        self._pause_ns = 0
        self._resume_ns = 0
        self._since_ns = 0
        self._paused = False

    def allows(self, now_ns: int) -> bool:
        """Whether to follow the image in this frame."""
        if self._paused and not self._resume_ns - self._pause_ns <= now_ns < self._resume_ns:
            # The pause is over, or time has jumped back to before it.
            self._paused = False
            self._since_ns = now_ns
        return not self._paused

    def spent(self, now_ns: int, cost_ms: float) -> None:
        """What following cost in this frame; too much for two seconds begins a pause."""
        frames = self._frames
        if frames and now_ns < frames[-1][0]:
            frames.clear()
        frames.append((now_ns, cost_ms))
        while frames[0][0] < now_ns - WINDOW_NS:
            frames.popleft()
        full = now_ns - frames[0][0] > 0.9 * WINDOW_NS
        if len(frames) < _LEAST_FRAMES or not full:
            return
        usual_ms = float(np.median([cost for _, cost in frames]))
        interval_ms = float(np.median(np.diff([at_ns for at_ns, _ in frames]))) / 1e6
        if usual_ms <= SHARE * interval_ms:
            return
        steady = now_ns - self._since_ns > STEADY_NS
        longer_ns = 0 if steady else min(2 * self._pause_ns, LONGEST_PAUSE_NS)
        self._pause_ns = max(longer_ns, FIRST_PAUSE_NS)
        self._resume_ns = now_ns + self._pause_ns
        self._paused = True
        frames.clear()
        log.warning(
            "following the image takes %.1f ms of the %.1f ms between two frames, more than this "
            "board can afford: boxes are carried by prediction alone, next try in %.0f s",
            usual_ms,
            interval_ms,
            self._pause_ns / 1e9,
        )
