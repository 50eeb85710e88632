"""The config.yaml that is shipped: every key, its true default, its true range, its choices."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_vision.config import Config
from edge_vision.config_base import Section
from edge_vision.config_load import load_config
from edge_vision.errors import ConfigError

REPO_CONFIG = Path(__file__).resolve().parent.parent / "config.yaml"


def _walk(model: type[Section], text: dict[str, Any], above: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        assert name in text, f"config.yaml lacks {above}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found += _walk(field.annotation, text[name], f"{above}{name}.")
        else:
            found.append(f"{above}{name}")
    assert list(text) == list(model.model_fields), f"order or names of {above or 'sections'}"
    return found


def test_config_yaml_has_every_key_with_its_default() -> None:
    assert load_config(REPO_CONFIG) == Config()
    shown = yaml.safe_load(REPO_CONFIG.read_text(encoding="utf-8"))
    assert len(_walk(Config, shown)) >= 29
    assert Config.model_validate_json(json.dumps(shown)) == Config()


RANGE = re.compile(r"(\d[\d.]*?)\.\.(\d[\d.]*)")


def test_config_yaml_tells_the_true_range_and_choices_of_each_key() -> None:
    section: list[str] = []
    checked = 0
    for line in REPO_CONFIG.read_text(encoding="utf-8").splitlines():
        match = re.match(r'( *)"?(\w+)"?:([^#]*)(?:#(.*))?$', line)
        if match is None or match[2] == "version":  # of the file, not to be set
            continue
        depth, key, value, comment = len(match[1]) // 2, match[2], match[3].strip(), match[4]
        section[depth:] = [key]
        where = ".".join(section)
        span = RANGE.search(comment or "")
        number = isinstance(yaml.safe_load(value), int | float) and value not in ("true", "false")
        if value and number:
            assert span is not None, f"{where}: the comment gives no range"
            low, high = float(span[1]), float(span[2])
            if where == "overlay.thickness_px":
                low = 0.0  # said as "0 fits it to the picture"
            step = 1 if "." not in value else 0.001
            _accepts(where, high, step)
            _refuses(where, high + step, step)
            _refuses(where, low - step, step)
            _accepts(where, low + (step if low == 0 and step < 1 else 0), step)
            checked += 1
        elif "|" in (comment or "") and value not in ("[]", "null"):
            named = re.split(r" \| ?", re.sub(r"\([^)]*\)?", "", comment))
            for choice in (c.split(":")[-1].strip() for c in named):
                if re.fullmatch(r"[a-z]+", choice):
                    load_config(None, [f"{where}={choice}", *_source_for(where, choice)])
                    checked += 1
    assert checked > 20


def _source_for(where: str, choice: str) -> list[str]:
    """What else must be set for a choice to make sense."""
    if where == "camera.kind" and choice == "clip":
        return ["camera.source=x.mp4"]
    return ["camera.kind=demo"] if choice == "fast" and where == "camera.pace" else []


def _accepts(where: str, value: float, step: float) -> None:
    load_config(None, [f"{where}={int(value) if step == 1 else value}"])


def _refuses(where: str, value: float, step: float) -> None:
    with pytest.raises(ConfigError, match=f"--set {where}: {where} is"):
        load_config(None, [f"{where}={int(value) if step == 1 else value}"])
