"""The soak: planted leaks are found, a run without any is let pass, and Ctrl-C keeps figures."""

import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.config_load import parse_config
from edge_vision.frame import Frame
from edge_vision.outputs.null import NullOutput

Values = NDArray[np.float64]


@pytest.fixture
def soak(repo: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repo / "scripts"))
    return importlib.import_module("soak")


@pytest.fixture
def report(soak: ModuleType) -> ModuleType:
    return sys.modules["soak_report"]


def made_up(minutes: float = 60, **changes: Values | float) -> dict[str, Values]:
    """A run beside other programs: a start, pools that fill up, busy times; `changes` are added."""
    noise = np.random.default_rng(5)
    seconds = np.arange(minutes * 60)
    busy = np.sin(seconds / 10) > 0.6
    memory = 200 + noise.normal(0, 0.2, seconds.size) - 50 * np.exp(-seconds / 8)
    memory += 1.4 * (seconds > 0.2 * seconds.size) + 1.0 * (seconds > 0.7 * seconds.size)
    dips = noise.random(seconds.size) < 0.02  # a file ends and the next one begins
    series = {
        "memory_mb": memory,
        "own_mb": memory - 80,
        "descriptors": 9.0 - dips,
        "threads": 11.0 - dips,
        "frames_out": noise.integers(0, 2, seconds.size) + 2.0 * busy,
        "late_ms": 50 + noise.gamma(2, 10, seconds.size) + 400 * busy,
        "drops": np.cumsum(3.0 * busy),
        "events_mb": np.minimum(seconds / 10, 40) + 5.0 * busy,
    }
    series["late_ms"][noise.random(seconds.size) < 0.01] = np.nan  # no result came
    for name, change in changes.items():
        series[name] = series[name] + change
    return {"seconds": seconds, **series}


def failures(report: ModuleType, series: dict[str, Values]) -> list[str]:
    return [verdict.figure for verdict in report.judge(series) if not verdict.holds]


@pytest.mark.parametrize("minutes", [5, 12, 62, 180])
def test_load_and_noise_are_let_pass(report: ModuleType, minutes: float) -> None:
    assert failures(report, made_up(minutes)) == []


HOUR = np.arange(3600.0)


@pytest.mark.parametrize(
    ("figure", "change"),
    [
        ("memory_mb", HOUR * 3.0 / 3600),
        ("memory_mb", np.floor(HOUR / 60) * 3.0 / 60),
        ("descriptors", 1.0 * (HOUR > 1500)),
        ("threads", np.floor(HOUR / 900)),
        ("frames_out", np.floor(HOUR / 300)),
        ("late_ms", HOUR**2 / 10_000),
        ("late_ms", np.where(HOUR > 2400, np.nan, 0.0)),
    ],
)
def test_growth_is_found_and_named(report: ModuleType, figure: str, change: Values) -> None:
    assert failures(report, made_up(**{figure: change})) == [figure]


def test_events_are_recorded_and_stay_within_their_space(report: ModuleType) -> None:
    verdict = report.judge_space(made_up(), max_mb=40)
    assert verdict.holds
    assert verdict.said == "log, clips and pictures of events, MB: 1 to 120; found 45.0"
    assert not report.judge_space(made_up(events_mb=HOUR / 20), max_mb=40).holds
    nothing = made_up() | {"events_mb": np.full(3600, 0.1)}
    assert not report.judge_space(nothing, max_mb=40).holds


def test_the_sentence_says_what_was_found_and_the_bound(report: ModuleType) -> None:
    verdicts = {v.figure: v for v in report.judge(made_up(memory_mb=HOUR * 9 / 3600, threads=2.0))}
    memory = verdicts["memory_mb"]
    assert memory.found == pytest.approx(9, abs=2)  # a buffer was made in between
    assert memory.said.startswith(f"resident memory: +{memory.found:.1f} MB an hour from minute 10")
    assert memory.said.endswith("at most 2.0")
    assert "threads: 13, then 13" in verdicts["threads"].said


def test_a_short_run_may_grow_by_three_megabytes(report: ModuleType) -> None:
    for minutes, bound in ((6, 45.0), (30, 9.0), (60, 2.0), (600, 2.0)):
        assert report.judge(made_up(minutes))[0].bound == pytest.approx(bound, rel=0.01)


def test_the_slope_is_not_moved_by_outliers(report: ModuleType) -> None:
    times = np.arange(100.0)
    values = 5 + 0.25 * times
    values[::5] += 1000
    assert report.slope(times, values) == pytest.approx(0.25, abs=1e-9)


def test_the_picture_shows_growth(report: ModuleType) -> None:
    series = made_up(memory_mb=HOUR / 60)
    picture = report.draw(series, "a run")
    assert picture.shape == (90 + 156 * len(report.FIGURES), 1280, 3)
    blue = (picture[..., 0].astype(int) - picture[..., 2]) > 60
    first = blue[90:190]  # the lines of the memory's chart
    heights = [np.flatnonzero(first[:, x]).mean() for x in (450, 800, 1150)]
    assert heights[0] > heights[1] + 15 > heights[2] + 30
    assert not blue[:60].any()


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each shown picture leaves 2 MB, a descriptor and a thread; each fifth frame is kept."""
    kept: list[Values] = []
    descriptors: list[int] = []
    end = threading.Event()
    threads: list[threading.Thread] = []
    released = 0
    release = Frame.release

    def offer(self: NullOutput, item: object) -> bool:
        kept.append(np.ones(250_000))
        descriptors.append(os.open("/dev/null", os.O_RDONLY))
        threads.append(threading.Thread(target=end.wait))
        threads[-1].start()
        return True

    def forget(self: Frame) -> None:
        nonlocal released
        released += 1
        if released % 5:
            release(self)

    monkeypatch.setattr(NullOutput, "offer", offer)
    monkeypatch.setattr(Frame, "release", forget)
    yield
    end.set()
    for thread in threads:
        thread.join()
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.usefixtures("planted")
def test_planted_leaks_are_found_in_a_real_run(
    soak: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = parse_config(
        {
            "camera": {"kind": "demo", "size_px": [320, 240], "fps": 10},
            "model": {"size": "small", "threads": 1},
            "outputs": {"window": {"enabled": False}, "null": {"enabled": True}},
        }
    )
    run = soak.Soak(config, minutes=10)
    look = run.tick

    def until_nine(now_ns: int) -> None:
        look(now_ns)
        if len(run.series()["seconds"]) == 9:
            run.app.stop.set()  # as Ctrl-C does

    run.tick = until_nine
    assert run.run() == []
    plot, file = tmp_path / "soak.png", tmp_path / "soak.json"
    assert soak.tell(run, [], plot, file) == 1
    told = capsys.readouterr().out
    for text in ("resident memory", "open file", "threads", "camera frames that are out",
                 "camera frames that were not given back"):  # fmt: skip
        assert f"FAIL  {text}" in told
    written = json.loads(file.read_text())
    assert [v["figure"] for v in written["verdicts"] if v["ok"]] in ([], ["late_ms"])
    assert len(written["series"]["memory_mb"]) == 9
    assert cv2.imread(str(plot)) is not None


def test_ctrl_c_at_the_start_ends_in_order(repo: Path) -> None:
    command = [sys.executable, str(repo / "scripts" / "soak.py"), "--minutes", "10"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "0.0 min:" not in (line := process.stderr.readline()):
            assert line, said
            said += line
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 70
    assert "Traceback" not in said
    assert "scripts/soak: the run ended after" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--minutes", "0"], "--minutes 0: expected 0.1 to 100000"),
        (["--minutes", "nan"], "--minutes nan: expected"),
        (["--json", "/proc/x"], "/proc/x cannot be written"),
        (["--plot", "a.jpg"], "a.jpg does not end in .png"),
    ],
)
def test_wrong_options_are_said_at_once(repo: Path, options: list[str], said: str) -> None:
    command = [sys.executable, str(repo / "scripts" / "soak.py"), *options]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode in (2, 74)
    assert said in found.stderr
    assert "Traceback" not in found.stderr
