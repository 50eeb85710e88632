"""`edge-vision password`: what the live page asks for before it shows anything."""

import getpass
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from edge_vision.errors import ConfigError, OutputError
from edge_vision.outputs.web.passwords import (
    LONGEST,
    SHORTEST,
    Password,
    new_token,
    parse_password,
    parse_tokens,
    token_line,
)
from edge_vision.whole_file import whole_file

_SERVICE = "edge-vision"
"""The service's group; see systemd/install.sh."""


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where its hash is kept.")],
    token: Annotated[
        bool,
        typer.Option("--token", help="Add a token for a program instead, and print it once."),
    ] = False,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What the token is for, as a note in the file.")
    ] = "",
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the password from standard input, one line.")
    ] = False,
) -> None:
    """Make a password for people, or a token for a program.

    Only a hash is kept.  A password takes the place of the one in FILE; tokens are added, and end
    when their line is deleted.  Both count from the next start on.

    \b
    Examples:
      edge-vision password password.txt
      edge-vision password --token tokens.txt --name home-assistant
    """
    if name and not token:
        raise ConfigError("--name is the note of a token; give --token, too")
    try:
        if token:
            _add_token(file, name)
        else:
            _set_password(file, stdin=stdin)
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written: {error.strerror}; take another folder, or sudo"
        ) from None
    key = "token_file" if token else "password_file"
    print(_next_steps(file.resolve(), key), file=sys.stderr)


def _set_password(file: Path, *, stdin: bool) -> None:
    _old_text(file, "a password's hash", lambda text: parse_password(text) is not None)
    password = _typed(stdin=stdin)
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(
            f"a password of {len(password)} characters; expected {SHORTEST} to {LONGEST}, such as "
            "four words"
        )
    _write(file, Password.of(password).line())


def _add_token(file: Path, name: str) -> None:
    if not name.isprintable() or len(name) > 100:
        raise ConfigError("--name: expected at most 100 characters on one line")
    old = _old_text(file, "tokens' hashes", lambda text: parse_tokens(text) is not None)
    token = new_token()
    if old and not old.endswith("\n"):
        old += "\n"
    _write(file, old + token_line(token, name))
    print(token)  # by itself on standard output: TOKEN=$(edge-vision password --token FILE)


def _typed(*, stdin: bool) -> str:
    """The password; from a terminal twice, as nobody sees what he types."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise ConfigError("there is no terminal to ask at; give the password by --stdin")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise ConfigError("the two are not the same; nothing was changed")
    return first


def _old_text(file: Path, expected: str, fits: Callable[[str], bool]) -> str:
    """What the file holds; empty where there is none."""
    try:
        text = file.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
    if text.strip() and not fits(text):
        raise ConfigError(
            f"{file} holds something else than {expected}; it stays as it is: name another file"
        )
    return text


def _write(file: Path, text: str) -> None:
    """In one step; owner, group and mode of an older file stay, a new one is its owner's alone."""
    file = file.resolve()
    with whole_file(file, 0o600) as out:
        with suppress(FileNotFoundError):
            old = file.stat()
            os.fchown(out.fileno(), old.st_uid, old.st_gid)
            os.fchmod(out.fileno(), old.st_mode & 0o777)
        out.write(text.encode())


def _next_steps(file: Path, key: str) -> str:
    path = shlex.quote(str(file))
    return (
        f"{file} is written.  Set outputs.web.{key}: {file} in config.yaml and start again; a "
        f"service must be able to read it: sudo chgrp {_SERVICE} {path} && sudo chmod 640 {path}"
    )
