"""Sessions end, and guessing gets slow.  No clock: time is given."""

from edge_vision.outputs.web.sessions import Guesses, Sessions

S = 1_000_000_000
DAY = 24 * 3600 * S


def test_a_ticket_lives_while_it_is_used_and_thirty_days_at_most() -> None:
    sessions = Sessions()
    ticket = sessions.begin(0)
    assert len(ticket) >= 43  # 256 bits in base64
    for day in range(6, 30, 6):
        assert sessions.valid(ticket, day * DAY)
    assert not sessions.valid(ticket, 30 * DAY)
    assert not sessions.valid(ticket, 1)  # and does not come back


def test_a_ticket_ends_after_seven_days_without_use() -> None:
    sessions = Sessions()
    ticket = sessions.begin(5)
    assert sessions.valid(ticket, 7 * DAY + 4)
    assert not sessions.valid(ticket, 14 * DAY + 4)


def test_a_ticket_ends_by_logging_out() -> None:
    sessions = Sessions()
    one, other = sessions.begin(0), sessions.begin(0)
    sessions.end(one)
    sessions.end("unknown")
    assert not sessions.valid(one, 1)
    assert sessions.valid(other, 1)


def test_the_oldest_of_more_than_a_hundred_goes() -> None:
    sessions = Sessions()
    tickets = [sessions.begin(0) for _ in range(101)]
    assert not sessions.valid(tickets[0], 1)
    assert all(sessions.valid(ticket, 1) for ticket in tickets[1:])


def test_what_a_ticket_has_open_is_cut_when_it_ends() -> None:
    sessions, cut = Sessions(), []
    one, other = sessions.begin(0), sessions.begin(0)
    first, second, others = (lambda: cut.append(1)), (lambda: cut.append(2)), lambda: cut.append(3)
    assert sessions.begin_answer(one, first) == 30 * DAY
    sessions.begin_answer(one, second)
    sessions.begin_answer(other, others)
    sessions.end_answer(one, first, 5)  # by itself
    sessions.end(one)
    assert cut == [2]
    sessions.end_answer(one, second, 5)  # when its handler sees that it was cut
    assert not sessions.valid(other, 30 * DAY)
    assert cut == [2, 3]


def test_the_oldest_of_more_than_a_hundred_is_cut() -> None:
    sessions, cut = Sessions(), []
    sessions.begin_answer(sessions.begin(0), lambda: cut.append(1))
    for _ in range(100):
        assert not cut
        sessions.begin(0)
    assert cut == [1]


def test_a_ticket_is_in_use_while_something_is_open() -> None:
    sessions = Sessions()
    ticket, cut = sessions.begin(0), lambda: None
    sessions.begin_answer(ticket, cut)
    assert sessions.valid(ticket, 8 * DAY)
    sessions.end_answer(ticket, cut, 16 * DAY)
    assert sessions.valid(ticket, 23 * DAY - 1)
    assert not sessions.valid(ticket, 30 * DAY - 1)


def test_no_ticket_is_kept_as_it_is() -> None:
    sessions = Sessions()
    ticket = sessions.begin(0)
    assert ticket not in repr(vars(sessions))
    assert not sessions.valid("", 1)
    assert not sessions.valid("\udcff", 1)  # bytes that are no UTF-8, as headers may have


def test_the_sixth_try_waits_and_each_later_one_longer() -> None:
    guesses, now = Guesses(), 1000 * S
    waits = []
    for _ in range(15):
        assert guesses.wait_s("10.0.0.1", now) == 0
        guesses.tried("10.0.0.1", now)
        wait_s = guesses.wait_s("10.0.0.1", now)
        waits.append(wait_s)
        if wait_s:
            assert guesses.wait_s("10.0.0.1", now + wait_s * S - 1) == 1
        now += wait_s * S
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert guesses.wait_s("10.0.0.2", now) == 0


def test_a_right_password_or_a_day_starts_anew() -> None:
    guesses = Guesses()
    for _ in range(9):
        guesses.tried("10.0.0.1", 0)
        guesses.tried("10.0.0.2", 0)
    guesses.succeeded("10.0.0.1")
    guesses.tried("10.0.0.1", 0)
    assert guesses.wait_s("10.0.0.1", 0) == 0
    assert guesses.wait_s("10.0.0.2", 0) == 16
    guesses.tried("10.0.0.2", 2 * DAY)
    assert guesses.wait_s("10.0.0.2", 2 * DAY) == 0


def test_a_whole_network_of_ipv6_counts_as_one_and_mapped_ipv4_as_itself() -> None:
    guesses = Guesses()
    for i in range(5):
        guesses.tried(f"2001:db8::{i}", 0)
        guesses.tried("::ffff:10.0.0.1", 0)
        guesses.tried(f"fe80::{i}%eth0", 0)
    assert guesses.wait_s("2001:db8::ffff", 0) == 1
    assert guesses.wait_s("2001:db8:0:1::1", 0) == 0
    assert guesses.wait_s("10.0.0.1", 0) == 1
    assert guesses.wait_s("fe80::1", 0) == 1
    assert guesses.wait_s("no address", 0) == 0


def test_at_most_1024_addresses_are_remembered() -> None:
    guesses = Guesses()
    for i in range(3000):
        guesses.tried(f"10.0.{i // 256}.{i % 256}", 0)
    assert len(guesses._known) == 1024
