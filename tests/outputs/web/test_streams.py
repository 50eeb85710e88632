"""/stream.mjpg and /snapshot.jpg over real connections."""

import json
import socket
import threading
import time
from http.client import HTTPException
from typing import Any

import numpy as np
import pytest
from watching import Stream, count_encodes, decoded, get, noise, offer, picture, refusal, until

from edge_vision.outputs.web import hub as hub_module
from edge_vision.outputs.web import viewer
from edge_vision.results import Track


def test_a_part_is_followed_at_once_by_its_boundary(site_server: Any, watch: Any) -> None:
    """Browsers show a part only then; `part()` reads the boundary, and no second picture comes."""
    stream = watch()
    kind = stream.response.headers["Content-Type"]
    assert kind == "multipart/x-mixed-replace; boundary=frame"
    assert stream.response.headers["Cache-Control"] == "no-store"
    shown = picture(7, 90)
    shown.scene_seq = 5
    offer(site_server.output, shown)
    headers, jpeg = stream.part()
    assert abs(decoded(jpeg).mean() - 90) < 3
    assert headers["Content-Type"] == "image/jpeg"
    assert (headers["X-Seq"], headers["X-Scene-Seq"]) == ("7", "5")
    assert headers["X-Exposed-Ns"] == str(shown.stamps.exposed)
    stamps = json.loads(headers["X-Stamps"])
    assert stamps["drawn"] == pytest.approx(2.0)
    assert stamps["encoded"] > stamps["drawn"]
    assert "X-Objects" not in headers
    until(lambda: shown.stamps.sent)
    assert site_server.control.telemetry.shown_latency.count == 1


def test_where_the_objects_are(site_server: Any, watch: Any) -> None:
    stream, box = watch("?objects=1"), np.array([0.1, 0.2, 0.3, 1.25], np.float32)
    shown = picture(1)
    track = Track(4, box, box, 0.87654, 9, "coasting", 10**9, 3 * 10**9)
    shown.tracks, shown.labels = (track,), {9: "böat\r\n"}
    offer(site_server.output, shown)
    assert json.loads(stream.part()[0]["X-Objects"]) == [
        {
            "id": 4,
            "label": "böat\r\n",
            "score": 0.8765,
            "state": "coasting",
            "box": [0.1, 0.2, 0.3, 1.25],
            "age_s": 2.0,
        }
    ]


def test_an_old_client_gets_it_without_chunks(site_server: Any) -> None:
    """HTTP/1.0, as some cameras' viewers still speak."""
    with socket.create_connection(("127.0.0.1", site_server.port), timeout=10) as connection:
        connection.sendall(b"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\n\r\n")
        offer(site_server.output, picture(1))
        with connection.makefile("rb") as reader:
            while reader.readline() != b"\r\n":
                pass
            assert reader.readline() == b"--frame\r\n"
            assert reader.readline() == b"Content-Type: image/jpeg\r\n"


def test_what_a_viewer_asks_for(site_server: Any, watch: Any) -> None:
    drawn, plain, small = watch(), watch("?overlay=0&scale=1"), watch("?scale=0.5")
    until(lambda: site_server.output._hub.viewers == 3)
    offer(site_server.output, picture(1, 60, plain=190))
    seen = [decoded(stream.part()[1]) for stream in (drawn, plain, small)]
    assert [round(image.mean(), -1) for image in seen] == [60, 190, 60]
    assert [image.shape for image in seen] == [(48, 64, 3), (48, 64, 3), (24, 32, 3)]


def test_the_configuration_limits_scale_and_rate(make_site_server: Any) -> None:
    server = make_site_server(scale=0.5, max_fps=2)
    stream = Stream(server.port, "?scale=1&fps=240")
    offer(server.output, picture(1))
    assert decoded(stream.part()[1]).shape == (24, 32, 3)
    offer(server.output, picture(2))  # one may be early
    stream.part()
    assert not server.output.active()
    stream.close()


def test_eight_viewers_and_one_encode(
    make_site_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = count_encodes(monkeypatch)
    server = make_site_server(max_fps=240)
    hub = server.output._hub
    watching = [Stream(server.port) for _ in range(8)]
    for seq in range(10):
        until(lambda: [v.due(time.monotonic_ns()) for v in hub._viewers] == [True] * 8)
        offer(server.output, noise(seq, (320, 240)))
        assert len({stream.part()[1] for stream in watching}) == 1
    assert len(made) == 10
    for stream in watching:
        stream.close()


def test_a_slow_reader_beside_a_fast_one(site_server: Any, watch: Any) -> None:
    """The fast one gets every picture; the slow one skips, and lags by few pictures."""
    slow, fast = watch(receive_bytes=65536), watch()
    hub = site_server.output._hub
    for seq in range(60):
        offer(site_server.output, noise(seq))
        assert fast.part()[0]["X-Seq"] == str(seq)
    seen: list[int] = []

    def read_on() -> None:
        while not seen or seen[-1] < 60:
            seen.append(int(slow.part()[0]["X-Seq"]))

    reading = threading.Thread(target=read_on)
    reading.start()
    until(lambda: [v.due(time.monotonic_ns()) for v in hub._viewers] == [True] * 2)
    offer(site_server.output, noise(60))
    reading.join(10)
    # What was on its way when it stopped to read, then the newest.
    assert len(seen) <= 6, seen
    assert seen == [*range(len(seen) - 1), 60], seen


def test_a_viewer_that_takes_nothing_is_dropped(
    make_site_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "_DEAD_NS", 200_000_000)
    monkeypatch.setattr(hub_module, "_LOOK_S", 0.02)
    server = make_site_server()
    stream = Stream(server.port, receive_bytes=4096)
    hub = server.output._hub
    for seq in range(20):
        until(lambda: hub.viewers == 0 or server.output.active() or hub._viewers[0]._sending_ns)
        server.output.takes()
        server.output.offer(noise(seq))
    until(lambda: hub.viewers == 0)
    with pytest.raises((ConnectionError, HTTPException, KeyError)):
        for _ in range(20):
            stream.part()
    stream.close()


def test_one_that_leaves_is_noticed_without_a_picture(
    make_site_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "_LOOK_S", 0.02)
    server = make_site_server()
    stream = Stream(server.port)
    assert server.output._hub.viewers == 1
    stream.close()
    until(lambda: server.output._hub.viewers == 0)
    assert not server.output.active()


def test_no_more_viewers_than_max_viewers(make_site_server: Any) -> None:
    server = make_site_server(max_viewers=2)
    watching = [Stream(server.port) for _ in range(2)]
    status, said = refusal(server.port, "/stream.mjpg")
    assert status == 503
    assert "outputs.web.max_viewers" in said
    assert get(server.port, "/stream.mjpg")[0].headers["Retry-After"] == "5"
    for stream in watching:
        offer(server.output, picture(1))
        stream.part()
    for stream in watching:
        stream.close()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fps=0", "fps='0' in the address; expected a number 0.1 to 240"),
        ("fps=241", "0.1 to 240"),
        ("fps=nan", "0.1 to 240"),
        ("fps=1_0", "0.1 to 240"),
        ("fps=%D9%A3", "0.1 to 240"),
        ("fps=", "0.1 to 240"),
        ("fps=" + "1" * 5000, "0.1 to 240"),
        ("scale=1.1", "0.1 to 1"),
        ("scale=-1", "0.1 to 1"),
        ("overlay=yes", "overlay='yes' in the address; expected 0 or 1"),
        ("objects=2", "expected 0 or 1"),
    ],
)
def test_a_wrong_wish_is_refused(site_server: Any, query: str, said: str) -> None:
    status, told = refusal(site_server.port, f"/stream.mjpg?{query}")
    assert status == 400
    assert said in told
    assert len(told) < 200
    if not query.startswith(("fps", "objects")):
        assert refusal(site_server.port, f"/snapshot.jpg?{query}") == (400, told)


def test_head_is_answered_at_once(site_server: Any) -> None:
    response, body = get(site_server.port, "/stream.mjpg", "HEAD")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("multipart/x-mixed-replace")
    assert body == b""
    assert site_server.output._hub.viewers == 0


def test_the_end_of_the_server_ends_the_streams_in_order(
    make_site_server: Any,
) -> None:
    server = make_site_server()
    stream = Stream(server.port)
    ending = threading.Thread(target=server.output.close, args=(5,))
    ending.start()
    assert stream.response.read() == b""  # with the last chunk, not cut off
    ending.join()
    stream.close()
