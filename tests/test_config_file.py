"""A configuration file that cannot be read, is empty, or may be changed by everybody."""

import errno
import logging
import os
from pathlib import Path

import pytest

from edge_vision.config import Config
from edge_vision.config_file import read_text
from edge_vision.config_load import load_config
from edge_vision.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "my config.yaml"
    file.write_text("camera: {kind: demo}\n")
    file.chmod(0o640)
    return file


def said(file: Path) -> str:
    """The one sentence of the error, the file's folder left out."""
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    text = str(caught.value).replace(f"{file.parent}{os.sep}", "")
    assert "\n" not in text
    return text


def test_a_file_that_is_not_there_or_none(tmp_path: Path, file: Path) -> None:
    assert said(tmp_path / "no.yaml") == "there is no config file no.yaml; check the path after -c"
    assert said(tmp_path).endswith("is a folder; expected a YAML file")
    assert "cannot be read: Not a directory" in said(file / "more.yaml")


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_text", refuse)
    assert said(file) == (
        "my config.yaml cannot be read: Permission denied; let this user's group read it: sudo "
        f"chgrp {os.getegid()} '{file}' && sudo chmod g+r '{file}'"
    ).replace(f"{file.parent}{os.sep}", "")


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n"])
def test_a_file_that_is_empty_is_no_wish_for_the_defaults(file: Path, text: str) -> None:
    file.write_text(text)
    assert said(file).startswith("my config.yaml is empty; expected sections such as 'camera:'")


def test_no_file_at_all_may_be_named_as_dev_null() -> None:
    assert load_config(Path("/dev/null")) == Config()


@pytest.mark.parametrize(("mode", "warned"), [(0o640, False), (0o664, False), (0o666, True)])
def test_a_file_that_everybody_may_change_is_warned_of_once(
    file: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    file.chmod(mode)
    read_text(file)
    assert len(caplog.records) == warned
    if warned:
        assert caplog.records[0].levelno == logging.WARNING
        assert "(mode 0666)" in caplog.text
        assert f"chmod o-w '{file}'" in caplog.text
