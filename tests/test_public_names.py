"""What users build on: changed on purpose, with a line in the changelog, or not at all."""

import ast
import inspect
from pathlib import Path

import pytest

import edge_vision

NAMES = [
    "BackendMissing", "CameraError", "CameraLost", "CameraUnavailable", "Config", "ConfigError",
    "DetectorError", "Detections", "EdgeVisionError", "Frame", "Image", "ModelError",
    "OutputError", "PixelFormat", "Scene", "ShutdownError", "SourceBroken", "SourceMissing",
    "Stamps", "Summary", "Track", "load_config", "open_camera", "open_detector", "run",
]  # fmt: skip

EXIT_CODES = {
    "EdgeVisionError": 70, "ConfigError": 78, "ModelError": 65, "BackendMissing": 69,
    "CameraError": 69, "CameraUnavailable": 69, "CameraLost": 69, "SourceMissing": 66,
    "SourceBroken": 65, "DetectorError": 70, "OutputError": 74, "ShutdownError": 70,
}  # fmt: skip

SIGNATURES = {
    "open_detector": "(name: str = 'ssdlite_mobilenet_v2_coco', *, "
    "file: str | Path | None = None, labels: str | Path | None = None, size: str = 'large', "
    "input_hw_px: tuple[int, int] | None = None, threads: int | str = 'auto', "
    "min_score: float = 0.4, max_detections: int = 50, classes: Sequence[str] = ())",
    "open_camera": "(kind: str = 'auto', **settings: Any)",
    "run": "(config: Config | Mapping[str, Any] | str | Path | None = None, *, "
    "on_scene: Callable[[Scene], None] | None = None, frames: int | None = None, "
    "duration_s: float | None = None)",
    "load_config": "(file: Path | None, settings: Sequence[str] = ())",
}


def test_all() -> None:
    assert sorted(edge_vision.__all__) == sorted(NAMES)
    assert len(NAMES) == len(set(NAMES))


def test_every_name_has_one_home_and_type_checkers_see_the_same() -> None:
    homes = [name for names in edge_vision._HOMES.values() for name in names]
    assert sorted(homes) == sorted(NAMES)
    tree = ast.parse(Path(edge_vision.__file__).read_text(encoding="utf-8"))
    seen = {
        node.module: {alias.name for alias in node.names}
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("edge_vision.")
    }
    assert seen == {f"edge_vision.{m}": set(names) for m, names in edge_vision._HOMES.items()}


@pytest.mark.parametrize("name", NAMES)
def test_name_is_there(name: str) -> None:
    value = getattr(edge_vision, name)
    assert value.__name__ == name
    assert value.__doc__
    assert name in dir(edge_vision)


def test_star_import_gives_the_same_names() -> None:
    space: dict[str, object] = {}
    exec("from edge_vision import *", space)  # the statement under test
    assert set(space) - {"__builtins__"} == set(NAMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'edge_vision' has no attribute 'Detector'"):
        edge_vision.Detector  # noqa: B018
    assert not hasattr(edge_vision, "nothing")


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name: str) -> None:
    signature = inspect.signature(getattr(edge_vision, name))
    told = signature.replace(return_annotation=inspect.Signature.empty)
    plain = str(told)
    for prefix in ("collections.abc.", "typing.", "pathlib._local.", "pathlib.",
                   "edge_vision.config.", "edge_vision.results."):  # fmt: skip
        plain = plain.replace(prefix, "")
    assert plain == SIGNATURES[name]


def test_what_the_functions_return() -> None:
    def returns(name: str) -> str:
        return inspect.signature(getattr(edge_vision, name)).return_annotation.__name__

    names = ("open_detector", "open_camera", "run", "load_config")
    assert [returns(name) for name in names] == ["SsdDetector", "Camera", "Summary", "Config"]


def test_defaults_are_those_of_the_configuration() -> None:
    model = edge_vision.Config().model
    parameters = inspect.signature(edge_vision.open_detector).parameters
    for name, parameter in parameters.items():
        expected = getattr(model, name)
        default = parameter.default
        assert (list(default) if isinstance(expected, list) else default) == expected, name


def test_exit_codes() -> None:
    codes = {name: getattr(edge_vision, name).exit_code for name in edge_vision._HOMES["errors"]}
    assert codes == EXIT_CODES


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Detections", "boxes scores class_ids"),
        ("Track", "id box velocity score class_id state first_seen_ns last_seen_ns sigma"),
        ("Scene", "seq exposed_ns media_ns detections model labels tracks"),
        ("Image", "data format width_px height_px stride_bytes"),
        ("Stamps", "exposed arrived taken prepared inferred tracked registered drawn encoded sent "
                   "exposed_is_estimate"),
        ("Summary", "captured analysed shown drops capture_per_s analysed_per_s shown_per_s "
                    "latency_ms invoke_ms faults"),
    ],
)  # fmt: skip
def test_fields(name: str, fields: str) -> None:
    assert list(getattr(edge_vision, name).__dataclass_fields__) == fields.split()


def test_version_is_a_release_number() -> None:
    parts = edge_vision.__version__.split(".")
    assert len(parts) == 3
    assert all(part.isdigit() for part in parts)
