"""A program for each event: real processes, one at a time, killed as a group."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge_vision.config import Config
from edge_vision.config_net import HookConfig
from edge_vision.errors import OutputError
from edge_vision.outputs.hook import HookOutput

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]


@pytest.fixture
def make(make_control: Make) -> Iterator[Callable[..., HookOutput]]:
    """make(script, arguments..., timeout_s): a Python script as hook, started."""
    made: list[HookOutput] = []

    def build(script: str, *arguments: str, timeout_s: float = 20.0) -> HookOutput:
        command = [sys.executable, "-c", script, *arguments]
        output = HookOutput(HookConfig.model_construct(command=command, timeout_s=timeout_s))
        output.attach(make_control(Config()))
        output.start()
        made.append(output)
        return output

    yield build
    for output in made:
        output.close(5)


WRITE = "import sys; open(sys.argv[1], 'a').write(repr(sys.argv[2:]) + sys.stdin.read() + chr(10))"


def test_it_gets_the_event_as_arguments_and_input(
    make: Make, make_event: Make, until: Make, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    output = make(WRITE, str(said), "{rule}", "{label} {{}}", "$(reboot); {score}")
    output.on_event(make_event(1))
    output.on_event(make_event(1, end_s=3.0))
    output.on_event(make_event(2, label="-rf"))
    until(lambda: said.exists() and said.read_text().count("\n") == 2)
    first, second = said.read_text().splitlines()
    arguments, _, event = first.partition("]")
    assert arguments == "['visitor', 'person {}', '$(reboot); 0.8'"
    assert json.loads(event)["id"] == "e000001"
    assert "'-rf {}'" in second
    assert output.fault() is None


@pytest.mark.parametrize(
    ("script", "how"),
    [("raise SystemExit(3)", "exit status 3"), ("import os; os.kill(os.getpid(), 9)", "signal 9")],
)
def test_a_failure_is_one_line_and_passes(
    make: Make, make_event: Make, until: Make, caplog: pytest.LogCaptureFixture, script: str,
    how: str,
) -> None:  # fmt: skip
    output = make(script)
    output.on_event(make_event(7))
    sentence = f"hook: {sys.executable} ended with {how} (event e000007)"
    assert str(until(output.fault)) == sentence
    assert [text for text in caplog.messages if "hook" in text] == [sentence]


def test_at_the_limit_it_is_killed_with_its_children(
    make: Make, make_event: Make, until: Make, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid) + '.')\n"
        "child.wait()"
    )
    output = make(script, str(file), timeout_s=3.0)
    output.on_event(make_event(1))
    until(lambda: file.exists() and file.read_text().endswith("."))
    assert "was killed after 3 s (event e000001)" in str(until(output.fault))
    until(lambda: _gone(int(file.read_text()[:-1])))


def _gone(pid: int) -> bool:
    """Ended, at least as a zombie that nobody has asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_the_end_does_not_wait_for_it(
    make: Make, make_event: Make, until: Make, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    script = "import os, sys, time; open(sys.argv[1], 'w').write('x'); time.sleep(600)"
    output = make(script, str(file))
    output.on_event(make_event(1))
    until(file.exists)
    output.close(5)
    assert output.fault() is None
    assert not output._worker.alive


def test_a_slow_program_holds_nobody_up(
    make: Make, make_event: Make, until: Make, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    output = make("import sys; open(sys.argv[1]).read()", str(pipe))
    for number in range(100):
        output.on_event(make_event(number))
    assert output._control.telemetry.drops()["hook busy"] >= 100 - 33


def test_what_is_no_program_ends_the_start(tmp_path: Path, make_control: Make) -> None:
    file = tmp_path / "note.txt"
    file.write_text("hello")
    for path in (file, tmp_path, tmp_path / "missing"):
        output = HookOutput(HookConfig(command=[str(path)]))
        output.attach(make_control(Config()))
        with pytest.raises(OutputError, match="is no program that this user may run"):
            output.start()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["on-event"], "give its whole path"),
        (["/bin/echo", "{password}"], "names what an event does not have"),
        (["/bin/echo", "{rule.__class__}"], "names what an event does not have"),
        (["/bin/echo", "{rule!r}"], "names what an event does not have"),
        (["/bin/echo", "{score:9999999}"], "names what an event does not have"),
        (["/bin/echo", "{0}"], "names what an event does not have"),
        (["/bin/echo", "{rule"], "cannot be filled in"),
    ],
)
def test_commands_that_cannot_be(command: list[str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        HookConfig(command=command)
