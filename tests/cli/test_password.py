"""`edge-vision password`: files that the live page reads."""

import os
import stat
from pathlib import Path

import pytest

from edge_vision.outputs.web.passwords import (
    new_token,
    read_password,
    read_tokens,
    token_hash,
    token_line,
)


def test_a_password_from_standard_input_is_kept_as_a_hash(cli, tmp_path: Path) -> None:
    done = cli("password", "--stdin", "secret.txt", input="correct horse\r\n")
    assert done.returncode == 0, done.stderr
    file = tmp_path / "secret.txt"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_password(str(file)).matches("correct horse")
    for said in (done.stdout, done.stderr, file.read_text()):
        assert "correct horse" not in said
    assert f"outputs.web.password_file: {file}" in done.stderr
    assert f"sudo chgrp edge-vision {file}" in done.stderr
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_password_takes_the_place_of_the_old_one(cli, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    assert cli("password", "--stdin", file, input="correct horse\n").returncode == 0
    file.chmod(0o640)  # as the service needs it
    link = tmp_path / "link"
    link.symlink_to(file)
    assert cli("password", "--stdin", link, input="another horse\n").returncode == 0
    assert read_password(str(file)).matches("another horse")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert link.is_symlink()


@pytest.mark.parametrize(
    ("typed", "said"), [("", "of 0 characters"), ("seven77\n", "of 7"), ("x" * 1025, "of 1025")]
)
def test_a_password_too_short_or_too_long_is_refused(cli, tmp_path, typed: str, said: str) -> None:
    done = cli("password", "--stdin", "secret", input=typed)
    assert done.returncode == 78
    assert said in done.stderr
    assert not (tmp_path / "secret").exists()


def test_no_other_file_is_overwritten(cli, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("camera: {kind: demo}\n")
    for options in (["--stdin"], ["--token"]):
        done = cli("password", *options, config, input="correct horse\n")
        assert done.returncode == 78
        assert "holds something else" in done.stderr
        assert done.stdout == ""
    assert config.read_text() == "camera: {kind: demo}\n"


def test_without_a_terminal_it_does_not_ask(cli, tmp_path: Path) -> None:
    done = cli("password", "secret", input="correct horse\n")
    assert (done.returncode, "--stdin" in done.stderr) == (78, True)
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_printed_once_and_kept_as_a_hash(cli, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    tokens = []
    for name in ("home", ""):
        done = cli("password", "--token", file, *(["--name", name] if name else []))
        assert done.returncode == 0, done.stderr
        tokens.append(done.stdout.strip())
        assert f"outputs.web.token_file: {file}" in done.stderr
        assert tokens[-1] not in done.stderr + file.read_text()
    assert len(set(tokens)) == 2
    assert all(len(token) == 43 for token in tokens)  # 256 bits in base64
    assert read_tokens(str(file)) == tuple(token_hash(token) for token in tokens)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().splitlines()[0].endswith(" home")


def test_notes_and_a_missing_last_line_end_stay(cli, tmp_path: Path) -> None:
    file, old = tmp_path / "tokens", new_token()
    file.write_text("# mine\n" + token_line(old, "old").rstrip("\n"))
    assert cli("password", "--token", file).returncode == 0
    assert file.read_text().startswith("# mine\n")
    assert read_tokens(str(file))[0] == token_hash(old)
    assert len(read_tokens(str(file))) == 2


def test_a_name_is_a_tokens_and_of_one_line(cli, tmp_path: Path) -> None:
    for arguments in (["--stdin", "--name", "x"], ["--token", "--name", "a\nb"]):
        done = cli("password", "secret", *arguments, input="correct horse\n")
        assert (done.returncode, "--name" in done.stderr) == (78, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_sentence(cli) -> None:
    done = cli("password", "--token", "/nowhere/tokens")
    assert done.returncode == 74
    assert "/nowhere/tokens cannot be written: No such file or directory" in done.stderr
    assert done.stdout == ""


def test_at_a_terminal_it_asks_twice_and_shows_nothing(repo: Path, tmp_path: Path) -> None:
    import pty
    import sys

    def at_terminal(lines: list[bytes]) -> tuple[int, bytes]:
        process, terminal = pty.fork()
        if process == 0:
            arguments = [sys.executable, "-m", "edge_vision", "password", str(tmp_path / "secret")]
            os.execve(sys.executable, arguments, {**os.environ, "PYTHONPATH": str(repo)})
        shown = b""
        try:
            while True:
                # A prompt is shown once the echo is off.
                if shown.endswith(b": ") and lines:
                    os.write(terminal, lines.pop(0) + b"\n")
                shown += os.read(terminal, 1)
        except OSError:  # the other end is closed
            pass
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown

    code, shown = at_terminal([b"correct horse", b"correct house"])
    assert (code, b"not the same" in shown) == (78, True)
    assert list(tmp_path.iterdir()) == []
    code, shown = at_terminal([b"correct horse", b"correct horse"])
    assert code == 0
    assert b"horse" not in shown
    assert read_password(str(tmp_path / "secret")).matches("correct horse")
