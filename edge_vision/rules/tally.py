"""Counts: how often, by class; replaced whole, so that any thread may read them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from edge_vision.config_watch import WatchConfig
from edge_vision.events import Counts

PICTURE = ""
"""The place that is the whole picture."""


def empty_counts(since_s: float) -> Counts:
    """Nothing counted yet, from a Unix time on."""
    return Counts(since_s, {}, {}, {})


def fitted(counts: Counts, watch: WatchConfig) -> Counts:
    """Counts of exactly the places of a configuration: those of others are dropped."""
    return Counts(
        counts.since_s,
        {
            name: {way: dict(counts.lines.get(name, {}).get(way, {})) for way in ("in", "out")}
            for name in watch.lines
        },
        {name: dict(counts.zones.get(name, {})) for name in watch.zones},
        {name: {} for name in (PICTURE, *watch.zones)},
    )


def crossed(counts: Counts, line: str, direction: str, label: str) -> Counts:
    """One more crossing."""
    ways = counts.lines[line]
    return replace(
        counts, lines={**counts.lines, line: {**ways, direction: _more(ways[direction], label)}}
    )


def entered(counts: Counts, zone: str, label: str) -> Counts:
    """One more object that entered."""
    return replace(counts, zones={**counts.zones, zone: _more(counts.zones[zone], label)})


def here_now(counts: Counts, there: Mapping[str, Iterable[str]]) -> Counts:
    """The labels of the objects that are now in each place."""
    now: dict[str, dict[str, int]] = {place: {} for place in counts.now}
    for place, labels in there.items():
        by_label = now[place]
        for label in labels:
            by_label[label] = by_label.get(label, 0) + 1
    return counts if now == counts.now else replace(counts, now=now)


def _more(by_label: Mapping[str, int], label: str) -> Mapping[str, int]:
    return {**by_label, label: by_label.get(label, 0) + 1}
