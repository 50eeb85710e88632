"""The page's files: all of them, nothing else, small, and nothing from elsewhere."""

import json
import re
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import Protocol
from urllib.error import HTTPError

import pytest

import edge_vision.outputs.web

FOLDER = Path(edge_vision.outputs.web.__file__).parent / "page"
FILES = sorted(path.name for path in FOLDER.iterdir())
PAGES = {"index.html": "main.js", "history.html": "events.js", "login.html": "login.js"}
"""Each page with the module that it begins with."""
MOST_BYTES = 150_000
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}


class SiteServer(Protocol):
    url: str


def _get(url: str, **headers: str) -> HTTPResponse:
    response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)
    assert isinstance(response, HTTPResponse)
    return response


def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def _address(name: str) -> str:
    pages = {"index.html": "/", "history.html": "/history", "login.html": "/login"}
    return pages.get(name, f"/static/{name}")


def _modules(first: str, pattern: str) -> set[str]:
    """A module and those that it asks for, and so on; pattern: how it does."""
    modules, found = {first}, {first}
    while found:
        asked = {name for module in found for name in re.findall(pattern, _text(module))}
        found = asked - modules
        modules |= found
    return modules


AT_ONCE = r'from "\./([\w.]+)"'
EVER = r'(?:from |import\()"\./([\w.]+)"'


def test_every_file_is_served_as_what_it_is(site_server: SiteServer) -> None:
    for name in FILES:
        with _get(site_server.url + _address(name)) as answer:
            assert answer.headers["Content-Type"] == TYPES[Path(name).suffix]
            assert answer.read() == (FOLDER / name).read_bytes(), name


def test_a_browser_asks_again_and_gets_only_what_is_new(site_server: SiteServer) -> None:
    for address in ("/", "/static/style.css"):
        with _get(site_server.url + address) as first:
            tag = first.headers["ETag"]
            assert first.headers["Cache-Control"] == "no-cache"
        with pytest.raises(HTTPError) as again:
            _get(site_server.url + address, **{"If-None-Match": f'"other", {tag}'})
        assert again.value.code == 304
        assert again.value.headers["ETag"] == tag
        assert again.value.read() == b""
        again.value.close()
        with _get(site_server.url + address, **{"If-None-Match": '"other"'}) as other:
            assert other.status == 200


@pytest.mark.parametrize("name", ["index.html", "page.py", "none.js", "..%2fpage.py", "", "%00"])
def test_nothing_else_is_served(site_server: SiteServer, name: str) -> None:
    with pytest.raises(HTTPError) as refused:
        _get(f"{site_server.url}/static/{name}")
    with refused.value as answer:
        assert answer.code in (400, 404)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert json.loads(answer.read())["status"] == answer.code


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_nothing_comes_from_elsewhere() -> None:
    for name in FILES:
        rest = _text(name).replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"\w+://|[\"'(]//\w", rest), name


@pytest.mark.parametrize("name", PAGES)
def test_the_content_security_policy_finds_nothing_inline(name: str) -> None:
    html = _text(name)
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", html)
    assert all(' src="/static/' in tag for tag in re.findall(r"<script[^>]*>", html))


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_names_is_there(name: str) -> None:
    named = set(re.findall(r'"/static/([^"]+)"', _text(name)))
    assert named <= set(FILES)


@pytest.mark.parametrize("page", PAGES)
def test_every_module_of_a_page_is_fetched_at_once(page: str) -> None:
    """A module that is found only when another has come makes the page wait once more."""
    preloaded = set(re.findall(r'rel="modulepreload" href="/static/([^"]+)"', _text(page)))
    modules = _modules(PAGES[page], AT_ONCE)
    assert preloaded == (modules - {PAGES[page]} if page != "login.html" else set())


def test_what_few_need_is_fetched_when_they_need_it() -> None:
    assert _modules("main.js", EVER) - _modules("main.js", AT_ONCE) == {
        "draft.js", "editor.js", "ruleform.js", "sketch.js",
    }  # fmt: skip
    used = set().union(*(_modules(first, EVER) for first in PAGES.values()))
    assert used == {name for name in FILES if name.endswith(".js")}


@pytest.mark.parametrize("page", PAGES)
def test_scripts_look_for_what_the_page_has(page: str) -> None:
    ids = set(re.findall(r'\bid="([^"]+)"', _text(page)))
    for name in _modules(PAGES[page], EVER):
        wanted = set(re.findall(r'\b(?:by|getElementById|table)\("([^"]+)"\)', _text(name)))
        assert wanted <= ids, name
