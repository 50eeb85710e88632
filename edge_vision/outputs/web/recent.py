"""How many objects of each class there were in the last minutes."""

import threading
from array import array
from collections.abc import Iterable

from edge_vision.outputs.web.shapes import RecentShape

STEP_NS = 2_000_000_000
STEPS = 300
_MOST_CLASSES = 32
"""Those seen last are kept: 20 kB in all."""
_MOST = 0xFFFF


class Recent:
    """The most objects at once in each of 300 steps of 2 s, for each class; any thread.

    now_ns: time.monotonic_ns, never earlier than in the call before; a step without a scene says 0.
    """

    def __init__(self, start_ns: int) -> None:
        self._lock = threading.Lock()
        self._first = self._step = start_ns // STEP_NS
        self._counts: dict[str, array[int]] = {}
        """Rings: the place of a step is its number modulo STEPS.  Seen longest ago comes first."""

    def add(self, labels: Iterable[str], now_ns: int) -> None:
        """The labels of all objects in one scene."""
        seen: dict[str, int] = {}
        for label in labels:
            seen[label] = seen.get(label, 0) + 1
        with self._lock:
            self._go_to(now_ns // STEP_NS)
            place = self._step % STEPS
            for label, count in seen.items():
                ring = self._counts.pop(label, None) or array("H", bytes(2 * STEPS))
                ring[place] = min(max(ring[place], count), _MOST)
                self._counts[label] = ring
            while len(self._counts) > _MOST_CLASSES:
                del self._counts[next(iter(self._counts))]

    def shape(self, now_ns: int) -> RecentShape:
        """For the API: steps since the start, at most 300, the oldest first."""
        with self._lock:
            self._go_to(now_ns // STEP_NS)
            count = min(self._step - self._first + 1, STEPS)
            steps = range(self._step - count + 1, self._step + 1)
            classes = {
                label: [ring[step % STEPS] for step in steps]
                for label, ring in self._counts.items()
                if any(ring)
            }
        ages = [round((now_ns - step * STEP_NS) / 1e9, 3) for step in steps]
        return {"step_s": STEP_NS / 1e9, "age_s": ages, "classes": classes}

    def _go_to(self, step: int) -> None:
        """Empty the places of the steps since the last one."""
        for passed in range(max(self._step + 1, step - STEPS + 1), step + 1):
            for ring in self._counts.values():
                ring[passed % STEPS] = 0
        self._step = max(self._step, step)
