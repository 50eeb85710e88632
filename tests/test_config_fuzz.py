"""Whatever stands in a configuration, it ends in a Config or a ConfigError."""

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edge_vision.config import CameraConfig, Config
from edge_vision.config_load import load_config
from edge_vision.errors import ConfigError

FUZZ = settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
WORDS = st.sampled_from(
    [*Config.model_fields, *CameraConfig.model_fields, "null", "[", "]", "{", "}", ": ", ":\n  ",
     "\n", "- ", "&a ", "*a", "!!int ", "!!float ", "!!set ", "!x ", "!!binary ", "'", '"', "<<: ",
     "? ", "|\n  ", "1", ".5", "-.inf", ".nan", "2024-02-30", "0b", "0x", "1:1", "=", "~", "#", "%",
     "\\u", "\\UFFFFFFFF", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), ","]
)  # fmt: skip


def _is_config_or_error(content: bytes, sets: list[str], file: Path) -> None:
    file.write_bytes(content)
    with contextlib.suppress(ConfigError):
        assert isinstance(load_config(file, sets), Config)


@FUZZ
@given(st.lists(WORDS, max_size=25).map("".join))
@example("camera: {fps: 0001-01-01t00:00:00+23:59}")
@example("camera: {fps: 1:" + ":".join(["1"] * 300) + ".5}")
@example("? {a: b}\n: 1")
@example("%YAML " + "9" * 5000 + ".1\n---\na: 1")
def test_text_made_of_yaml(tmp_path: Path, text: str) -> None:
    _is_config_or_error(text.encode("utf-8", "surrogatepass"), [], tmp_path / "f.yaml")


@FUZZ
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    _is_config_or_error(content, [], tmp_path / "f.yaml")


@FUZZ
@given(st.lists(st.lists(WORDS, max_size=8).map("".join) | st.text(max_size=20), max_size=3))
def test_any_settings(tmp_path: Path, texts: list[str]) -> None:
    _is_config_or_error(b"", texts, tmp_path / "f.yaml")
    _is_config_or_error(b"", [f"camera.source={t}" for t in texts], tmp_path / "f.yaml")
