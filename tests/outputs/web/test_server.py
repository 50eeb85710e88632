"""The server's thread: its start, its end, and what it leaves alone."""

import logging
import socket
import subprocess
import sys

import pytest

from edge_vision.config_web import WebConfig
from edge_vision.errors import OutputError
from edge_vision.outputs.web.happenings import Happenings
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.server import Server

pytestmark = pytest.mark.usefixtures("no_thread_left")


def test_the_start_of_a_run_does_not_wait_for_aiohttp() -> None:
    heavy = ("aiohttp", "prometheus_client", "simplejpeg")
    program = (
        "import sys; import edge_vision.outputs.web;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_address_is_logged_so_that_it_can_be_clicked(
    make_site_server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        server = make_site_server()
    assert f"live page: http://127.0.0.1:{server.port}/" in caplog.messages


def test_an_unforeseen_end_of_the_thread_is_a_fault(
    made_up_control, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no application")

    monkeypatch.setattr("edge_vision.outputs.web.app.make_app", broken)
    config = WebConfig(port=0)
    server = Server(config, made_up_control, Hub(config), Happenings())
    server.start()
    assert server._worker.join(20)
    assert isinstance(server.fault, OutputError)
    assert "no application" in str(server.fault)
    assert "the live page failed" in caplog.text
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    server.close(1)


def test_it_can_be_ended_before_it_serves_and_twice(made_up_control) -> None:
    config = WebConfig(port=0)
    for _ in range(5):
        server = Server(config, made_up_control, Hub(config), Happenings())
        server.start()
        server.close(20)
        server.close(1)
        assert not server._worker.alive
        assert server.fault is None


def test_its_port_is_free_again_at_once(make_site_server, ask) -> None:
    first = make_site_server()
    assert ask(first.port, "GET", "/api/session").status == 200
    first.output.close(5)
    again = make_site_server(port=first.port, enabled=True)
    assert ask(again.port, "GET", "/api/session").status == 200
