"""Logging in and out, in a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_vision.outputs.web.passwords import Password

OpenPage = Callable[..., Any]
SECRET = "correct horse"


@pytest.fixture
def url(make_site_server: Callable[..., Any], tmp_path: Path) -> str:
    """A server that asks for the password SECRET."""
    file = tmp_path / "password"
    file.write_text(Password.of(SECRET).line() + "\n", "utf-8")
    file.chmod(0o600)
    return str(make_site_server(password_file=str(file)).url)


def _enter(page: Any, password: str) -> None:
    page.fill("#password", password)
    page.keyboard.press("Enter")


def test_in_and_out(url: str, open_page: OpenPage) -> None:
    # The stream is cut off when the session ends.
    page = open_page(url + "/", calm=("ERR_INCOMPLETE_CHUNKED_ENCODING",))
    page.wait_for_url("**/login")
    assert page.evaluate("document.activeElement.id") == "password"

    _enter(page, "wrong horse")
    page.wait_for_function("() => document.getElementById('wrong').textContent !== ''")
    assert "password" in page.inner_text("#wrong")
    assert page.is_enabled("#enter")

    _enter(page, SECRET)
    page.wait_for_url(url + "/")
    page.wait_for_selector("#logout", state="visible")
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"

    page.click("#logout")
    page.wait_for_url("**/login")
    page.goto(url + "/history")
    page.wait_for_url("**/login")
    page.goto(url + "/")
    page.wait_for_url("**/login")


def test_who_guesses_is_locked_out_and_sees_for_how_long(url: str, open_page: OpenPage) -> None:
    page = open_page(url + "/login")
    for _ in range(8):
        page.wait_for_selector("#enter:enabled")
        with page.expect_response("**/api/login") as answer:
            _enter(page, "wrong horse")
        if answer.value.status == 429:
            break
    assert answer.value.status == 429
    page.wait_for_function(
        "() => /^Wait \\d+ s$/.test(document.getElementById('enter').textContent)"
    )
    assert page.is_disabled("#enter")
    # It ends by itself.
    page.wait_for_selector("#enter:enabled")
    assert page.inner_text("#enter") == "Log in"


def test_a_session_that_has_ended_leads_to_the_login(url: str, open_page: OpenPage) -> None:
    page = open_page(url + "/login")
    _enter(page, SECRET)
    page.wait_for_selector("#logout", state="visible")
    page.context.clear_cookies()
    page.wait_for_url("**/login")
