"""The last seconds, already encoded: the part of a clip that was before its event."""

import threading
from collections import deque
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What a run of packets has in common; another encoder makes another one.

    codec: FFmpeg's name (h264, mpeg4, mjpeg).  Each packet of a key picture holds its headers.
    """

    codec: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One encoded picture.  number: grows by one.  at_ns: when it was exposed."""

    number: int
    at_ns: int
    data: bytes
    is_key: bool
    stream: Stream


class Ring:
    """Encoded pictures, the oldest dropped; it begins with a key picture.  Any thread.

    keep_s: what is kept at least, as far as `most_bytes` allows it.
    """

    def __init__(self, keep_s: float, most_bytes: int) -> None:
        self._keep_ns = round(keep_s * 1e9)
        self._most_bytes = most_bytes
        self._pieces: deque[Piece] = deque()
        self._lock = threading.Lock()
        self._next = 0
        self.bytes = 0
        """Of all pictures in it."""

    def add(self, stream: Stream, at_ns: int, data: bytes, is_key: bool) -> None:
        """Add the next picture; one without a key picture before it is dropped."""
        with self._lock:
            if self._pieces and at_ns - self._pieces[-1].at_ns > self._keep_ns:
                self._pieces.clear()  # the camera was away: a clip would begin with long ago
                self.bytes = 0
            if self._pieces or is_key:
                self._pieces.append(Piece(self._next, at_ns, data, is_key, stream))
                self._next += 1
                self.bytes += len(data)
            while self.bytes > self._most_bytes or self._second_key_is_old(at_ns):
                self._drop_group()

    def start_for(self, at_ns: int) -> int | None:
        """Number of the last key picture at or before a time, else of the first; None: empty."""
        with self._lock:
            keys = (p.number for p in reversed(self._pieces) if p.is_key and p.at_ns <= at_ns)
            first = self._pieces[0].number if self._pieces else None
            return next(keys, first)

    def since(self, number: int) -> list[Piece]:
        """Pictures from a number on, the first ones missing where they were dropped."""
        with self._lock:
            if not self._pieces:
                return []
            return list(islice(self._pieces, max(0, number - self._pieces[0].number), None))

    def _second_key_is_old(self, now_ns: int) -> bool:
        if not self._pieces or now_ns - self._pieces[0].at_ns <= self._keep_ns:
            return False
        keys = (p.at_ns for p in islice(self._pieces, 1, None) if p.is_key)
        return next(keys, now_ns) < now_ns - self._keep_ns

    def _drop_group(self) -> None:
        self.bytes -= len(self._pieces.popleft().data)
        while self._pieces and not self._pieces[0].is_key:
            self.bytes -= len(self._pieces.popleft().data)
