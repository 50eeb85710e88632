"""What computer this is: made-up ones, and this one."""

import os
import platform
import time
from pathlib import Path

import pytest

from edge_vision.board import (
    available_memory_bytes,
    board_name,
    busy_s,
    core_count,
    node_name,
    temperature_c,
    throttling,
)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_raspberry_pi_tells_its_model(tmp_path: Path) -> None:
    write(tmp_path / "proc/cpuinfo", "model name\t: ARMv7 Processor rev 3 (v7l)\n")
    write(tmp_path / "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    assert board_name(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"


def test_else_the_processor_has_a_name(tmp_path: Path) -> None:
    write(tmp_path / "proc/device-tree/model", "\0")
    write(tmp_path / "proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7763  \nflags\t: x\n")
    assert board_name(tmp_path) == "AMD EPYC 7763"


def test_else_its_architecture(tmp_path: Path) -> None:
    assert board_name(tmp_path) == os.uname().machine
    write(tmp_path / "proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 108.00\n")
    assert board_name(tmp_path) == os.uname().machine


def test_this_computer() -> None:
    assert board_name()
    assert 1 <= core_count() <= (os.cpu_count() or 1)
    memory = available_memory_bytes()
    assert memory is not None
    assert 1e7 < memory < 1e14


def test_memory(tmp_path: Path) -> None:
    assert available_memory_bytes(tmp_path) is None
    write(tmp_path / "proc/meminfo", "MemTotal: 999999 kB\nMemFree:  1 kB\n")
    assert available_memory_bytes(tmp_path) is None, "of a kernel before 3.14"
    write(tmp_path / "proc/meminfo", "MemTotal:  999999 kB\nMemAvailable:   12345 kB\n")
    assert available_memory_bytes(tmp_path) == 12345 * 1024


def test_busy(tmp_path: Path) -> None:
    assert busy_s(tmp_path) is None
    write(tmp_path / "proc/stat", "cpu  100 20 30 99999 88888 4 6 77777 0 0\ncpu0 1 2 3\n")
    assert busy_s(tmp_path) == pytest.approx(160 / os.sysconf("SC_CLK_TCK"))
    write(tmp_path / "proc/stat", "cpu  100 20\n")
    assert busy_s(tmp_path) is None


def test_work_makes_it_busy() -> None:
    before, own = busy_s(), time.process_time()
    while time.process_time() < own + 0.1:
        sum(range(1000))
    after = busy_s()
    assert before is not None
    assert after is not None
    assert after - before >= 0.07


def test_the_hottest_sensor_counts(tmp_path: Path) -> None:
    assert temperature_c(tmp_path) is None
    zones = tmp_path / "sys/class/thermal"
    write(zones / "thermal_zone0/temp", "broken\n")
    assert temperature_c(tmp_path) is None
    write(zones / "thermal_zone1/temp", "48500\n")
    write(zones / "thermal_zone2/temp", "51250\n")
    assert temperature_c(tmp_path) == 51.25


def test_the_firmware_says_it_in_bits(tmp_path: Path) -> None:
    flags = tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled"
    assert throttling(tmp_path) is None
    write(flags, "0\n")
    assert throttling(tmp_path) == ()
    write(flags, "50005\n")
    assert throttling(tmp_path) == (
        "the supply voltage is too low", "the board is throttled",
        "the supply voltage was too low since the start",
        "the board was throttled since the start",
    )  # fmt: skip


def test_else_the_voltage_sensor_says_it(tmp_path: Path) -> None:
    sensors = tmp_path / "sys/class/hwmon"
    write(sensors / "hwmon0/name", "cpu_thermal\n")
    write(sensors / "hwmon1/name", "rpi_volt\n")
    assert throttling(tmp_path) is None, "it has no alarm to read"
    write(sensors / "hwmon1/in0_lcrit_alarm", "0\n")
    assert throttling(tmp_path) == ()
    write(sensors / "hwmon1/in0_lcrit_alarm", "1\n")
    assert throttling(tmp_path) == ("the supply voltage is too low",)
    write(tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled", "4\n")
    assert throttling(tmp_path) == ("the board is throttled",), "the firmware knows more"


@pytest.mark.parametrize(
    ("configured", "host", "name"),
    [
        ("porch", "pi", "porch"),
        (None, "pi", "pi"),
        (None, "pi.example.org", "pi-example-org"),
        (None, "-p\u00e4-", "p"),
        (None, "", "edge-vision"),
        (None, "x" * 80, "x" * 63),
    ],
)
def test_node_name(
    configured: str | None, host: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "node", lambda: host)
    assert node_name(configured) == name
