"""The network definition against the tables of the papers and of the authors' own code.

Needs TensorFlow.  Parameters here have batch norms folded away (one bias a channel instead of two
to four values), so they are up to 1.2 % below the published ones.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.tensorflow

# Width, input side -> multiply-adds: Howard et al. 2017, tables 6 and 7.
V1_PAPER = {
    (1.0, 224): 569e6, (0.75, 224): 325e6, (0.5, 224): 149e6, (0.25, 224): 41e6,
    (1.0, 192): 418e6, (1.0, 160): 290e6, (1.0, 128): 186e6,
}  # fmt: skip
# The grid in the authors' code (tensorflow/models, slim/nets/mobilenet_v1.md).  Its row of width
# 0.75 lies 2.5 % below the paper's 325 M, which the shapes of the layers give too.
V1_CODE = {
    (0.75, 224): 317e6, (0.75, 192): 233e6, (0.75, 160): 162e6, (0.75, 128): 104e6,
    (0.5, 224): 150e6, (0.5, 192): 110e6, (0.5, 160): 77e6, (0.5, 128): 49e6,
    (0.25, 224): 41e6, (0.25, 160): 21e6, (0.25, 128): 14e6,
}  # fmt: skip
V1_PARAMETERS = {1.0: 4.24e6, 0.75: 2.59e6, 0.5: 1.34e6, 0.25: 0.47e6}
# Sandler et al. 2018, table 4 (3.4 M and 6.9 M parameters), with the parameters of the authors'
# code (slim/nets/mobilenet/README.md), which has no network of width 1.4 with 6.9 M.
V2 = {1.0: (3.47e6, 300e6), 1.4: (6.06e6, 585e6)}


def _run(repo: Path, program: str) -> Any:
    """What `program` prints as JSON; in a process of its own, as TensorFlow warns a lot."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    done = subprocess.run(
        [sys.executable, "-c", f"import json, mobilenet as m\n{program}"],
        cwd=repo / "models" / "build",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _costs(repo: Path, build: str, designs: list[tuple[Any, ...]]) -> list[list[int]]:
    """[parameters, multiply-adds] of each design."""
    return _run(  # type: ignore[no-any-return]
        repo,
        f"costs = [m.cost(m.{build}, *design) for design in {designs!r}]\n"
        "print(json.dumps([(c.parameters, c.multiply_adds) for c in costs]))",
    )


def test_mobilenet_v1(repo: Path) -> None:
    designs = sorted({*V1_PAPER, *V1_CODE})
    costs = dict(zip(designs, _costs(repo, "classifier", [(1, *d) for d in designs]), strict=True))
    for design, multiply_adds in V1_PAPER.items():
        assert costs[design][1] == pytest.approx(multiply_adds, rel=0.005)
    for design, multiply_adds in V1_CODE.items():
        assert costs[design][1] == pytest.approx(multiply_adds, rel=0.03, abs=0.5e6)
    for (alpha, _), (parameters, _) in costs.items():
        assert parameters == pytest.approx(V1_PARAMETERS[alpha], rel=0.012)


def test_mobilenet_v2(repo: Path) -> None:
    found = _costs(repo, "classifier", [(2, alpha, 224) for alpha in V2])
    for (parameters, multiply_adds), expected in zip(found, V2.values(), strict=True):
        assert parameters == pytest.approx(expected[0], rel=0.012)
        assert multiply_adds == pytest.approx(expected[1], rel=0.01)


def test_ssdlite_on_mobilenet_v2(repo: Path) -> None:
    """Sandler et al. 2018, table 6: 4.3 M parameters and 0.8 B multiply-adds at 320x320."""
    ((parameters, multiply_adds),) = _costs(
        repo, "detector", [("ssdlite_mobilenet_v2", 1.0, 80, (320, 320))]
    )
    assert round(parameters / 1e6, 1) == 4.3
    assert round(multiply_adds / 1e9, 1) == 0.8


def test_heads_at_any_size(repo: Path) -> None:
    """Levels of 19, 10, 5, 3, 2, 1 cells at 300, of 15, 8, 4, 2, 1, 1 at 236."""
    shapes = _run(
        repo,
        "shapes = [[list(o.shape) for o in m.detector(f, 0.5, 7, hw).outputs]"
        " for f in m.FAMILIES for hw in ((300, 300), (236, 300), None)]\nprint(json.dumps(shapes))",
    )
    known = [[[1, n, 4], [1, n, 7]] for n in (1917, 1509, None)]
    assert shapes == known * 2


def test_channels_are_rounded_as_in_the_authors_code(repo: Path) -> None:
    """Multiples of 8, never less than 0.9 of what was asked for."""
    asked = [3, 8, 11.2, 11.9, 12, 16 * 0.35, 96 * 0.35, 24 * 1.4, 32 * 1.4, 1280 * 1.4]
    given = _run(repo, f"print(json.dumps([m.make_divisible(c) for c in {asked!r}]))")
    assert given == [8, 8, 16, 16, 16, 8, 32, 32, 48, 1792]


def test_a_skeleton_is_made_from_the_definition(repo: Path, tmp_path: Path) -> None:
    """The smallest one, byte for byte."""
    made = tmp_path / "made.tflite"
    _run(
        repo,
        "import make_skeletons, pathlib\n"
        "data = make_skeletons.skeleton('ssd_mobilenet_v1', 0.25)\n"
        f"pathlib.Path({str(made)!r}).write_bytes(data)\n"
        "print(len(data))",
    )
    committed = repo / "models" / "skeletons" / "ssd_mobilenet_v1_0.25.tflite.gz"
    assert made.read_bytes() == gzip.decompress(committed.read_bytes())
