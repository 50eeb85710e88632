"""`edge-vision tune` as its users run it."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_vision.profile import board_identity

QUICK = ("--threads", "1", "--seconds", "0.05")


@pytest.fixture
def tune(cli, tmp_path: Path) -> Callable[..., Any]:
    """`edge-vision tune`, with its profile in tmp_path/state."""
    return lambda *options: cli("tune", *QUICK, *options, env=environment(tmp_path))


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "STATE_DIRECTORY": str(tmp_path / "state")}


def test_it_measures_chooses_and_the_choice_is_used(tune, cli, tmp_path: Path, pictures) -> None:
    done = tune("--write", "--json", "--target-fps", "0.1", "--min-map", "0.3")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["complete"] is True
    assert [row["input_hw_px"] for row in report["settings"]] == [
        [172, 172], [236, 236], [236, 300], [300, 300], [364, 364],
    ]  # fmt: skip
    for row in report["settings"]:
        assert row["runs"] >= 15
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert 0 < row["cpu_share"] <= 1.05
    assert report["choice"]["size"] == "large", "xlarge is as accurate, and takes more CPU"
    assert "mAP 0.332" in report["reason"]
    file = tmp_path / "state" / "profile.json"
    assert report["written"] == str(file)
    kept = json.loads(file.read_text())
    assert (kept["size"], kept["threads"], kept["model"]) == (
        "large", 1, "ssdlite_mobilenet_v2_coco",
    )  # fmt: skip
    assert kept["measured"]["p95_ms"] == report["choice"]["p95_ms"]
    # Any other size than the one without a profile shows that it is read.
    file.write_text(json.dumps({**kept, "size": "small", "input_hw_px": [172, 172]}))
    used = cli("detect", pictures / "cat.jpg", "--size", "auto", env=environment(tmp_path))
    assert used.returncode == 0
    assert "model.size auto: small as measured on this board" in used.stderr
    assert "172x172 on XNNPACK, 1 thread" in used.stderr
    bench = cli("bench", "--size", "auto", "--seconds", "0.5", "--rounds", "1", "--json",
                env=environment(tmp_path))  # fmt: skip
    assert json.loads(bench.stdout)["input_hw_px"] == [172, 172]


def test_the_table(tune) -> None:
    done = tune("--models", "face", "--max-latency-ms", "10000")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{board_identity()}; ai-edge-litert ")
    (chosen,) = [line for line in lines if line.startswith("->")]
    assert re.match(
        r"-> +large +512x512 +1 +xnnpack( +[\d.]+){3} +\d+% +[\d.]+ +recall 1\.000", chosen
    )
    assert "Choice: face, large (512x512), 1 thread, xnnpack: the most accurate" in done.stdout
    assert "--write" in lines[-1]


def test_no_setting_meets_the_target(tune, tmp_path: Path) -> None:
    done = tune("--target-fps", "100000", "--write")
    assert done.returncode == 1
    assert re.search(r"No choice: no setting meets .* reaches [\d.]+ a second", done.stdout)
    assert f"Nothing was written to {tmp_path}/state/profile.json" in done.stdout
    assert not (tmp_path / "state" / "profile.json").exists()


def test_a_delegate_that_fails_is_left_out(tune, built_delegate) -> None:
    library = built_delegate("CREATE_FAILS")
    done = tune("--set", f"model.delegate={library}", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {row["delegate"] for row in report["settings"]} == {"xnnpack"}
    assert {row["delegate"] for row in report["refused"]} == {str(library)}
    assert all("cannot be loaded" in row["reason"] for row in report["refused"])


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--target-fps", "5", "--max-latency-ms", "5"], 2, "are two targets; name one"),
        (["--target-fps", "0"], 2, "--target-fps"),
        (["--min-map", "1.5"], 2, "--min-map"),
        (["--threads", "0"], 2, "--threads"),
        (["--models", "yolo"], 65, "there are: ssdlite_mobilenet_v2_coco, face"),
        (["--set", "model.file=a.tflite"], 2, "leave model.file at null"),
    ],
)
def test_wrong_options(tune, options: list[str], code: int, said: str) -> None:
    done = tune(*options)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.split())


def test_an_unwritable_place_is_refused_before_measuring(tune, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    done = tune("--write")
    assert (done.returncode, done.stdout) == (74, "")
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path}/state/profile.json cannot be written" in done.stderr


def test_ctrl_c_shows_what_was_measured_and_writes_nothing(tmp_path: Path) -> None:
    """On a terminal, for the bar on standard error tells when it may be interrupted."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "edge_vision", "tune", "--threads", "1", "--seconds", "5",
         "--write"],
        stdout=subprocess.PIPE, stderr=theirs, text=True, cwd=tmp_path,
        env={**environment(tmp_path), "TERM": "xterm", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    try:
        # Turns of one second: 24 are to come when the first is done.
        deadline = time.monotonic() + 60
        while b" 1/25" not in seen and time.monotonic() < deadline:
            if select.select([ours], [], [], 1.0)[0]:
                seen += os.read(ours, 4096)
        assert b"measuring" in seen
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=30)[0]
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    assert child.returncode == 130
    assert "stopped by Ctrl-C" in said
    assert re.search(r" small +172x172", said)
    assert "364x364" not in said
    assert "Choice: " in said
    assert "Nothing was written" in said
    assert not (tmp_path / "state" / "profile.json").exists()
