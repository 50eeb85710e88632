"""Telling systemd how the service is: the sd_notify protocol, and when the watchdog is fed.

Protocol: sd_notify(3) and systemd.service(5); datagrams of NAME=value lines to $NOTIFY_SOCKET.
"""

import contextlib
import os
import socket
import time


class Notifier:
    """Sends states to the supervisor; does nothing where there is none.

    `watchdog_s` is how often it wants to hear from us ($WATCHDOG_USEC), or None.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        values = os.environ if environment is None else environment
        address = values.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of Linux's abstract socket names.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec = values.get("WATCHDOG_USEC", "")
        mine = values.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(usec) / 1e6 if self._address and usec.isdigit() and mine else None
        self._status = ""

    @property
    def supervised(self) -> bool:
        """Somebody listens."""
        return bool(self._address)

    def ready(self) -> None:
        """The service does its work (also after a reload)."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service ends in order."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; sent when it changed."""
        if text != self._status:
            self._status = text
            self._send("STATUS=" + text.replace("\n", " "))

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """Ask for so much more time to start or stop."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        # A supervisor that is gone or busy must not harm what it supervises.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(text.encode(), self._address)
