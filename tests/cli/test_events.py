"""`edge-vision events`."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from edge_vision.cli.events import moment
from edge_vision.errors import ConfigError
from edge_vision.events import Event
from edge_vision.outputs.events.store import CLIPS, ClipRow, EventRow, Store

Cli = Callable[..., Any]
NOW = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A log of three events, one of which goes on, and a clip; still open as by a service."""
    folder = tmp_path / "events"
    (folder / CLIPS).mkdir(parents=True)
    store = Store(folder)
    now_s = datetime.now(UTC).timestamp()
    for number, (label, ago_s) in enumerate((("cat", 9000.0), ("person", 60.0), ("person", 5.0))):
        event = Event(
            id=f"{number:04d}", node="porch", kind="cross", rule="through", place="door",
            direction="in", track_id=number, label=label, score=0.912345,
            box=(0.1, 0.2, 0.3, 0.4), count=1, zones=(), start_s=now_s - ago_s, start_ns=0,
            end_s=None if number == 2 else now_s - ago_s + 3,
        )  # fmt: skip
        row = EventRow(event, now_s, clip="0001.mp4" if number == 1 else None)
        store.write([row], [ClipRow("0001.mp4", now_s - 62, 1000, done=True)])
    yield folder
    store.close()


def test_a_table_for_people(cli: Cli, folder: Path) -> None:
    done = cli("events", "--folder", folder)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][:3] == ["began", "lasted", "kind"]
    assert "going on" in done.stdout.splitlines()[1]
    assert str(folder / CLIPS / "0001.mp4") in done.stdout.splitlines()[2]
    assert len(lines) == 4


def test_json_with_filters(cli: Cli, folder: Path) -> None:
    done = cli("events", "--folder", folder, "--json", "--since", "2h", "--label", "person")
    found = json.loads(done.stdout)
    assert [one["id"] for one in found] == ["0002", "0001"]
    assert found[1]["clip"] == str(folder / CLIPS / "0001.mp4")
    assert found[1]["clip_offset_s"] == pytest.approx(2, abs=0.01)
    assert found[0]["end_s"] is None


def test_csv(cli: Cli, folder: Path) -> None:
    done = cli("events", "--folder", folder, "--csv", "--until", "1h")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["id"], row["kind"], row["label"]) == ("0000", "cross in", "cat")
    assert datetime.fromisoformat(row["end"]) > datetime.fromisoformat(row["start"])


def test_the_folder_of_the_configuration(cli: Cli, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"events:\n  folder: {folder}\n", encoding="utf-8")
    assert len(json.loads(cli("events", "-c", file, "--json").stdout)) == 3
    assert len(json.loads(cli("events", "-c", file, "--json", "--limit", "1").stdout)) == 1


def test_nothing_is_there(cli: Cli, tmp_path: Path) -> None:
    done = cli("events", "--folder", tmp_path / "none")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no such event in" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--since", "yesterday"), 78, "--since is 'yesterday'; expected how long ago"),
        (("--until", "2026-13-01"), 78, "--until is '2026-13-01'"),
        (("--json", "--csv"), 2, "expected --json or --csv"),
    ],
)
def test_wrong_options(cli: Cli, folder: Path, options: Any, code: int, said: str) -> None:
    done = cli("events", "--folder", folder, *options)
    assert done.returncode == code
    assert said in done.stderr


def test_a_file_that_is_no_log(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"x" * 5000)
    done = cli("events", "--folder", tmp_path)
    assert done.returncode == 74
    assert "events.db cannot be read: file is not a database" in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-22T18:00+02:00", NOW.replace(hour=18)),
        ("2026-11-22", datetime(2026, 11, 22).astimezone()),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert moment("--since", text, NOW) == expected.timestamp()


@pytest.mark.parametrize("text", ["", "h", "-2h", "999999w", "2h ago"])
def test_no_moments(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--until is .*; expected how long ago"):
        moment("--until", text, NOW)
