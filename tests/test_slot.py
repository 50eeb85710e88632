"""LatestSlot and Bulletin under every order of events: nothing is lost, nothing waits for ever."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge_vision.slot import Bulletin, LatestSlot

LIMIT_S = 20.0
"""How long a thread may take on a busy machine before a test says that it hangs."""


class _Thread(threading.Thread):
    """Runs one call and keeps what it returned; `result()` fails when it hangs."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._value: Any = None
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._call()
        except Exception as error:  # noqa: BLE001 - shown by result()
            self.error = error

    def result(self) -> Any:
        self.join(LIMIT_S)
        assert not self.is_alive(), "the thread hangs"
        assert self.error is None, self.error
        return self._value


def _wait_for_waiters(slot: Any, count: int) -> None:
    """Return when `count` threads wait inside the slot: seen in the Condition, not guessed."""
    end_ns = time.monotonic_ns() + int(LIMIT_S * 1e9)
    while True:
        with slot._changed:
            if len(slot._changed._waiters) >= count:
                return
        assert time.monotonic_ns() < end_ns, "nobody waits"


class SlotModel(RuleBasedStateMachine):
    """One thread in any order of calls, against a model of one line: `lies` is what lies here."""

    WAIT = False

    def __init__(self) -> None:
        super().__init__()
        self.dropped: list[int] = []
        self.slot: LatestSlot[int] = LatestSlot(self.dropped.append, wait=self.WAIT)
        self.lies: int | None = None
        self.closed = False
        self.given = 0
        self.taken: list[int] = []
        self.expected_drops: list[int] = []

    def _may_put(self) -> bool:
        return self.closed or not self.WAIT or self.lies is None  # else put() would wait

    @precondition(_may_put)
    @rule()
    def put(self) -> None:
        item, self.given = self.given, self.given + 1
        assert self.slot.put(item) is (not self.closed)
        if self.closed:
            self.expected_drops.append(item)
            return
        if self.lies is not None:
            self.expected_drops.append(self.lies)
        self.lies = item

    @rule(timeout_s=st.sampled_from([0.0, 0.001]))
    def take(self, timeout_s: float) -> None:
        item = self.slot.take(timeout_s)
        assert item == self.lies
        if item is not None:
            self.taken.append(item)
        self.lies = None

    @rule(drain=st.booleans())
    def close(self, drain: bool) -> None:
        self.slot.close(drain=drain)
        self.closed = True
        if not drain and self.lies is not None:
            self.expected_drops.append(self.lies)
            self.lies = None

    @invariant()
    def nothing_is_lost_or_given_twice(self) -> None:
        assert self.dropped == self.expected_drops
        rest = [] if self.lies is None else [self.lies]
        assert sorted([*self.taken, *self.dropped, *rest]) == list(range(self.given))
        assert self.taken == sorted(self.taken)
        assert self.slot.closed is self.closed


class WaitingSlotModel(SlotModel):
    WAIT = True

    @invariant()
    def nothing_is_dropped_before_closing(self) -> None:
        assert self.closed or not self.dropped


TestSlotModel = SlotModel.TestCase
TestWaitingSlotModel = WaitingSlotModel.TestCase
for _case in (TestSlotModel, TestWaitingSlotModel):
    _case.settings = settings(max_examples=60)


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("givers", [1, 4])
@pytest.mark.parametrize("drain", [False, True])
def test_many_threads_lose_nothing(wait: bool, givers: int, drain: bool) -> None:
    each = 400
    dropped: list[int] = []
    taken: list[int] = []
    slot: LatestSlot[int] = LatestSlot(dropped.append, wait=wait)
    together = threading.Barrier(givers + 1, timeout=LIMIT_S)

    def give(first: int) -> int:
        together.wait()
        return sum(slot.put(first + k) for k in range(each))

    def take() -> None:
        together.wait()
        while (item := slot.take()) is not None:
            taken.append(item)

    giving = [_Thread(lambda first=g * each: give(first)) for g in range(givers)]
    taking = _Thread(take)
    accepted = sum(thread.result() for thread in giving)
    slot.close(drain=drain)
    taking.result()

    assert accepted == givers * each
    assert sorted(taken + dropped) == list(range(givers * each))
    for g in range(givers):  # what one giver gave is taken in its order
        own = [item for item in taken if item // each == g]
        assert own == sorted(own)
    if wait:
        # Only the item that lay here when it was closed may have been dropped.
        assert len(dropped) <= (0 if drain else 1)
    elif givers == 1 and drain:
        assert taken[-1] == each - 1


@pytest.mark.parametrize("wait", [False, True])
def test_closing_in_the_middle_loses_nothing(wait: bool) -> None:
    each, givers = 2000, 3
    dropped: list[int] = []
    taken: list[int] = []
    slot: LatestSlot[int] = LatestSlot(dropped.append, wait=wait)

    def take() -> None:
        while (item := slot.take()) is not None:
            taken.append(item)
            if len(taken) == 20:
                slot.close()

    giving = [
        _Thread(lambda first=g * each: [slot.put(first + k) for k in range(each)])
        for g in range(givers)
    ]
    taking = _Thread(take)
    for thread in giving:
        thread.result()
    slot.close()
    taking.result()
    assert sorted(taken + dropped) == list(range(givers * each))


def test_the_newest_wins() -> None:
    dropped: list[str] = []
    slot: LatestSlot[str] = LatestSlot(dropped.append)
    assert [slot.put(item) for item in "abc"] == [True, True, True]
    assert dropped == ["a", "b"]
    assert slot.take(0) == "c"
    assert slot.take(0) is None


def test_a_giver_waits_until_its_place_is_empty() -> None:
    dropped: list[str] = []
    slot: LatestSlot[str] = LatestSlot(dropped.append, wait=True)
    slot.put("a")
    second = _Thread(lambda: slot.put("b"))
    _wait_for_waiters(slot, 1)
    assert slot.take() == "a"
    assert second.result() is True
    assert slot.take() == "b"
    assert dropped == []


def test_closing_wakes_takers() -> None:
    slot: LatestSlot[int] = LatestSlot(lambda _: None)
    takers = [_Thread(slot.take) for _ in range(2)]
    _wait_for_waiters(slot, 2)
    slot.close()
    assert [taker.result() for taker in takers] == [None, None]


@pytest.mark.parametrize("drain", [False, True])
def test_closing_wakes_givers(drain: bool) -> None:
    dropped: list[str] = []
    slot: LatestSlot[str] = LatestSlot(dropped.append, wait=True)
    slot.put("lies here")
    givers = [_Thread(lambda item=item: slot.put(item)) for item in ("x", "y")]
    _wait_for_waiters(slot, 2)
    slot.close(drain=drain)
    assert [giver.result() for giver in givers] == [False, False]
    assert set(dropped) == {"x", "y"} | (set() if drain else {"lies here"})
    assert slot.take() == ("lies here" if drain else None)
    assert slot.take() is None


def test_closing_twice_drops_what_was_left_for_the_taker() -> None:
    dropped: list[int] = []
    slot: LatestSlot[int] = LatestSlot(dropped.append)
    slot.put(1)
    slot.close(drain=True)
    assert dropped == []
    slot.close()
    slot.close()
    assert dropped == [1]
    assert slot.take() is None


def test_drops_are_told_outside_the_lock_and_in_the_thread_that_caused_them() -> None:
    told: list[tuple[int, str]] = []

    def on_drop(item: int) -> None:
        # Another thread gets through: nothing is locked while this runs.
        assert _Thread(lambda: slot.take(0)).result() in (None, 2)
        told.append((item, threading.current_thread().name))

    slot: LatestSlot[int] = LatestSlot(on_drop)
    slot.put(1)
    slot.put(2)
    slot.put(3)
    slot.close()
    slot.put(4)
    me = threading.current_thread().name
    assert told == [(1, me), (3, me), (4, me)]


def test_bulletin_editions() -> None:
    board: Bulletin[str] = Bulletin("first")
    assert board.read() == ("first", 0)
    board.post("second")
    board.post("third")
    assert board.read() == ("third", 2)
    assert board.wait_newer(0, 0) == ("third", 2)
    assert board.wait_newer(2, 0) == ("third", 2)


def test_bulletin_wakes_every_reader() -> None:
    board: Bulletin[str] = Bulletin("old")
    readers = [_Thread(lambda: board.wait_newer(0, LIMIT_S)) for _ in range(3)]
    _wait_for_waiters(board, 3)
    board.post("new")
    assert [reader.result() for reader in readers] == [("new", 1)] * 3


def test_a_slow_reader_skips_and_a_value_always_has_its_own_edition() -> None:
    board: Bulletin[int] = Bulletin(0)
    last = 3000
    together = threading.Barrier(4, timeout=LIMIT_S)

    def read() -> list[tuple[int, int]]:
        together.wait()
        seen = [board.read()]
        while seen[-1][0] < last:
            seen.append(board.wait_newer(seen[-1][1], LIMIT_S))
        return seen

    def post() -> None:
        together.wait()
        for value in range(1, last + 1):
            board.post(value)

    readers = [_Thread(read) for _ in range(3)]
    _Thread(post).result()
    for reader in readers:
        seen = reader.result()
        assert all(value == edition for value, edition in seen)
        assert all(a < b for (a, _), (b, _) in itertools.pairwise(seen))
        assert seen[-1] == (last, last)
