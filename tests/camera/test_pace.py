"""The pacer on a clock that the test moves; nothing here waits."""

from edge_vision.camera.pace import Pacer


class FakeTime:
    """A clock that only moves when somebody waits; `stretch` makes waits end early or late."""

    def __init__(self, stretch: float = 1.0) -> None:
        self.now_ns = 5_000_000_000
        self.stretch = stretch
        self.waits: list[float] = []

    def clock_ns(self) -> int:
        return self.now_ns

    def wait_s(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_ns += max(1, round(seconds * self.stretch * 1e9))


def make(stretch: float = 1.0) -> tuple[Pacer, FakeTime]:
    time = FakeTime(stretch)
    return Pacer(time.clock_ns, time.wait_s), time


def test_media_time_is_tied_to_the_start() -> None:
    pacer, time = make()
    pacer.start()
    time.now_ns += 70
    assert pacer.due_ns(0) == 5_000_000_000
    assert pacer.due_ns(40_000_000) == 5_040_000_000
    assert pacer.media_ns() == 70
    assert pacer.now_ns() == time.now_ns


def test_first_question_starts_the_clock() -> None:
    pacer, time = make()
    assert pacer.due_ns(0) == time.now_ns
    time.now_ns += 10
    assert pacer.due_ns(0) == time.now_ns - 10


def test_start_again_at_a_later_media_time() -> None:
    pacer, time = make()
    pacer.start()
    time.now_ns += 9_000_000_000
    pacer.start(2_000_000_000)
    assert pacer.due_ns(2_000_000_000) == time.now_ns
    assert pacer.media_ns() == 2_000_000_000


def test_waits_exactly_until_due() -> None:
    pacer, time = make()
    pacer.start()
    assert pacer.wait_until(pacer.due_ns(33_000_000), timeout_s=1.0)
    assert time.now_ns == 5_033_000_000
    assert time.waits == [0.033]


def test_passed_time_needs_no_wait_even_without_time_out() -> None:
    pacer, time = make()
    assert pacer.wait_until(time.now_ns, timeout_s=0)
    assert pacer.wait_until(time.now_ns - 1, timeout_s=0)
    assert time.waits == []


def test_gives_up_at_the_time_out() -> None:
    pacer, time = make()
    assert not pacer.wait_until(time.now_ns + 2_000_000_000, timeout_s=0.5)
    assert time.now_ns == 5_500_000_000
    assert not pacer.wait_until(time.now_ns + 1, timeout_s=-1)


def test_a_wait_that_ends_early_is_taken_up_again() -> None:
    pacer, time = make(stretch=0.5)
    due = time.now_ns + 1_000_000
    assert pacer.wait_until(due, timeout_s=1.0)
    assert time.now_ns >= due
    assert len(time.waits) > 1


def test_a_wait_that_ends_late_still_counts_as_reached() -> None:
    pacer, time = make(stretch=3.0)
    assert pacer.wait_until(time.now_ns + 400_000_000, timeout_s=0.5)
    assert time.now_ns == 6_200_000_000
