"""The files of secrets."""

import hashlib
import logging
import os
from pathlib import Path

import pytest

from edge_vision.errors import ConfigError
from edge_vision.outputs.web.access import Access
from edge_vision.outputs.web.passwords import (
    Password,
    parse_password,
    parse_tokens,
    read_password,
    read_tokens,
    token_line,
    unreadable,
)


def test_a_password_comes_back_from_its_line_and_matches_itself_alone() -> None:
    password = Password.of("correct horse")
    again = parse_password(password.line())
    assert again == password
    assert again.matches("correct horse")
    assert not again.matches("correct hors")
    assert not again.matches("")
    assert Password.of("correct horse").salt != password.salt


def test_it_is_the_scrypt_of_the_standard_library_with_the_parameters_in_the_line() -> None:
    password = parse_password(
        # RFC 7914, 12: scrypt("password", "NaCl", N=1024, r=8, p=16), its first 32 bytes
        "scrypt$n=1024,r=8,p=16$TmFDbA==$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI="
    )
    assert password is not None
    assert password.matches("password")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse",
        "scrypt$n=16385,r=8,p=1$TmFDbA==$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI=",
        "scrypt$n=0,r=8,p=1$TmFDbA==$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI=",
        "scrypt$n=1048576,r=8,p=1$TmFDbA==$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI=",
        "scrypt$n=1024,r=0,p=1$TmFDbA==$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI=",
        "scrypt$n=1024,r=8,p=99$TmFDbA==$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI=",
        "scrypt$n=1024,r=8,p=1$TmFDbA=$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI=",
        "scrypt$n=1024,r=8,p=1$TmFDbA==$/bq+HJ00",
    ],
)
def test_what_is_no_password_or_would_fill_the_memory_is_refused(text: str, tmp_path: Path) -> None:
    assert parse_password(text) is None
    file = tmp_path / "pass word"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no password's hash; make one by"):
        read_password(str(file))


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"outputs\.web\.password_file: there is no file /nowh"):
        read_password("/nowhere/x")
    with pytest.raises(ConfigError, match=r"outputs\.web\.token_file: .* cannot be read: Is a dir"):
        read_tokens(str(tmp_path))
    foreign = unreadable("/a b", "outputs.web.tls_key", PermissionError(13, "Permission denied"))
    assert f"sudo chgrp {os.getegid()} '/a b' && sudo chmod g+r '/a b'" in str(foreign)
    large = tmp_path / "large"
    large.write_bytes(b"\xff" * 100_000)
    with pytest.raises(ConfigError, match="holds no token's hash"):
        read_tokens(str(large))


@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o640, 0), (0o644, 1)])
def test_a_file_that_everybody_can_read_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: int
) -> None:
    file = tmp_path / "password"
    file.write_text(Password.of("correct horse").line())
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        read_password(str(file))
    assert sum("every user of this computer" in line for line in caplog.messages) == warned
    assert "scrypt" not in caplog.text


def test_tokens_are_lines_with_comments_between(tmp_path: Path) -> None:
    text = "# programs\n\n" + token_line("one", "") + token_line("two", "the other")
    found = parse_tokens(text)
    assert found == (hashlib.sha256(b"one").digest(), hashlib.sha256(b"two").digest())
    assert parse_tokens(text + "something else\n") is None
    assert parse_tokens("# nothing\n") == ()
    access = Access(tokens=found)
    assert access.needed
    assert access.has_token("Bearer two")
    assert access.has_token("bearer  one ")
    for wrong in ("", "Bearer", "Bearer ", "Bearer three", "Basic one", "one", "Bearer \udcff"):
        assert not access.has_token(wrong), wrong
    assert not Access().has_token("Bearer one")


def test_the_cookie_is_of_one_port_and_over_tls_of_one_host() -> None:
    access = Access(Password.of("correct horse"))
    access.use_port(8080)
    ticket = access.sessions.begin(0)
    assert access.logged_in(f"other=1; edge-vision-8080={ticket}", 1)
    for wrong in ("", f"edge-vision-8081={ticket}", "edge-vision-8080=", ticket):
        assert not access.logged_in(wrong, 1), wrong
    secure = Access(tls=True)
    secure.use_port(8443)
    assert secure.cookie == "__Host-edge-vision-8443"
