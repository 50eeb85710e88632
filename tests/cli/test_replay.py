"""`edge-vision replay` tells what rules see."""

import os
import re
from pathlib import Path


def test_events_and_counts_are_printed(cli, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(
        "watch:\n"
        "  lines: {middle: [[0.5, 1.0], [0.5, 0.0]]}\n"
        "  zones: {all: [[0, 0], [1, 0], [1, 1], [0, 1]]}\n"
        "  rules:\n"
        "    - {name: through, line: middle, schedule: '22:00-06:00'}\n"
        "    - {name: crowd, count: 2}\n"
        "outputs: {window: {enabled: false}}\n"
    )
    done = cli(
        "replay", "--config", "my.yaml", "--fps", 10, "--at", "2026-11-21T23:00",
        env={**os.environ, "STATE_DIRECTORY": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    crossings = [line for line in lines if " through: cross middle " in line]
    assert crossings
    assert all(float(line.split(" s  ")[0]) < 10 for line in crossings)
    (crowd,) = [line for line in lines if " crowd: occupancy the picture, " in line][:1]
    assert " at once, " in crowd
    (over,) = [line for line in lines if line.startswith("over middle: ")]
    ways = re.findall(r"(\d+) \([^)]*\) (?:in|out)", over)
    assert len(ways) == 2
    assert sum(map(int, ways)) == len(crossings)
    assert any(line.startswith("into all: ") for line in lines)
    assert {file.name for file in tmp_path.iterdir()} == {"my.yaml"}
    wrong = cli("replay", "--at", "noon")
    assert wrong.returncode == 78
    assert wrong.stderr.startswith("edge-vision: --at is 'noon'; expected")
