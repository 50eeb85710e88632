"""Who holds a device, asked of the real /proc while a real other process does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_vision.camera.holders import holders, in_use

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "r+")
if sys.argv[2] == "lock":
    fcntl.lockf(file, fcntl.LOCK_EX)
print("holds", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path) -> Iterator[object]:
    """hold("open" or "lock"): a file, and the other process that holds it."""
    running = []

    def start(how: str) -> tuple[Path, int]:
        file = tmp_path / "media0"
        file.touch()
        child = subprocess.Popen(
            [sys.executable, "-c", HOLDER, file, how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "holds\n"
        return file, child.pid

    yield start
    for child in running:
        child.communicate()


def test_a_process_that_has_it_open(hold):
    file, process = hold("open")
    assert list(holders([file])) == [process]
    name = Path(f"/proc/{process}/comm").read_text().strip()
    assert in_use([file]) == f"it is held by process {process} ({name}): end that first"


def test_a_lock_tells_even_where_open_files_may_not_be_seen(hold, tmp_path):
    file, process = hold("lock")
    locks = Path("/proc/locks").read_text()
    if f":{file.stat().st_ino} " not in locks:
        pytest.skip("this file system's locks are not in /proc/locks")
    proc = tmp_path / "proc"
    (proc / str(process)).mkdir(parents=True)  # its fd folder is another user's
    (proc / "locks").write_text(locks)
    assert holders([file], proc) == {process: "of another user"}
    other = tmp_path / "media1"
    other.touch()
    assert holders([other], proc) == {}


def test_we_ourselves_and_nobody_are_not_named(tmp_path, monkeypatch):
    file = tmp_path / "media0"
    with file.open("w"):
        assert holders([file]) == {}
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        assert in_use([file, tmp_path / "gone"]) == "another program may use it"
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        hint = "; this names it: sudo edge-vision doctor"
        assert in_use([file]) == f"another program may use it{hint}"


def test_a_process_without_a_name_or_files_is_no_trouble(tmp_path):
    (tmp_path / "77" / "fd").mkdir(parents=True)
    os.symlink("/dev/media0", tmp_path / "77" / "fd" / "3")
    (tmp_path / "78").mkdir()
    assert holders([Path("/dev/media0")], tmp_path) == {77: "of another user"}
