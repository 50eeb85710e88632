"""A real browser, Debian's chromium, and a page that must stay clean."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from edge_vision.app import App
from edge_vision.camera.base import Camera
from edge_vision.config_load import load_config
from edge_vision.config_version import NEWEST
from edge_vision.outputs.web import WebOutput

CALM = ("status of 401", "status of 422", "status of 429", "status of 503")
"""Answers that a browser notes in its console though the page takes care of them."""

OpenPage = Callable[..., Any]

CONFIG = """\
# A comment that stays.
version: {version}
camera:
  kind: demo
  size_px: [640, 360]
model:
  size: small  # likewise
  threads: 1
outputs:
  window: {{enabled: false}}
  web: {{port: 0}}
governor: {{enabled: false}}
"""


@dataclass
class Run:
    """A run that is being served, its configuration file, and its address."""

    app: App
    file: Path
    url: str
    thread: threading.Thread

    def end(self) -> None:
        self.app.stop.set()
        self.thread.join(15)
        assert not self.thread.is_alive(), "the run does not end"


MakeRun = Callable[..., Run]


@pytest.fixture(scope="module")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeRun]:
    """make_run(camera=..., settings=["section.key=value", ...]): the real model with a page."""
    runs: list[Run] = []

    def make(camera: Camera | None = None, settings: Sequence[str] = ()) -> Run:
        file = tmp_path_factory.mktemp("run") / "config.yaml"
        file.write_text(CONFIG.format(version=NEWEST), "utf-8")
        app = App(load_config(file, settings), page=True, file=file, camera=camera)
        thread = threading.Thread(target=app.run, name="served run")
        run = Run(app, file, "", thread)
        runs.append(run)
        thread.start()
        result, _ = app.pipeline.analysed.wait_newer(0, 30)
        assert result is not None, "no result came"
        server = next(o for o in app.outputs if isinstance(o, WebOutput))._server
        assert server is not None
        assert server.ready.wait(20), "the server does not answer"
        assert server.fault is None, server.fault
        run.url = server.url
        return run

    yield make
    for run in runs:
        run.end()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's chromium, without a window; not longer, as no other event loop can run beside it."""
    playwright_api = pytest.importorskip(
        "playwright.sync_api", reason="the extra `browser` (playwright) is not installed"
    )
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium; install it with: sudo apt install chromium")
    with playwright_api.sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[OpenPage]:
    """open_page(url, calm=..., options of a browser context ...): a page for this test alone.

    calm: what may stand in its console.  At its end nothing else may stand there, and nothing may
    have been asked of another server.
    """
    contexts, complaints = [], []

    def open_(url: str, *, calm: tuple[str, ...] = (), **options: Any) -> Any:
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        context = chromium.new_context(**options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        own = urlsplit(url).netloc
        expected = (*CALM, *calm)

        def console(message: Any) -> None:
            if message.type in ("error", "warning") and not any(
                text in message.text for text in expected
            ):
                complaints.append(f"console: {message.text}")

        def request(asked: Any) -> None:
            at = urlsplit(asked.url)
            if at.scheme != "blob" and at.netloc != own:
                complaints.append(f"asked elsewhere: {asked.url}")

        page.on("console", console)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", request)
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []
