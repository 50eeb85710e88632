"""The governor: one step of the ladder at a time, told times and readings."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_vision.board import THROTTLED
from edge_vision.config_board import GovernorConfig
from edge_vision.detect.zoo import find_model
from edge_vision.governor import Governor, Level, Readings, read_board, sizes_from

S = 1_000_000_000
COOL, WARM, HOT = Readings(60.0), Readings(75.0), Readings(81.0)
LOW_VOLTAGE = THROTTLED[0]
SIZES = ("large", "medium", "small")


def governor(sizes: tuple[str, ...] = SIZES) -> Governor:
    return Governor(GovernorConfig(), sizes)


def run(
    made: Governor, readings: Readings, begin_s: int, end_s: int
) -> list[tuple[int, Level, str]]:
    """Every change from begin_s to end_s, asked once a second: second, level, reason."""
    changes = []
    for second in range(begin_s, end_s):
        level = made.step(second * S, readings)
        if level is not None:
            changes.append((second, level, made.reason))
    return changes


def test_the_ladder_goes_by_what_is_missed_least() -> None:
    assert governor().ladder == (
        Level("large"),
        Level("large", 0.0, 2),
        Level("large", 5.0, 2),
        Level("medium", 5.0, 2),
        Level("small", 5.0, 2),
    )
    assert len(governor(("300x300",)).ladder) == 3
    assert Level("large", 5.0).least_interval_ns == 200_000_000
    assert Level("large").least_interval_ns == 0


def test_only_sizes_of_the_model_that_are_smaller() -> None:
    offered = find_model("ssdlite_mobilenet_v2_coco").sizes_hw_px
    assert sizes_from("large", offered["large"], offered) == ("large", "medium", "small")
    assert sizes_from("small", offered["small"], offered) == ("small",)
    assert sizes_from("300x236", (236, 300), offered) == ("300x236", "medium", "small")
    assert sizes_from("300x300", (300, 300), {}) == ("300x300",)


def test_heat_goes_down_step_by_step_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    made = governor()
    assert run(made, COOL, 0, 100) == []
    with caplog.at_level(logging.INFO):
        changes = run(made, HOT, 100, 200)
    assert [(at, level) for at, level, _ in changes] == list(
        zip((102, 109, 116, 123), made.ladder[1:], strict=True)
    )
    assert [reason for _, _, reason in changes] == [
        "81 C, limit 80: every second picture shown",
        "81 C, limit 80: detection limited to 5 a second",
        "81 C, limit 80: model size large -> medium",
        "81 C, limit 80: model size medium -> small",
    ]
    assert [record.message for record in caplog.records] == [
        f"governor: {reason}" for _, _, reason in changes
    ]
    assert all(record.levelno == logging.WARNING for record in caplog.records)


@pytest.mark.parametrize("words", [THROTTLED[bit] for bit in (0, 1, 2)])
def test_an_alarm_is_as_good_as_heat(words: str) -> None:
    made = governor()
    changes = run(made, Readings(60.0, (words,)), 0, 11)
    assert [(at, reason) for at, _, reason in changes] == [
        (2, f"{words}: every second picture shown"),
        (9, f"{words}: detection limited to 5 a second"),
    ]


@pytest.mark.parametrize("trouble", [HOT, Readings(None, (LOW_VOLTAGE,))])
def test_one_reading_alone_changes_nothing(trouble: Readings) -> None:
    made = governor()
    for second in range(0, 60, 3):
        assert made.step(second * S, trouble) is None
        assert made.step((second + 1) * S, COOL) is None


def test_no_further_step_while_the_last_one_helps() -> None:
    made = governor()
    assert len(run(made, Readings(85.0), 0, 3)) == 1
    for second in range(3, 60):
        assert made.step(second * S, Readings(85.0 - 0.08 * second)) is None
    # 80.3 degrees now, and no longer falling.
    changes = run(made, Readings(80.3), 60, 70)
    assert [reason for _, _, reason in changes] == [
        "80.3 C, limit 80: detection limited to 5 a second"
    ]


def test_new_trouble_is_answered_in_ten_seconds_however_soon_it_comes() -> None:
    for pause in range(1, 20):
        made = governor()
        assert run(made, HOT, 0, 3)
        assert run(made, WARM, 3, 3 + pause) == []
        assert run(made, Readings(80.0), 3 + pause, 3 + pause + 10), pause


def test_between_hot_and_cool_nothing_changes() -> None:
    made = governor()
    run(made, HOT, 0, 10)
    held = made.level
    assert run(made, WARM, 10, 5000) == []
    assert run(made, Readings(72.1), 5000, 9000) == []
    assert made.level is held
    assert made.reason


def test_a_long_calm_goes_up_step_by_step_to_full_work(caplog: pytest.LogCaptureFixture) -> None:
    made = governor()
    run(made, HOT, 0, 30)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        changes = run(made, Readings(72.0), 30, 400)
    assert [at for at, _, _ in changes] == [90, 150, 210, 270]
    assert [level for _, level, _ in changes] == list(made.ladder[3::-1])
    assert [reason for _, _, reason in changes] == [
        "72 C, calm for 60 s: model size small -> medium",
        "72 C, calm for 60 s: model size medium -> large",
        "72 C, calm for 60 s: detection no longer limited",
        "",
    ]
    assert caplog.records[-1].message == "governor: 72 C, calm for 60 s: every picture shown"
    assert all(record.levelno == logging.INFO for record in caplog.records)


def test_the_calm_must_be_unbroken() -> None:
    made = governor()
    run(made, HOT, 0, 5)
    for begin in range(5, 600, 50):
        assert run(made, COOL, begin, begin + 49) == []
        assert run(made, WARM, begin + 49, begin + 50) == []


def test_a_step_up_that_led_to_heat_doubles_the_calm_up_to_an_hour() -> None:
    made, now, waits = governor(("one",)), 0, []
    run(made, HOT, now, now + 5)
    now += 5
    for _ in range(8):
        changes = run(made, COOL, now, now + 4000)
        waits.append(changes[0][0] - now)
        # A fresh governor with the same past, stopped right after its first step up.
        made, now = _again(waits), sum(waits) + 5 * len(waits) + 5
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def _again(waits: list[int]) -> Governor:
    """A governor that was hot, calm for each of `waits` and hot again after each."""
    made, now = governor(("one",)), 5
    run(made, HOT, 0, 5)
    for wait in waits:
        assert len(run(made, COOL, now, now + wait + 1)) == 1
        assert len(run(made, HOT, now + wait + 1, now + wait + 5)) == 1
        now += wait + 5
    return made


def test_a_step_up_that_held_is_forgiven() -> None:
    made = _again([60, 120])
    begin = 60 + 120 + 3 * 5
    assert [at - begin for at, _, _ in run(made, COOL, begin, begin + 241)] == [240]
    run(made, WARM, begin + 241, begin + 1000)
    run(made, HOT, begin + 1000, begin + 1005)
    changes = run(made, COOL, begin + 1005, begin + 1100)
    assert [at - begin - 1005 for at, _, _ in changes] == [60]


def test_a_board_without_sensors_works_on() -> None:
    made = governor()
    assert run(made, Readings(), 0, 1000) == []
    run(made, Readings(None, (LOW_VOLTAGE,)), 1000, 1003)
    changes = run(made, Readings(), 1003, 1100)
    assert [(at, level) for at, level, _ in changes] == [(1063, made.ladder[0])]


def test_telemetry_tells_all() -> None:
    made = governor()
    run(made, Readings(81.25, (LOW_VOLTAGE,)), 0, 3)
    assert made.state() == {
        "step": 1,
        "lowest": 4,
        "size": "large",
        "detect_per_s": 0.0,
        "show_every": 2,
        "reason": "the supply voltage is too low: every second picture shown",
        "temperature_c": 81.25,
        "alarms": ["the supply voltage is too low"],
    }


@given(
    st.lists(
        st.tuples(
            st.integers(1, 90),
            st.one_of(st.none(), st.floats(-40, 130)),
            st.booleans(),
        ),
        max_size=150,
    ),
    st.integers(1, 4),
)
def test_whatever_is_told_it_never_flaps(
    told: list[tuple[int, float | None, bool]], sizes: int
) -> None:
    made = governor(("a", "b", "c", "d")[:sizes])
    step, now, last_down, calm_from = 0, 0, -100, None
    for pause, heat, alarm in told:
        now += pause
        level = made.step(now * S, Readings(heat, (LOW_VOLTAGE,) if alarm else ()))
        hot = alarm or (heat is not None and heat >= 80)
        calm = not hot and (heat is None or heat <= 72)
        calm_from = None if not calm else now if calm_from is None else calm_from
        if level is None:
            assert made.level == made.ladder[step]
            continue
        if hot:
            step, gap, last_down = step + 1, now - last_down, now
            assert gap >= 7
        else:
            assert calm_from is not None
            assert now - calm_from >= 60
            step, calm_from = step - 1, now
        assert 0 <= step < len(made.ladder)
        assert level == made.ladder[step]
        assert bool(made.reason) == (step > 0)


def zone(root: Path, number: int, text: str) -> None:
    folder = root / f"sys/class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "temp").write_text(text)


def flags(root: Path, text: str) -> None:
    folder = root / "sys/devices/platform/soc/soc:firmware"
    folder.mkdir(parents=True)
    (folder / "get_throttled").write_text(text)


def volt_sensor(root: Path, alarm: str) -> None:
    folder = root / "sys/class/hwmon/hwmon1"
    folder.mkdir(parents=True)
    (folder / "name").write_text("rpi_volt\n")
    (folder / "in0_lcrit_alarm").write_text(alarm)


def test_the_hottest_zone_counts_and_a_broken_one_does_not(tmp_path: Path) -> None:
    assert read_board(tmp_path) == Readings()
    zone(tmp_path, 0, "48312\n")
    zone(tmp_path, 1, "81250\n")
    zone(tmp_path, 2, "\n")
    assert read_board(tmp_path) == Readings(81.25)


@pytest.mark.parametrize(
    ("bits", "alarms"),
    [
        ("0\n", ()),
        ("1\n", (THROTTLED[0],)),
        ("50005\n", (THROTTLED[0], THROTTLED[2])),
        ("6\n", (THROTTLED[1], THROTTLED[2])),
        ("50000\n", ()),  # what was so once is over
        ("80008\n", ()),  # the soft limit is no trouble
        ("nonsense\n", ()),
    ],
)
def test_only_what_the_firmware_complains_of_now(
    tmp_path: Path, bits: str, alarms: tuple[str, ...]
) -> None:
    flags(tmp_path, bits)
    assert read_board(tmp_path).alarms == alarms


def test_the_voltage_sensor_where_the_flags_are_not_shown(tmp_path: Path) -> None:
    volt_sensor(tmp_path, "1\n")
    assert read_board(tmp_path).alarms == (LOW_VOLTAGE,)
    (tmp_path / "sys/class/hwmon/hwmon1/in0_lcrit_alarm").write_text("0\n")
    assert read_board(tmp_path).alarms == ()
