"""Which processes hold a device: from the lists that Linux keeps below /proc."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def holders(nodes: Iterable[Path], proc: Path = Path("/proc")) -> dict[int, str]:
    """Process id -> name of every other process that has one of the nodes open or locked.

    Open files are seen of one's own processes only (of all as root); locks, which libcamera takes
    on a media device that is in use, are seen of all.
    """
    paths = {str(node) for node in nodes}
    found = _openers(paths, proc) | _lockers(paths, proc)
    found.discard(os.getpid())
    return {process: _name(process, proc) for process in sorted(found)}


def in_use(nodes: Iterable[Path], proc: Path = Path("/proc")) -> str:
    """The end of a message about a device that does not open: who holds it, as far as is seen."""
    found = [f"{process} ({name})" for process, name in holders(nodes, proc).items()]
    if found:
        return f"it is held by process {', '.join(found)}: end that first"
    # Open files of other users' processes are root's to see.
    hint = "" if os.geteuid() == 0 else "; this names it: sudo edge-vision doctor"
    return f"another program may use it{hint}"


def _openers(paths: set[str], proc: Path) -> set[int]:
    found = set()
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):  # another user's, or it has ended meanwhile
            if any(os.readlink(link) in paths for link in (process / "fd").iterdir()):
                found.add(int(process.name))
    return found


def _lockers(paths: set[str], proc: Path) -> set[int]:
    files = set()
    for path in paths:
        with suppress(OSError):
            file = os.stat(path)
            device = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}"
            files.add(f"{device}:{file.st_ino}")
    try:
        text = (proc / "locks").read_text("ascii", "replace")
    except OSError:
        return set()
    # "1: POSIX  ADVISORY  WRITE 812 00:06:345 0 EOF": process, then device and inode (proc(5)).
    locks = re.findall(r" (\d+) ([0-9a-f]+:[0-9a-f]+:\d+) ", text)
    return {int(process) for process, file in locks if file in files}


def _name(process: int, proc: Path) -> str:
    try:
        return (proc / str(process) / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "of another user"
