"""`edge-vision fleet`: all boards of one MQTT broker."""

import json
import signal
import threading
import time
from typing import Annotated

import typer

from edge_vision.config_net import parse_broker
from edge_vision.errors import ConfigError, OutputError
from edge_vision.fleet.feed import Feed
from edge_vision.fleet.nodes import Fleet
from edge_vision.outputs.mqtt.link import Login

_QUIET_S = 0.5
"""What a broker has kept of its boards comes at once: then it is quiet for so long."""
_MOST_S = 3.0
"""Where it is never quiet, so long is enough."""
_PATIENCE_S = 10.0


def command(
    broker: Annotated[
        str,
        typer.Option(metavar="URL", help="mqtt://HOST[:PORT], or mqtts://HOST[:PORT] for TLS."),
    ],
    username: Annotated[str | None, typer.Option(metavar="NAME", help="Log in as NAME.")] = None,
    password_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Its first line is the password.")
    ] = None,
    ca: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="PEM file of authorities to trust instead (TLS)."),
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print what the broker knows as JSON, and end.")
    ] = False,
    page: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Serve a page on this computer."),
    ] = None,
) -> None:
    """Show every board that reports to a broker: alive, rates, heat, last event, counts.

    It only listens.  A table is renewed until Ctrl-C.

    \b
    Examples:
      edge-vision fleet --broker mqtt://broker.local
      edge-vision fleet --broker mqtts://broker.local --username eye --password-file secret --json
      edge-vision fleet --broker mqtt://broker.local --page 8090
    """
    try:
        address = parse_broker(broker)
    except ValueError as error:
        raise ConfigError(f"--broker: {error}") from None
    fleet = Fleet()
    feed = Feed(address, Login("", username, password_file, ca), fleet)
    _run(fleet, feed, str(address), once=json_, page=page)


def _run(fleet: Fleet, feed: Feed, title: str, *, once: bool, page: int | None) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    feed.start()
    try:
        if once:
            _print_once(fleet, feed, title, stop)
        elif page is not None:
            from edge_vision.fleet.server import make_site, serve

            site = make_site(fleet, feed, title)
            serve(site, page, stop, lambda url: print(f"The fleet is at {url}", flush=True))
        else:
            from edge_vision.fleet.table import show

            show(fleet, feed, title, stop)
    finally:
        feed.close()
    if (failure := feed.failure()) is not None:
        raise failure


def _print_once(fleet: Fleet, feed: Feed, title: str, stop: threading.Event) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not feed.connected.wait(0.05):
        if stop.is_set() or feed.trouble or time.monotonic() > deadline:
            raise OutputError(feed.trouble or "there was no connection")
    deadline, before = time.monotonic() + _MOST_S, -1
    while fleet.messages > before and time.monotonic() < deadline and not stop.is_set():
        before = fleet.messages
        stop.wait(_QUIET_S)
    rows = fleet.rows(time.monotonic_ns())
    print(json.dumps({"broker": title, "nodes": rows}, indent=2, ensure_ascii=False))
