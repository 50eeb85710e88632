"""`edge-vision events`: what happened, from the log."""

import csv
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_vision.cli.options import AsJson, ConfigFile, configuration, print_json
from edge_vision.errors import ConfigError
from edge_vision.history import Recorded, Wanted
from edge_vision.outputs.events.archive import Archive
from edge_vision.outputs.events.folder import events_folder

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_COLUMNS = ("began", "lasted", "kind", "rule", "place", "label", "score", "count", "clip")


def command(
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: 2h, 3d, 2026-11-22[T18:00].")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")] = None,
    rule: Annotated[str | None, typer.Option(metavar="NAME", help="Of this rule.")] = None,
    label: Annotated[str | None, typer.Option(metavar="CLASS", help="Of this class.")] = None,
    place: Annotated[str | None, typer.Option(metavar="NAME", help="Zone or line.")] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="enter, dwell, occupancy or cross.")
    ] = None,
    node: Annotated[str | None, typer.Option(metavar="NAME", help="Of this board.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 50,
    json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for spreadsheets.")] = False,
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The log's, instead of events.folder.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """List what happened, the newest first; also while the service runs.

    \b
    Examples:
      edge-vision events --since 2h
      edge-vision events --rule visitor --since 2026-11-22 --csv > visitors.csv
    """
    if json and as_csv:
        raise typer.BadParameter("expected --json or --csv, not both")
    now = datetime.now().astimezone()
    wanted = Wanted(
        since_s=moment("--since", since, now) if since is not None else None,
        until_s=moment("--until", until, now) if until is not None else None,
        kind=kind,
        rule=rule,
        label=label,
        place=place,
        node=node,
        limit=limit,
    )
    where = folder or events_folder(configuration(config, []).events)
    found = Archive(where).find(wanted)
    if json:
        print_json([recorded.to_dict() for recorded in found])
    elif as_csv:
        _print_csv(found)
    else:
        _print_table(found, where)


def moment(option: str, text: str, now: datetime) -> float:
    """Unix time of "2h" (ago; s, m, h, d, w) or of an ISO 8601 date or time, local unless it says.

    now: with its zone.  Raises ConfigError.
    """
    ago = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhdw])", text)
    try:
        if ago is not None:
            return (now - timedelta(seconds=float(ago[1]) * _UNITS_S[ago[2]])).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} is {text!r}; expected how long ago (90s, 30m, 2h, 3d, 1w), or a date or "
            "time such as 2026-11-22 or 2026-11-22T18:00"
        ) from None


def _print_csv(found: list[Recorded]) -> None:
    rows = [_row(recorded) for recorded in found]
    writer = csv.DictWriter(sys.stdout, ["id", "node", "start", "end", *_COLUMNS[2:]])
    writer.writeheader()
    writer.writerows(rows)


def _row(recorded: Recorded) -> dict[str, Any]:
    event = recorded.event
    end = _utc(event.end_s) if event.end_s is not None else ""
    return {
        "id": event.id, "node": event.node, "start": _utc(event.start_s), "end": end,
        "kind": _kind(recorded), "rule": event.rule, "place": event.place, "label": event.label,
        "score": round(event.score, 3), "count": event.count, "clip": recorded.clip or "",
    }  # fmt: skip


def _utc(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")


def _kind(recorded: Recorded) -> str:
    event = recorded.event
    return f"{event.kind} {event.direction}".strip()


def _print_table(found: list[Recorded], folder: Path) -> None:
    if not found:
        print(f"no such event in {folder}", file=sys.stderr)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for recorded in found:
        event = recorded.event
        began = datetime.fromtimestamp(event.start_s, UTC).astimezone()
        lasted = f"{event.end_s - event.start_s:.0f} s" if event.end_s is not None else "going on"
        clip = str(recorded.clip) if recorded.clip is not None else ""
        cells = (_kind(recorded), event.rule, event.place, event.label, f"{event.score:.0%}")
        table.add_row(f"{began:%Y-%m-%d %H:%M:%S}", lasted, *cells, str(event.count), clip)
    # In a file or a pipe a line is never broken.
    Console(width=None if sys.stdout.isatty() else 250, markup=False, highlight=False).print(table)
