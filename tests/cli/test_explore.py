"""`edge-vision explore`: a latency map of width and input size."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import typer

from edge_vision.cli.explore import chosen_skeletons, command, parse_size
from edge_vision.errors import ConfigError, ModelError
from edge_vision.skeletons import read_skeletons

SMALL = ("--family", "v1", "--alpha", "0.25", "--alpha", "0.5")


def test_json_and_picture(cli, tmp_path: Path) -> None:
    done = cli(
        "explore", *SMALL, "--size", "96", "--size", "large", "--threads", "1", "--json", "--plot",
        "map.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["complete"]
    assert report["board"]
    assert "XNNPACK" in report["runtime"]
    cells = report["cells"]
    asked = [(0.25, [96, 96]), (0.25, [300, 300]), (0.5, [96, 96]), (0.5, [300, 300])]
    assert [(cell["alpha"], cell["input_hw_px"]) for cell in cells] == asked
    assert [cell["rho"] for cell in cells] == [0.32, 1.0, 0.32, 1.0]
    listed = {s.alpha: s for s in read_skeletons() if s.family == "ssd_mobilenet_v1"}
    assert [cell["parameters"] for cell in cells] == [listed[a].parameters for a, _ in asked]
    assert [cell["multiply_adds"] for cell in cells][1::2] == [105989104, 345185248]
    for cell in cells:
        assert 0 < cell["p50_ms"] <= cell["p95_ms"]
        assert cell["threads"] == 1
    for small, large in (cells[:2], cells[2:]):  # ten times the pixels
        assert large["p50_ms"] > 2 * small["p50_ms"]
    picture = cv2.imread(str(tmp_path / "map.png"))
    assert picture.shape[1] > 600


def test_tables(cli) -> None:
    done = cli("explore", "--alpha", "0.5", "--size", "96x128", "--threads", "1", "--threads", "2")
    assert done.returncode == 0, done.stderr
    titles = [line for line in done.stdout.splitlines() if "thread" in line]
    assert titles == [
        "SSDLite MobileNet v2, 1 thread",
        "SSD MobileNet v1, 1 thread",
        "SSDLite MobileNet v2, 2 threads",
        "SSD MobileNet v1, 2 threads",
    ]
    assert done.stdout.count("128x96 px") == 4
    assert done.stdout.count("rho 0.37") == 4
    rows = re.findall(r"^ +0\.5 +1\.98 M +[\d.]+ +([\d.]+) M$", done.stdout, re.MULTILINE)
    assert len(rows) == 4
    assert rows[0] != rows[1]
    assert "\x1b" not in done.stderr  # no bar where nobody looks


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--family", "v3"], 78, "there are: v1, v2"),
        (["--alpha", "0.3"], 78, "there are: 0.25 (v1), 0.5 (v1)"),
        (["--family", "v2", "--alpha", "0.25"], 78, "there are: 0.35 (v2), 0.5 (v2)"),
        (["--alpha", "wide"], 2, "--alpha"),
        (["--size", "95"], 78, "small (172 px)"),
        (["--size", "300x"], 78, "96 to 4096"),
        (["--size", "0"], 78, "96 to 4096"),
        (["--threads", "0"], 2, "--threads"),
        (["--plot", "gone/map.png"], 74, "cannot be written: No such file or directory"),
        (["--plot", "map.jpg"], 74, ".png"),
    ],
)
def test_what_is_refused_before_measuring(cli, arguments: list[str], code: int, words: str) -> None:
    done = cli("explore", *arguments, timeout=15)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stdout == ""


def test_a_size_beyond_the_memory_is_told_and_the_others_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def check(file: Path, input_hw_px: tuple[int, int], dtype: object) -> None:
        if max(input_hw_px) > 128:
            raise ModelError(f"{file.name} needs more memory than there is")

    monkeypatch.setattr("edge_vision.detect.runtime.check_memory", check)
    plot = tmp_path / "map.png"
    with pytest.raises(typer.Exit) as ended:
        command(["v1"], [0.25], ["128", "300"], [1], json=True, plot=plot)
    assert ended.value.exit_code == 65
    said = capsys.readouterr()
    assert "ssd_mobilenet_v1_0.25.tflite needs more memory" in said.err
    report = json.loads(said.out)
    assert [cell["input_hw_px"] for cell in report["cells"]] == [[128, 128]]
    (refused,) = report["refused"]
    assert (refused["alpha"], refused["input_hw_px"]) == (0.25, [300, 300])
    assert "needs more memory" in refused["reason"]
    assert plot.exists()


def test_sizes_in_every_spelling() -> None:
    assert parse_size("small") == (172, 172)
    assert parse_size("4096") == (4096, 4096)
    assert parse_size("236x300") == (236, 300)
    for text in ("", "x", "300x", "x300", "-300", "300x300x300", "1e3", "4097", "9" * 5000):
        with pytest.raises(ConfigError, match="96 to 4096"):
            parse_size(text)


def test_all_widths_of_both_families_without_a_choice() -> None:
    everything = chosen_skeletons(read_skeletons(), [], [])
    assert [s.alpha for s in everything] == [0.35, 0.5, 0.75, 1.0, 1.4, 0.25, 0.5, 0.75, 1.0]
    both = chosen_skeletons(read_skeletons(), ["v1", "v2"], [0.25, 1.4])
    assert [s.name for s in both] == ["ssdlite_mobilenet_v2_1.4", "ssd_mobilenet_v1_0.25"]


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    """On a terminal: the bar counts, and Ctrl-C ends it with a table of fewer rounds."""
    ours, theirs = pty.openpty()
    started = [sys.executable, "-m", "edge_vision", "explore", *SMALL, "--size", "128", "--json"]
    with subprocess.Popen(started, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path) as process:
        os.close(theirs)
        shown = b""
        while not re.search(rb"\b([2-9]|1\d)/16", shown):
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        try:
            while more := os.read(ours, 4096):
                shown += more
        except OSError:  # Linux: the other end is closed
            pass
        out, _ = process.communicate(timeout=30)
    os.close(ours)
    assert process.returncode == 130, shown
    assert b"interrupted" in shown
    assert b"Traceback" not in shown
    report = json.loads(out)
    assert not report["complete"]
    assert [cell["alpha"] for cell in report["cells"]] == [0.25, 0.5]
