"""The installed service inside the machine: its configuration, its state, what it sees."""

import json
import shutil
from typing import Any

from virtual_board import pictures
from virtual_board.machine import Machine

SEEN = "/var/lib/edge-vision/seen.jsonl"
CONFIG = "/etc/edge-vision/config.yaml"
CAT = "/etc/edge-vision/cat.jpg"
BASE = f"""
model: {{input_hw_px: [128, 128], threads: 1, deadline_s: 300}}
outputs: {{jsonl: {{path: {SEEN}}}}}
"""
"""A tiny input: software emulation is slow.  Every case adds its own camera."""
PICTURE = f"camera: {{kind: clip, source: {CAT}, loop: true, fps: 5}}\n{BASE}"
"""A cat for ever, where the camera does not matter; `Service.configure` puts the picture there."""


class Service:
    """edge-vision.service on a machine where it is installed."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def configure(self, text: str, file: str = CONFIG) -> None:
        """Write the configuration, as the installer does: readable by the service's group."""
        (self._machine.share / "new.yaml").write_text(text)
        shutil.copy(pictures.FOLDER / "cat.jpg", self._machine.share)
        put = "install -m 640 -o edge-vision -g edge-vision"
        # The service looks at both at any time, and must not find half of one.
        self._machine.check(
            f"test -e {CAT} || {put} /share/cat.jpg {CAT}; "
            f"{put} /share/new.yaml {file}.new && mv {file}.new {file}"
        )

    def start(self, text: str) -> None:
        """(Re)start with this configuration; returns when systemd says that it is ready."""
        self.configure(text)
        self._machine.check(f"systemctl stop edge-vision; rm -f {SEEN}")
        result = self._machine.run("systemctl restart edge-vision", 240)
        assert result.code == 0, f"{result}\n{self.journal()}"

    def show(self, name: str) -> str:
        """A property of the unit, as `systemctl show` gives it."""
        return self._machine.check(f"systemctl show -P {name} edge-vision").strip()

    def journal(self, lines: int = 40) -> str:
        """What it said last."""
        return self._machine.run(f"journalctl -u edge-vision -n {lines} --no-pager").output

    def wait_for_journal(self, text: str, timeout_s: float = 120) -> str:
        """The lines of this start that hold `text`, once there are any."""
        invocation = "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID edge-vision)"
        return self._wait(f"journalctl -q -o cat {invocation} | grep -F -- '{text}'", timeout_s)

    def wait_for_sights(self, count: int = 3, timeout_s: float = 180) -> list[dict[str, Any]]:
        """The next `count` analysed frames, as the JSON lines say."""
        before = int(self._machine.check(f"cat {SEEN} 2>/dev/null | wc -l"))
        command = f"[ $(wc -l < {SEEN}) -ge {before + count} ]"
        self._wait(command, timeout_s)
        lines = self._machine.check(f"tail -n +{before + 1} {SEEN} | head -n {count}")
        return [json.loads(line) for line in lines.splitlines()]

    def wait_to_see(self, label: str, timeout_s: float = 180) -> None:
        """Until three frames one after the other hold such an object."""
        command = f'[ $(tail -n 3 {SEEN} | grep -c \'"label": "{label}"\') = 3 ]'
        self._wait(command, timeout_s)

    def _wait(self, command: str, timeout_s: float) -> str:
        try:
            return self._machine.wait_for(command, timeout_s=timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.journal()}") from None


def labels(frames: list[dict[str, Any]]) -> list[set[str]]:
    """The labels of every frame."""
    return [{found["label"] for found in frame["detections"]} for frame in frames]
