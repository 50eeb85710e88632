"""The times of one shown picture."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Which picture is drawn, and when it was taken.

    seq: the frame's number, from 0; a gap = frames not shown.  media_ns: its position on the
    source's own timeline, from 0; the times in tracks are of this clock.
    exposed_ns, now_ns: when it was exposed and when it is drawn, both of `time.monotonic_ns`.
    """

    seq: int
    exposed_ns: int
    media_ns: int
    now_ns: int
