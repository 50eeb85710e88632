"""Times of the week at which a rule holds."""

from datetime import UTC, datetime

import pytest

from edge_vision.schedule import parse_schedule

MONDAY = 23  # of November 2026


def at(day: int, clock: str) -> datetime:
    """day: from Monday, 0."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, MONDAY + day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day", "clock", "holds"),
    [
        ("", 3, "12:00", True),
        ("  ", 3, "12:00", True),
        ("22:00-06:00", 0, "22:00", True),
        ("22:00-06:00", 0, "21:59", False),
        ("22:00-06:00", 1, "05:59", True),
        ("22:00-06:00", 1, "06:00", False),
        ("22:00-06:00", 0, "03:00", True),  # begun on Sunday
        ("8:00-9:30, 17:00-18:00", 2, "09:29", True),
        ("8:00-9:30, 17:00-18:00", 2, "10:00", False),
        ("8:00-9:30, 17:00-18:00", 2, "17:30", True),
        ("mon-fri 08:00-18:00", 4, "17:59", True),
        ("mon-fri 08:00-18:00", 5, "12:00", False),
        ("SAT-SUN", 6, "00:00", True),
        ("sat-sun", 4, "23:59", False),
        ("sun 22:00-06:00", 0, "05:00", True),
        ("sun 22:00-06:00", 6, "05:00", False),
        ("fri-mon", 0, "12:00", True),  # over the end of the week
        ("fri-mon", 1, "00:00", False),
        ("wed 00:00-24:00", 2, "23:59", True),
        ("wed", 3, "00:00", False),
    ],
)
def test_when_it_holds(text: str, day: int, clock: str, holds: bool) -> None:
    assert parse_schedule(text).holds(at(day, clock)) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("night", "'night' is no time of the week; expected such as 22:00-06:00"),
        ("22:00", "'22:00' is no time of the week"),
        ("22:00-06:00,", "'' is no time of the week"),
        ("22:00-06:00; sat", "no time of the week"),
        ("mon08:00-09:00", "no time of the week"),
        ("mon fri", "no time of the week"),
        ("dom 08:00-09:00", "names the day 'dom'; expected one of mon, tue"),
        ("mon-dom", "names the day 'dom'"),
        ("25:00-26:00", "'25:00-26:00' is no time of day; expected 00:00 to 24:00"),
        ("24:00-06:00", "no time of day"),
        ("08:60-09:00", "no time of day"),
        ("10:00-10:00", "ends when it begins; for the whole day write 00:00-24:00"),
    ],
)
def test_what_is_no_schedule(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_schedule(text)
