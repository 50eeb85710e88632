"""The output as the pipeline sees it, in real runs."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import cv2
import numpy as np
import pytest
from watching import Stream, decoded, get, until

from edge_vision.app import App
from edge_vision.camera import make_camera
from edge_vision.config_load import parse_config
from edge_vision.config_web import WebConfig
from edge_vision.outputs.base import takes
from edge_vision.outputs.web import WebOutput
from edge_vision.stages.drawing import Drawing

pytestmark = pytest.mark.usefixtures("no_thread_left")


@contextmanager
def running(**sections: Any) -> Iterator[tuple[App, Any]]:
    """A run with a page, and its server."""
    config = parse_config(
        {
            "camera": {"kind": "demo", "size_px": [320, 240]},
            "model": {"size": "small", "threads": 1},
            "outputs": {"window": {"enabled": False}, "web": {"port": 0}},
            **sections,
        }
    )
    app = App(config, unattended=True, page=True)
    thread = threading.Thread(target=app.run)
    thread.start()
    try:
        output: Any = app.outputs[0]
        until(lambda: output._server is not None and output._server.ready.is_set(), 30)
        yield app, output._server
    finally:
        app.stop.set()
        thread.join(15)
        assert not thread.is_alive()


def test_importing_it_brings_nothing_heavy() -> None:
    """The server imports aiohttp in its own thread, the encoder simplejpeg in its."""
    code = (
        "import sys, edge_vision.outputs.web\n"
        "print([n for n in ('aiohttp', 'prometheus_client', 'simplejpeg') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_where_the_port_is_taken_nothing_is_left_running(site_server: Any) -> None:
    """`enabled` is auto: the run goes on without page."""
    output = WebOutput(WebConfig(port=site_server.port))
    output.attach(site_server.control)
    output.start()
    assert not output.active()
    assert not takes(output)
    assert output.fault() is None
    assert [t.name for t in threading.enumerate()].count("encode") == 1  # site_server's
    output.close(1)


def test_a_camera_that_was_gone_before_anybody_looked() -> None:
    camera = {"kind": "usb", "source": "/dev/video99", "size_px": [320, 240]}
    with running(camera=camera) as (app, server):
        until(lambda: app.outputs[0]._hub._status is not None)  # type: ignore[attr-defined]
        with closing(Stream(server.port)) as stream:
            headers, jpeg = stream.part()
        assert headers["X-Seq"] == "-1"
        assert decoded(jpeg).shape == (240, 320, 3)
        response, body = get(server.port, "/snapshot.jpg")
        assert response.status == 503
        assert b"/dev/video99" in body


def test_nothing_is_drawn_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of what is watched, only that."""
    drawn: list[tuple[bool, bool]] = []
    draw = Drawing.draw

    def noting(self: Drawing, *given: Any, burn: bool = True, plain: bool = False) -> Any:
        drawn.append((burn, plain))
        return draw(self, *given, burn=burn, plain=plain)

    monkeypatch.setattr(Drawing, "draw", noting)
    with running() as (app, server):
        hub = server._hub
        telemetry = app.pipeline.telemetry
        until(lambda: telemetry.captured.count > 5)
        assert drawn == []
        for query, expected in (("", (True, False)), ("?overlay=0", (False, True))):
            with closing(Stream(server.port, query)) as stream:
                for _ in range(3):
                    stream.part()
            until(lambda: hub.viewers == 0)
            assert expected in drawn
            # A frame may have been under way when the last one left: then nothing is drawn on it.
            assert set(drawn) <= {expected, (False, False)}
            drawn.clear()
        # One picture a second is all that is drawn for one who asks for no more.
        begin = telemetry.captured.count
        with closing(Stream(server.port, "?fps=1")) as stream:
            for _ in range(3):
                stream.part()
        assert telemetry.captured.count - begin >= 12
        assert len(drawn) <= 5


@pytest.mark.parametrize("timing", ["live", "exact"])
def test_the_picture_is_the_frames_own(timing: str) -> None:
    """Each part is the demo scene's frame of that number, without overlay."""
    with running(overlay={"timing": timing, "hud": False}) as (app, server):
        scene: Any = make_camera(app.config.camera)  # another one: it draws in memory of its own
        scene.open()
        with closing(Stream(server.port, "?overlay=0")) as stream:
            for _ in range(5):
                headers, jpeg = stream.part()
                truth = scene.render(int(headers["X-Seq"]))
                assert cv2.PSNR(decoded(jpeg), np.asarray(truth)) > 25
                if timing == "exact":
                    assert headers["X-Scene-Seq"] == headers["X-Seq"]


def test_while_a_viewer_is_gone_without_a_word_the_run_goes_on() -> None:
    with running() as (_, server):
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            until(lambda: server._hub.viewers == 1)
            with closing(Stream(server.port)) as stream:
                for _ in range(40):
                    stream.part()
        until(lambda: server._hub.viewers == 0)
