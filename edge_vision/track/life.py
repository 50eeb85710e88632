"""What a track has besides its motion: number, class, score, and how sure all that is."""

import math
from dataclasses import dataclass
from typing import Literal

SURE_SCORE = 0.6
"""A new object with this score is believed at once."""

_SCORE_MEMORY_S = 0.5
_LONGEST_LOOK_S = 0.2
"""A single sighting says no more about the class than so many seconds of continuous sight."""
_MOST_TRUST_S = 2.0


@dataclass(slots=True, eq=False)
class Life:
    """One object, from its first detection to its end.

    score: smoothed over half a second of sightings.
    trust_s: seconds in which it was seen as its class, minus those in which as another one, each
    weighted with the score, 0 to 2: below 0 the class changes.
    """

    id: int
    class_id: int
    score: float
    first_seen_ns: int
    last_seen_ns: int
    confirmed: bool
    trust_s: float = 0.0

    def see(self, score: float, class_id: int, strong: bool, now_ns: int, confirm_ns: int) -> None:
        """A detection was found to be this object.

        strong: it could have started a track.
        confirm_ns: a strong sighting confirms when it comes within so long after the one before.
        """
        unseen_ns = now_ns - self.last_seen_ns
        look_s = min(unseen_ns / 1e9, _LONGEST_LOOK_S) * score
        self.last_seen_ns = now_ns
        if class_id == self.class_id:
            self.confirmed = self.confirmed or (strong and unseen_ns <= confirm_ns)
            self.confirmed = self.confirmed or score >= SURE_SCORE
            fresh = 1 - math.exp(-unseen_ns / 1e9 / _SCORE_MEMORY_S)
            self.score += fresh * (score - self.score)
            self.trust_s = min(self.trust_s + look_s, _MOST_TRUST_S)
            return
        self.trust_s -= look_s
        if self.trust_s < 0:
            self.class_id, self.score, self.trust_s = class_id, score, 0.0

    def state(self, now_ns: int) -> Literal["tentative", "confirmed", "coasting"]:
        """As `results.Track` has it."""
        if not self.confirmed:
            return "tentative"
        return "confirmed" if self.last_seen_ns == now_ns else "coasting"
