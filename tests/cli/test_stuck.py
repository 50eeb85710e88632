"""A delegate that hangs in the middle of a run ends the process, for its supervisor to restart."""

import json
from collections.abc import Callable
from pathlib import Path

import av


def test_a_stuck_inference_ends_the_process(
    cli, tmp_path: Path, built_delegate: Callable[[], Path]
) -> None:
    done = cli(
        "run", "--source", "demo", "--no-window", "--size", "small", "--threads", 1,
        "--jsonl", "out.jsonl", "--save", "o.mp4", "--set", f"model.delegate={built_delegate()}",
        "--set", "model.delegate_options={take: first, hang_after: 12}",
        "--set", "model.deadline_s=0.5", "--set", "overlay.timing=exact",
        "--set", "camera.pace=fast", "--set", "camera.size_px=[320, 240]", timeout=60,
    )  # fmt: skip
    assert done.returncode == 70, done.stderr
    last = done.stderr.splitlines()[-1]
    assert "is stuck: no result within 0.5 s (model.deadline_s) from libworks.so + XNNPACK" in last
    assert "thread infer does not end" in done.stderr
    # What was found before is kept, and the video can be played.
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert 9 <= len(rows) <= 12
    with av.open(str(tmp_path / "o.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) >= 9
