"""Kills at random moments, a few of them; `python scripts/crash_test.py --runs 100` for more."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge_vision.events import Event
from edge_vision.outputs.events.store import CLIPS, ClipRow, EventRow, Store


def test_nothing_is_lost_by_kills(repo: Path) -> None:
    code = [sys.executable, repo / "scripts" / "crash_test.py", "--runs", "4", "--seed", "7"]
    done = subprocess.run(code, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kills, 0 of them left something wrong" in done.stdout
    assert "events ended" in done.stdout


def test_the_check_itself(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, broken or too short is seen."""
    monkeypatch.syspath_prepend(str(repo / "scripts"))
    import crash_test

    (tmp_path / CLIPS).mkdir()
    store = Store(tmp_path)
    rows, clips = [], []
    for number, end_s in enumerate((101.0, None)):
        event = Event(
            str(number), "n", "enter", "r", "", "", 0, "cat", 0.5, (0, 0, 1, 1), 1, (), 100.0, 0,
            end_s,
        )  # fmt: skip
        (tmp_path / CLIPS / f"{number}.mp4").write_bytes(b"no clip")
        rows.append(EventRow(event, 0.0, clip=f"{number}.mp4"))
        clips.append(ClipRow(f"{number}.mp4", 99.0, 7, done=number == 0))
    store.write(rows, clips)
    store.close()
    (tmp_path / "events-x.db").touch()
    assert list(crash_test.faults_of(tmp_path, {"0", "1", "2"})) == [
        "2 events are not in the log",
        "the log was set aside: events-x.db",
        "0.mp4 cannot be read",
    ]
    assert list(crash_test.short_clips(tmp_path, set(), 101.5)) == ["1.mp4 lacks 3.5 s"]
    assert list(crash_test.short_clips(tmp_path, {"1"}, 101.5)) == []
