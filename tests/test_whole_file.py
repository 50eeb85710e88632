"""The old file or the new one, whatever happens in between."""

import os
from pathlib import Path

import pytest

from edge_vision.whole_file import whole_file


def test_the_new_one_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with whole_file(file) as out:
        out.write(b"new")
        out.flush()
        assert file.read_text() == "old"
        assert Path(out.name).read_text() == "new"
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failure_leaves_the_old_one_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")
    with pytest.raises(RuntimeError), whole_file(file) as out:
        out.write(b"half")
        raise RuntimeError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_mode_is_never_wider_than_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    left = tmp_path / "secret.partial"
    left.write_text("of a power cut")
    left.chmod(0o666)
    with whole_file(file, 0o600) as out:
        assert os.fstat(out.fileno()).st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes() == b""
