"""Which keys of a configuration take effect while the program runs."""

from typing import Any

import pytest

from edge_vision.config import Config
from edge_vision.config_load import parse_config
from edge_vision.live import change_of, live_values, offered


def change(values: dict[str, Any]) -> Any:
    return change_of(Config(), parse_config(values))


def test_nothing() -> None:
    same = change({})
    assert (same.config, same.changed, same.restart) == (Config(), (), ())
    assert not same.detector
    assert not same.overlay


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("model", "size", "small"),
        ("model", "min_score", 0.6),
        ("model", "threads", 1),
        ("model", "classes", ["cat"]),
        ("model", "input_hw_px", [236, 300]),
    ],
)
def test_another_detector(section: str, key: str, value: Any) -> None:
    found = change({section: {key: value}})
    assert found.changed == (f"{section}.{key}",)
    assert found.detector
    assert not found.overlay
    assert not found.restart
    kept = getattr(getattr(found.config, section), key)
    assert (list(kept) if isinstance(kept, tuple) else kept) == value


def test_another_overlay() -> None:
    found = change({"overlay": {"style": "hud", "blur": ["person"]}})
    assert found.changed == ("overlay.style", "overlay.blur")
    assert found.overlay
    assert not found.detector
    assert found.config.overlay.blur == ["person"]


def test_other_places_and_rules() -> None:
    zone = [[0, 0], [1, 0], [0, 1]]
    found = change({"watch": {"zones": {"yard": zone}, "rules": [{"name": "r", "zone": "yard"}]}})
    assert found.changed == ("watch.zones", "watch.rules")
    assert (found.overlay, found.detector, found.restart) == (False, False, ())
    assert found.config.watch.rules[0].zone == "yard"


@pytest.mark.parametrize(
    "values",
    [
        {"camera": {"fps": 15.0}},
        {"model": {"name": "face"}},
        {"model": {"file": "x.tflite"}},
        {"overlay": {"timing": "exact"}},
        {"outputs": {"video": {"path": "x.mp4"}}},
        {"tracking": {"coast_s": 9.0}},
    ],
)
def test_what_needs_a_restart_stays_as_it_is(values: dict[str, Any]) -> None:
    found = change(values)
    assert found.config == Config()
    assert found.changed == ()
    assert len(found.restart) == 1


def test_both_at_once() -> None:
    found = change({"camera": {"fps": 15.0}, "model": {"size": "small", "deadline_s": 3.0}})
    assert found.changed == ("model.size", "model.deadline_s")
    assert found.restart == ("camera.fps",)
    assert found.config.camera.fps == Config().camera.fps
    assert found.config.model.deadline_s == 3.0


def test_what_names_files_or_code_is_not_offered() -> None:
    values = live_values(Config())
    assert values["overlay"]["style"] == "boxes"
    assert values["model"]["size"] == "large"
    assert "timing" not in values["overlay"]
    for section, key in (
        ("model", "deadline_s"),
        ("model", "delegate"),
        ("model", "fallback_file"),
        ("model", "input_hw_px"),
        ("overlay", "font"),
        ("overlay", "renderer"),
        ("overlay", "sprites"),
    ):
        assert key not in values[section]
        assert not offered(section, key)
    assert not {"camera", "outputs", "version", "tracking"} & set(values)


def test_a_file_may_still_change_them_while_running() -> None:
    assert change({"model": {"delegate": "cpu"}}).changed == ("model.delegate",)
