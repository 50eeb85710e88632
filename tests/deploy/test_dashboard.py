"""What is shipped for Grafana and Prometheus names what there is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

METRICS = {
    "edge_vision_frames_total": {"stage"},
    "edge_vision_drops_total": {"reason"},
    "edge_vision_stage_duration_seconds_bucket": {"stage", "le"},
    "edge_vision_temperature_celsius": set(),
    "edge_vision_objects": {"class"},
    "edge_vision_events_total": {"rule"},
    "edge_vision_line_crossings_total": {"line", "direction", "class"},
    "edge_vision_zone_objects": {"zone", "class"},
    "edge_vision_output_fault": {"output"},
    "edge_vision_viewers": set(),
    "edge_vision_healthy": set(),
    "up": set(),
}
"""Each with its own labels; job and node come from Prometheus."""


@pytest.fixture
def dashboard(repo: Path) -> Any:
    return json.loads((repo / "deploy/grafana/edge-vision.json").read_text(encoding="utf-8"))


def test_each_panel_asks_for_what_there_is(dashboard: Any) -> None:
    asked = set()
    for panel in dashboard["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            expression = target["expr"]
            names = set(re.findall(r"([a-z_]+)\{", expression))
            assert names <= set(METRICS), expression
            asked |= names
            for grouped in re.findall(r"by \(([^)]*)\)", expression):
                known = {"node"}.union(*(METRICS[name] for name in names))
                assert set(grouped.split(", ")) <= known, expression
            assert expression.count("(") == expression.count(")")
            assert 'node=~"$node"' in expression
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert all(re.search(rf"by \([^)]*\b{label}\b", expression) or label == "node"
                       for label in shown), target  # fmt: skip
    assert asked == set(METRICS)


def test_the_dashboard_can_be_imported(dashboard: Any) -> None:
    assert dashboard["uid"] == "edge-vision"
    assert "id" not in dashboard, "an id of another Grafana would refuse the import"
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert set(variables) == {"datasource", "node"}
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells), "panels lie over each other"
    assert max(x for x, _ in cells) < 24


def test_prometheus_finds_the_boards_in_a_file(repo: Path, dashboard: Any) -> None:
    folder = repo / "deploy/prometheus"
    config = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert f'job="{job["job_name"]}"' in json.dumps(dashboard).replace("\\", "")
    (source,) = job["file_sd_configs"]
    assert [Path(file).name for file in source["files"]] == ["edge-vision-nodes.json"]
    assert job["authorization"]["credentials_file"]
    nodes = json.loads((folder / "edge-vision-nodes.json").read_text(encoding="utf-8"))
    for group in nodes:
        assert len(group["targets"]) == 1, "a name for each board"
        assert set(group["labels"]) == {"node"}
