"""A progress bar with the time left on standard error, where that is a terminal."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it: 128 + SIGINT."""


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Yields `show(done, total, now)`: `now` names what is under way, at the bar's end.

    Ctrl-C within the block raises KeyboardInterrupt, as Python does by default; before, it ends the
    process (see `edge_vision.cli`).
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("left"),
        TimeRemainingColumn(), TextColumn("{task.fields[now]}"),
    )  # fmt: skip
    hidden = not sys.stderr.isatty()
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden)
    task = bar.add_task(what, total=None, now="")

    def show(done: int, total: int, now: str) -> None:
        bar.update(task, completed=done, total=total, now=now)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with bar:
            yield show
    finally:
        signal.signal(signal.SIGINT, before)
