"""Login, logout, tokens, and guessing."""

import json
import logging
import socket
from pathlib import Path

import pytest

from edge_vision.outputs.web.passwords import Password, token_line

RIGHT = "correct horse"
TOKEN = "0123456789-0123456789-0123456789-0123456789"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A password_file and a token_file."""
    folder = tmp_path_factory.mktemp("secrets")
    files = {"password_file": Password.of(RIGHT).line(), "token_file": token_line(TOKEN, "test")}
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return {name: str(folder / name) for name in files}


@pytest.fixture
def server(make_site_server, secrets):
    return make_site_server(**secrets)


def log_in(ask, port: int, password: str = RIGHT):
    return ask(port, "POST", "/api/login", json_body={"password": password})


def cookie_of(answer) -> dict[str, str]:
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


def test_a_session_from_login_to_logout(server, ask) -> None:
    assert ask(server.port, "GET", "/api/session").json() == {
        "login_needed": True,
        "logged_in": False,
    }
    answer = log_in(ask, server.port)
    assert (answer.status, answer.body) == (204, b"")
    attributes = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/", "max-age=2592000"} <= attributes
    assert "secure" not in attributes
    cookie = cookie_of(answer)
    assert ask(server.port, "GET", "/api/state", cookie).status == 200
    assert ask(server.port, "GET", "/api/session", cookie).json()["logged_in"] is True
    ended = ask(server.port, "POST", "/api/logout", cookie)
    assert ended.status == 204
    assert "max-age=0" in ended.headers["Set-Cookie"].lower()
    assert ask(server.port, "GET", "/api/state", cookie).status == 401


def test_an_expired_session_is_none(server, ask) -> None:
    cookie = cookie_of(log_in(ask, server.port))
    sessions = server.output._server._access.sessions
    sessions.life_ns = 0  # as after thirty days
    assert ask(server.port, "GET", "/api/state", cookie).status == 401
    assert ask(server.port, "GET", "/api/session", cookie).json()["logged_in"] is False


@pytest.mark.parametrize(
    "path",
    ["/", "/api/state", "/api/scene", "/api/events", "/api/recent", "/api/config", "/api/models",
     "/metrics", "/openapi.json", "/stream.mjpg", "/snapshot.jpg", "/nothing",
     "/static/../api/state", "/login/../api/state", "/healthz/", "/static"],
)  # fmt: skip
def test_without_a_login_nothing_is_shown(server, ask, path: str) -> None:
    answer = ask(server.port, "GET", path)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "edge-vision password --token" in answer.json()["detail"]
    forged = {"Cookie": f"edge-vision-{server.port}=x", "Authorization": "Bearer x"}
    assert ask(server.port, "GET", path, forged).status == 401


def test_without_a_login_nothing_is_changed(server, ask) -> None:
    answer = ask(server.port, "PATCH", "/api/config", json_body={"overlay": {"style": "dot"}})
    assert answer.status == 401
    assert server.control.wishes == []


def test_a_browser_is_led_to_the_login_page(server, ask) -> None:
    page = {"Accept": "text/html,application/xhtml+xml"}
    answer = ask(server.port, "GET", "/", page)
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    login = ask(server.port, "GET", "/login", page)
    assert login.status == 200
    for path in {part.split(b'"')[0] for part in login.body.split(b'"/static/')[1:]}:
        assert ask(server.port, "GET", f"/static/{path.decode()}").status == 200, path
    assert ask(server.port, "GET", "/healthz").status in (200, 503)


def test_programs_send_a_token_and_need_no_origin(server, ask) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://home.example"}
    assert ask(server.port, "GET", "/api/state", bearer).status == 200
    answer = ask(server.port, "PATCH", "/api/config", bearer, json_body={"overlay": {"hud": True}})
    assert answer.status == 200
    assert len(server.control.wishes) == 1


def test_wrong_passwords_are_slowed_and_named_without_what_was_typed(
    server, ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(5):
        answer = log_in(ask, server.port, "wrong-Secret-77")
        assert answer.status == 401
        assert answer.json()["detail"] == "That is not the password."
        assert "Set-Cookie" not in answer.headers
    locked = log_in(ask, server.port)  # the right one, too
    assert locked.status == 429
    assert int(locked.headers["Retry-After"]) == 1
    guesses = server.output._server._access.guesses
    # As if the second had passed: nobody waits here.
    guesses._known = {k: (tries, 0) for k, (tries, _) in guesses._known.items()}  # type: ignore
    assert log_in(ask, server.port).status == 204
    assert log_in(ask, server.port, "wrong-Secret-77").status == 401  # counts from the start again
    ask(server.port, "GET", f"/api/state?token={TOKEN}", {"Authorization": f"Bearer {TOKEN}"})
    server.output._server.close(5)  # what it logs after an answer is logged, too
    assert "a wrong password from 127.0.0.1" in caplog.text
    assert "GET /api/state: 200" in caplog.text
    for secret in ("wrong-Secret-77", RIGHT, TOKEN, "edge-vision-", "scrypt"):
        assert secret not in caplog.text


def test_many_guesses_at_once_are_no_way_round(server, ask) -> None:
    body = json.dumps({"password": "wrong"}).encode()
    head = "POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    socks = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(20)]
    for sock in socks:
        sock.sendall(head.encode() + body)
    states = [sock.recv(1000).split(b" ")[1] for sock in socks]
    for sock in socks:
        sock.close()
    assert states.count(b"401") <= 5
    assert states.count(b"401") + states.count(b"429") == 20


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"password=x", 400),
        (b"[" * 60_000, 400),
        (b"\xff", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"password": 1}', 422),
        (b'{"password": "x", "more": 1}', 422),
        (b'{"password": "' + b"x" * 1025 + b'"}', 422),
        (b'{"password": "\\ud800"}', 401),
    ],
)
def test_bodies_that_are_no_login(server, ask, body: bytes, status: int) -> None:
    answer = ask(server.port, "POST", "/api/login", {"Content-Type": "application/json"}, body=body)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_with_tokens_alone_people_are_told(make_site_server, secrets, ask) -> None:
    server = make_site_server(token_file=secrets["token_file"])
    assert ask(server.port, "GET", "/api/state").status == 401
    answer = log_in(ask, server.port)
    assert answer.status == 403
    assert "outputs.web.password_file" in answer.json()["detail"]


def test_no_secret_is_ever_served(server, secrets: dict[str, str], ask) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    config = ask(server.port, "GET", "/api/config", bearer)
    state = ask(server.port, "GET", "/api/state", bearer)
    assert (config.status, state.status) == (200, 200)
    for answer in (config, state):
        for secret in (str(Path(secrets["password_file"]).parent), "scrypt", "password_file"):
            assert secret.encode() not in answer.body
