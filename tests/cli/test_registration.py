"""`edge-vision registration`: the table, the JSON, the chart, and what is refused."""

import json
from pathlib import Path

import cv2
import pytest

ROWS = ["none", "predict", "flow", "exact"]
KEYS = {
    "iou_mean", "iou_p5", "centre_px", "idf1", "id_switches", "missed", "ghosts", "cost_ms_p50",
}  # fmt: skip
QUICK = ["registration", "--seconds", "1", "--threads", "1", "--set", "camera.size_px=[640, 360]"]


def test_json_and_chart(cli, tmp_path: Path) -> None:
    done = cli(*QUICK, "--json", "--plot", "out.png", "--inference-ms", "200", "--fps", "20")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report)[:4] == ROWS
    for row in ROWS:
        assert set(report[row]) == KEYS
        assert 0 <= report[row]["iou_mean"] <= 1
    assert set(report["removed"]) == {"predict", "flow"}
    assert (report["frames"], report["inference_ms"], report["source"]) == (20, 200, "demo")
    assert report["detections_per_s"] == 5
    chart = cv2.imread(str(tmp_path / "out.png"))
    assert chart.shape == (800, 1280, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_the_table_has_a_line_for_each_row(cli) -> None:
    done = cli(*QUICK, "--seed", "1")
    assert done.returncode == 0, done.stderr
    title, head, *lines = done.stdout.splitlines()
    assert "30 frames, 10.0 results a second" in title
    assert set(head.split()) == KEYS | {"removed"}
    assert [line.split()[0] for line in lines] == ROWS
    assert all(len(line.split()) == 10 for line in lines)


def test_a_clip_has_its_own_rate_and_says_so(cli, bikes: Path) -> None:
    done = cli(*QUICK, "--source", bikes, "--fps", "50", "--json")
    assert done.returncode == 0, done.stderr
    assert "this video has 25 frames a second" in done.stderr
    report = json.loads(done.stdout)
    assert report["frames"] == 25
    assert report["exact"]["iou_mean"] == pytest.approx(1)


def test_nothing_found_is_null(cli) -> None:
    nothing = ["--set", "model.min_score=1.0"]
    done = cli(*QUICK, *nothing, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for row in ROWS:
        assert report[row]["iou_mean"] is report[row]["centre_px"] is None
        assert (report[row]["missed"], report[row]["ghosts"]) == (1, None)
    assert report["removed"] == {"predict": None, "flow": None}
    table = cli(*QUICK, *nothing).stdout.splitlines()
    assert table[2].split()[:4] == ["none", "-", "-", "-"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--source", "gone.mp4"], 66, "gone.mp4 does not exist"),
        (["--source", "usb"], 78, "does not give the same pictures every time"),
        (["--source", "0"], 78, "does not give the same pictures every time"),
        (["--source", "http://127.0.0.1:1/a.mp4"], 78, "a video file"),
        (["--inference-ms", "-1"], 2, "inference-ms"),
        (["--inference-ms", "nan"], 2, "inference-ms"),
        (["--seconds", "nan"], 2, "seconds"),
        (["--fps", "0"], 78, "fps"),
        (["--fps", "inf"], 78, "fps"),
        (["--seed", "-1"], 78, "seed"),
        (["--plot", "no/such/folder/a.png"], 74, "No such file or directory"),
        (["--plot", "a.jpg"], 74, ".png"),
        (["--plot", "folder.png"], 74, "is a folder"),
    ],
)
def test_bad_input_is_told_before_anything_is_measured(
    cli, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    done = cli("registration", "--seconds", "86400", *arguments)  # would take far too long
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "ssdlite" not in done.stderr
    assert done.stdout == ""


def test_on_a_street_film_each_way_is_nearer_than_the_one_before(cli, bikes: Path) -> None:
    """Hard cuts, a walker before a wall, cyclists that come out from behind cars."""
    done = cli("registration", "--threads", "1", "--source", bikes, "--inference-ms", 100, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    off = [report[row]["centre_px"] for row in ROWS]
    assert off == sorted(off, reverse=True), off
    overlap = [report[row]["iou_mean"] for row in ROWS]
    assert overlap[2] > max(overlap[:2])
    assert off[2] < 0.93 * off[0]


def test_a_broken_clip_is_told(cli, tmp_path: Path, bikes: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(b"no video at all")
    done = cli(*QUICK, "--source", "cut.mp4")
    assert done.returncode == 65
    assert "cut.mp4 is no video that can be played" in done.stderr
