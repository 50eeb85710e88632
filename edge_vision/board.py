"""What computer this is, and how it feels: name, cores, memory, heat, power supply.

Everything is read below a `root` folder, "/" outside tests.
"""

import os
import platform
import re
from contextlib import suppress
from pathlib import Path

ROOT = Path("/")

THROTTLED = {
    0: "the supply voltage is too low",
    1: "the clock is capped",
    2: "the board is throttled",
    3: "the soft temperature limit is reached",
    16: "the supply voltage was too low since the start",
    18: "the board was throttled since the start",
}
"""Bits of `vcgencmd get_throttled` (Raspberry Pi documentation), which the kernel shows as well."""


def board_name(root: Path = ROOT) -> str:
    """The model the firmware tells ("Raspberry Pi 4 Model B Rev 1.4"), else the processor's name.

    A processor that has none either is called after its architecture ("aarch64").
    """
    with suppress(OSError):
        # Of a flattened device tree: it ends with a NUL.
        named = (root / "proc/device-tree/model").read_text("utf-8", "replace").strip("\0 \n")
        if named:
            return named
    with suppress(OSError):
        text = (root / "proc/cpuinfo").read_text("utf-8", "replace")
        if found := re.search(r"^model name\s*:\s*(\S.*?)\s*$", text, re.MULTILINE):
            return found[1]
    return platform.machine()


def core_count() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def available_memory_bytes(root: Path = ROOT) -> int | None:
    """What can be had without swapping (MemAvailable, proc(5)); None where it is not told."""
    with suppress(OSError):
        text = (root / "proc/meminfo").read_text("ascii", "replace")
        if found := re.search(r"^MemAvailable:\s*(\d+) kB$", text, re.MULTILINE):
            return int(found[1]) * 1024
    return None


def busy_s(root: Path = ROOT) -> float | None:
    """CPU seconds that all programs together have used since the start; None if it is not told.

    /proc/stat, proc(5): user, nice, system, (idle, iowait), irq and softirq, in ticks.
    """
    with suppress(OSError, ValueError, IndexError):
        first = (root / "proc/stat").read_text("ascii", "replace").splitlines()[0].split()
        user, nice, system, _idle, _iowait, irq, softirq = map(int, first[1:8])
        return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return None


def temperature_c(root: Path = ROOT) -> float | None:
    """Of the hottest sensor, in degrees Celsius; None without one."""
    heats = []
    for zone in (root / "sys/class/thermal").glob("thermal_zone*/temp"):
        with suppress(OSError, ValueError):
            heats.append(int(zone.read_text("ascii", "replace")) / 1000)
    return max(heats, default=None)


def throttling(root: Path = ROOT) -> tuple[str, ...] | None:
    """What a Raspberry Pi says of its clock and power supply, in words; None where nobody tells.

    Of the firmware's flags where they may be read, else of its voltage sensor (the kernel's
    raspberrypi-hwmon driver).
    """
    for flags in (root / "sys/devices/platform").glob("soc*/*firmware/get_throttled"):
        with suppress(OSError, ValueError):
            bits = int(flags.read_text("ascii", "replace"), 16)
            return tuple(words for bit, words in THROTTLED.items() if bits >> bit & 1)
    for sensor in (root / "sys/class/hwmon").glob("hwmon*"):
        with suppress(OSError, ValueError):
            if (sensor / "name").read_text("ascii", "replace").strip() == "rpi_volt":
                low = int((sensor / "in0_lcrit_alarm").read_text("ascii", "replace"))
                return (THROTTLED[0],) if low else ()
    return None


def node_name(configured: str | None) -> str:
    """This board's name among others: `node.name`, or the host name.

    Characters of a host name that `node.name` may not have become "-".
    """
    if configured is not None:
        return configured
    return re.sub(r"[^A-Za-z0-9_-]", "-", platform.node()).strip("-_")[:63] or "edge-vision"
