"""The socket, the thread and the event loop."""

import asyncio
import logging
import socket
import threading

from edge_vision.config_web import WebConfig
from edge_vision.control import Control
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.outputs.web.hub import Hub
from edge_vision.worker import Worker

log = logging.getLogger(__name__)


class Server:
    """Listens from `start` on; aiohttp is imported in its own thread: nobody waits."""

    def __init__(self, config: WebConfig, control: Control, hub: Hub) -> None:
        self.fault: EdgeVisionError | None = None
        self._config = config
        self._control = control
        self._hub = hub
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = threading.Event()
        self._worker = Worker("web", self._run, self._ended)

    def start(self) -> None:
        """Bind in the caller's thread, serve in the own one.  Raises OutputError, ConfigError."""
        try:
            self._socket = socket.create_server((self._config.host, self._config.port), backlog=128)
        except OSError as error:
            raise OutputError(
                f"the live page cannot listen at {self._config.host}:{self._config.port}: "
                f"{error.strerror}"
            ) from None
        log.info("live page: http://%s:%d/", *self._socket.getsockname()[:2])
        self._worker.start()

    def close(self, timeout_s: float) -> None:
        """End every connection, and the thread."""
        self._closing.set()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: None)
        self._worker.join(timeout_s)

    def _ended(self, worker: Worker) -> None:
        if worker.failure is not None:
            log.error("the live page failed", exc_info=worker.failure)
            self.fault = OutputError(f"web: {worker.failure!r}")

    def _run(self, _stop: threading.Event) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        from aiohttp import web

        from edge_vision.outputs.web.app import make_app
        from edge_vision.outputs.web.site import Site

        assert self._socket is not None
        self._loop = asyncio.get_running_loop()
        runner = web.AppRunner(make_app(Site(self._config, self._control, self._hub)))
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        while not self._closing.is_set():
            await asyncio.sleep(0.1)
        await runner.cleanup()
