"""The command itself, with a real broker: once as JSON, as a page, and with what goes wrong."""

import json
import os
import select
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_vision.config_net import parse_broker
from edge_vision.outputs.mqtt.link import Link, Login, Message

Make = Callable[..., Any]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "edge_vision", "fleet", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> str:
    """What it said on standard error, once it has ended in order."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    return said


def talk(url: str) -> None:
    """As two boards, which stay with the broker."""
    link = Link(parse_broker(url), Login("boards"), will=None, on_message=lambda *_: None)
    link.connect()
    state = {"camera": {"up": True}, "rates": {"detector": 9.5}, "temperature_c": 48.0}
    for node in ("porch", "shed"):
        link.publish(Message(f"edge-vision/{node}/availability", b"online", True, 1))
        link.publish(Message(f"edge-vision/{node}/state", json.dumps(state).encode(), True, 1))
    for _ in range(5):
        link.step(0.05)
    link.release()


def test_once_as_json(broker: Any) -> None:
    talk(broker.url)
    process = start("--broker", broker.url, "--json")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert found["broker"] == broker.url
    assert [(n["node"], n["alive"], n["detector_per_s"]) for n in found["nodes"]] == [
        ("porch", "yes", 9.5), ("shed", "yes", 9.5)
    ]  # fmt: skip


def test_the_page(broker: Any, until: Make) -> None:
    process = start("--broker", broker.url, "--page", "0")
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    assert url.startswith("http://127.0.0.1:")
    talk(broker.url)

    def nodes() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{url}api/fleet", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)["nodes"]
            return found

    until(lambda: [node["node"] for node in nodes()] == ["porch", "shed"])
    for path, kind in (
        ("", "text/html"),
        ("fleet.js", "text/javascript"),
        ("fleet.css", "text/css"),
    ):
        with urllib.request.urlopen(url + path, timeout=5) as answer:
            assert answer.headers.get_content_type() == kind
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            text = answer.read().decode()
            assert "style=" not in text
            assert " onclick" not in text
    other = urllib.request.Request(f"{url}api/fleet", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(other, timeout=5)
    assert caught.value.code == 421
    caught.value.close()
    assert end(process) == ""


def test_the_table(broker: Any) -> None:
    talk(broker.url)
    terminal, other_end = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "edge_vision", "fleet", "--broker", broker.url],
        stdout=other_end, stderr=subprocess.PIPE, text=True, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(other_end)
    said = b""
    while b"2 of 2 alive" not in said:
        ready, _, _ = select.select([terminal], [], [], 20)
        assert ready, said
        said += os.read(terminal, 4096)
    assert end(process) == ""
    os.close(terminal)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--broker", "http://x"], 78, "--broker: the broker's address is 'http://x'; expected"),
        (["--broker", "mqtt://127.0.0.1:9", "--json"], 74, "nothing listens at mqtt://127.0.0.1:9"),
        (["--broker", "mqtts://a", "--ca", "/missing"], 74, "/missing cannot be read"),
    ],
)
def test_what_goes_wrong_is_a_sentence(arguments: list[str], code: int, said: str) -> None:
    process = start(*arguments)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert said in err
    assert len(err.splitlines()) == 1


def test_the_load_command_loses_nothing(repo: Path, broker: Any) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/fleet_load.py", "--broker", broker.url, "--nodes", "10",
         "--rate", "5", "--seconds", "2"],
        cwd=repo, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 10 nodes complete" in done.stdout
