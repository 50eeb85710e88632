"""Where the server listens, and the sentence when it cannot."""

import logging
import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge_vision.config_web import WebConfig
from edge_vision.errors import ConfigError, OutputError
from edge_vision.outputs.web.happenings import Happenings
from edge_vision.outputs.web.holder import port_holder
from edge_vision.outputs.web.hub import Hub
from edge_vision.outputs.web.listen import PortTaken, listen, page_url
from edge_vision.outputs.web.passwords import Password
from edge_vision.outputs.web.server import Server

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture
def taken():
    """A port at which this very process listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock.getsockname()[1]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:{}/"),
        ("localhost", "http://127.0.0.1:{}/"),
        ("127.5.5.5", "http://127.5.5.5:{}/"),
        ("::1", "http://[::1]:{}/"),
    ],
)
def test_an_address_or_a_name_of_this_computer(host: str, url: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this computer has no IPv6")
    with listen(WebConfig(host=host, port=0)) as sock:
        port = sock.getsockname()[1]
        assert page_url(sock, "http") == url.format(port)
        with socket.create_connection(sock.getsockname()[:2], timeout=5):
            pass


def test_every_network_takes_ipv4_as_well(tmp_path: Path) -> None:
    file = str(tmp_path / "password")  # its content is looked at before
    host = "::" if has_ipv6() else "0.0.0.0"
    with listen(WebConfig(host=host, port=0, password_file=file)) as sock:
        port = sock.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        url = page_url(sock, "https")
        assert url.startswith("https://")
        assert "[::]" not in url
        assert "0.0.0.0" not in url
        assert url.endswith(f":{port}/")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_network_needs_a_password(host: str) -> None:
    with pytest.raises(ConfigError, match="make a password by `edge-vision password FILE`"):
        listen(WebConfig(host=host, port=0))


def test_a_port_in_use_names_its_holder(taken: int) -> None:
    me = Path("/proc/self/comm").read_text().strip()
    with pytest.raises(PortTaken) as caught:
        listen(WebConfig(port=taken))
    assert f"port {taken}: {me} (process {os.getpid()}) uses it; end that" in str(caught.value)


def test_the_holder_is_found_among_other_processes_and_over_ipv6() -> None:
    family, address = ("AF_INET6", "::1") if has_ipv6() else ("AF_INET", "127.0.0.1")
    listens = (
        f"import socket; s = socket.socket(socket.{family}); s.bind(('{address}', 0)); s.listen();"
        "print(s.getsockname()[1], flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", listens], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert f"(process {process.pid})" in port_holder(port)
        process.communicate("\n")
    assert port_holder(port) == ""


def test_of_another_users_process_the_user_is_named(taken: int, tmp_path: Path) -> None:
    """As /proc looks without root's rights: the list of sockets, and no open files."""
    (tmp_path / "net").mkdir()
    for name in ("tcp", "tcp6"):
        (tmp_path / "net" / name).write_bytes(Path("/proc/net", name).read_bytes())
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert port_holder(taken, tmp_path) == f"a program of user {me}"
    assert port_holder(taken, tmp_path / "nothing") == ""


def test_an_address_of_another_computer(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no network of this computer has that address"):
        listen(WebConfig(host="192.0.2.1", port=0, password_file="x"))


def test_a_name_that_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:  # a real resolver could ask the network
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigError, match=r"outputs\.web\.host: 'nowhere\.invalid' is no address"):
        listen(WebConfig(host="nowhere.invalid"))


def test_a_low_port_without_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: socket.socket, address: object) -> None:  # root may
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", forbidden)
    with pytest.raises(OutputError, match=r"ports below 1024 need a right .* 1024 or higher"):
        listen(WebConfig(port=80))


def server_of(made_up_control, **web: object) -> Server:
    config = WebConfig(**web)  # type: ignore[arg-type]
    return Server(config, made_up_control, Hub(config), Happenings())


def test_left_to_auto_a_port_in_use_is_a_warning(
    made_up_control, taken: int, caplog: pytest.LogCaptureFixture
) -> None:
    server = server_of(made_up_control, port=taken)
    with caplog.at_level(logging.WARNING):
        server.start()
    assert f"(process {os.getpid()}) uses it" in caplog.text
    assert (server.url, server.port, server.fault) == ("", 0, None)
    server.close(1)


def test_asked_for_a_port_in_use_is_an_error(made_up_control, taken: int) -> None:
    server = server_of(made_up_control, port=taken, enabled=True)
    with pytest.raises(OutputError, match="choose another"):
        server.start()
    server.close(1)


def test_a_wrong_file_is_told_before_anything_listens(
    made_up_control, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it listens")

    monkeypatch.setattr("edge_vision.outputs.web.server.listen", never)
    password = tmp_path / "password"
    password.write_text(Password.of("correct horse").line())
    password.chmod(0o600)
    for wrong in (
        {"password_file": "/nowhere/password"},
        {"password_file": str(password), "token_file": "/nowhere/tokens"},
        {"tls_cert": "/nowhere/cert.pem", "tls_key": "/nowhere/key.pem"},
    ):
        with pytest.raises(ConfigError, match="there is no file /nowhere"):
            server_of(made_up_control, **wrong).start()
