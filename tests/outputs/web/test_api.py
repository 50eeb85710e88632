"""/api and /healthz: what is told, and what a PATCH does to a real run."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from edge_vision.control import BoardStatus, CameraStatus, Changed
from edge_vision.errors import ConfigError, ModelError, OutputError, ShutdownError
from edge_vision.outputs.web import shapes, wish
from edge_vision.telemetry import ANALYSIS

Ask = Callable[..., Any]
LIMIT_S = 20


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it does not come to pass"
        pause.wait(0.01)


def get(server: Any, ask: Ask, path: str) -> Any:
    answer = ask(server.port, "GET", path)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    return json.loads(answer.body, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))


def patch(server: Any, ask: Ask, body: Any, query: str = "") -> Any:
    return ask(server.port, "PATCH", f"/api/config{query}", json_body=body)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/api/state", shapes.State),
        ("/api/scene", shapes.SceneShape),
        ("/api/recent", shapes.RecentShape),
        ("/api/config", shapes.ConfigShape),
        ("/api/models", shapes.ModelsShape),
        ("/healthz", shapes.HealthShape),
    ],
)
def test_answers_have_the_shape_they_are_said_to_have(
    live_server: Any, ask: Ask, path: str, shape: Any
) -> None:
    told = get(live_server, ask, path)
    assert TypeAdapter(shape).validate_json(json.dumps(told), strict=True)
    assert set(told) == set(shape.__annotations__)


def test_the_state_of_a_real_run(live_server: Any, ask: Ask) -> None:
    before = time.monotonic_ns()
    until(lambda: get(live_server, ask, "/api/state")["rates"]["analysed_per_s"] > 1)
    told = get(live_server, ask, "/api/state")
    assert before < told["now_ns"] < time.monotonic_ns()
    assert told["healthy"] is True
    assert told["health"] == ""
    assert told["camera"]["up"] is True
    assert (told["camera"]["width_px"], told["camera"]["fps"]) == (640, 30.0)
    assert told["model"]["size"] in ("small", "medium")
    assert set(told["stages_ms"]) == set(live_server.app.pipeline.telemetry.stages)
    assert told["stages_ms"]["inferred"]["p50"] > 0
    assert 0 < told["latency_ms"]["p50"] <= told["latency_ms"]["p95"] <= told["latency_ms"]["p99"]
    assert told["counts"]["captured"] >= told["counts"]["analysed"] > 0
    assert told["max_viewers"] == 8
    assert 20 < told["memory_mb"] < 4000


def test_a_scene_of_a_real_run(live_server: Any, ask: Ask) -> None:
    until(lambda: get(live_server, ask, "/api/scene")["objects"] != [])
    told = get(live_server, ask, "/api/scene")
    assert list(told["stamps_ms"]) == list(ANALYSIS)
    assert sorted(told["stamps_ms"].values()) == list(told["stamps_ms"].values())
    assert told["latency_ms"] == told["stamps_ms"]["tracked"] > 0
    for seen in told["objects"]:
        assert seen["id"] > 0
        assert seen["state"] in ("confirmed", "coasting")
        assert len(seen["box"]) == len(seen["velocity"]) == 4
    recent = get(live_server, ask, "/api/recent")
    assert {seen["label"] for seen in told["objects"]} <= set(recent["classes"])


def test_before_the_first_scene(site_server: Any, ask: Ask) -> None:
    told = get(site_server, ask, "/api/scene")
    assert (told["seq"], told["objects"], told["stamps_ms"]) == (-1, [], {})


def test_without_tracking_detections_are_told(make_live_server: Any, ask: Ask) -> None:
    server = make_live_server(tracking={"enabled": False})
    until(lambda: get(server, ask, "/api/scene")["objects"] != [])
    seen = get(server, ask, "/api/scene")["objects"]
    shape = TypeAdapter(list[shapes.SeenObject])
    assert shape.validate_json(json.dumps(seen), strict=True)
    assert all(thing["id"] == 0 for thing in seen)
    until(lambda: bool(get(server, ask, "/api/recent")["classes"]))


def test_a_run_in_trouble(site_server: Any, ask: Ask) -> None:
    control = site_server.control
    control.board_status = BoardStatus("a board", None, ("hot",), "held back", True)
    control.fault_list.append("an output has failed")
    control.camera_status = CameraStatus(False, time.monotonic_ns(), "gone", "a", 1, 2, 3.0)
    told = get(site_server, ask, "/api/state")
    assert told["health"] == "no camera: gone"
    assert told["healthy"] is False
    assert told["camera"]["reason"] == "gone"
    assert 0 <= told["camera"]["since_s"] < LIMIT_S
    assert told["board"]["alarms"] == ["hot"]
    assert told["faults"] == ["an output has failed"]
    answer = ask(site_server.port, "GET", "/healthz")
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "no camera"  # the reason may name files: not for everybody


def test_healthy_only_while_frames_and_results_come(site_server: Any, ask: Ask) -> None:
    telemetry = site_server.control.telemetry
    assert ask(site_server.port, "GET", "/healthz").json()["detail"] == "no frame yet"
    telemetry.captured.tick(time.monotonic_ns())
    assert ask(site_server.port, "GET", "/healthz").json()["detail"] == "no result yet"
    telemetry.analysed.tick(time.monotonic_ns())
    assert ask(site_server.port, "GET", "/healthz").status == 200
    telemetry.analysed.tick(time.monotonic_ns() - 60_000_000_000)
    assert ask(site_server.port, "GET", "/healthz").json()["detail"] == "no result for 60 s"
    assert get(site_server, ask, "/api/state")["health"] == "no result for 60 s"


def test_what_can_be_chosen(live_server: Any, ask: Ask) -> None:
    told = get(live_server, ask, "/api/config")
    assert told["choices"]["overlay.style"] == ["boxes", "corners", "minimal", "hud"]
    assert "small" in told["choices"]["model.size"]
    assert "delegate" not in told["values"]["model"]
    assert told["colours"]["person"].startswith("#")


def test_a_change_is_made_in_the_running_pipeline(live_server: Any, ask: Ask) -> None:
    size = {"small": "medium"}.get(live_server.app.config.model.size, "small")
    wanted = {"model": {"size": size, "min_score": 0.45}, "overlay": {"style": "hud", "hud": False}}
    answer = patch(live_server, ask, wanted)
    assert answer.status == 200
    told = answer.json()
    assert TypeAdapter(shapes.ChangedShape).validate_json(answer.body, strict=True)
    assert set(told["changed"]) == {
        "model.size", "model.min_score", "overlay.style", "overlay.hud"
    }  # fmt: skip
    assert (told["saved_to"], told["backup"]) == ("", "")
    assert told["values"]["model"]["size"] == size
    name = get(live_server, ask, "/api/state")["model"]["description"]
    until(lambda: get(live_server, ask, "/api/scene")["model"] == name)
    assert live_server.app.pipeline._render.drawing is not None
    assert live_server.app.config.overlay.style == "hud"
    back = patch(live_server, ask, {"model": {"min_score": 0.4}, "overlay": {"hud": True}})
    assert back.json()["changed"] == ["model.min_score", "overlay.hud"]


def test_a_threshold_hides_what_is_below_it(live_server: Any, ask: Ask) -> None:
    assert patch(live_server, ask, {"model": {"min_score": 1.0}}).status == 200
    until(lambda: get(live_server, ask, "/api/scene")["objects"] == [])
    assert patch(live_server, ask, {"model": {"min_score": 0.4}}).status == 200
    until(lambda: get(live_server, ask, "/api/scene")["objects"] != [])


def test_all_or_nothing_with_every_sentence(live_server: Any, ask: Ask) -> None:
    before = get(live_server, ask, "/api/config")["values"]
    wanted = {"overlay": {"style": "corners", "stile": 1}, "camera": {"fps": "x"}, "log": {}}
    answer = patch(live_server, ask, wanted)
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["errors"] == [
        'camera.fps is "x"; expected a number',
        "unknown key overlay.stile; did you mean style?",
    ]
    assert all(error in told["detail"] for error in told["errors"])
    assert "/" not in told["detail"]
    assert get(live_server, ask, "/api/config")["values"] == before


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        (b'{"model": {"min_score": NaN}}', 400, "NaN is no number"),
        (b'{"model": {"min_score": -Infinity}}', 400, "-Infinity is no number"),
        (b'{"model": {"min_score": 1e999}}', 422, "model.min_score is Infinity"),
        (b'{"model": {"threads": ' + b"9" * 5000 + b"}}", 400, "not JSON"),
        (b'{"model": {"threads": ' + b"9" * 4000 + b"}}", 422, "model.threads is 999"),
        (b"[" * 30_000, 400, "nested too deeply"),
        (b'{"model": {"size": ' + b"[" * 900 + b"]" * 900 + b"}}", 422, "nested too deeply"),
        (b"[]", 422, "found a list; expected an object"),
        (b"null", 422, "found null; expected an object"),
        (b'"x"', 422, "found text"),
        (b'{"model": 1, "log": null}', 422, "model is a number; expected an object of its keys"),
        (b'{"\\ud800": {}}', 422, ""),
        (b'{"overlay": {"label": "\\ud800"}}', 422, ""),
    ],
)
def test_what_is_no_wish(live_server: Any, ask: Ask, body: bytes, status: int, said: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = ask(live_server.port, "PATCH", "/api/config", headers, body=body)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert len(answer.json()["detail"]) < 500
    assert live_server.app.stop.is_set() is False


def test_nothing_to_change_is_fine(live_server: Any, ask: Ask) -> None:
    assert patch(live_server, ask, {}).json()["changed"] == []


def test_save_is_true_or_false(site_server: Any, ask: Ask) -> None:
    for query, save in (("", False), ("?save=true", True), ("?save=false", False)):
        assert patch(site_server, ask, {"log": {}}, query).status == 200
        assert site_server.control.wishes[-1] == ({"log": {}}, save)
    answer = patch(site_server, ask, {"log": {}}, "?save=maybe")
    assert answer.status == 400
    assert answer.json()["detail"] == "save is 'maybe'; expected true or false"
    assert len(site_server.control.wishes) == 3


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ConfigError("a is wrong\nb is wrong"), 422, "a is wrong; b is wrong"),
        (ModelError("no such model"), 422, "no such model"),
        (OutputError("changed, but not saved: why"), 409, "changed, but not saved: why"),
        (ShutdownError("the program is ending"), 503, "the program is ending"),
    ],
)
def test_what_the_run_answers(
    site_server: Any, ask: Ask, error: Exception, status: int, said: str
) -> None:
    site_server.control.answer = error
    answer = patch(site_server, ask, {"log": {"level": "info"}})
    assert (answer.status, answer.json()["detail"]) == (status, said)


def test_what_was_saved_is_told(site_server: Any, ask: Ask) -> None:
    site_server.control.answer = Changed(("log.level",), "/etc/c.yaml", "/etc/c.yaml.bak")
    told = patch(site_server, ask, {"log": {"level": "debug"}}, "?save=true").json()
    assert (told["saved_to"], told["backup"]) == ("/etc/c.yaml", "/etc/c.yaml.bak")


def test_a_main_thread_that_does_not_come_to_it(
    site_server: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wish, "_PATIENCE_S", 0.05)
    asked: list[Future[Changed]] = []

    def never(*_: object, **__: object) -> Future[Changed]:
        asked.append(Future())
        return asked[0]

    monkeypatch.setattr(site_server.control, "ask", never)
    answer = patch(site_server, ask, {"log": {"level": "info"}})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert asked[0].cancelled(), "it would still be done, though nobody waits for it"


def test_many_at_once_are_served_in_order(live_server: Any, ask: Ask) -> None:
    scores = [round(0.3 + 0.01 * number, 2) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda s: patch(live_server, ask, {"model": {"min_score": s}}), scores)
        )
    assert [answer.status for answer in answers] == [200] * 12
    assert get(live_server, ask, "/api/config")["values"]["model"]["min_score"] in scores
    patch(live_server, ask, {"model": {"min_score": 0.4}})


def test_saving_to_the_runs_own_file(make_live_server: Any, ask: Ask, tmp_path: Path) -> None:
    server = make_live_server()
    answer = patch(server, ask, {"overlay": {"style": "hud"}}, "?save=true")
    assert answer.status == 409
    assert "start it with -c FILE" in answer.json()["detail"]
    assert get(server, ask, "/api/config")["values"]["overlay"]["style"] == "hud"
    file = tmp_path / "c.yaml"
    file.write_text("overlay: {style: boxes}  # mine\n")
    server.app.desk._file = file
    told = patch(server, ask, {"overlay": {"style": "hud"}}, "?save=true").json()
    assert told["saved_to"] == str(file)
    assert file.read_text() == "overlay: {style: hud}  # mine\n"
