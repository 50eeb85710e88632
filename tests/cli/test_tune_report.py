"""What `edge-vision tune` says of a board that was hot, throttled or busy."""

import os

import pytest

from edge_vision.cli.tune import _Meter
from edge_vision.cli.tune_report import Feeling, Tuned, print_tuned, report
from edge_vision.detect.zoo import find_model
from edge_vision.errors import BackendMissing
from edge_vision.sweep import Swept, Timing
from edge_vision.tuning import Choice, Row, Setting, Target

SETTING = Setting("face", "small", (256, 256), 4, "xnnpack")
BROKEN = Setting("face", "small", (256, 256), 4, "/x/libdelegate.so")
TIMING = Timing(SETTING, 90, 20.0, 25.0, 49.0, 0.8)


def tuned(
    before: Feeling, after: Feeling, others_share: float | None = None, complete: bool = True
) -> Tuned:
    swept = Swept((TIMING,), {BROKEN: BackendMissing("it hangs")}, complete)
    row = Row(SETTING, TIMING, None, 0.675, 65.3)
    return Tuned(
        [find_model("face")], "Test Board, 4 cores", "litert 1", before, after, others_share,
        swept, [row],
    )  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], result: Tuned, write: bool = False) -> str:
    choice = Choice(result.rows[0], "because")
    print_tuned(result, Target(fps=10), choice, write, None)
    return capsys.readouterr().out


def test_a_cool_quiet_board(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, tuned(Feeling(48.2, ()), Feeling(61.0, ()), 0.02))
    assert out.splitlines()[0] == "Test Board, 4 cores; litert 1; 48 C before, 61 C after"
    assert "slowed down" not in out
    assert "other programs" not in out
    assert "->  small    256x256        4  xnnpack          49.0    20.00    25.00   80%" in out
    assert "left out: face, small (256x256), 4 threads, /x/libdelegate.so: it hangs" in out


def test_without_sensors(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, tuned(Feeling(None, None), Feeling(None, None)))
    assert out.splitlines()[0].endswith("litert 1; no temperature sensor")


def test_a_throttled_board(capsys: pytest.CaptureFixture[str]) -> None:
    hot = Feeling(82.0, ("the board is throttled",))
    lines = said(capsys, tuned(Feeling(70.0, ()), hot)).splitlines()
    assert lines[0].endswith("70 C before, 82 C, the board is throttled after")
    assert "these figures may be too low" in lines[1]


def test_a_busy_board(capsys: pytest.CaptureFixture[str]) -> None:
    cool = Feeling(50.0, None)
    assert "other programs took 40% of the CPU" in said(capsys, tuned(cool, cool, 0.4))


def test_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    cool = Feeling(50.0, None)
    out = said(capsys, tuned(cool, cool, complete=False), write=True)
    assert "stopped by Ctrl-C" in out
    assert "Nothing was written" in out


def test_the_report_for_programs() -> None:
    result = tuned(Feeling(50.0, ()), Feeling(60.0, ("the clock is capped",)), 0.1234)
    told = report(result, Target(latency_ms=30), Choice(None, "none meets it"), None)
    assert told["after"] == {"temperature_c": 60.0, "throttling": ("the clock is capped",)}
    assert told["others_cpu_share"] == 0.123
    assert told["target"] == {"fps": None, "latency_ms": 30, "min_map": None}
    assert (told["choice"], told["reason"], told["written"]) == (None, "none meets it", None)
    refused = told["refused"]
    assert isinstance(refused, list)
    assert (refused[0]["delegate"], refused[0]["reason"]) == ("/x/libdelegate.so", "it hangs")


def test_what_others_take_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    begin = _Meter(wall_s=100.0, every_s=50.0, own_s=3.0)
    assert _Meter(110.0, 74.0, 15.0).others_share(begin) == pytest.approx(12 / 40)
    assert _Meter(110.0, 61.0, 15.0).others_share(begin) == 0, "clocks of different steps"
    assert _Meter(110.0, None, 15.0).others_share(begin) is None
