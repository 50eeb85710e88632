"""What `edge-vision tune` tries and what it chooses."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_vision.config import ModelConfig
from edge_vision.detect.zoo import find_model, read_manifest
from edge_vision.errors import BackendMissing
from edge_vision.sweep import Timing, sweep
from edge_vision.tuning import (
    Row,
    Setting,
    Target,
    candidates,
    choose,
    rows_of,
    settings_to_try,
)

DEFAULT = "ssdlite_mobilenet_v2_coco"


def row(
    name: str,
    rate_per_s: float,
    map: float | None = None,
    *,
    p95_ms: float = 10.0,
    cpu_ms: float = 10.0,
    recall: float | None = None,
) -> Row:
    """One result; `name` is the size's."""
    setting = Setting("m", name, (300, 300), 1, "xnnpack")
    return Row(setting, Timing(setting, 9, 5.0, p95_ms, rate_per_s, 0.5), map, recall, cpu_ms)


ROWS = [
    row("small", 100, 0.166, p95_ms=11),
    row("medium", 60, 0.264, p95_ms=19),
    row("large", 30, 0.332, p95_ms=38),
    row("xlarge", 15, 0.340, p95_ms=80),
]


@pytest.mark.parametrize(
    ("target", "chosen"),
    [
        (Target(fps=10), "xlarge"),
        (Target(fps=15), "xlarge"),
        (Target(fps=15.1), "large"),
        (Target(fps=100), "small"),
        (Target(latency_ms=80), "xlarge"),
        (Target(latency_ms=79.9), "large"),
        (Target(latency_ms=11), "small"),
        (Target(fps=25, min_map=0.3), "large"),
    ],
)
def test_the_most_accurate_that_meets_the_target(target: Target, chosen: str) -> None:
    choice = choose(ROWS, target)
    assert choice.row is not None
    assert choice.row.setting.size == chosen
    assert f"mAP {choice.row.map:.3f}" in choice.reason


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target(fps=120),
         "no setting meets the target of at least 120 pictures a second; the closest, "
         "m, small (300x300), 1 thread, xnnpack, reaches 100.0 a second"),
        (Target(latency_ms=5), "the closest, m, small (300x300), 1 thread, xnnpack, takes 11.0 ms"),
        (Target(fps=40, min_map=0.3),
         "no setting with an mAP of at least 0.3 meets the target of at least 40 pictures a second;"
         " the closest, m, large (300x300), 1 thread, xnnpack, reaches 30.0 a second"),
        (Target(fps=1, min_map=0.5),
         "there is no setting with an mAP of at least 0.5: the best, m, xlarge (300x300), 1 thread,"
         " xnnpack, 0.340"),
    ],
)  # fmt: skip
def test_none_meets_it_and_how_close_the_best_came(target: Target, said: str) -> None:
    choice = choose(ROWS, target)
    assert choice.row is None
    assert said in choice.reason


def test_of_equally_accurate_ones_the_least_cpu() -> None:
    rows = [row("a", 50, 0.332, cpu_ms=12), row("b", 20, 0.332, cpu_ms=9), row("c", 90, 0.1)]
    choice = choose(rows, Target(fps=10))
    assert choice.row is rows[1]
    assert choice.reason.endswith("the least CPU (9.0 ms a picture)")
    assert "least CPU" not in choose(rows[1:], Target(fps=10)).reason


def test_without_an_map() -> None:
    faces = [row("a", 50, recall=0.9), row("b", 20, recall=1.0)]
    assert choose(faces, Target(fps=10)).row is faces[1]
    assert choose(faces, Target(fps=30)).row is faces[0]
    both = [*faces, row("c", 20, 0.166)]
    assert choose(both, Target(fps=10)).row is both[2], "recall is no mAP"
    unknown = [row("a", 50, cpu_ms=9), row("b", 20, cpu_ms=8)]
    assert choose(unknown, Target(fps=10)).row is unknown[1]
    none = choose(faces, Target(fps=10, min_map=0.1))
    assert (none.row, "none is known" in none.reason) == (None, True)
    assert choose([], Target(fps=10)).row is None


def test_what_is_tried() -> None:
    entries = [find_model(DEFAULT), find_model("face")]
    settings = settings_to_try(entries, ModelConfig(), [1, 2])
    assert len(settings) == len(set(settings)) == (5 + 4) * 2
    assert {s.delegate for s in settings} == {"xnnpack"}
    coco = [(s.size, s.input_hw_px) for s in settings if s.model == DEFAULT and s.threads == 1]
    assert coco == [
        ("small", (172, 172)), ("medium", (236, 236)), (None, (236, 300)), ("large", (300, 300)),
        ("xlarge", (364, 364)),
    ]  # fmt: skip


def test_the_delegates_that_are_tried(tmp_path: Path) -> None:
    entry = find_model(DEFAULT)
    external = settings_to_try([entry], ModelConfig(delegate="/x/a.so"), [1])
    assert {s.delegate for s in external} == {"xnnpack", "/x/a.so"}
    compiled = tmp_path / "compiled.tflite"
    compiled.write_bytes(b"....TFL3...edgetpu-custom-op...")
    coral = settings_to_try([replace(entry, file=compiled)], ModelConfig(), [1])
    assert {s.delegate for s in coral} == {"edgetpu"}


def test_a_real_sweep(repo: Path) -> None:
    entries, config = read_manifest()[:1], ModelConfig(classes=["cat"], delegate="/no/delegate.so")
    settings = settings_to_try(entries, config, [1])[:2]
    assert [s.delegate for s in settings] == ["xnnpack", "/no/delegate.so"]
    picture = np.zeros((720, 1280, 3), np.uint8)
    swept = sweep(candidates(settings, entries, config, picture), rounds=1, round_s=0.01)
    assert swept.complete
    (found,) = rows_of(swept.timings, entries, cores=2)
    assert found.setting is settings[0]
    assert (found.map, found.recall) == (0.166, None)
    assert found.cpu_ms == pytest.approx(found.timing.cpu_share * 2 * 1e3 / found.timing.rate_per_s)
    assert isinstance(swept.refused[settings[1]], BackendMissing), "no silent fall-back"


def test_an_altered_model_is_left_out(tmp_path: Path, repo: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(repo / "models", models, ignore=shutil.ignore_patterns("build", "skeletons"))
    entries = read_manifest(models)[:1]
    with entries[0].file.open("r+b") as file:
        file.truncate(1000)
    settings = settings_to_try(entries, ModelConfig(), [1])[:1]
    picture = np.zeros((72, 128, 3), np.uint8)
    swept = sweep(candidates(settings, entries, ModelConfig(), picture), rounds=2, round_s=0.01)
    assert "1000 bytes long" in str(swept.refused[settings[0]])
