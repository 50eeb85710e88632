"""The queue that nothing falls out of: order, marks, its bound, a sudden end, a disk that fails."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_vision.outputs import journal_file
from edge_vision.outputs.messages import Phases, body_of, marked
from edge_vision.outputs.outbox import Entry, Outbox

pytestmark = pytest.mark.usefixtures("no_thread_left")
Until = Callable[..., Any]
Make = Callable[..., Outbox]
LATER_S = 1000.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "q.journal"


@pytest.fixture
def make(file: Path) -> Iterator[Make]:
    """make(most_bytes, spill_s): started; `lost` counts what it gave up."""
    made: list[Outbox] = []

    def build(
        most_bytes: int = 1 << 20, spill_s: float = 0.0, lost: list[int] | None = None
    ) -> Any:
        gone = [] if lost is None else lost
        made.append(Outbox(file, most_bytes, gone.append, lambda: None, spill_s=spill_s))
        made[-1].start()
        return made[-1]

    yield build
    for outbox in made:
        outbox.close(5)


def put(outbox: Outbox, *numbers: int) -> None:
    for number in numbers:
        outbox.put(b'{"n": %d}' % number)


def taken(outbox: Outbox, count: int, until: Until) -> list[Entry]:
    found: list[Entry] = []

    def one() -> bool:
        entry = outbox.take()
        if entry is not None:
            found.append(entry)
        return len(found) == count

    until(one, f"{count} messages, there were {len(found)}")
    return found


def bodies(entries: list[Entry]) -> list[bytes]:
    return [entry.body for entry in entries]


def crash(outbox: Outbox) -> None:
    """As a killed process leaves the file: nothing is written from here on, the lock is gone."""
    outbox._worker.stop()
    with outbox._changed:
        outbox._waiting.clear()
        outbox._journal.size = 0
        outbox._changed.notify_all()
    assert outbox._worker.join(5)


def test_what_arrives_soon_never_touches_the_disk(make: Make, file: Path, until: Until) -> None:
    outbox = make(spill_s=LATER_S)
    put(outbox, 1, 2, 3)
    entries = taken(outbox, 3, until)
    assert bodies(entries) == [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']
    assert not any(entry.again for entry in entries)
    assert outbox.take() is None
    for entry in entries:
        outbox.done(entry.number)
    outbox.close(5)
    assert file.stat().st_size == 0


def test_sent_again_it_is_marked(make: Make, until: Until) -> None:
    outbox = make(spill_s=LATER_S)
    put(outbox, 1, 2, 3)
    first = taken(outbox, 2, until)
    outbox.done(first[0].number)
    outbox.again()
    second = taken(outbox, 2, until)
    assert bodies(second) == [b'{"n": 2}', b'{"n": 3}']
    assert [entry.again for entry in second] == [True, False]


def test_delivered_out_of_order(make: Make, until: Until) -> None:
    outbox = make(spill_s=LATER_S)
    put(outbox, 1, 2, 3, 4)
    entries = taken(outbox, 3, until)
    outbox.done(entries[1].number)
    outbox.again()
    assert bodies(taken(outbox, 3, until)) == [b'{"n": 1}', b'{"n": 3}', b'{"n": 4}']


def test_the_next_run_goes_on_where_this_one_ended(make: Make, file: Path, until: Until) -> None:
    outbox = make(spill_s=LATER_S)
    put(outbox, 1, 2, 3)
    outbox.done(taken(outbox, 1, until)[0].number)
    outbox.close(5)
    again = make()
    put(again, 4)
    entries = taken(again, 3, until)
    assert bodies(entries) == [b'{"n": 2}', b'{"n": 3}', b'{"n": 4}']
    assert not any(entry.again for entry in entries), "none of them was ever handed out"
    for entry in entries:
        again.done(entry.number)
    until(lambda: file.stat().st_size == 0, "emptied")


def test_after_a_sudden_end_what_may_have_been_sent_is_marked(
    make: Make, file: Path, until: Until
) -> None:
    outbox = make()
    put(outbox, *range(100))
    until(lambda: file.read_bytes().count(b"\ne ") == 99, "written")
    sent = taken(outbox, 10, until)
    outbox.done(sent[0].number)
    until(lambda: b"\nd 1\n" in file.read_bytes(), "the mark of what is delivered")
    kept = file.read_bytes()
    crash(outbox)
    file.write_bytes(kept)
    entries = taken(make(), 99, until)
    assert bodies(entries) == [b'{"n": %d}' % number for number in range(1, 100)]
    assert all(entry.again for entry in entries[:9])
    assert not any(entry.again for entry in entries[40:])


@pytest.mark.parametrize("cut", range(1, 24, 3))
def test_a_line_cut_off_by_a_power_failure(make: Make, file: Path, until: Until, cut: int) -> None:
    file.parent.mkdir()
    whole = b'e 7 {"n": 7}\ne 8 {"n": 8}\n'
    file.write_bytes(whole[:-cut])
    outbox = make()
    put(outbox, 9)
    left = whole[:-cut].count(b"\n")
    assert bodies(taken(outbox, left + 1, until)) == [
        *([b'{"n": 7}'] if left else []), b'{"n": 9}'
    ]  # fmt: skip
    outbox.close(5)
    lines = file.read_bytes().splitlines()
    assert lines[0].startswith(b"e "), "what was cut off does not swallow the next line"


def test_damaged_lines_are_left_out(
    make: Make, file: Path, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir()
    file.write_bytes(b'\0\0\0\ne 1 {"n": 1}\ne x {}\ne 2 {"n"\n\xff\xfe\nd\ne 3 {"n": 3}\n')
    assert bodies(taken(make(), 2, until)) == [b'{"n": 1}', b'{"n": 3}']
    assert "5 damaged lines are left out" in caplog.text


def test_the_oldest_go_first_beyond_the_bound(make: Make, file: Path, until: Until) -> None:
    lost: list[int] = []
    outbox = make(most_bytes=10 * (64 + 9), lost=lost)
    for number in range(10, 100):
        put(outbox, number)
        until(lambda: len(file.read_bytes()) > 0, "written")
    assert sum(lost) == 80
    assert bodies(taken(outbox, 10, until)) == [b'{"n": %d}' % n for n in range(90, 100)]
    outbox.close(5)
    assert bodies(taken(make(), 10, until)) == [b'{"n": %d}' % n for n in range(90, 100)]


def test_the_file_stays_small_however_long_nobody_answers(
    make: Make, file: Path, until: Until
) -> None:
    outbox = make(most_bytes=100_000)
    body = b'{"n": "' + b"x" * 50_000 + b'"}'
    largest = 0
    for _ in range(80):
        outbox.put(body)
        until(lambda: outbox._fresh_ns is None)
        largest = max(largest, file.stat().st_size)
    assert 1_000_000 < largest < 1_500_000
    outbox.close(5)
    assert len(taken(make(), 1, until)) == 1


def test_a_disk_that_fails_and_comes_back(
    make: Make, file: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    outbox = make()
    with monkeypatch.context() as patched:
        patched.setattr(journal_file.os, "pwrite", full)
        put(outbox, 1, 2)
        fault = until(outbox.fault)
        assert str(fault).startswith(f"{file} cannot be written: no space left on the device; ")
        entries = taken(outbox, 2, until)  # memory still has them
    outbox.done(entries[0].number)
    with outbox._changed:  # half a minute later
        outbox._failed_ns = 0
        outbox._changed.notify_all()
    until(lambda: outbox.fault() is None)
    assert b'{"n": 2}' in file.read_bytes()


def test_a_folder_that_cannot_be_made(make: Make, file: Path, until: Until) -> None:
    file.parent.write_text("in the way")
    outbox = make()
    put(outbox, 1)
    assert "cannot be written: " in str(outbox.fault())
    assert bodies(taken(outbox, 1, until)) == [b'{"n": 1}']


def test_two_programs_do_not_write_one_file(make: Make, until: Until) -> None:
    first, second = make(), make()
    assert first.fault() is None
    assert "another edge-vision of this user is writing it" in str(second.fault())
    put(second, 1)
    assert len(taken(second, 1, until)) == 1


def test_a_stalled_disk_holds_nobody_up(
    make: Make, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_fd, write_fd = os.pipe()
    monkeypatch.setattr(journal_file.os, "fdatasync", lambda _fd: os.read(read_fd, 1))
    outbox = make()
    put(outbox, 1)
    until(lambda: outbox._fresh_ns is None, "being written")
    put(outbox, 2, 3)
    with outbox._changed:  # the writer does not hold the lock while it waits
        assert len(outbox) == 3
    os.write(write_fd, b"x" * 10)
    outbox.close(5)
    os.close(read_fd)
    os.close(write_fd)


def test_one_beginning_and_one_end(make_event: Callable[..., Any]) -> None:
    phases = Phases()
    assert phases.of(make_event(1)) == ("begin",)
    assert phases.of(make_event(1, score=0.9)) == ()
    assert phases.of(make_event(2, end_s=5.0)) == ("begin", "end")
    assert phases.of(make_event(1, end_s=5.0)) == ("end",)
    assert phases.of(make_event(3), begin=False) == ()
    assert phases.of(make_event(3, end_s=5.0), begin=False) == ()
    for number in range(10, 1200):
        phases.of(make_event(number))
    assert len(phases._open) == 1000
    assert marked(body_of(make_event(1), "begin")).endswith(b', "duplicate": true}')
