"""Keys of an older version get today's names; a newer version is refused."""

import logging
from pathlib import Path
from typing import Any

import pytest

from edge_vision.config_load import load_config
from edge_vision.config_version import NEWEST, migrate
from edge_vision.errors import ConfigError

TABLES = (
    {"camera.rate": "camera.fps", "cam": "camera"},
    {"camera.pi.turn": "camera.pi.rotation", "log.verbose": "power.idle_fps"},
)
"""Two steps: from version 1 to 2, and from 2 to 3."""


def test_each_key_gets_its_new_name_and_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    values: dict[str, Any] = {
        "version": 1,
        "camera": {"rate": 5, "kind": "demo", "pi": {"turn": 180}},
        "log": {"level": "info", "verbose": 2},
    }
    places: dict[Any, str] = {("camera", "rate"): "c.yaml:3", ("camera", "pi", "turn"): "c.yaml:6"}
    assert migrate(values, places, TABLES) == []
    assert values == {
        "version": 3,
        "camera": {"kind": "demo", "fps": 5, "pi": {"rotation": 180}},
        "log": {"level": "info"},
        "power": {"idle_fps": 2},
    }
    assert [record.getMessage() for record in caplog.records] == [
        "c.yaml:3: camera.rate is called camera.fps now; write that instead",
        "c.yaml:6: camera.pi.turn is called camera.pi.rotation now; write that instead",
        "configuration: log.verbose is called power.idle_fps now; write that instead",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert places == {("camera", "fps"): "c.yaml:3", ("camera", "pi", "rotation"): "c.yaml:6"}


def test_a_whole_section_with_what_is_below_it() -> None:
    values: dict[str, Any] = {"cam": {"size_px": [64, 48]}}
    places: dict[Any, str] = {("cam",): "c.yaml:1", ("cam", "size_px", 1): "c.yaml:4"}
    migrate(values, places, TABLES)
    assert values == {"camera": {"size_px": [64, 48]}}
    assert places == {("camera",): "c.yaml:1", ("camera", "size_px", 1): "c.yaml:4"}


def test_a_file_without_a_version_is_of_the_first_and_later_steps_alone_are_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    values: dict[str, Any] = {"camera": {"rate": 5}}
    migrate(values, {}, TABLES)
    assert values == {"camera": {"fps": 5}}
    values = {"version": 2, "camera": {"rate": 5, "pi": {"turn": 0}}}
    migrate(values, {}, TABLES)
    assert values == {"version": 3, "camera": {"rate": 5, "pi": {"rotation": 0}}}
    caplog.clear()
    values = {"version": 3, "camera": {"rate": 5, "pi": {"turn": 0}}}
    migrate(values, {}, TABLES)
    assert values["camera"] == {"rate": 5, "pi": {"turn": 0}}
    assert caplog.records == []


def test_old_and_new_name_at_once_is_an_error() -> None:
    values: dict[str, Any] = {"camera": {"rate": 5, "fps": 6}}
    (error,) = migrate(values, {("camera", "rate"): "c.yaml:2"}, TABLES)
    assert error == (
        "c.yaml:2: camera.rate is called camera.fps now, which stands here as well; "
        "delete one of the two"
    )


@pytest.mark.parametrize(
    "values", [{}, {"camera": 3}, {"camera": {"pi": 3}}, {"version": "1"}, {"version": True}]
)
def test_what_has_another_form_is_left_to_the_validation(values: dict[str, Any]) -> None:
    before = repr(values)
    assert migrate(values, {}, TABLES) == []
    assert repr(values) == before


def test_a_newer_version_is_refused_before_its_keys_are(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"# mine\nversion: {NEWEST + 1}\nnew_section: {{}}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert str(caught.value).startswith(
        f"{file}:2: version {NEWEST + 1} is of a newer edge-vision; this one knows versions up to "
        f"{NEWEST}: update edge-vision"
    )
