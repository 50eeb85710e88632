"""Certificates: what is wrong with one is said at the start, and a right one works."""

import datetime
import logging
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from edge_vision.errors import ConfigError
from edge_vision.outputs.web.passwords import Password
from edge_vision.outputs.web.tls import expiry_of, tls_context

NOW = datetime.datetime(2024, 6, 1, tzinfo=datetime.UTC)
CERT = """-----BEGIN CERTIFICATE-----
{}
-----END CERTIFICATE-----
"""


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.pem with a.key, b.pem with b.key, locked.key: a.key with a passphrase."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("pems")

    def openssl(*arguments: str) -> None:
        done = subprocess.run(
            [program, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr

    for name in "ab":
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
    openssl("pkey", "-in", "a.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key")
    for key in folder.glob("*.key"):
        key.chmod(0o600)
    return folder


def now_of(pems: Path) -> datetime.datetime:
    """A time at which they are valid."""
    ends = expiry_of((pems / "a.pem").read_text())
    assert ends is not None
    return ends - datetime.timedelta(days=1)


def test_a_pair_that_fits(pems: Path, caplog: pytest.LogCaptureFixture) -> None:
    context = tls_context(str(pems / "a.pem"), str(pems / "a.key"), now_of(pems))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not caplog.messages


def test_the_end_is_what_openssl_reads(pems: Path) -> None:
    done = subprocess.run(
        ["openssl", "x509", "-in", pems / "a.pem", "-noout", "-enddate"],
        capture_output=True,
        text=True,
    )
    text = done.stdout.strip().partition("=")[2]
    expected = datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y %Z").replace(tzinfo=datetime.UTC)
    assert expiry_of((pems / "a.pem").read_text()) == expected


def test_an_expired_one_says_when_it_ended(pems: Path) -> None:
    now = now_of(pems) + datetime.timedelta(days=2)
    with pytest.raises(ConfigError, match=r"a\.pem has expired at 20\d\d-\d\d-\d\d \d\d:\d\d UTC"):
        tls_context(str(pems / "a.pem"), str(pems / "a.key"), now)


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("a.pem", "b.key", r"b\.key is not the key of the certificate .*a\.pem"),
        ("a.pem", "locked.key", r"locked\.key has a passphrase.*openssl pkey"),
        ("a.key", "a.key", r"tls_cert: .*a\.key holds no certificate"),
        ("a.pem", "a.pem", r"tls_key: .*a\.pem holds no private key"),
        ("nothing.pem", "a.key", r"tls_cert: there is no file .*nothing\.pem"),
        ("a.pem", "nothing.key", r"tls_key: there is no file .*nothing\.key"),
        (".", "a.key", "cannot be read: Is a directory"),
        ("cut.pem", "a.key", r"cut\.pem holds no certificate"),
        ("a.pem", "cut.key", r"a\.pem and .*cut\.key cannot be used"),
    ],
)
def test_what_does_not_fit_is_a_sentence(pems: Path, cert: str, key: str, said: str) -> None:
    for name in ("a.pem", "a.key"):
        lines = (pems / name).read_text().splitlines()
        cut = pems / f"cut{Path(name).suffix}"
        cut.write_text("\n".join([*lines[:2], lines[-1]]) + "\n")
        cut.chmod(0o600)
    with pytest.raises(ConfigError, match=said):
        tls_context(str(pems / cert), str(pems / key), now_of(pems))


@pytest.mark.parametrize(
    "text", ["", "x", CERT.format("AAAA"), CERT.format("MIIB"), CERT.format("!"), CERT.format("")]
)
def test_what_is_no_certificate_has_no_end(text: str) -> None:
    assert expiry_of(text) is None


def test_a_key_that_everybody_can_read_is_a_warning(
    pems: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    key = tmp_path / "open.key"
    key.write_bytes((pems / "a.key").read_bytes())
    key.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        tls_context(str(pems / "a.pem"), str(key), now_of(pems))
    assert "outputs.web.tls_key" in caplog.text
    assert "chmod o-rwx" in caplog.text


def test_from_end_to_end(pems: Path, tmp_path: Path, make_site_server, ask) -> None:
    password = tmp_path / "password"
    password.write_text(Password.of("correct horse").line())
    password.chmod(0o600)
    server = make_site_server(
        tls_cert=str(pems / "a.pem"), tls_key=str(pems / "a.key"), password_file=str(password)
    )
    assert server.url == f"https://127.0.0.1:{server.port}"
    client = ssl.create_default_context(cafile=str(pems / "a.pem"))
    answer = ask(
        server.port, "POST", "/api/login", json_body={"password": "correct horse"}, tls=client
    )
    assert answer.status == 204
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-edge-vision-{server.port}=")
    assert "Secure" in cookie
    session = ask(
        server.port, "GET", "/api/session", {"Cookie": cookie.partition(";")[0]}, tls=client
    )
    assert session.json() == {"login_needed": True, "logged_in": True}


def test_plain_http_to_a_tls_port_does_no_harm(pems: Path, make_site_server, ask, send) -> None:
    server = make_site_server(tls_cert=str(pems / "a.pem"), tls_key=str(pems / "a.key"))
    assert b"200" not in send(server.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    client = ssl.create_default_context(cafile=str(pems / "a.pem"))
    assert ask(server.port, "GET", "/api/session", tls=client).status == 200
