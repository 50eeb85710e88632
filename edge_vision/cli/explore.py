"""`edge-vision explore`: what MobileNet's two dials, width and input size, cost on this board."""

import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from edge_vision.cli.explore_report import (
    Cell,
    LatencyMap,
    picture,
    print_tables,
    report,
    size_text,
)
from edge_vision.cli.options import AsJson, print_json, tell_faults
from edge_vision.cli.progress import INTERRUPTED, progress_bar
from edge_vision.config import SIZES_PX
from edge_vision.detect.network_cost import multiply_adds
from edge_vision.detect.runtime import Runtime, thread_count
from edge_vision.detect.tflite_file import read_tflite
from edge_vision.errors import ConfigError
from edge_vision.map_plot import check_png, write_png
from edge_vision.skeletons import Skeleton, read_skeletons
from edge_vision.sweep import Candidate, sweep

DEFAULT_SIZES = ("128", "small", "medium", "large", "xlarge")
ROUNDS, ROUND_S = 8, 0.15
"""Many short turns: what else the computer does then hits few of a cell's."""


Family = Annotated[
    list[str] | None,
    typer.Option(metavar="v1|v2", help="MobileNet v1 or v2 only; both without it."),
]
Alpha = Annotated[
    list[float] | None, typer.Option(metavar="X", help="Width multiplier; may be given again.")
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SIZE",
        help="Input size: small, medium, large, xlarge, a side in pixels, or HEIGHTxWIDTH; may be "
        "given again.",
    ),
]
ThreadCounts = Annotated[
    list[int] | None,
    typer.Option(
        min=1,
        max=64,
        metavar="N",
        help="Interpreter threads; may be given again.  [every core up to four]",
    ),
]
Plot = Annotated[
    Path | None, typer.Option(metavar="FILE.png", help="Draw the map as a picture, too.")
]


def command(
    family: Family = None,
    alpha: Alpha = None,
    size: Sizes = None,
    threads: ThreadCounts = None,
    json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Measure what a detector costs on this board at other widths and input sizes.

    MobileNet's two dials: alpha scales the channels of every layer, rho the input (rho 1 is 300
    px).  Detectors without weights are timed in turns, as latency depends on shapes alone: bare
    invoke() of int8 networks for 80 classes.  Beside it stand parameters and multiply-adds.
    Ctrl-C ends it early and keeps what was measured (exit code 130).

    \b
    Example:
      edge-vision explore --family v2 --alpha 0.5 --alpha 1 --size small --size large
    """
    skeletons = chosen_skeletons(read_skeletons(), family or [], alpha or [])
    sizes = sorted(
        {parse_size(text) for text in size or DEFAULT_SIZES}, key=lambda hw: hw[0] * hw[1]
    )
    counts = sorted(set(threads or [thread_count("auto")]))
    if plot is not None:
        check_png(plot)
    found = measure([Cell(*parts) for parts in itertools.product(skeletons, sizes, counts)])
    if json:
        print_json(report(found))
    elif found.swept.timings:
        print_tables(found)
    if plot is not None and found.swept.timings:
        write_png(picture(found), plot)
    if not found.swept.complete:
        print("edge-vision: interrupted; this is what was measured until then", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    tell_faults(list(found.swept.refused.values()))


def chosen_skeletons(
    skeletons: Sequence[Skeleton], families: Sequence[str], alphas: Sequence[float]
) -> list[Skeleton]:
    """Those asked for, v2 first; raises ConfigError, with what there is, for what is not there."""
    for family in families:
        if family not in {_version(s) for s in skeletons}:
            there = ", ".join(dict.fromkeys(_version(s) for s in skeletons))
            raise ConfigError(f"--family {family}: there is none of that name; there are: {there}")
    kept = [s for s in skeletons if not families or _version(s) in families]
    for alpha in alphas:
        if alpha not in {s.alpha for s in kept}:
            there = ", ".join(f"{s.alpha:g} ({_version(s)})" for s in kept)
            raise ConfigError(f"--alpha {alpha:g}: there is no such width; there are: {there}")
    kept = [s for s in kept if not alphas or s.alpha in alphas]
    return sorted(kept, key=lambda s: (_version(s) != "v2", s.alpha))


def parse_size(text: str) -> tuple[int, int]:
    """Height and width in pixels; raises ConfigError, with what can be asked, for others."""
    side = SIZES_PX.get(text)
    height, x, width = (str(side) if side else text).partition("x")
    width = width if x else height
    if height.isdecimal() and width.isdecimal() and len(text) < 12:
        hw = int(height), int(width)
        if all(96 <= side <= 4096 for side in hw):
            return hw
    names = ", ".join(f"{name} ({px} px)" for name, px in SIZES_PX.items())
    raise ConfigError(
        f"--size {text}: expected {names}, a side of 96 to 4096 pixels, or HEIGHTxWIDTH"
    )


def measure(cells: Sequence[Cell]) -> LatencyMap:
    """Time every cell, with a progress bar; what Ctrl-C leaves out is missing."""
    names: set[str] = set()

    def opener(file: Path, cell: Cell) -> Callable[[], Callable[[], object]]:
        def open() -> Callable[[], object]:
            runtime = Runtime(file, cell.threads, cell.input_hw_px)
            names.add(f"{runtime.name}, {runtime.active}")
            return runtime.invoke

        return open

    with (
        tempfile.TemporaryDirectory(prefix="edge-vision-") as folder,
        progress_bar("timing") as show,
    ):
        files = {s: s.unpack(Path(folder)) for s in {cell.skeleton for cell in cells}}
        networks = {skeleton: read_tflite(file) for skeleton, file in files.items()}
        counted = {cell: multiply_adds(networks[cell.skeleton], cell.input_hw_px) for cell in cells}
        swept = sweep(
            [Candidate(cell, opener(files[cell.skeleton], cell)) for cell in cells],
            rounds=ROUNDS,
            round_s=ROUND_S,
            on_progress=lambda done, total, cell: show(done, total, _short_name(cell)),
        )
    return LatencyMap(cells, counted, " / ".join(sorted(names)), swept)


def _version(skeleton: Skeleton) -> str:
    """v1 or v2."""
    return skeleton.family.rpartition("_")[2]


def _short_name(cell: Cell) -> str:
    return f"{_version(cell.skeleton)} {cell.skeleton.alpha:g} at {size_text(cell.input_hw_px)} px"
