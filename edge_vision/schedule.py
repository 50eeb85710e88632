"""Times of the week at which a rule holds: "22:00-06:00", "mon-fri 08:00-18:00, sat"."""

import re
from dataclasses import dataclass
from datetime import datetime

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES
_RANGE = re.compile(
    r"(?:([a-z]{3})(?:-([a-z]{3}))?)?"
    r"(?:(?:^|(?<=[a-z]) )(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d))?"
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Spans of a week in minutes from Monday 0:00: begin included, end not; none: always."""

    spans: tuple[tuple[int, int], ...]

    def holds(self, local: datetime) -> bool:
        """Whether it holds at a local time, as its clock shows it."""
        minute = local.weekday() * _DAY_MINUTES + local.hour * 60 + local.minute
        # A span that begins on Sunday ends on Monday.
        return not self.spans or any(
            begin <= minute < end or begin <= minute + _WEEK_MINUTES < end
            for begin, end in self.spans
        )


def parse_schedule(text: str) -> Schedule:
    """Ranges of local time, separated by commas; "" is always.

    Each is a day or days, a time of day, or both: `sat-sun`, `22:00-06:00`, `fri 20:00-24:00`.  One
    whose end is not after its begin goes over midnight, and belongs to the day on which it begins.
    Raises ValueError for anything else.
    """
    spans: list[tuple[int, int]] = []
    for part in text.lower().split(",") if text.strip() else []:
        words = " ".join(part.split())
        match = _RANGE.fullmatch(words)
        if match is None or not words:
            raise _wrong(part)
        first, last, *clock = match.groups()
        begin, end = _times(part, clock) if clock[0] is not None else (0, _DAY_MINUTES)
        days = (day * _DAY_MINUTES for day in _days(part, first, last))
        spans += [(day + begin, day + end) for day in days]
    return Schedule(tuple(spans))


def _days(part: str, first: str | None, last: str | None) -> list[int]:
    if first is None:
        return list(range(7))
    unknown = [name for name in (first, last) if name is not None and name not in _DAYS]
    if unknown:
        raise ValueError(
            f"{part.strip()!r} names the day {unknown[0]!r}; expected one of {', '.join(_DAYS)}"
        )
    begin = _DAYS.index(first)
    count = (_DAYS.index(last) - begin) % 7 + 1 if last is not None else 1
    return [(begin + day) % 7 for day in range(count)]


def _times(part: str, clock: list[str]) -> tuple[int, int]:
    hours, minutes = (int(clock[0]), int(clock[2])), (int(clock[1]), int(clock[3]))
    begin, end = (hour * 60 + minute for hour, minute in zip(hours, minutes, strict=True))
    if max(minutes) > 59 or begin >= _DAY_MINUTES or end > _DAY_MINUTES:
        raise ValueError(f"{part.strip()!r} is no time of day; expected 00:00 to 24:00")
    if begin == end:
        raise ValueError(
            f"{part.strip()!r} ends when it begins; for the whole day write 00:00-24:00"
        )
    return begin, end if end > begin else end + _DAY_MINUTES


def _wrong(part: str) -> ValueError:
    return ValueError(
        f"{part.strip()!r} is no time of the week; expected such as 22:00-06:00, sat-sun, or "
        "mon-fri 08:00-18:00, with commas between several"
    )
