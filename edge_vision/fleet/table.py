"""Rows of a fleet in a terminal."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edge_vision.fleet.feed import Feed
from edge_vision.fleet.nodes import Fleet

_COLUMNS = ("node", "alive", "camera/s", "detector/s", "°C", "model", "objects", "last event",
            "counts", "trouble")  # fmt: skip
_COLOURS = {"yes": "green", "silent": "yellow", "no": "red"}


def table_of(rows: list[dict[str, Any]], now_s: float) -> Table:
    """now_s: Unix time, for the age of the last event."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in _COLUMNS:
        numeric = column in ("camera/s", "detector/s", "°C", "objects")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=column == "node")
    for row in rows:
        cells = [
            row["node"],
            "",
            _figure(row["camera_per_s"]),
            _figure(row["detector_per_s"]),
            _figure(row["temperature_c"]),
            f"{row['model']} {row['size']}".strip(),
            str(row["objects"]),
            _event(row, now_s),
            row["counts"],
            row["faults"][0] if row["faults"] else "" if row["camera_up"] else "no camera",
        ]
        # Text, not str: nothing in a message is taken for the terminal's markup.
        texts = [Text(cell) for cell in cells]
        texts[1] = Text(row["alive"], _COLOURS[row["alive"]])
        table.add_row(*texts)
    return table


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _event(row: dict[str, Any], now_s: float) -> str:
    start_s = row["event_start_s"]
    if start_s is None:
        return ""
    age_s = max(0.0, now_s - start_s)
    unit, divisor = next(
        (unit, size) for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
        if age_s >= size or size == 1
    )  # fmt: skip
    return f"{row['event']}, {age_s / divisor:.0f} {unit} ago"


def show(
    fleet: Fleet, feed: Feed, title: str, stop: threading.Event, console: Console | None = None
) -> None:
    """Show the table, renewed every second, until `stop` is set."""
    console = console or Console()

    def picture() -> Group:
        rows = fleet.rows(time.monotonic_ns())
        alive = sum(row["alive"] == "yes" for row in rows)
        head = Text(f"{title}: {alive} of {len(rows)} alive, {fleet.messages} messages")
        parts: list[Any] = [head, table_of(rows, datetime.now(UTC).timestamp())]
        if feed.trouble:
            parts.insert(1, Text(f"{feed.trouble}; trying again", "red"))
        return Group(*parts)

    draw: Callable[[], Group] = picture
    with Live(draw(), console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while not stop.wait(1.0) and feed.failure() is None:
            live.update(draw(), refresh=True)
