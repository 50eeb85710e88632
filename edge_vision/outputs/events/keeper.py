"""The one thread that writes the log, the pictures and the clips."""

import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime

from edge_vision.errors import OutputError
from edge_vision.events import Event
from edge_vision.outputs.events.kept import Kept, encoded, is_settled
from edge_vision.outputs.events.recorder import Recorder
from edge_vision.outputs.events.shelf import Occupied, Shelf
from edge_vision.outputs.events.store import CLIPS, PICTURES, EventRow, Unusable
from edge_vision.outputs.events.tidying import unlink
from edge_vision.outputs.events.views import Views
from edge_vision.outputs.reasons import reason_of

log = logging.getLogger(__name__)

_COMMIT_NS = 1_000_000_000
"""Least time from one commit to the next: SD cards wear."""
_CALM_NS = 10_000_000_000
"""Likewise, where an event only got a better score."""
_RETRY_NS, _OCCUPIED_NS = 5_000_000_000, 60_000_000_000
_STEP_S, _IDLE_S = 0.5, 10.0
_MOST_KEPT = 1000
"""Events held in memory while the disk takes none; the oldest go first."""
_MOST_PICTURES = 64
"""Events whose pictures are held likewise: some 10 MB, where they are whole pictures."""


class Keeper:
    """Takes events from any thread, and writes them in its own.

    A disk that fails is a state (`trouble`): events are held meanwhile, up to a bound, and it tries
    again by itself.  eager: whether the folder is to be opened before the first event; asked again
    and again.
    """

    def __init__(
        self, shelf: Shelf, recorder: Recorder, views: Views, eager: Callable[[], bool]
    ) -> None:
        self.lost = 0
        """Events that were dropped, as the disk took none for too long."""
        self._shelf = shelf
        self._recorder = recorder
        self._views = views
        self._eager = eager
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False
        self._news: dict[str, Event] = {}
        self._requests: deque[tuple[str, Future[bool]]] = deque()
        self._kept: dict[str, Kept] = {}
        self._removed: deque[str] = deque(maxlen=100)
        self.trouble: str | None = None
        """What is wrong now, as a sentence."""
        self._failure: str | None = None
        self._retry_ns = 0
        self._commit_ns = -_COMMIT_NS

    def tell(self, event: Event) -> None:
        """News of an event; never waits."""
        with self._changed:
            is_new = event.id not in self._news and event.id not in self._kept
            self._news[event.id] = event
            if len(self._news) > _MOST_KEPT:
                del self._news[next(iter(self._news))]
                self.lost += 1
            if is_new or event.end_s is not None:
                self._woken = True
                self._changed.notify()

    def remove(self, event_id: str) -> "Future[bool]":
        """See History.delete."""
        answer: Future[bool] = Future()
        with self._changed:
            self._requests.append((event_id, answer))
            self._woken = True
            self._changed.notify()
            closed = self._closed
        if closed:
            self._refuse_requests()
        return answer

    def wake(self) -> None:
        """Look at once whether it is to end."""
        with self._changed:
            self._changed.notify()

    def run(self, stop: threading.Event) -> None:
        """Until it is stopped, and woken."""
        while not stop.is_set():
            self.step(time.monotonic_ns(), datetime.now(UTC))
            with self._changed:
                self._changed.wait_for(lambda: self._woken or stop.is_set(), self._pause_s())
                self._woken = False
        self.step(time.monotonic_ns(), datetime.now(UTC), last=True)
        self.close()

    def step(self, now_ns: int, now: datetime, *, last: bool = False) -> None:
        """Do what there is to do.  last: it is the end, so all of it, and clips are finished."""
        self._take_news(now_ns, now.timestamp())
        try:
            if self._opened(now_ns, now):
                self._work(now_ns, now, last)
                if self._failure is not None:
                    log.info("events: written again to %s", self._shelf.folder)
                self._failure = None
        except OutputError as error:
            self._fail(str(error), now_ns)
        except OSError as error:
            self._fail(self._sentence(reason_of(error)), now_ns)
        except sqlite3.OperationalError as error:
            self._fail(self._sentence(str(error)), now_ns)
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # not the file, but what is asked of it
                raise
            self._fail(self._sentence(str(error)), now_ns)
            self._start_anew(Unusable("corrupt", str(error)), now_ns, now)
        self.trouble = self._failure or self._shelf.room or self._shelf.aside(now_ns)
        if not self._shelf.is_open:
            self._refuse_requests()

    def close(self) -> None:
        """Close the log; nothing is written any more."""
        with self._changed:
            self._closed = True
        self._refuse_requests()
        self._shelf.close()

    def _opened(self, now_ns: int, now: datetime) -> bool:
        if self._shelf.is_open:
            self._shelf.check()
            return True
        is_needed = bool(self._kept or self._requests or self._eager())
        if now_ns < self._retry_ns or not (is_needed or self._shelf.has_log()):
            return False
        try:
            self._shelf.open(now_ns, now)
        except Occupied:
            if is_needed:
                raise
            self._retry_ns = now_ns + _OCCUPIED_NS  # it is looked after by the other one
            return False
        for kept in self._kept.values():
            kept.dirty = True  # mending takes for ended what nobody has said to go on
        return True

    def _work(self, now_ns: int, now: datetime, last: bool) -> None:
        self._shelf.tidy(now_ns, now.timestamp(), recording=self._recorder.recording)
        self._remove_requested()
        self._record(now_ns)
        if last:
            self._recorder.finish()
        self._write_pictures(last)
        self._commit(now_ns, now.timestamp(), last)
        for event_id in [i for i, kept in self._kept.items() if is_settled(kept, now_ns)]:
            del self._kept[event_id]

    def _take_news(self, now_ns: int, now_s: float) -> None:
        with self._changed:
            news, self._news = self._news, {}
        for event in news.values():
            if event.id in self._removed:
                continue
            kept = self._kept.get(event.id)
            if kept is None:
                self._kept[event.id] = Kept(EventRow(event, now_s), now_ns, {})
            else:
                kept.row.event, kept.row.changed_s, kept.dirty = event, now_s, True
                kept.urgent = kept.urgent or event.end_s is not None
            self._recorder.follow(event)
        room = _MOST_PICTURES - sum(bool(kept.pictures) for kept in self._kept.values())
        for event_id, view in self._views.take().items():
            if event_id in self._kept and room > 0:
                self._kept[event_id].pictures |= encoded(event_id, view)
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
            self.lost += 1

    def _record(self, now_ns: int) -> None:
        if self._shelf.room is not None:
            self._recorder.finish()
            return
        for kept in self._kept.values():
            row = kept.row
            if row.clip is None:
                row.clip = self._recorder.take(row.event, now_ns, self._shelf.folder / CLIPS)
                if row.clip is not None:
                    kept.dirty = kept.urgent = True
        self._recorder.pump(now_ns)

    def _write_pictures(self, last: bool) -> None:
        """The first view of an event at once, the best one at its end."""
        for event_id, kept in self._kept.items():
            row = kept.row
            if not kept.pictures or (kept.has_picture and row.event.end_s is None and not last):
                continue
            for name, jpeg in kept.pictures.items():
                self._replace_file(name, jpeg)
            row.bytes = sum(len(jpeg) for jpeg in kept.pictures.values())
            names = list(kept.pictures)
            row.thumbnail = f"{event_id}.jpg"
            row.snapshot = names[1] if len(names) > 1 else None
            kept.pictures, kept.has_picture = {}, True
            kept.dirty = kept.urgent = True

    def _replace_file(self, name: str, data: bytes) -> None:
        file = self._shelf.folder / PICTURES / name
        part = file.with_suffix(".part")
        part.write_bytes(data)
        os.replace(part, file)

    def _commit(self, now_ns: int, now_s: float, last: bool) -> None:
        changed = [kept for kept in self._kept.values() if kept.dirty]
        clips = self._recorder.changed
        urgent = bool(clips) or any(kept.urgent for kept in changed)
        due_ns = self._commit_ns + (_COMMIT_NS if urgent else _CALM_NS)
        if not (changed or clips) or (now_ns < due_ns and not last):
            return
        for kept in changed:
            kept.row.changed_s = now_s
        self._shelf.store.write([kept.row for kept in changed], clips.values())
        self._commit_ns = now_ns
        for kept in changed:
            kept.dirty = kept.urgent = False
        self._recorder.changed = {}

    def _remove_requested(self) -> None:
        while self._requests:
            event_id, answer = self._requests.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            known = self._kept.pop(event_id, None) is not None
            self._recorder.forget(event_id)
            self._removed.append(event_id)
            try:
                with self._shelf.store.changing():
                    removed, files = self._shelf.store.remove(event_id)
                    unlink(self._shelf.folder, files)
            except (sqlite3.Error, OSError) as error:
                answer.set_exception(OutputError(f"the event cannot be removed: {error}"))
                raise
            answer.set_result(removed or known)

    def _refuse_requests(self) -> None:
        reason = self._failure or "events: the log is closed"
        while self._requests:
            _, answer = self._requests.popleft()
            if answer.set_running_or_notify_cancel():
                answer.set_exception(OutputError(f"the event cannot be removed; {reason}"))

    def _fail(self, sentence: str, now_ns: int) -> None:
        """Close everything; try again later."""
        if self._failure is None:
            log.error("%s", sentence)
        self._failure = sentence
        self._retry_ns = now_ns + _RETRY_NS
        self._recorder.abandon()
        self._shelf.close()

    def _start_anew(self, why: Unusable, now_ns: int, now: datetime) -> None:
        try:
            self._shelf.set_aside(now_ns, now, why)
        except OSError as error:
            self._failure = self._sentence(reason_of(error))
        else:
            self._retry_ns = now_ns

    def _sentence(self, reason: str) -> str:
        lost = f", {self.lost} events are lost" if self.lost else ""
        return (
            f"events: {self._shelf.folder} cannot be written: {reason}; nothing is recorded until "
            f"it can be{lost}; events.folder may name another"
        )

    def _pause_s(self) -> float:
        return _STEP_S if self._kept or self._recorder.recording else _IDLE_S
