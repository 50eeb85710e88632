"""Values written into a file that somebody wrote by hand: nothing else in it may change."""

import difflib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_vision import config_save
from edge_vision.config import Config
from edge_vision.config_load import load_config, parse_config
from edge_vision.config_save import save_values
from edge_vision.errors import OutputError
from edge_vision.live import live_values

LIVE = [(section, key) for section, keys in live_values(Config()).items() for key in keys]
OTHER: dict[str, Any] = {
    "model.size": "small",
    "model.threads": 2,
    "model.classes": ["cat", "traffic light"],
    "overlay.registration": "none",
    "overlay.style": "hud",
    "overlay.colour": "#00ff00",
    "overlay.colours": {"person": "#ff8800", "cat": "#001122"},
    "overlay.label": "yes: {id} # 'a' \"b\"",
    "overlay.heights_m": {"cat": 0.3},
    "overlay.blur": ["person"],
    "overlay.masks": [[[0.0, 0.0], [0.3, 0.0], [0.0, 0.4]]],
    "overlay.trails_s": 2.0,
    "power.idle_after_s": 5.0,
    "governor.hot_c": 70.5,
    "log.level": "debug",
    "watch.zones": {"yard": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], "2": [[0, 0], [1, 0], [0, 1]]},
    "watch.lines": {"door": [[0.3, 0.9], [0.3, 0.2]]},
    "watch.rules": [{"name": "visitor", "classes": ["cat"]}, {"name": "any"}],
}


def other(section: str, key: str) -> Any:
    """A value that is not the default."""
    old = live_values(Config())[section][key]
    if isinstance(old, bool):
        return not old
    return OTHER.get(f"{section}.{key}", old / 2 if isinstance(old, float) else old)


def changed_lines(before: str, after: str) -> list[str]:
    diff = difflib.unified_diff(before.splitlines(True), after.splitlines(True), n=0)
    return [line for line in list(diff)[2:] if not line.startswith("@@")]


@pytest.mark.parametrize(("section", "key"), LIVE)
def test_one_line_of_the_whole_configuration_changes(
    tmp_path: Path, repo: Path, section: str, key: str
) -> None:
    file = tmp_path / "config.yaml"
    text = (repo / "config.yaml").read_text("utf-8")
    file.write_text(text, "utf-8")
    old = live_values(Config())[section][key]
    value = other(section, key)
    if isinstance(value, int) and value == old:
        value += 1
    assert value != old
    saved, backup = save_values(file, {(section, key): value})
    minus, plus, *more = changed_lines(text, saved.read_text("utf-8"))
    assert len(more) == (len(value) if section == "watch" else 0)  # a line for each entry
    assert all(line.startswith("+    ") for line in more)
    assert minus.split(":")[0][1:] == plus.split(":")[0][1:] == f"  {key}"
    assert minus.partition("#")[2].strip()[-20:] in plus, "the comment is lost"
    assert load_config(saved) == parse_config({section: {key: value}})
    assert backup.read_text("utf-8") == text
    assert backup.name == "config.yaml.bak"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "config.yaml.bak"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# nothing yet\n", "# nothing yet\nmodel:\n  size: small\n"),
        ("log: {level: info}", "log: {level: info}\nmodel:\n  size: small\n"),
        ("model:\n", "model:\n  size: small\n"),
        ("model:   # here", "model:   # here\n  size: small\n"),
        ("model: {}\n", "model: {size: small}\n"),
        ("model: {threads: 1}  # x\n", "model: {size: small, threads: 1}  # x\n"),
        ("model:\n    threads: 1 # x\n", "model:\n    size: small\n    threads: 1 # x\n"),
        ("model: {size: large,threads: 1}\n", "model: {size: small,threads: 1}\n"),
        ("model:\n  size:   'large' # a\n", "model:\n  size:   'small' # a\n"),
        ('model:\n  size: "large"\n', 'model:\n  size: "small"\n'),
        ("model:\n  size:\n    large\n  # b\n", "model:\n  size: small\n  # b\n"),
        ("model:\r\n  size: large # a\r\n", "model:\r\n  size: small # a\r\n"),
        ("model:\r\n  threads: 1\r\n", "model:\r\n  size: small\r\n  threads: 1\r\n"),
        ("\ufeffmodel: {size: large}\n", "\ufeffmodel: {size: small}\n"),
        ("---\nmodel:\n  size: large\n...\n", "---\nmodel:\n  size: small\n...\n"),
        ("{model: {size: large}}\n", "{model: {size: small}}\n"),
        ("{log: {level: info}}\n", "{model: {size: small}, log: {level: info}}\n"),
    ],
)
def test_hands_differ(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(text.encode())
    save_values(file, {("model", "size"): "small"})
    found = file.read_bytes().decode()
    # A comment that can keep its column keeps it, with two spaces before it at least.
    assert found.replace("  #", " #") == expected.replace("  #", " #")
    assert load_config(file).model.size == "small"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model:\n  classes: # who\n  - person\n  - cat\n\n# after\nlog: {level: info}\n",
         "model:\n  classes: [dog] # who\n\n# after\nlog: {level: info}\n"),
        ("model:\n  classes:\n    - person # one\n    # two\n    - cat # three\n  threads: 1\n",
         "model:\n  classes: [dog] # three\n  threads: 1\n"),
        ("model:\n  classes: [person,\n    cat] # x\n", "model:\n  classes: [dog] # x\n"),
    ],
)  # fmt: skip
def test_a_list_of_several_lines_becomes_one(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    save_values(file, {("model", "classes"): ["dog"]})
    assert file.read_text() == expected


@pytest.mark.parametrize(
    "label",
    ["yes", "null", "1.5", "1e3", "", " a ", "a: b", "- a", "#x", "'", '"', "a\nb", "Grüße", "~",
     "0x1f", "1:30", "{label}", "{label}\u2028", "*a", "=", "2026-11-22"],
)  # fmt: skip
@pytest.mark.parametrize("text", ["overlay: {label: x}", "overlay:\n  label: 'x' # c\n", "# a\n"])
def test_any_text_is_read_back_as_it_was(tmp_path: Path, text: str, label: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    save_values(file, {("overlay", "label"): label})
    assert load_config(file).overlay.label == label


def test_several_values_deeper_sections_and_lists_of_the_file_itself(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("camera:\n  kind: demo # d\n")
    values = {
        ("camera", "pi", "hflip"): True,
        ("outputs", "web", "hosts"): ["a.example"],
        ("outputs", "web", "port"): 81,
        ("version",): 1,
    }
    save_values(file, values)
    assert file.read_text() == (
        "camera:\n  pi:\n    hflip: true\n  kind: demo # d\n"
        "outputs:\n  web:\n    port: 81\n    hosts: [a.example]\nversion: 1\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "model: &m {size: large}\n",
        "model: {threads: &n 1, max_detections: *n}\n",
        "x: 1\n",
        "model: {siz: 1}\n",
        "model: {size: large}\nmodel: {threads: 1}\n",
    ],
)
def test_what_cannot_be_changed_at_one_place_stays(tmp_path: Path, text: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(OutputError, match="changed, but not saved: "):
        save_values(file, {("model", "max_detections"): 3})
    assert file.read_text() == text
    assert [path for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_mode_and_symlinks_stay(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real.yaml", tmp_path / "c.yaml"
    real.write_text("log: {level: info}\n")
    real.chmod(0o640)
    link.symlink_to(real)
    saved, backup = save_values(link, {("log", "level"): "debug"})
    assert link.is_symlink()
    assert (saved, backup) == (real, real.with_name("real.yaml.bak"))
    assert real.read_text() == "log: {level: debug}\n"
    assert (real.stat().st_mode & 0o777, backup.stat().st_mode & 0o777) == (0o640, 0o640)


def test_no_file_of_its_own() -> None:
    for file in (None, Path("/somewhere/_config.yaml")):
        with pytest.raises(OutputError, match="start it with -c FILE"):
            save_values(file, {("log", "level"): "debug"})


def test_the_file_is_gone(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="changed, but not saved: there is no config file"):
        save_values(tmp_path / "c.yaml", {("log", "level"): "debug"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "open_folder", "said"),
    [
        (OSError(28, "No space left on device"), True, "c.yaml cannot be written: No space left"),
        (PermissionError(13, "Permission denied"), False, "sudo chgrp .* && sudo chmod g\\+w"),
        # A sticky folder, and a file that an editor under sudo wrote anew.
        (PermissionError(1, "Operation not permitted"), True, "sudo chown .*c.yaml"),
    ],
)
def test_the_disk_refuses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    open_folder: bool,
    said: str,
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("log: {level: info}\n")
    real = os.replace

    def replace(source: str, target: Path) -> None:
        if target == file:
            raise error
        real(source, target)

    monkeypatch.setattr(config_save.os, "replace", replace)
    monkeypatch.setattr(config_save.os, "access", lambda path, mode: open_folder)
    with pytest.raises(OutputError, match=said):
        save_values(file, {("log", "level"): "debug"})
    assert file.read_text() == "log: {level: info}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.yaml", "c.yaml.bak"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("log: {level: info}\n")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="sudo chmod g\\+w"):
            save_values(file, {("log", "level"): "debug"})
    finally:
        tmp_path.chmod(0o700)
    assert file.read_text() == "log: {level: info}\n"


def test_the_result_is_yaml_for_everybody(tmp_path: Path, repo: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text((repo / "config.yaml").read_text("utf-8"), "utf-8")
    save_values(file, {(section, key): other(section, key) for section, key in LIVE})
    assert yaml.safe_load(file.read_text("utf-8"))["overlay"]["masks"] == OTHER["overlay.masks"]
