"""The thread, its event loop, and what has to be right before it starts."""

import asyncio
import datetime
import logging
import socket
import ssl
import threading

from edge_vision.config_web import WebConfig
from edge_vision.control import Control
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.outputs.web.access import Access
from edge_vision.outputs.web.happenings import Happenings
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.listen import PortTaken, listen, page_url
from edge_vision.outputs.web.tls import tls_context
from edge_vision.worker import Worker

log = logging.getLogger(__name__)

_GRACE_S = 0.2
"""At the end, for answers that are being written; streams are cut."""


class Server:
    """Listens from `start` on; aiohttp is imported in its own thread: nobody waits.

    ready: set once requests are answered.  url: for a browser, with a slash at its end; empty
    where it does not listen, as its port: 0.
    """

    def __init__(
        self, config: WebConfig, control: Control, hub: Hub, happenings: Happenings
    ) -> None:
        self.fault: EdgeVisionError | None = None
        self.ready = threading.Event()
        self.url = ""
        self.port = 0
        self._config = config
        self._control = control
        self._hub = hub
        self._happenings = happenings
        self._access = Access()
        self._context: ssl.SSLContext | None = None
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._closing = threading.Event()
        self._worker = Worker("web", self._run, self._ended)

    def start(self) -> None:
        """Bind in the caller's thread, serve in the own one.

        With `enabled` auto a port that another program has is a warning, and nothing is served.
        Raises OutputError, ConfigError; then nothing was started.
        """
        config = self._config
        self._access = Access.read(config)
        if config.tls_cert is not None and config.tls_key is not None:
            now = datetime.datetime.now(datetime.UTC)
            self._context = tls_context(config.tls_cert, config.tls_key, now)
        try:
            sock = listen(config)
        except PortTaken as error:
            if config.enabled != "auto":
                raise
            log.warning("no live page: %s", error)
            return
        self._socket = sock
        self.port = sock.getsockname()[1]
        self._access.use_port(self.port)
        self.url = page_url(sock, "http" if self._context is None else "https")
        log.info("live page: %s", self.url)
        self._worker.start()

    def close(self, timeout_s: float) -> None:
        """End every connection, and the thread."""
        self._closing.set()
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._end.set)
        if not self._worker.join(timeout_s):
            log.error("the live page does not end:\n%s", self._worker.stack())

    def _ended(self, worker: Worker) -> None:
        if worker.failure is not None:
            log.error("the live page failed", exc_info=worker.failure)
            self.fault = OutputError(f"web: {worker.failure!r}")

    def _run(self, _stop: threading.Event) -> None:
        assert self._socket is not None
        with self._socket as sock:
            asyncio.run(self._serve(sock))

    async def _serve(self, sock: socket.socket) -> None:
        from aiohttp import web

        from edge_vision.outputs.web.app import make_app
        from edge_vision.outputs.web.door import Door
        from edge_vision.outputs.web.site import Site

        site = Site(self._config, self._control, self._hub, self._happenings)
        runner = web.AppRunner(make_app(site, self._access), shutdown_timeout=_GRACE_S)
        await runner.setup()
        assert runner.server is not None
        door = Door(runner.server, self._context)
        self._loop = asyncio.get_running_loop()
        if self._closing.is_set():  # before there was a loop to tell
            self._end.set()
        accepting = self._loop.create_task(door.serve(sock))
        ending = self._loop.create_task(self._end.wait())
        self.ready.set()
        await asyncio.wait((accepting, ending), return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        accepting.cancel()
        await asyncio.wait((accepting,))
        await runner.cleanup()
        await door.close()
        if not accepting.cancelled():
            accepting.result()  # raises what ended it
