"""The output `web`: pictures for those who watch, in JPEG, and everything else that is asked."""

from collections.abc import Collection
from typing import Literal

from edge_vision.config_web import WebConfig
from edge_vision.control import Control
from edge_vision.errors import EdgeVisionError
from edge_vision.outputs.base import Picture, Taken
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.server import Server
from edge_vision.results import Analysed


class WebOutput:
    """Serves the page, the streams and the API in a thread of its own.

    `attach` before `start`: without a run there is nothing to serve.
    """

    name = "web"
    wants: Literal["scenes", "pictures", "overlays"] = "pictures"
    shows_status = True

    def __init__(self, config: WebConfig, *, patient: bool = False) -> None:
        self._config = config
        self._hub = Hub(config)
        self._control: Control | None = None
        self._server: Server | None = None

    def attach(self, control: Control) -> None:
        """Take the run that is to be shown."""
        self._control = control

    def start(self) -> None:
        """Listen.  Raises OutputError, ConfigError."""
        assert self._control is not None, "attach() comes before start()"
        self._server = Server(self._config, self._control, self._hub)
        self._server.start()

    def active(self) -> bool:
        """Somebody watches."""
        return bool(self._hub.takes())

    def takes(self) -> Collection[Taken]:
        """Which pictures are watched."""
        return self._hub.takes()

    def offer(self, item: Analysed | Picture) -> bool:
        """See Output."""
        return isinstance(item, Picture) and self._hub.offer(item)

    def close(self, timeout_s: float) -> None:
        """Stop to listen; viewers are told by the end of their stream."""
        if self._server is not None:
            self._server.close(timeout_s)

    def fault(self) -> EdgeVisionError | None:
        """Why it serves no more."""
        return self._server.fault if self._server is not None else None
