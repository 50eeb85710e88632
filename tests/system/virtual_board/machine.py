"""The emulated machine: boots, executes commands, loses its power."""

import json
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from virtual_board import image

_BOOT_WITHIN_S = 200.0
_PATIENCE = {"amd64": 2.0, "arm64": 5.0}
"""What every time limit is multiplied with: a busy computer, and a processor slow to emulate."""
_LOOK_S = 0.3
# Software emulation on purpose: /dev/kvm may be there and hang (nested hypervisors).
_ALWAYS = (
    "-accel", "tcg,thread=multi", "-smp", "2", "-m", "2048", "-display", "none",
    "-monitor", "none", "-no-reboot", "-nic", "none",
    "-object", "rng-random,filename=/dev/urandom,id=random",
    "-device", "virtio-rng-pci,rng=random",
)  # fmt: skip
_QEMU = {
    # Emulated, copying with "rep movsb" goes byte by byte: hide what invites to it.
    "amd64": (("qemu-system-x86_64", "-machine", "q35", "-cpu", "max,-erms,-fsrm"), "ttyS0"),
    "arm64": (("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"), "ttyAMA0"),
}


@dataclass(frozen=True)
class Result:
    """What a command did: `code` is None when its time was up."""

    command: str
    code: int | None
    output: str

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.output}[{self.code}]"


class Machine:
    """One machine with its own disk in `folder`.

    `share` is /share inside, for both to read and write; `wheels` is the disk of /wheels.
    """

    def __init__(self, arch: str, folder: Path, wheels: Path) -> None:
        self.arch = arch
        self._patience = _PATIENCE[arch]
        self.usb_socket = folder / "usb.sock"
        self.share = folder / "share"
        self.share.mkdir()
        self._folder = folder
        self._wheels = wheels
        self._image = image.ensure(arch)
        self._disk = folder / "disk.ext4"
        subprocess.run(
            ["cp", "--sparse=always", "--reflink=auto", self._image / "disk.ext4", self._disk],
            check=True,
        )
        self._qemu: subprocess.Popen[bytes] | None = None
        self._port: socket.socket | None = None
        self._pending = b""

    def boot(self) -> None:
        """Switch on; returns when the system has started."""
        program, console = _QEMU[self.arch]
        port = self._folder / "agent.sock"
        port.unlink(missing_ok=True)
        # no_timer_check: on a busy computer the emulated timer may be late, and that is no fault.
        kernel = f"root=/dev/vda rw console={console} panic=-1 quiet mitigations=off no_timer_check"
        options = [
            "-serial", f"file:{self._folder / 'console.log'}",
            "-drive", f"file={self._disk},format=raw,if=virtio,cache=unsafe",
            "-drive", f"file={self._wheels},format=raw,if=virtio,readonly=on",
            "-virtfs", f"local,path={self.share},security_model=none,mount_tag=share",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={port},server=on,wait=on",
            "-device", "virtserialport,chardev=agent,name=board",
            "-device", "qemu-xhci",
            "-chardev", f"socket,id=usb,path={self.usb_socket},server=on,wait=off",
            "-device", "usb-redir,chardev=usb",
            "-kernel", self._image / "vmlinuz", "-initrd", self._image / "initrd",
            "-append", kernel,
        ]  # fmt: skip
        with (self._folder / "qemu.log").open("wb") as log:
            self._qemu = subprocess.Popen(
                [*program, *_ALWAYS, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline_s = time.monotonic() + _BOOT_WITHIN_S
        while not port.exists():
            if self._qemu.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"QEMU does not start:\n{self._last_words()}")
            time.sleep(_LOOK_S)
        self._port = socket.socket(socket.AF_UNIX)
        self._port.connect(str(port))
        self._pending = b""
        self._answer(_BOOT_WITHIN_S * self._patience)
        self.run("systemctl is-system-running --wait", _BOOT_WITHIN_S)

    def run(self, command: str, timeout_s: float = 120.0) -> Result:
        """Execute a bash command as root."""
        assert self._port is not None
        timeout_s *= self._patience
        request = json.dumps({"command": command, "timeout_s": timeout_s})
        self._port.sendall(request.encode() + b"\n")
        answer = self._answer(timeout_s + 60)
        return Result(command, answer["code"], answer["output"])

    def check(self, command: str, timeout_s: float = 120.0) -> str:
        """The output of a command that must succeed."""
        result = self.run(command, timeout_s)
        assert result.code == 0, str(result)
        return result.output

    def wait_for(
        self,
        command: str,
        accept: Callable[[Result], bool] = lambda result: result.code == 0,
        timeout_s: float = 120.0,
    ) -> str:
        """Repeat a command until its result is accepted; its output then."""
        timeout_s *= self._patience
        deadline_s = time.monotonic() + timeout_s
        while not accept(result := self.run(command)):
            assert time.monotonic() < deadline_s, f"not within {timeout_s:g} s: {result}"
            time.sleep(_LOOK_S)
        return result.output

    def cut_power(self) -> None:
        """End it without a word; what the guest had not written to its disk yet is lost."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
            self._qemu = None
        if self._port is not None:
            self._port.close()
            self._port = None

    def scrap(self) -> None:
        """Switch off for good, and remove the disk."""
        self.cut_power()
        self._disk.unlink()

    def _answer(self, timeout_s: float) -> dict[str, object]:
        assert self._port is not None
        self._port.settimeout(timeout_s)
        try:
            while b"\n" not in self._pending:
                data = self._port.recv(65536)
                if not data:
                    raise RuntimeError(f"the machine is gone:\n{self._last_words()}")
                self._pending += data
        except TimeoutError:
            raise RuntimeError(f"the machine is silent:\n{self._last_words()}") from None
        line, _, self._pending = self._pending.partition(b"\n")
        return dict(json.loads(line))

    def _last_words(self) -> str:
        files = [self._folder / name for name in ("qemu.log", "console.log")]
        return "\n".join(f.read_text(errors="replace")[-3000:] for f in files if f.exists())
