"""JSON lines: the exact words, whole lines on a full disk, a quiet end at a closed pipe."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_vision.config_outputs import JsonlConfig
from edge_vision.errors import OutputError
from edge_vision.frame import Stamps
from edge_vision.outputs.jsonl import JsonlOutput, line_of
from edge_vision.results import Analysed

pytestmark = pytest.mark.usefixtures("no_thread_left")
MakeAnalysed = Callable[..., Analysed]

CHILD = """
import sys
sys.path[:0] = {path!r}
import numpy as np
from edge_vision.config_outputs import JsonlConfig
from edge_vision.frame import Stamps
from edge_vision.results import Analysed
from edge_vision.outputs.jsonl import JsonlOutput
from edge_vision.results import Detections, Scene
output = JsonlOutput(JsonlConfig(path=sys.argv[1]), patient=True)
output.start()
{limit}
for seq in range(100000):
    if not output.offer(Analysed(Scene(seq, 1, 0, Detections.empty(), "m"), Stamps())):
        break
output.close(5)
fault = output.fault()
print("fault:", fault, getattr(fault, "reader_gone", False), output.lines, file=sys.stderr)
"""


def _child(target: str, limit: str = "") -> list[str]:
    code = CHILD.format(path=[entry for entry in sys.path if entry], limit=limit)
    return [sys.executable, "-W", "error", "-c", code, target]


def _write(path: Path | str, *items: Analysed) -> JsonlOutput:
    output = JsonlOutput(JsonlConfig(path=str(path)), patient=True)
    output.start()
    assert all(output.offer(item) for item in items)
    output.close(5)
    return output


def test_the_words_of_a_line(analysed: MakeAnalysed) -> None:
    line = line_of(analysed(7))
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    value = json.loads(line)
    assert list(value) == ["seq", "exposed_ns", "latency_ms", "detections", "tracks"]
    assert value["seq"] == 7
    assert value["exposed_ns"] == 5_000_000_007
    assert value["latency_ms"] == 12.346
    assert value["detections"] == [
        {"label": "person", "class_id": 1, "score": 0.9124, "box": [0.1, 0.2, 0.5, 0.75]},
        {"label": "class 99", "class_id": 99, "score": 0.5, "box": [0.0, 0.0, 1.0, 1.0]},
    ]


def test_latency_goes_to_the_last_stamp_of_the_result(analysed: MakeAnalysed) -> None:
    def latency(**stamps: int) -> object:
        return json.loads(line_of(analysed(0, Stamps(**stamps))))["latency_ms"]

    assert latency(exposed=1_000_000, inferred=3_000_000, tracked=4_500_000, drawn=9**9) == 3.5
    assert latency(exposed=1_000_000, inferred=3_000_000) == 2
    assert latency(exposed=1_000_000) is None
    assert latency(inferred=1_000_000) is None


def test_lines_are_appended(tmp_path: Path, analysed: MakeAnalysed) -> None:
    path = tmp_path / "out.jsonl"
    _write(path, analysed(0), analysed(1))
    assert _write(path, analysed(2)).lines == 1
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [0, 1, 2]


def test_half_a_line_of_a_power_cut_does_not_swallow_ours(
    tmp_path: Path, analysed: MakeAnalysed
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"seq": 1}\n{"seq": 2, "expo')
    _write(path, analysed(3))
    lines = path.read_text().splitlines()
    assert lines[:2] == ['{"seq": 1}', '{"seq": 2, "expo']
    assert json.loads(lines[2])["seq"] == 3


def test_a_line_reaches_the_reader_at_once(tmp_path: Path, analysed: MakeAnalysed) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    output = JsonlOutput(JsonlConfig(path=str(path)), patient=True)
    output.start()
    with path.open() as reader:
        for seq in range(3):  # each is read before the next is offered
            assert output.offer(analysed(seq))
            assert json.loads(reader.readline())["seq"] == seq
        output.close(5)


def test_standard_output(capfd: pytest.CaptureFixture[str], analysed: MakeAnalysed) -> None:
    _write("-", analysed(0), analysed(1))
    out, err = capfd.readouterr()
    assert [json.loads(line)["seq"] for line in out.splitlines()] == [0, 1]
    assert err == ""


def test_a_closed_pipe_ends_quietly() -> None:
    writer = subprocess.Popen(_child("-"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None
    assert json.loads(writer.stdout.readline())["seq"] == 0
    writer.stdout.close()  # what `| head -1` does
    assert writer.stderr is not None
    said = writer.stderr.read().decode()
    writer.stderr.close()
    assert writer.wait(20) == 0
    assert said.splitlines()[0].startswith("fault: standard output: the reader is gone after")
    assert " True " in said
    assert len(said.splitlines()) == 1, said  # no traceback, no "Exception ignored"


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("{}\n")
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({5000}, {10**9}))"
    done = subprocess.run(_child(str(path), limit), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    data = path.read_bytes()
    assert 4800 < len(data) <= 5000
    assert data.endswith(b"}\n")
    seqs = [json.loads(line)["seq"] for line in data.splitlines()[1:]]
    assert seqs == list(range(len(seqs)))
    sentence = f"{path}: the file has reached the largest size allowed after {len(seqs)} lines"
    assert done.stderr.splitlines()[-1].startswith(f"fault: {sentence}")
    assert f" False {len(seqs)}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_behind_standard_output(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({3000}, {10**9}))"
    with path.open("wb") as file:
        subprocess.run(_child("-", limit), stdout=file, stderr=subprocess.PIPE, timeout=30)
    assert len(path.read_bytes()) > 2800
    assert path.read_bytes().endswith(b"}\n")


def test_the_device_that_is_always_full(analysed: MakeAnalysed) -> None:
    assert Path("/dev/full").exists()
    output = _write("/dev/full", analysed(0))
    assert str(output.fault()) == "/dev/full: no space left on the device after 0 lines"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing/out.jsonl", "its folder does not exist"),
        (".", "it is a folder"),
        ("file/out.jsonl", "a part of the path is not a folder"),
    ],
)
def test_where_nothing_can_be_written(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "file").write_text("")
    output = JsonlOutput(JsonlConfig(path=str(tmp_path / path)))
    with pytest.raises(OutputError, match=said):
        output.start()
    assert not output.active()
    output.close(1)
