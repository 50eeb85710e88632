"""A wrong configuration always ends in one ConfigError that says where, what, and what to do."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_vision.config import Config
from edge_vision.config_load import load_config
from edge_vision.errors import ConfigError

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text or bytes to a configuration file and give its path."""

    def _write(content: str | bytes) -> Path:
        file = tmp_path / "c.yaml"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return _write


def _errors(file: Path | None, *sets: str) -> list[str]:
    """The lines of the error, without the folder of the file."""
    with pytest.raises(ConfigError) as caught:
        load_config(file, sets)
    said = str(caught.value)
    return (said.replace(f"{file.parent}{os.sep}", "") if file else said).splitlines()


def _one(file: Path | None, *sets: str) -> str:
    head, *lines = _errors(file, *sets)
    assert head == "the configuration has 1 error:", [head, *lines]
    assert len(lines) == 1
    return lines[0]


# ---- files that are none


def test_no_file_is_the_defaults() -> None:
    assert load_config(None) == Config()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("camera:\n  kind: [demo\n", ":3: this is not YAML: expected ',' or ']'"),
        ("camera:\n\tkind: demo\n", ":2: this is not YAML: found character '\\t'"),
        ("a: b: c\n", ":1: this is not YAML: mapping values are not allowed here"),
        ("camera: *nothing\n", ":1: this is not YAML: found undefined alias"),
        ("camera: {}\n---\nmodel: {}\n", ":2: this is not YAML:"),
        ("camera: \x07\n", ": this is not YAML: unacceptable character #x0007"),
        ('camera: "\\UFFFFFFFF"\n', ": this is not YAML:"),
        (b"camera: {kind: caf\xe9}", " is not UTF-8 text; expected a YAML file"),
        ("camera:\n  kind: demo".encode("utf-16"), " is not UTF-8 text"),
        ("[camera]", ":1: expected sections such as 'camera:', found a list"),
        ("camera", ":1: expected sections such as 'camera:', found a single value"),
        ("[" * 3000, ": nested too deeply"),
        ("a: &x [*x]", ":1: nested too deeply"),
        ("\ncamera: &x {fps: *x}", ":2: nested too deeply"),
        ("camera:\n  a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}", ":2: nested too deeply"),
    ],
)
def test_no_yaml(write: Write, content: str | bytes, line: str) -> None:
    (said,) = _errors(write(content))
    assert said.startswith(f"c.yaml{line}")


def test_aliases_that_multiply_end_soon(write: Write) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 7)]
    (said,) = _errors(write("\n".join(lines)))
    assert "repeated too often" in said


@pytest.mark.parametrize(
    "content",
    ["# nothing\n", "---\n", "version: 1\n", "camera:\n", "camera:\nmodel:\noutputs:\n  video:\n",
     "camera: {}\n", "camera:\n  fps:\n", "\ufeffcamera:\n  fps: 30.0\n",
     "camera:\r\n  fps: 30\r\n"],
)  # fmt: skip
def test_what_is_left_empty_is_the_default(write: Write, content: str) -> None:
    assert load_config(write(content)) == Config()


# ---- single mistakes: text, line, what is said

MISTAKES = [
    ("\ncamera:\n  fps: fast\n", 3, 'camera.fps is "fast"; expected a number'),
    ("camera:\n  fps: '30'\n", 2, 'camera.fps is "30"; expected a number'),
    ("camera:\n  fps: .nan\n", 2, "camera.fps is NaN; expected a finite number"),
    ("camera:\n  timeout_s: .inf\n", 2, "camera.timeout_s is Infinity; expected a finite number"),
    ("camera:\n  fps: 0\n", 2, "camera.fps is 0; expected greater than 0"),
    ("camera:\n  fps: 999\n", 2, "camera.fps is 999; expected less than or equal to 240"),
    ("camera:\n  fps: 2024-12-05\n", 2, 'camera.fps is "2024-12-05"; expected a number'),
    ("camera:\n  fps: 2024-13-45\n", 2, 'camera.fps is "2024-13-45"; expected a number'),
    ("camera:\n  seed: 1.5\n", 2, "camera.seed is 1.5; expected a whole number"),
    ("camera:\n  seed: true\n", 2, "camera.seed is true; expected a whole number"),
    ("camera:\n  seed: !!int x\n", 2, 'camera.seed is "x"; expected a whole number'),
    ("camera:\n  seed: 99999999999\n", 2,
     "camera.seed is 99999999999; expected less than or equal to 4294967295"),
    ("camera:\n  loop: 1\n", 2, "camera.loop is 1; expected true or false"),
    ("camera:\n  loop: 'yes'\n", 2, 'camera.loop is "yes"; expected true or false'),
    ("camera:\n  kind: dmeo\n", 2,
     "camera.kind is \"dmeo\"; expected 'auto', 'demo', 'clip', 'usb' or 'pi'; did you mean demo?"),
    ("camera:\n  kind: xyz\n", 2,
     "camera.kind is \"xyz\"; expected 'auto', 'demo', 'clip', 'usb' or 'pi'"),
    ("camera:\n  kind: on\n", 2,
     "camera.kind is true; expected 'auto', 'demo', 'clip', 'usb' or 'pi'"),
    ("camera:\n  size_px: 640\n", 2, "camera.size_px is 640; expected a list, [like, this]"),
    ("camera:\n  size_px: [640]\n", 2, "camera.size_px is [640]; expected two values"),
    ("camera:\n  size_px: [1, 2, 3]\n", 2, "camera.size_px is [1, 2, 3]; expected two values"),
    ("camera:\n  size_px:\n    - 640\n    - 9\n", 4,
     "camera.size_px.1 is 9; expected greater than or equal to 16"),
    ("camera:\n  source: 1.5\n", 2, "camera.source is 1.5; expected text (put it in quotes) or "
     "a whole number or a list, [like, this]"),
    ("camera:\n  pixel_format: mjpg\n", 2,
     'camera.pixel_format is "mjpg"; expected text of the form \'^(auto|[A-Z0-9]{4})$\''),
    ("camera:\n  kind: clip\n", 2,
     "camera.kind clip needs camera.source: a file, a folder or a URL"),
    ("camera:\n  loop: true\n  pace: fast\n", 3, "camera.pace fast needs camera.kind clip or demo; "
     "kind auto cannot be made to wait"),
    ("model:\n  threads: 0\n", 2,
     "model.threads is 0; expected 'auto' or greater than or equal to 1"),
    ("model:\n  threads: many\n", 2,
     "model.threads is \"many\"; expected 'auto' or a whole number"),
    ("model:\n  input_hw_px: [20, 300]\n", 2,
     "model.input_hw_px: sides of 20 and 300 px; each must be 96 to 4096"),
    ("model:\n  classes:\n    - cat\n    - no\n", 4,
     "model.classes.1 is false; expected text (put it in quotes)"),
    ("model:\n  classes: cat\n", 2, 'model.classes is "cat"; expected a list, [like, this]'),
    ("outputs:\n  null:\n    enabled: 1\n", 3, "outputs.null.enabled is 1; expected true or false"),
    ("\n\ncamera: 3\n", 3, "camera is 3; expected a section with keys below it"),
    ("camera: null\n", 1, "camera is null; expected a section with keys below it"),
    ("camera: [a]\n", 1, 'camera is ["a"]; expected a section with keys below it'),
    ("camera:\n  fsp: 3\n", 2, "unknown key camera.fsp; did you mean fps?"),
    ("outputs:\n  video:\n    paht: x\n", 3, "unknown key outputs.video.paht; did you mean path?"),
    ("cam:\n", 1, "unknown key cam; did you mean camera?"),
    ("camera:\n  fsp:\n", 2, "unknown key camera.fsp; did you mean fps?"),
    ("camera:\n  fps:\n", 2, None),
    ("cam: {}\n", 1, "unknown key cam; did you mean camera?"),
    ("fps: 3\n", 1, "unknown key fps; did you mean camera.fps?"),
    ("zzz: 3\n", 1, "unknown key zzz; known here: version, node, camera, model, tracking, "
     "watch, overlay, events, recorder, outputs, governor, power, log"),
    ("version: one\n", 1, 'version is "one"; expected a whole number'),
    ("version: 0\n", 1, "version is 0; expected greater than or equal to 1"),
    ("log:\n  zzz: 3\n", 2, "unknown key log.zzz; known here: level"),
    ("log: {level: off}\n", 1,
     "log.level is false; expected 'debug', 'info', 'warning' or 'error'"),
    ("camera:\n  fps: 3\n  loop: true\n  fps: 4\n", 4,
     "camera.fps stands here a second time (first at c.yaml:2)"),
    ("camera:\nmodel:\ncamera:\n  fps: 4\n", 3,
     "camera stands here a second time (first at c.yaml:1)"),
    ('camera:\n  source: "\\ud800"\n', 1,
     "a value is no proper Unicode text, or nested too deeply"),
    ("camera:\n  source: 5\n  kind: clip\n", 3,
     "camera.kind clip needs a path or URL as camera.source, not a number"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "line", "said"), MISTAKES)
def test_mistake(write: Write, content: str, line: int, said: str | None) -> None:
    if said is None:  # an unknown section with nothing in it says nothing
        assert load_config(write(content)) == Config()
        return
    assert _one(write(content)) == f"c.yaml:{line}: {said}"


def test_monstrous_numbers_are_shortened(write: Write) -> None:
    for number in ("9" * 5000, "0x" + "f" * 5000):
        said = _one(write(f"camera:\n  seed: {number}\n"))
        assert said.startswith("c.yaml:2: camera.seed is ")
        assert said.endswith("...; expected a whole number")
        assert len(said) < 130


def test_every_error_at_once_in_one_message(write: Write) -> None:
    file = write(
        "camera:\n  kind: dmeo\n  fps: -1\n  zoom: 2\nmodel:\n  size: big\n  size: small\n"
        "colour: red\nlog: 3\n"
    )
    head, *lines = _errors(file, "model.threads=0", "overlay.hdu=true", "fps=3")
    assert head == "the configuration has 9 errors:"
    assert sorted(line.split(": ")[0] for line in lines) == [
        "--set fps=3", "--set model.threads", "--set overlay.hdu",
        "c.yaml:2", "c.yaml:3", "c.yaml:4", "c.yaml:7", "c.yaml:8", "c.yaml:9",
    ]  # fmt: skip


# ---- --set


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("camera.fps=3", 3.0),
        (" camera.fps = 3 ", 3.0),
        ("camera.loop=true", True),
        ("camera.size_px=[640, 480]", (640, 480)),
        ("camera.source=", None),
        ("camera.source=null", None),
        ("camera.source=0", 0),
        ("camera.source='0'", "0"),
        ("camera.source=[a.png, b.png]", ["a.png", "b.png"]),
        ("camera.source=a=b.mp4", "a=b.mp4"),
        ("camera.source=rtsp://me:pw@host:554/x?y=1#z", "rtsp://me:pw@host:554/x?y=1#z"),
        ("camera.source=*.png", "*.png"),
        ("camera.source=#1.png", "#1.png"),
        ("camera.source=a: b", "a: b"),
        ("camera.source=- b", "- b"),
        ("camera.source=2024-12-05", "2024-12-05"),
        ("camera.source=2024-13-45", "2024-13-45"),
        ("camera.source=&x [*x]", "&x [*x]"),
        ("camera.source=!!int x", "!!int x"),
        ("camera.source=img_%04d.png", "img_%04d.png"),
        ("camera.source=\x07", "\x07"),
        ("outputs.jsonl.path=-", "-"),
        ("outputs.null.enabled=true", True),
        ("outputs.window.enabled=auto", "auto"),
        ("model.classes=[]", []),
        ("model.input_hw_px=[236, 300]", (236, 300)),
    ],
)
def test_set(setting: str, value: object) -> None:
    at: Any = load_config(None, [setting])
    for name in setting.partition("=")[0].strip().split("."):
        at = getattr(at, name)
    assert at == value
    assert type(at) is type(value)


@pytest.mark.parametrize(
    "setting",
    ["fps=3", "camera.fps", "=", "camera..fps=3", ".fps=3", "camera.=3", "", "camera=3",
     ".".join("a" * 2000) + "=1"],
)  # fmt: skip
def test_set_in_the_wrong_form(setting: str) -> None:
    form = "expected section.key=value, for example model.size=small"
    assert _one(None, setting) == f"--set {setting}: {form}"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("camera.fps=x", 'camera.fps is "x"; expected a number'),
        ("camera.fps=2024-13-45", 'camera.fps is "2024-13-45"; expected a number'),
        ("camera.fps.x=3", 'camera.fps is {"x": 3}; expected a number'),
        ("camera.fsp=3", "unknown key camera.fsp; did you mean fps?"),
        ("camrea.fps=3", "unknown key camrea; did you mean camera?"),
        ("camera.kind=clip", "camera.kind clip needs camera.source: a file, a folder or a URL"),
        ("camera.source=" + "[" * 220 + "]" * 220, None),
        ("camera.seed=" + "9" * 5000, None),
    ],
)
def test_set_to_something_wrong(setting: str, said: str | None) -> None:
    line = _one(None, setting)
    if said is not None:
        assert line == f"--set {setting.partition('=')[0]}: {said}"


def test_set_lies_over_the_file_and_the_last_one_wins(write: Write) -> None:
    file = write("camera:\n  fps: 10\n  loop: true\n")
    config = load_config(file, ["camera.fps=20", "camera.fps=25", "model.size=small"])
    assert (config.camera.fps, config.camera.loop, config.model.size) == (25, True, "small")


def test_set_mends_what_the_file_has_wrong(write: Write) -> None:
    assert load_config(write("camera:\n  fps: x\n"), ["camera.fps=20"]).camera.fps == 20
    assert load_config(write("camera: 3\n"), ["camera.fps=20"]).camera.fps == 20


def test_an_error_is_told_at_its_own_place(write: Write) -> None:
    file = write("camera:\n  loop: true\n  kind: clip\nmodel:\n  classes: [a, b]\n")
    # The setting is right and the file is wrong, in the same section; and the other way round.
    assert _one(file, "camera.fps=5").startswith("c.yaml:3: camera.kind clip needs")
    said = _one(file, "model.classes=[a, 3]", "camera.kind=demo")
    assert said == "--set model.classes: model.classes.1 is 3; expected text (put it in quotes)"
