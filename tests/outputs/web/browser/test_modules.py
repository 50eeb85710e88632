"""What the page's modules do by themselves, in the browser they are made for."""

from collections.abc import Callable
from typing import Any

import pytest

OpenPage = Callable[..., Any]

PARSE = """
async ([text, size]) => {
  const { Parts } = await import("/static/stream.js");
  const parts = new Parts();
  const bytes = new TextEncoder().encode(text);
  const found = [];
  for (let at = 0; at < bytes.length; at += size) {
    parts.add(bytes.slice(at, at + size), (head, body) => {
      found.push([head.get("x-seq"), new TextDecoder().decode(body)]);
    });
  }
  return found;
}
"""


def _stream(bodies: list[str]) -> str:
    """As the server sends it: each part followed at once by its boundary."""
    parts = [
        f"Content-Type: image/jpeg\r\nContent-Length: {len(body)}\r\nX-Seq: {at}\r\n\r\n"
        f"{body}\r\n--frame\r\n"
        for at, body in enumerate(bodies)
    ]
    return "--frame\r\n" + "".join(parts)


@pytest.fixture
def page(site_server: Any, open_page: OpenPage) -> Any:
    """A page that does nothing by itself."""
    return open_page(site_server.url + "/login")


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_parts_come_out_however_they_were_cut(page: Any, size: int) -> None:
    # Bodies hold what could be taken for the end of a head, or for a boundary.
    bodies = ["one", "", "\r\n\r\n", "--frame\r\nX-Seq: 9\r\n\r\n", "last" * 20]
    found = page.evaluate(PARSE, [_stream(bodies), size])
    assert found == [[str(at), body] for at, body in enumerate(bodies)]


def test_a_part_is_given_as_soon_as_it_is_whole(page: Any) -> None:
    unfinished = _stream(["whole"]).removesuffix("\r\n--frame\r\n")
    assert page.evaluate(PARSE, [unfinished, 5]) == [["0", "whole"]]


def test_a_part_larger_than_all_before(page: Any) -> None:
    bodies = ["small", "x" * 700_000, "small"]
    found = page.evaluate(PARSE, [_stream(bodies), 65_536])
    assert [body for _, body in found] == bodies


def test_durations_as_people_say_them(page: Any) -> None:
    words = page.evaluate(
        "async seconds => { const { duration } = await import('/static/words.js');"
        " return seconds.map(duration); }",
        [0, 0.4, 59.6, 61, 3599.7, 7260, 90000],
    )
    assert words == ["0 s", "0 s", "1 min 0 s", "1 min 1 s", "1 h 0 min", "2 h 1 min", "1 d 1 h"]
