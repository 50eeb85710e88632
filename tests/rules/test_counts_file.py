"""Counts that survive: read back, damaged, unwritable, and never more than one write in a while."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_vision.errors import OutputError
from edge_vision.events import Counts
from edge_vision.rules import counts_file
from edge_vision.rules.counts_file import CountsKeeper, read_counts, write_counts
from edge_vision.rules.tally import empty_counts

pytestmark = pytest.mark.usefixtures("no_thread_left")
COUNTS = Counts(
    12.5, {"door": {"in": {"person": 3}, "out": {}}}, {"yard": {"cat": 1}}, {"": {"cat": 1}}
)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "counts.json"
    write_counts(file, COUNTS)
    assert read_counts(file, 99.0) == Counts(12.5, COUNTS.lines, COUNTS.zones, {})
    assert os.listdir(file.parent) == ["counts.json"]


def test_nothing_yet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_counts(tmp_path / "counts.json", 99.0) == empty_counts(99.0)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2, "since_s": 1.0, "lines": {}, "zones": {}}',
        '{"since_s": 1.0, "lines": {"door": {"in": {"person": -3}, "out": {}}}, "zones": {}}',
        '{"since_s": 1.0, "lines": {"door": {"up": {}}}, "zones": {}}',
        '{"since_s": 1.0, "lines": {}, "zones": {"yard": 3}}',
        "\x00" * 100,
    ],
)
def test_a_damaged_file_is_kept_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    file = tmp_path / "counts.json"
    file.write_text(text)
    assert read_counts(file, 99.0) == empty_counts(99.0)
    assert (tmp_path / "counts.json.bad").read_text() == text
    assert "are damaged; counting begins anew, and the file is kept as counts.json.bad" in (
        caplog.text
    )
    write_counts(file, COUNTS)
    assert read_counts(file, 99.0).since_s == 12.5


def test_what_cannot_be_read_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "counts.json").mkdir()
    assert read_counts(tmp_path / "counts.json", 99.0) == empty_counts(99.0)
    assert "cannot be read (Is a directory)" in caplog.text


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder is expected")
    with pytest.raises(OutputError, match=r"the counts cannot be written to .*counts\.json: "):
        write_counts(tmp_path / "state" / "counts.json", COUNTS)


def test_a_fault_goes_away_by_itself(tmp_path: Path, until: Callable[..., Any]) -> None:
    blocker = tmp_path / "state"
    blocker.write_text("")
    keeper = CountsKeeper(blocker / "counts.json", every_s=0.0)
    keeper.start()
    keeper.keep(COUNTS)
    until(lambda: keeper.fault is not None, "the fault is told")
    blocker.unlink()
    keeper.keep(COUNTS)
    until(lambda: keeper.fault is None, "the fault is gone")
    keeper.close(2.0)
    assert read_counts(blocker / "counts.json", 99.0).since_s == 12.5


def test_one_write_at_once_and_one_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Callable[..., Any]
) -> None:
    written: list[float] = []
    monkeypatch.setattr(
        counts_file, "write_counts", lambda file, counts: written.append(counts.since_s)
    )
    keeper = CountsKeeper(tmp_path / "counts.json")
    keeper.start()
    keeper.keep(empty_counts(0.0))
    until(lambda: written == [0.0], "the first is written at once")
    for n in range(1, 100):
        keeper.keep(empty_counts(float(n)))
    keeper.close(2.0)
    assert written == [0.0, 99.0]


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    keeper = CountsKeeper(tmp_path / "counts.json")
    keeper.start()
    keeper.close(2.0)
    assert os.listdir(tmp_path) == []


def test_a_disk_that_stalls_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers, asked = threading.Event(), threading.Event()

    def stalled(file: Path, counts: Counts) -> None:
        asked.set()
        answers.wait(20)

    monkeypatch.setattr(counts_file, "write_counts", stalled)
    keeper = CountsKeeper(tmp_path / "counts.json")
    keeper.start()
    keeper.keep(COUNTS)
    assert asked.wait(10)
    for _ in range(1000):
        keeper.keep(COUNTS)  # returns at once, or this test does not end
    keeper.close(0.1)
    assert "the disk does not answer" in caplog.text
    answers.set()
