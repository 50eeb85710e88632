"""Which program listens at a TCP port: from the lists that Linux keeps below /proc."""

import os
import pwd
from contextlib import suppress
from pathlib import Path

_LISTENS = "0A"
"""TCP_LISTEN in the column `st` of /proc/net/tcp (proc_pid_net(5))."""


def port_holder(port: int, proc: Path = Path("/proc")) -> str:
    """Program and process number, or at least the user; empty when neither can be known.

    The open files of other users' processes are seen by root alone.
    """
    inodes = _listening(port, proc)
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):  # another user's, or it has ended meanwhile
            for link in (process / "fd").iterdir():
                if os.readlink(link) in inodes:
                    name = (process / "comm").read_text("utf-8", "replace").strip()
                    return f"{name} (process {process.name})"
    for uid in inodes.values():
        try:
            return f"a program of user {pwd.getpwuid(uid).pw_name}"
        except KeyError:  # a number without a name, as in containers
            return f"a program of user {uid}"
    return ""


def _listening(port: int, proc: Path) -> dict[str, int]:
    """What a link below fd/ shows for each socket that listens at the port -> user id."""
    found = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text("ascii", "replace").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            # "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 UID 0 INODE"
            columns = line.split()
            listens = len(columns) > 9 and columns[3] == _LISTENS
            if listens and int(columns[1].rpartition(":")[2], 16) == port:
                found[f"socket:[{columns[9]}]"] = int(columns[7])
    return found
