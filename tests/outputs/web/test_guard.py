"""Whose request is answered: Host, other sites' pages, size, and what every answer says."""

import json
import re
import socket

import pytest

from edge_vision.outputs.web.guard import host_check

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PLACE = "/api/session"


@pytest.mark.parametrize(
    "header",
    [
        "127.0.0.1", "127.0.0.1:8080", "192.168.1.5:1", "[::1]", "[fe80::1]:8080", "localhost:80",
        "LocalHost", "a.localhost:8080", "localhost.", "Porch.example.org:443", "cam",
        socket.gethostname(), f"{socket.gethostname().partition('.')[0]}.local:8080",
    ],
)  # fmt: skip
def test_the_boards_own_names_and_every_address_are_known(header: str) -> None:
    assert host_check(["porch.example.org", "Cam"])(header)


@pytest.mark.parametrize(
    "header",
    [
        "", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
        "evil-localhost", "127.0.0.1:80x", "127.0.0.1:8080@evil.example", "[::1", "[::1]evil",
        "[evil]", "127.0.0.1/", "local", "1.2.3", ":8080", "127.0.0.1:\u0661",
    ],
)  # fmt: skip
def test_names_that_may_point_anywhere_are_not(header: str) -> None:
    assert not host_check(["porch.example.org"])(header)


def test_a_forged_host_is_misdirected(site_server, ask) -> None:
    for path in ("/", PLACE, "/stream.mjpg", "/healthz", "/nothing"):
        answer = ask(site_server.port, "GET", path, {"Host": "rebound.example"})
        assert answer.status == 421, path
        assert "outputs.web.hosts" in answer.json()["detail"]


def test_a_name_from_the_configuration_is_taken(make_site_server, ask) -> None:
    server = make_site_server(hosts=["porch.example.org"])
    answer = ask(server.port, "GET", PLACE, {"Host": "porch.example.org"})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", PLACE, 200), ("GET", "/nothing", 404), ("DELETE", PLACE, 405), ("GET", "/login", 200)],
)
def test_every_answer_says_what_a_browser_may_do_with_it(
    site_server, ask, method: str, path: str, status: int
) -> None:
    answer = ask(site_server.port, method, path)
    headers = answer.headers
    assert answer.status == status
    assert headers["Content-Security-Policy"] == CSP
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if path == "/login" else "no-store")
    assert headers["Server"] == "edge-vision"
    assert "Access-Control-Allow-Origin" not in headers
    if status >= 400:
        assert headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_methods_that_are_not_there_are_named(site_server, ask) -> None:
    answer = ask(site_server.port, "PUT", PLACE, json_body={})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
    options = ask(site_server.port, "OPTIONS", PLACE)
    assert (options.status, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert ask(site_server.port, "OPTIONS", "/nothing").status == 404
    head = ask(site_server.port, "HEAD", PLACE)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Origin": "http://127.0.0.1:PORT"}, 204),
        ({"Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "none"}, 204),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "http://127.0.0.1:PORT", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
def test_another_sites_page_changes_nothing(site_server, ask, headers, status: int) -> None:
    sent = {key: value.replace("PORT", str(site_server.port)) for key, value in headers.items()}
    answer = ask(site_server.port, "POST", "/api/logout", sent)
    assert answer.status == status, answer.body


def test_another_sites_page_patches_nothing(site_server, ask) -> None:
    wish = {"overlay": {"style": "dot"}}
    answer = ask(
        site_server.port, "PATCH", "/api/config", {"Origin": "https://evil.example"}, json_body=wish
    )
    assert answer.status == 403
    form = ask(
        site_server.port, "PATCH", "/api/config", {"Content-Type": "text/plain"}, json_body=wish
    )
    assert form.status == 415
    assert site_server.control.wishes == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_another_sites_page_may_link_here_but_show_nothing(
    site_server, ask, headers, status: int
) -> None:
    assert ask(site_server.port, "GET", PLACE, headers).status == status


@pytest.mark.parametrize(
    "path",
    [
        "/static/../api/state", "/static/%2e%2e/server.py", "/static/..%2f..%2fserver.py",
        "/static/%2fetc%2fpasswd", "/static//etc/passwd", "/static/..\\server.py", "/static/",
        "/static", "/static/a%00.js", "/static/%ff", "/static/.", "/../../etc/passwd", "//etc/",
        "/config.yaml", "/static/page.py", "/static/__init__.py", "/static/index.html%00.js",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_page(site_server, send, path: str) -> None:
    said = send(
        site_server.port,
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(),
    )
    assert re.match(rb"HTTP/1.1 40[04] ", said), said[:200]
    assert b"application/problem+json" in said
    assert b"root:" not in said
    assert b"import " not in said
    assert b"/work" not in said


HOST = b"Host: localhost\r\nConnection: close\r\n"
LOGIN = b"POST /api/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST, 414),
        (b"GET /?" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST, 414),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000 + b"\r\n", 431),
        (
            b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X%d: %0900d\r\n" % (i, i) for i in range(20)),
            431,
        ),
        (LOGIN + b"Content-Length: 65537\r\n\r\n" + b"a" * 65537, 413),
        (LOGIN + b"Content-Length: 99999999999\r\n\r\n" + b"a" * 200_000, 413),
        (LOGIN + b"Transfer-Encoding: chunked\r\n\r\n20000\r\n" + b"a" * 0x20000, 413),
    ],
)
def test_what_is_too_large_is_refused_by_its_own_status(
    site_server, send, sent: bytes, status: int
) -> None:
    said = send(site_server.port, sent + b"\r\n")
    assert said.split(b" ", 2)[1] == str(status).encode(), said[:300]
    assert json.loads(said.partition(b"\r\n\r\n")[2])["status"] == status
