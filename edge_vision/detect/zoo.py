"""The model zoo: what models/manifest.yaml offers, found, checked and described."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edge_vision.detect.anchors import AnchorSpec
from edge_vision.errors import ModelError

_PACKAGED = Path(__file__).resolve().parent.parent / "_models"
_CHECKOUT = Path(__file__).resolve().parent.parent.parent / "models"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the manifest.

    labels: class id -> name, in the order of the class head's channels.
    sizes_hw_px: size name -> (height, width).
    level_offsets: (height, width) -> measured anchor corrections, see `anchors.ssd_anchors`.
    facts: the manifest's entry as it stands, for display.
    """

    name: str
    file: Path
    sha256: str
    labels: Mapping[int, str]
    alpha: float
    training_hw_px: tuple[int, int]
    sizes_hw_px: Mapping[str, tuple[int, int]]
    anchors: AnchorSpec
    level_offsets: Mapping[tuple[int, int], tuple[tuple[float, float, float, float], ...]]
    box_scales: tuple[float, float, float, float]
    facts: Mapping[str, Any]

    def check_file(self) -> None:
        """Compare the file with the manifest's hash; ModelError says how it differs."""
        try:
            data = self.file.read_bytes()
        except FileNotFoundError:
            raise ModelError(f"the model file {self.file} is missing; {mend_hint()}") from None
        except OSError as error:
            raise ModelError(f"{self.file} cannot be read: {error.strerror}") from None
        expected = int(self.facts["size_bytes"])
        if len(data) != expected:
            what = "empty" if not data else f"{len(data)} bytes long"
            raise ModelError(f"{self.file} is {what}, expected {expected} bytes; {mend_hint()}")
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            raise ModelError(
                f"{self.file} was altered: its sha256 is {found[:12]}..., the manifest says "
                f"{self.sha256[:12]}...; {mend_hint()}"
            )


def mend_hint() -> str:
    """How to get back what came with edge-vision, as the end of a sentence."""
    if models_dir() == _CHECKOUT:
        return "restore it with: git checkout -- models/"
    return "install edge-vision again: pip install --force-reinstall edge-vision"


def models_dir() -> Path:
    """Where the manifest and the model files are: in the wheel, or the checkout's models/."""
    return _PACKAGED if (_PACKAGED / "manifest.yaml").exists() else _CHECKOUT


def read_manifest(folder: Path | None = None) -> list[ModelEntry]:
    """All entries of manifest.yaml in `folder` (default: `models_dir()`).

    Raises ModelError when the manifest is missing or not understood.
    """
    folder = folder or models_dir()
    path = folder / "manifest.yaml"
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())["models"]
        return [_entry(facts, folder) for facts in entries]
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}; {mend_hint()}") from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not a usable manifest ({error}); {mend_hint()}") from None


def find_model(name: str, folder: Path | None = None) -> ModelEntry:
    """The entry called `name`; ModelError lists what there is."""
    entries = read_manifest(folder)
    for entry in entries:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in entries)
    raise ModelError(f"there is no model named {name!r}; there are: {known}")


def read_labels(path: Path) -> dict[int, str]:
    """A label file with one `<class id> <name>` a line, in channel order."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ModelError(f"the label file {path} is missing; {mend_hint()}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the label file {path} cannot be read: {error}") from None
    labels: dict[int, str] = {}
    for number, line in enumerate(lines, 1):
        class_id, _, name = line.strip().partition(" ")
        if not class_id.isdigit() or not name or int(class_id) in labels:
            raise ModelError(f"{path}:{number}: expected '<class id> <name>', found {line[:40]!r}")
        labels[int(class_id)] = name
    return labels


def _entry(facts: dict[str, Any], folder: Path) -> ModelEntry:
    offsets = {
        _hw(key): tuple(tuple(float(v) for v in level) for level in levels)
        for key, levels in (facts.get("level_offsets") or {}).items()
    }
    return ModelEntry(
        name=facts["name"],
        file=folder / facts["file"],
        sha256=facts["sha256"],
        labels=read_labels(folder / facts["labels"]),
        alpha=float(facts["alpha"]),
        training_hw_px=tuple(facts["training_hw_px"]),
        sizes_hw_px={name: tuple(hw) for name, hw in facts["sizes"].items()},
        anchors=_anchor_spec(facts),
        level_offsets=offsets,  # type: ignore[arg-type]
        box_scales=tuple(float(v) for v in facts["heads"]["boxes"]["scales"]),  # type: ignore[arg-type]
        facts=facts,
    )


def _anchor_spec(facts: Mapping[str, Any]) -> AnchorSpec:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in facts["anchors"].items()
    }
    return AnchorSpec(**values)


def _hw(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width)


def _loader() -> Any:
    # libyaml's loader is 8 times faster where PyYAML was built with it.
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
