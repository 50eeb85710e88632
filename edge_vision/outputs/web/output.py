"""The output `web`: pictures for those who watch, in JPEG, and everything else that is asked."""

import logging
import time
from collections.abc import Collection
from typing import Literal

from edge_vision.config_web import WebConfig
from edge_vision.control import Control
from edge_vision.errors import EdgeVisionError
from edge_vision.events import Event
from edge_vision.outputs.base import Picture, Taken
from edge_vision.outputs.web.happenings import Happenings
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.server import Server
from edge_vision.results import Analysed

log = logging.getLogger(__name__)


class WebOutput:
    """Serves the page, the streams and the API in a thread of its own.

    `attach` before `start`: without a live run it serves nothing, and says so.
    """

    name = "web"
    wants: Literal["scenes", "pictures", "overlays"] = "pictures"
    shows_status = True

    def __init__(self, config: WebConfig, *, patient: bool = False) -> None:
        self._config = config
        self._hub = Hub(config)
        self._happenings = Happenings()
        self._control: Control | None = None
        self._server: Server | None = None

    def attach(self, control: Control) -> None:
        """Take the run that is to be shown."""
        self._control = control

    def start(self) -> None:
        """Listen.  Raises OutputError, ConfigError."""
        if self._control is None:
            log.info("web: there is no live page, as this is no live run")
            return
        self._server = Server(self._config, self._control, self._hub, self._happenings)
        self._server.start()
        if self._server.port:
            self._hub.start(self._control.telemetry)

    def active(self) -> bool:
        """Somebody watches, and a picture is due."""
        return self._hub.wanted(time.monotonic_ns())

    @property
    def idle(self) -> bool:
        """It was not asked for, and nobody watches."""
        return self._config.enabled == "auto" and not self._hub.viewers

    def takes(self) -> Collection[Taken]:
        """Which pictures are watched; render thread."""
        return self._hub.takes(time.monotonic_ns())

    def offer(self, item: Analysed | Picture) -> bool:
        """See Output."""
        return isinstance(item, Picture) and self._hub.offer(item, time.monotonic_ns())

    def on_event(self, event: Event) -> None:
        """Count it, and tell those who listen; never waits."""
        self._happenings.add(event)

    def close(self, timeout_s: float) -> None:
        """Stop to listen; viewers are told by the end of their stream."""
        self._hub.close(timeout_s)
        if self._server is not None:
            self._server.close(timeout_s)

    def fault(self) -> EdgeVisionError | None:
        """Why it serves no more."""
        of_server = self._server.fault if self._server is not None else None
        return of_server or self._hub.fault
