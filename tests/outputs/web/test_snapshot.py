"""/snapshot.jpg, and what is shown while there is no camera."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from watching import Stream, count_encodes, decoded, get, offer, picture, refusal, until

from edge_vision.config_web import WebConfig
from edge_vision.control import CameraStatus
from edge_vision.outputs.web import WebOutput, streams
from edge_vision.outputs.web.jpeg import JpegEncoder

GONE = CameraStatus(False, 5, "no /dev/video0", "made-up camera", 64, 48, 30.0)


def test_without_a_camera_everybody_sees_why(site_server: Any, watch: Any) -> None:
    stream = watch("?fps=0.1")
    site_server.output.offer(picture(-1, 30))
    assert stream.part()[0]["X-Seq"] == "-1"
    site_server.control.camera_status = GONE
    late = watch("?overlay=0&objects=1")
    headers, jpeg = late.part()
    assert headers["X-Seq"] == "-1"
    assert (headers["X-Stamps"], headers["X-Objects"]) == ("{}", "[]")
    assert abs(decoded(jpeg).mean() - 30) < 3
    assert refusal(site_server.port, "/snapshot.jpg")[1].count("no /dev/video0") == 1


def test_once_the_camera_is_back_the_old_status_is_not_shown(site_server: Any, watch: Any) -> None:
    site_server.output.offer(picture(-1))
    stream = watch()
    offer(site_server.output, picture(3))
    assert stream.part()[0]["X-Seq"] == "3"


def test_snapshots(site_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = count_encodes(monkeypatch)
    hub = site_server.output._hub
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(get, site_server.port, "/snapshot.jpg") for _ in range(12)]
        until(lambda: sum(len(futures) for futures in hub._waiting.values()) == 12)
        offer(site_server.output, picture(9, 120))
        answers = [future.result() for future in asked]
    assert len(made) == 1
    assert {response.status for response, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1
    response, body = answers[0]
    assert response.headers["Content-Type"] == "image/jpeg"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith('inline; filename="edge-vision-20')
    assert disposition.endswith('-9.jpg"')
    assert abs(decoded(body).mean() - 120) < 3
    assert not site_server.output.active()


def test_a_snapshot_as_asked_for(site_server: Any) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(get, site_server.port, "/snapshot.jpg?overlay=0&scale=0.5")
        until(site_server.output.active)
        assert set(site_server.output.takes()) == {"plain"}
        site_server.output.offer(picture(1, 50, plain=200))
        image = decoded(asked.result()[1])
    assert image.shape == (24, 32, 3)
    assert abs(image.mean() - 200) < 3


def test_no_snapshot_without_a_picture(site_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_SNAPSHOT_S", 0.05)
    status, said = refusal(site_server.port, "/snapshot.jpg")
    assert status == 503
    assert said == "no picture came within 0.05 s; try again later"
    assert not site_server.output.active()


def test_when_pictures_cannot_be_made_it_is_said(
    make_site_server: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> bytes:
        raise ValueError("no such picture")

    monkeypatch.setattr(JpegEncoder, "encode", fail)
    output = WebOutput(WebConfig(port=0))
    output.attach(make_site_server().control)
    output.start()
    assert output._server is not None
    assert output._server.ready.wait(20)
    port = output._server.port
    stream = Stream(port)
    offer(output, picture(1))
    assert stream.response.read() == b""  # it ends in order
    stream.close()
    assert not output.active()
    assert "no such picture" in str(output.fault())
    for path in ("/stream.mjpg", "/snapshot.jpg"):
        status, said = refusal(port, path)
        assert status == 503
        assert said == "Pictures can be made no more; the log of the server says why."
    output.close(5)
