"""`edge-vision run --service` as systemd would run it: a real process and a real socket."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CONFIG = "camera: {kind: demo, size_px: [320, 240]}\nmodel: {size: small, threads: 1}\n"
LIMIT_S = 60.0


class Supervised:
    """A process, what it told its supervisor, and what it logged."""

    def __init__(self, folder: Path, config: str = CONFIG, watchdog_s: float = 2.0) -> None:
        self.config = folder / "config.yaml"
        self.config.write_text(config)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self.log_file = folder / "log"
        self.told: list[str] = []
        command = [sys.executable, "-m", "edge_vision", "run", "--service", "-c", self.config]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stderr=log,
                stdout=log,
                cwd=folder,
                env={
                    **_environment(),
                    "NOTIFY_SOCKET": str(folder / "notify"),
                    "WATCHDOG_USEC": str(round(watchdog_s * 1e6)),
                },
            )

    def wait_for(self, wanted: Callable[[str], bool], limit_s: float = LIMIT_S) -> str:
        """The next message that is wanted; fails after a time that no healthy run takes."""
        deadline = time.monotonic() + limit_s
        while (left_s := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                text = self._socket.recv(4096).decode()
            except TimeoutError:
                break
            self.told.append(text)
            if wanted(text):
                return text
        raise AssertionError(f"not told in {limit_s:g} s; told: {self.told}; log: {self.log()}")

    def log(self) -> str:
        return self.log_file.read_text()

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        code = self.process.wait(20)
        self._socket.close()
        return code


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if "DISPLAY" not in key}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Supervised]:
    started = Supervised(tmp_path)
    yield started
    started.process.kill()
    started.end()


def is_(text: str) -> Callable[[str], bool]:
    return lambda told: told.startswith(text)


def test_ready_watchdog_state_and_the_end(service: Supervised) -> None:
    service.wait_for(is_("READY=1"))
    assert not any(told.startswith("WATCHDOG") for told in service.told[:-1])
    for _ in range(3):
        service.wait_for(is_("WATCHDOG=1"))
    status = service.wait_for(is_("STATUS="))
    assert "detector" in status
    assert "camera" in status
    assert service.end() == 0
    service_log = service.log()
    assert "Traceback" not in service_log


def test_the_end_is_told_at_once_and_a_second_signal_does_not_wait_for_it(tmp_path: Path) -> None:
    """A pipe that nobody reads takes no line, so the end in order waits for it for two seconds."""
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    os.write(pipe, b"x" * fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ))
    service = Supervised(tmp_path, CONFIG + "outputs: {jsonl: {path: pipe}}\n")
    try:
        service.wait_for(is_("READY=1"))
        service.process.terminate()
        service.wait_for(is_("STOPPING=1"))
        assert service.process.poll() is None
        service.process.terminate()
        assert service.process.wait(LIMIT_S) == -signal.SIGTERM
    finally:
        service.process.kill()
        service.end()
        os.close(pipe)


def test_a_frozen_process_does_not_feed_the_watchdog(service: Supervised) -> None:
    service.wait_for(is_("WATCHDOG=1"))
    service.process.send_signal(signal.SIGSTOP)
    with pytest.raises(AssertionError, match="not told in 3 s"):
        service.wait_for(is_("never"), 3)
    before = len(service.told)
    service.process.send_signal(signal.SIGCONT)
    service.wait_for(is_("WATCHDOG=1"))
    assert len(service.told) > before
    assert service.end() == 0


def test_a_new_configuration_is_taken_while_running(service: Supervised) -> None:
    service.wait_for(is_("READY=1"))
    service.config.write_text(
        CONFIG.replace("small", "medium") + "overlay: {style: corners, timing: exact}\n"
    )
    service.wait_for(is_("RELOADING=1"))
    service.wait_for(is_("READY=1"))
    assert "needs a restart: overlay.timing" in service.wait_for(is_("STATUS="))
    service.wait_for(is_("WATCHDOG=1"))
    assert "changed model.size, overlay.style" in service.log()
    assert "236x236" in service.log()
    assert service.end() == 0


def test_a_bad_configuration_changes_nothing_and_says_why(service: Supervised) -> None:
    service.wait_for(is_("READY=1"))
    service.config.write_text(CONFIG.replace("small", "smal"))
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(is_("RELOADING=1"))
    service.wait_for(is_("READY=1"))
    service.wait_for(is_("WATCHDOG=1"))
    assert "the old one stays" in service.log()
    assert "config.yaml:2" in service.log()
    service.config.write_text(CONFIG)
    service.wait_for(is_("RELOADING=1"))
    service.wait_for(is_("READY=1"))
    assert "nothing changed" in service.log()
    assert service.end() == 0


@pytest.mark.parametrize(
    ("camera", "reason"),
    [("{kind: usb, source: /dev/video99}", "/dev/video99"), ("{kind: auto}", "no USB camera")],
)
def test_without_a_camera_it_says_so_and_goes_on(tmp_path: Path, camera: str, reason: str) -> None:
    if "auto" in camera and list(Path("/dev").glob("video*")):
        pytest.skip("this computer has a camera")
    service = Supervised(tmp_path, f"camera: {camera}\nmodel: {{size: small}}\n")
    try:
        service.wait_for(is_("READY=1"))
        status = service.wait_for(is_("STATUS=no camera"))
        assert reason in status
        service.wait_for(is_("WATCHDOG=1"))
        service.wait_for(is_("WATCHDOG=1"))
    finally:
        code = service.end()
    assert code == 0
    assert "demo" not in service.log()
