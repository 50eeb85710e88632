"""/metrics, read back by Prometheus's own parser."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY

from edge_vision.control import BoardStatus, CameraStatus
from edge_vision.frame import Stamps

Ask = Callable[..., Any]
MS = 1_000_000


def scraped(server: Any, ask: Ask) -> dict[str, Any]:
    """Family -> its samples, as (name, labels) -> value."""
    answer = ask(server.port, "GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.body.decode())
    return {
        family.name: {
            (sample.name, *sorted(sample.labels.items())): sample.value for sample in family.samples
        }
        for family in families
    }


def test_counters_and_gauges(site_server: Any, ask: Ask) -> None:
    control = site_server.control
    for number in range(5):
        control.telemetry.captured.tick(number)
    control.telemetry.drop("detector busy", 3)
    control.telemetry.drop('a "quoted"\\ reason', 2)
    control.board_status = BoardStatus("a board", 61.25, ("the board is throttled",), "hot", True)
    control.fault_list.append("a fault")
    found = scraped(site_server, ask)
    frames = found["edge_vision_frames"]
    assert frames["edge_vision_frames_total", ("stage", "captured")] == 5
    assert frames["edge_vision_frames_total", ("stage", "shown")] == 0
    drops = found["edge_vision_drops"]
    assert drops["edge_vision_drops_total", ("reason", "detector busy")] == 3
    assert drops["edge_vision_drops_total", ("reason", 'a "quoted"\\ reason')] == 2
    for name, value in (
        ("temperature_celsius", 61.25),
        ("camera_up", 1),
        ("healthy", 0),
        ("idle", 1),
        ("held_back", 1),
        ("viewers", 0),
        ("listeners", 0),
        ("faults", 1),
    ):
        assert found[f"edge_vision_{name}"] == {(f"edge_vision_{name}",): value}
    ((alarm, value),) = found["edge_vision_board_alarm"].items()
    assert (alarm[1], value) == (("alarm", "the board is throttled"), 1)
    ((info, value),) = found["edge_vision_info"].items()
    assert value == 1
    assert ("model", "made-up") in info
    memory = found["edge_vision_resident_memory_bytes"]["edge_vision_resident_memory_bytes",]
    assert 10e6 < memory < 10e9


def test_a_board_without_a_sensor_has_no_temperature(site_server: Any, ask: Ask) -> None:
    site_server.control.board_status = BoardStatus("a board", None, (), "", False)
    found = scraped(site_server, ask)
    assert "edge_vision_temperature_celsius" not in found
    assert found["edge_vision_board_alarm"] == {}


def test_histograms(site_server: Any, ask: Ask) -> None:
    telemetry = site_server.control.telemetry
    for took_ms in (4, 12, 40):
        telemetry.add_invoke(took_ms)
        stamps = Stamps(exposed=1, arrived=1 + MS, inferred=1 + took_ms * MS)
        telemetry.add_analysed(stamps, 1 + took_ms * MS)
    found = scraped(site_server, ask)
    for family in ("inference_duration_seconds", "result_latency_seconds"):
        name = f"edge_vision_{family}"
        samples = found[name]
        assert samples[f"{name}_count",] == samples[f"{name}_bucket", ("le", "+Inf")] == 3
        assert samples[f"{name}_sum",] == pytest.approx(0.056)
        assert samples[f"{name}_bucket", ("le", "0.005")] == 1
        assert samples[f"{name}_bucket", ("le", "0.015")] == 2
        assert samples[f"{name}_bucket", ("le", "0.05")] == 3
    name = "edge_vision_stage_duration_seconds"
    stages = found[name]
    assert stages[f"{name}_count", ("stage", "arrived")] == 3
    assert stages[f"{name}_sum", ("stage", "arrived")] == pytest.approx(0.003)
    assert stages[f"{name}_sum", ("stage", "inferred")] == pytest.approx(0.053)
    assert stages[f"{name}_count", ("stage", "sent")] == 0
    for samples in (found[n] for n in found if n.endswith("_seconds") and "uptime" not in n):
        _grow(samples)


def _grow(samples: Any) -> None:
    """Buckets of one set of labels never shrink."""
    seen: dict[Any, float] = {}
    for (name, *labels), value in samples.items():
        if name.endswith("_bucket"):
            rest = tuple(label for label in labels if label[0] != "le")
            assert value >= seen.get(rest, 0)
            seen[rest] = value


def test_names_follow_the_conventions(live_server: Any, ask: Ask) -> None:
    answer = ask(live_server.port, "GET", "/metrics").body.decode()
    families = list(text_string_to_metric_families(answer))
    assert len(families) == len({family.name for family in families}) > 15
    for family in families:
        assert family.name.startswith("edge_vision_")
        assert family.documentation
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        assert not family.name.endswith(("_ms", "_mb", "_percent"))


def test_a_real_run(live_server: Any, ask: Ask) -> None:
    deadline = time.monotonic() + 20
    while not (found := scraped(live_server, ask))["edge_vision_objects"]:
        assert time.monotonic() < deadline, "nothing is seen"
    captured = found["edge_vision_frames"]["edge_vision_frames_total", ("stage", "captured")]
    assert captured > 0
    assert found["edge_vision_healthy"]["edge_vision_healthy",] == 1
    assert sum(found["edge_vision_objects"].values()) > 0
    assert all(key[1][0] == "class" for key in found["edge_vision_objects"])
    later = scraped(live_server, ask)
    again = later["edge_vision_frames"]["edge_vision_frames_total", ("stage", "captured")]
    assert again >= captured


def test_without_a_camera_nothing_is_seen(site_server: Any, ask: Ask) -> None:
    site_server.control.camera_status = CameraStatus(False, 1, "unplugged", "", 0, 0, 0.0)
    found = scraped(site_server, ask)
    assert found["edge_vision_objects"] == {}
    assert found["edge_vision_camera_up"] == {("edge_vision_camera_up",): 0}


def test_nothing_is_left_in_the_process(site_server: Any, ask: Ask) -> None:
    before = list(REGISTRY.collect())
    scraped(site_server, ask)
    assert [family.name for family in REGISTRY.collect()] == [family.name for family in before]


def test_the_shipped_dashboard_asks_for_what_is_served(
    site_server: Any, ask: Ask, repo: Path
) -> None:
    dashboard = (repo / "deploy/grafana/edge-vision.json").read_text("utf-8")
    asked = set(re.findall(r"edge_vision_[a-z_]+", dashboard))
    text = ask(site_server.port, "GET", "/metrics").body.decode()
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    buckets = {f"{name}_bucket" for name, kind in kinds.items() if kind == "histogram"}
    assert len(asked) > 5
    assert asked <= kinds.keys() | buckets
