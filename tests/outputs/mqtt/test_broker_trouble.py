"""A broker that is not there, does not let us in, or is not what it should be: a sentence each."""

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_vision.config_net import Broker, parse_broker
from edge_vision.errors import OutputError

pytestmark = pytest.mark.usefixtures("no_thread_left")
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, and of it server.pem and server.key for "localhost"; other.pem, of nobody."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True, cwd=folder)

    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        run("req", "-x509", *kind, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
            "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    run("req", *kind, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    # All that Python 3.13 wants (VERIFY_X509_STRICT).
    (folder / "names").write_text(
        "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\n"
        "authorityKeyIdentifier=keyid\n"
    )
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
        "-CAcreateserial", "-extfile", "names", "-out", "server.pem")  # fmt: skip
    (folder / "server.key").chmod(0o644)
    return folder


def said(output: Any, until: Make) -> str:
    return str(until(output.fault, "a fault"))


def test_nobody_listens(make_broker: Make, make_mqtt: Make, until: Make) -> None:
    url = make_broker().url
    output, _ = make_mqtt(url)
    assert said(output, until) == f"mqtt: nothing listens at {url}; is the broker running?"


def test_a_name_that_does_not_resolve(
    make_mqtt: Make, until: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    output, _ = make_mqtt("mqtt://broker.invalid")
    sentence = "mqtt: the name broker.invalid does not resolve (Name or service not known)"
    assert said(output, until).startswith(sentence)


def test_a_password_that_is_wrong_and_one_that_is_right(
    make_broker: Make, make_mqtt: Make, until: Make, tmp_path: Path
) -> None:
    passwords, wrong, right = (tmp_path / name for name in ("passwords", "wrong", "right"))
    maker = shutil.which("mosquitto_passwd")
    if maker is None:
        pytest.skip("mosquitto_passwd is not installed (apt install mosquitto)")
    subprocess.run([maker, "-b", "-c", passwords, "board", "sesame"], check=True)
    passwords.chmod(0o644)
    wrong.write_text("barley\n")
    right.write_text("sesame\n")
    broker = make_broker(f"allow_anonymous false\npassword_file {passwords}")
    broker.start()
    output, _ = make_mqtt(broker.url, username="board", password_file=str(wrong))
    sentence = f"mqtt: {broker.url} does not let the user 'board' in: not authorized; check"
    assert said(output, until).startswith(sentence)
    output.close(5)
    good, _ = make_mqtt(broker.url, username="board", password_file=str(right))
    until(lambda: good._connected)
    assert good.fault() is None


def test_certificates(make_broker: Make, make_mqtt: Make, until: Make, certificates: Path) -> None:
    broker = make_broker(
        f"allow_anonymous true\ncertfile {certificates}/server.pem\n"
        f"keyfile {certificates}/server.key"
    )
    broker.start()
    ca = str(certificates / "ca.pem")
    good, _ = make_mqtt(f"mqtts://localhost:{broker.port}", ca_file=ca)
    until(lambda: good._connected)
    good.close(5)
    for url, trusted, sentence in (
        (f"mqtts://localhost:{broker.port}", str(certificates / "other.pem"), "is not accepted: "),
        (f"mqtts://127.0.0.1:{broker.port}", ca, "check the host name"),
        (f"mqtts://localhost:{broker.port}", None, "give ca_file"),
        (broker.url, None, "if it wants TLS, write mqtts://"),
    ):
        output, _ = make_mqtt(url, ca_file=trusted)
        assert sentence in said(output, until)
        output.close(5)


def test_a_server_that_is_no_broker(make_mqtt: Make, until: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        output, _ = make_mqtt(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        connection, _ = server.accept()
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()
        assert "ended the connection" in said(output, until)
        server.close()
        output.close(5)


def test_two_boards_of_one_name(
    make_broker: Make, make_mqtt: Make, until: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = make_broker()
    broker.start()
    first, _ = make_mqtt(broker.url)
    until(lambda: first._connected)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "another"))
    make_mqtt(broker.url)
    sentence = "another client calls itself 'edge-vision-porch', too"
    assert sentence in said(first, until)


def test_files_that_cannot_be_read_end_the_start(make_mqtt: Make, tmp_path: Path) -> None:
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.write_text("\n")
    with pytest.raises(OutputError, match=r"password cannot be read from .*missing: "):
        make_mqtt("mqtt://127.0.0.1", username="a", password_file=str(missing))
    with pytest.raises(OutputError, match=r"the first line of .*empty is empty; expected a pass"):
        make_mqtt("mqtt://127.0.0.1", username="a", password_file=str(empty))
    with pytest.raises(OutputError, match=r"empty cannot be used for TLS: .*expected a PEM file"):
        make_mqtt("mqtts://127.0.0.1", ca_file=str(empty))


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://a", Broker("a", 1883, False)),
        ("mqtts://a.example.org", Broker("a.example.org", 8883, True)),
        ("mqtt://[::1]:1884/", Broker("::1", 1884, False)),
    ],
)
def test_addresses(url: str, broker: Broker) -> None:
    assert parse_broker(url) == broker
    assert parse_broker(str(broker)) == broker


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "expected mqtt://HOST"),
        ("a.example.org", "expected mqtt://HOST"),
        ("http://a", "expected mqtt://HOST"),
        ("mqtt://", "expected mqtt://HOST"),
        ("mqtt://a/b", "expected mqtt://HOST"),
        ("mqtt://a:0", "expected mqtt://HOST"),
        ("mqtt://a:99999", "Port out of range"),
        ("mqtt://a b", "expected mqtt://HOST"),
        ("mqtt://u:p@a", "give username and password_file"),
    ],
)
def test_what_is_no_address(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        parse_broker(url)
    assert "u:p" not in str(caught.value)
