"""`edge-vision run` and the live page: what ends the start, and by which exit code."""

import os
import socket
from pathlib import Path

import pytest

DEMO = ("run", "--source", "demo", "--no-window", "--frames", "3", "--size", "small")


def setting(key: str, value: object) -> tuple[str, str]:
    return "--set", f"outputs.web.{key}={value}"


@pytest.fixture
def taken():
    """A port at which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


def test_without_a_password_no_network_is_served(cli) -> None:
    done = cli(*DEMO, *setting("host", "0.0.0.0"))
    assert done.returncode == 78
    assert "edge-vision password FILE" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("key", "said"),
    [("password_file", "there is no file"), ("token_file", "there is no file")],
)
def test_a_file_of_secrets_that_is_not_there(cli, key: str, said: str) -> None:
    done = cli(*DEMO, *setting(key, "/nowhere/secret"))
    assert done.returncode == 78
    assert f"outputs.web.{key}: {said} /nowhere/secret" in done.stderr.splitlines()[-1]


def test_a_certificate_that_is_none(cli, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("x")
    done = cli(*DEMO, *setting("tls_cert", "cert.pem"), *setting("tls_key", "cert.pem"))
    assert done.returncode == 78
    assert "holds no certificate" in done.stderr.splitlines()[-1]


def test_a_port_in_use_ends_the_start_only_if_the_page_was_asked_for(cli, taken: int) -> None:
    port = setting("port", taken)
    asked = cli(*DEMO, *port, *setting("enabled", "true"))
    assert asked.returncode == 74
    assert f"(process {os.getpid()}) uses it" in asked.stderr.splitlines()[-1]
    auto = cli(*DEMO, *port)
    assert auto.returncode == 0
    assert f"(process {os.getpid()}) uses it" in auto.stderr
    assert "3 analysed" in auto.stderr
