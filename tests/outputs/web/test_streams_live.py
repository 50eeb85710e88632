"""The live picture of a real run: demo camera, real model."""

import json
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import pytest
from watching import Stream, count_encodes, decoded, until


def test_the_real_picture(live_server: Any) -> None:
    """The demo camera with its objects, as it is and drawn on, at once."""
    seen: dict[str, Any] = {}
    boxed = 0
    with ExitStack() as opened:
        drawn, plain = (
            opened.enter_context(closing(Stream(live_server.port, f"?objects=1&overlay={n}")))
            for n in (1, 0)
        )
        for _ in range(90):
            headers, jpeg = plain.part()
            seen[headers["X-Seq"]] = decoded(jpeg)
            headers, jpeg = drawn.part()
            bare = seen.get(headers["X-Seq"])
            if bare is None:
                continue
            assert list(json.loads(headers["X-Stamps"])) == [
                "arrived",
                "registered",
                "drawn",
                "encoded",
            ]
            image = decoded(jpeg)
            assert image.shape == bare.shape == (360, 640, 3)
            boxed += _lines_at_boxes(image, bare, json.loads(headers["X-Objects"]))
    assert boxed > 10
    until(lambda: live_server.output._hub.viewers == 0)
    telemetry = live_server.app.pipeline.telemetry
    assert telemetry.shown_latency.count > 10
    assert telemetry.stages["sent"].count == telemetry.shown_latency.count


def _lines_at_boxes(image: Any, bare: Any, objects: list[dict[str, Any]]) -> int:
    """How many boxes well inside the picture have a line at their left side; all must."""
    inside = [
        found["box"]
        for found in objects
        if found["state"] == "confirmed" and 0.05 < min(found["box"]) < max(found["box"]) < 0.95
    ]
    for x0, y0, _, y1 in inside:
        rows = slice(round(y0 * 360), round(y1 * 360))
        columns = slice(round(x0 * 640) - 4, round(x0 * 640) + 5)
        change = np.abs(image[rows, columns].astype(int) - bare[rows, columns])
        assert change.max() > 60
    return len(inside)


def test_many_viewers_of_the_real_picture(
    live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One JPEG for each picture shown, and after them none."""
    made = count_encodes(monkeypatch)
    telemetry = live_server.app.pipeline.telemetry
    before = telemetry.shown.count
    with ExitStack() as opened:
        watching = [opened.enter_context(closing(Stream(live_server.port))) for _ in range(8)]
        for _ in range(20):
            for stream in watching:
                stream.part()
    until(lambda: live_server.output._hub.viewers == 0)
    shown, encoded = telemetry.shown.count, len(made)
    assert 20 <= encoded <= shown - before + 1
    captured = telemetry.captured.count
    until(lambda: telemetry.captured.count > captured + 10)
    assert len(made) <= encoded + 2  # one under way when the last one left
    assert telemetry.shown.count <= shown + 2
