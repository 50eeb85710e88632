"""The models themselves: defaults, ranges, a sentence a key, and what does not go together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from edge_vision.config import SIZES_PX, CameraConfig, Config, ModelConfig, Section
from edge_vision.config_load import parse_config
from edge_vision.config_outputs import OutputsConfig
from edge_vision.errors import ConfigError


def keys(model: type[BaseModel] = Config, above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key as "section.key" with its field."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from keys(field.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}", field


@pytest.mark.parametrize(("key", "field"), [pytest.param(*row, id=row[0]) for row in keys()])
def test_every_key_has_a_sentence_and_a_default_that_is_valid(key: str, field: FieldInfo) -> None:
    assert field.description
    assert len(field.description) > 8
    assert not field.is_required()
    assert not field.description.endswith(".")


def test_every_section_says_what_it_is_and_keeps_to_its_rules() -> None:
    def sections(model: type[Section]) -> Iterator[type[Section]]:
        yield model
        for field in model.model_fields.values():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                yield from sections(field.annotation)

    found = list(sections(Config))
    assert len(found) > 8
    for section in found:
        assert section.__doc__, section
        assert section.model_config["extra"] == "forbid"
        assert section.model_config["frozen"] is True
        assert section.model_config["strict"] is True


def test_defaults_are_valid_when_said_aloud() -> None:
    assert Config.model_validate_json(Config().model_dump_json()) == Config()


def test_numbers_carry_their_unit() -> None:
    units = ("_px", "_s", "_ms", "_ns", "_c", "_kb", "_mb", "_days")
    bare = {
        key.split(".")[-1]
        for key, field in keys()
        if field.annotation in (int, float) and not key.endswith(units)
    }
    # Pure numbers, rates and well-known terms; a length or a time must not be added here.
    assert bare == {
        "fps", "seed", "min_score", "nms_iou", "max_detections", "crf", "weak_score", "hfov_deg",
        "detect_fps", "idle_fps", "max_fps", "port", "max_viewers", "jpeg_quality", "scale",
        "number", "version",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("section", "values", "at"),
    [
        (CameraConfig, {"fps": 0.0}, "fps"),
        (CameraConfig, {"fps": 240.1}, "fps"),
        (CameraConfig, {"fps": float("nan")}, "fps"),
        (CameraConfig, {"fps": "30"}, "fps"),
        (CameraConfig, {"size_px": (15, 720)}, "size_px"),
        (CameraConfig, {"size_px": (1280, 8193)}, "size_px"),
        (CameraConfig, {"pixel_format": "mjpg"}, "pixel_format"),
        (CameraConfig, {"pixel_format": "MJPEG"}, "pixel_format"),
        (CameraConfig, {"pixel_format": "MJPG\n"}, "pixel_format"),
        (CameraConfig, {"seed": -1}, "seed"),
        (CameraConfig, {"seed": 2**32}, "seed"),
        (CameraConfig, {"seed": True}, "seed"),
        (CameraConfig, {"timeout_s": 0.0}, "timeout_s"),
        (CameraConfig, {"timeout_s": float("inf")}, "timeout_s"),
        (CameraConfig, {"retry_max_s": 0.5}, "retry_max_s"),
        (CameraConfig, {"kind": "webcam"}, "kind"),
        (ModelConfig, {"min_score": 0.0}, "min_score"),
        (ModelConfig, {"min_score": 1.01}, "min_score"),
        (ModelConfig, {"nms_iou": 0.0}, "nms_iou"),
        (ModelConfig, {"max_detections": 0}, "max_detections"),
        (ModelConfig, {"threads": 0}, "threads"),
        (ModelConfig, {"threads": 65}, "threads"),
        (ModelConfig, {"threads": "four"}, "threads"),
        (ModelConfig, {"size": "huge"}, "size"),
        (ModelConfig, {"input_hw_px": (95, 300)}, "input_hw_px"),
        (ModelConfig, {"input_hw_px": (300, 4097)}, "input_hw_px"),
        (ModelConfig, {"classes": "person"}, "classes"),
        (ModelConfig, {"colour": 1}, "colour"),
        (OutputsConfig, {"video": {"crf": 52}}, "video"),
    ],
)
def test_refused(section: type[Section], values: dict[str, Any], at: str) -> None:
    with pytest.raises(ValidationError) as caught:
        section.model_validate(values)
    assert {str(error["loc"][0]) for error in caught.value.errors()} == {at}


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (CameraConfig, {"fps": 240.0, "timeout_s": 60.0, "retry_max_s": 3600.0, "seed": 2**32 - 1}),
        (CameraConfig, {"fps": 0.001, "timeout_s": 0.001, "retry_max_s": 1.0, "seed": 0}),
        (CameraConfig, {"size_px": (16, 8192), "pixel_format": "YUYV", "fps": 25}),
        (CameraConfig, {"kind": "clip", "source": ["a.png", "b.png"], "pace": "fast"}),
        (CameraConfig, {"kind": "usb", "source": 0}),
        (CameraConfig, {"kind": "usb", "source": "/dev/video0"}),
        (CameraConfig, {"kind": "demo", "pace": "fast"}),
        (ModelConfig, {"min_score": 0.01, "nms_iou": 1.0, "max_detections": 1, "threads": 64}),
        (ModelConfig, {"min_score": 1.0, "max_detections": 1000, "input_hw_px": (96, 4096)}),
    ],
)
def test_accepted(section: type[Section], values: dict[str, Any]) -> None:
    made = section.model_validate(values)
    assert all(getattr(made, key) == value for key, value in values.items())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "clip"}, "kind clip needs camera.source"),
        ({"kind": "clip", "source": ""}, "kind clip needs camera.source"),
        ({"kind": "clip", "source": []}, "kind clip needs camera.source"),
        ({"kind": "clip", "source": 0}, "not a number"),
        ({"pace": "fast"}, "camera.pace fast needs camera.kind clip or demo"),
        ({"kind": "usb", "pace": "fast"}, "camera.pace fast needs camera.kind clip or demo"),
    ],
)
def test_what_does_not_go_together(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CameraConfig.model_validate(values)


def test_fixed_once_made() -> None:
    config = Config()
    with pytest.raises(ValidationError, match="frozen"):
        config.camera.fps = 3.0  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        config.camera = CameraConfig()  # type: ignore[misc]


def test_no_default_is_shared_and_changed() -> None:
    ModelConfig().classes.append("person")
    assert ModelConfig().classes == []
    assert Config().model.classes == []


def test_sizes_are_the_ones_offered() -> None:
    size = ModelConfig.model_fields["size"]
    assert {*SIZES_PX, "auto"} == set(size.annotation.__args__)  # type: ignore[union-attr]
    assert all(str(side) in (size.description or "") for side in SIZES_PX.values())
    assert sorted(SIZES_PX.values()) == list(SIZES_PX.values())


def test_plain_values_of_a_program() -> None:
    config = parse_config(
        {"camera": {"kind": "clip", "source": Path("a.mp4"), "size_px": (64, 48)}}
    )
    assert config.camera.source == "a.mp4"
    assert config.camera.size_px == (64, 48)
    with pytest.raises(ConfigError, match=r'configuration: camera\.fps is "3"; expected a number'):
        parse_config({"camera": {"fps": "3"}})


def test_parsing_leaves_the_values_alone() -> None:
    values = {"camera": {"fps": 3}}
    parse_config(values)
    assert values == {"camera": {"fps": 3}}
