"""`edge-vision run`: real input to real output, and everything that can be wrong with it."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest


def write_clip(path: Path, frames: int = 25, fps: int = 25) -> Path:
    """A clip of a moving bar, 160x120."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(frames):
            picture = np.full((120, 160, 3), 90, np.uint8)
            picture[:, number * 3 : number * 3 + 20] = 220
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


FAST = ("--no-window", "--size", "small", "--threads", "1", "--set", "camera.pace=fast")


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_demo_to_json_lines_and_video(cli, tmp_path: Path) -> None:
    done = cli(
        "run", "--source", "demo", "--frames", 20, *FAST, "--jsonl", "-", "--save", "o.mp4",
        "--set", "overlay.timing=exact",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    assert [row["seq"] for row in found] == list(range(20))
    assert set(found[0]) == {"seq", "exposed_ns", "latency_ms", "detections", "tracks"}
    assert {"cat", "person"} & {d["label"] for row in found for d in row["detections"]}
    with av.open(str(tmp_path / "o.mp4")) as video:
        pictures = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
        assert video.duration == pytest.approx(20 / 30 * 1e6, abs=0.05e6)
    assert len(pictures) == 20
    assert pictures[0].shape == (720, 1280, 3)
    assert "20 captured, 20 analysed, 20 shown (100.0% of captured)" in done.stderr


def test_a_clip_is_read_to_its_end_once(cli, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mp4")
    done = cli("run", "--source", clip, *FAST, "--jsonl", "out.jsonl", "--save", "o.mp4")
    assert done.returncode == 0, done.stderr
    assert [row["seq"] for row in rows((tmp_path / "out.jsonl").read_text())] == list(range(25))
    with av.open(str(tmp_path / "o.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 25
        assert video.duration == pytest.approx(1e6, abs=0.05e6)


def test_realtime_takes_the_clips_own_time(cli, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mp4", 40)
    done = cli("run", "--source", clip, "--no-window", "--size", "small", "--jsonl", "-")
    assert done.returncode == 0, done.stderr
    stamps = [row["exposed_ns"] for row in rows(done.stdout)]
    assert (stamps[-1] - stamps[0]) / 1e9 <= 1.75
    assert "analysed" in done.stderr


def test_a_broken_off_clip_keeps_what_was_read(cli, tmp_path: Path) -> None:
    clip = tmp_path / "c.mkv"
    write_clip(clip, 100)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) * 6 // 10])
    done = cli("run", "--source", clip, *FAST, "--jsonl", "-", "--save", "o.mp4")
    assert done.returncode == 65, done.stderr
    assert "breaks off" in done.stderr
    analysed = len(rows(done.stdout))
    assert 20 < analysed < 100
    with av.open(str(tmp_path / "o.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == analysed


def test_unreadable_pictures_are_skipped_and_named(cli, tmp_path: Path, pictures: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    cat = cv2.imread(str(pictures / "cat.jpg"))
    cv2.imwrite(str(folder / "1.jpg"), cat)
    (folder / "2.jpg").write_bytes(b"\xff\xd8 no picture")
    cv2.imwrite(str(folder / "3.png"), cv2.cvtColor(cat, cv2.COLOR_BGR2GRAY))
    cv2.imwrite(str(folder / "4.png"), cv2.cvtColor(cat, cv2.COLOR_BGR2BGRA))
    cv2.imwrite(str(folder / "5.png"), np.zeros((1, 1, 3), np.uint8))
    cv2.imwrite(str(folder / "6.jpg"), cv2.resize(cat, (8000, 6000)))
    done = cli("run", "--source", folder, *FAST, "--jsonl", "-", "--save", "o.mp4")
    assert done.returncode == 65, done.stderr
    assert "2.jpg" in done.stderr
    assert len(rows(done.stdout)) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--source", "nowhere.mp4"], 66, "nowhere.mp4"),
        (["--source", "empty.mp4"], 65, "empty.mp4"),
        (["--source", "text.mp4"], 65, "text.mp4"),
        (["--source", "no_pictures"], 65, "no_pictures"),
        (["--source", "97"], 69, "97"),
        (["--source", "/dev/video97"], 69, "/dev/video97"),
        (["-c", "missing.yaml"], 78, "missing.yaml"),
        (["-c", "wrong.yaml"], 78, "did you mean"),
        (["--service", "-c", "missing.yaml"], 78, "there is no config file missing.yaml"),
        (["--service", "-c", "no_pictures"], 78, "no_pictures is a folder"),
        (["--service", "-c", "empty.mp4"], 78, "empty.mp4 is empty"),
        (["--service", "-c", "latin.yaml"], 78, "latin.yaml is not UTF-8"),
        (["--set", "model.size=huge"], 78, "model.size"),
        (["--source", "demo", "--save", "nofolder/o.mp4"], 74, "nofolder"),
        (["--source", "demo", "--save", "o.avi"], 74, "mp4"),
        (["--source", "demo", "--jsonl", "no_pictures"], 74, "no_pictures"),
        (["--source", "demo", "--set", "model.name=yolo"], 65, "yolo"),
        (["--frames", "0"], 2, "--frames"),
    ],
)
def test_bad_input_is_one_sentence(cli, tmp_path: Path, arguments, code: int, words: str) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video at all\n" * 50)
    (tmp_path / "no_pictures").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"camera: {kind: caf\xe9}\n")
    (tmp_path / "wrong.yaml").write_text("model:\n  sise: small\n  threads: no\n")
    done = cli("run", *arguments, "--no-window", "--duration", "20")
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_an_unreachable_url_is_retried_until_the_duration_ends(cli) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        done = cli(
            "run", "--no-window", "--source", f"http://me:secret@127.0.0.1:{port}/a.mjpg",
            "--duration", "3", "--set", "log.level=debug",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("DEBUG no camera") >= 1
    assert done.stderr.count("WARNING no camera") == 1
    assert "secret" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_files(tmp_path: Path, number: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "edge_vision", "run", "--source", "demo", "--no-window", "--size",
         "small", "--jsonl", "-", "--save", "o.mp4"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert child.stdout is not None
    for _ in range(15):
        assert child.stdout.readline()
    child.send_signal(number)
    out, err = child.communicate(timeout=10)
    assert child.returncode == 0, err
    assert "Traceback" not in err
    assert "captured" in err
    for line in out.splitlines():
        json.loads(line)
    with av.open(str(tmp_path / "o.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) >= 1
    assert [path.name for path in tmp_path.iterdir()] == ["o.mp4"]


def test_a_reader_that_leaves_ends_the_run_quietly(tmp_path: Path) -> None:
    command = f"{sys.executable} -m edge_vision run --source demo --no-window --jsonl - | head -2"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert len(rows(done.stdout)) == 2
    assert done.returncode == 0, done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_full_disk_ends_the_video_but_not_what_was_written(tmp_path: Path) -> None:
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000));"
        "from edge_vision.cli import main; sys.argv[0] = 'edge-vision'; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "run", "--source", "demo", "--frames", "300", *FAST,
         "--save", "o.mp4"],
        capture_output=True, text=True, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 74, done.stderr
    assert "Traceback" not in done.stderr
    assert "o.mp4" in done.stderr
    with av.open(str(tmp_path / "o.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) > 10
