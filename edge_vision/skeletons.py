"""Detectors without weights, to measure what a width and an input size cost on a board.

Latency depends on shapes, not on weight values; files of zeros compress to kilobytes.
"""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edge_vision.detect.zoo import mend_hint, models_dir
from edge_vision.errors import ModelError


@dataclass(frozen=True, slots=True)
class Skeleton:
    """One detector without weights, for 80 classes.

    alpha: width multiplier.  parameters: weights and biases, as if it had them.  packed: a
    gzip-compressed TFLite file of any input size, uint8 in, int8 inside.  sha256: of `packed`.
    """

    name: str
    family: str
    alpha: float
    parameters: int
    packed: Path
    sha256: str

    def unpack(self, folder: Path) -> Path:
        """Write the TFLite file into `folder`.

        Raises ModelError when the packed file is missing or altered, or the disk is full.
        """
        try:
            packed = self.packed.read_bytes()
        except OSError as error:
            raise ModelError(
                f"{self.packed} cannot be read: {error.strerror}; {mend_hint()}"
            ) from None
        if hashlib.sha256(packed).hexdigest() != self.sha256:
            raise ModelError(
                f"{self.packed} was altered: its sha256 is not that of skeletons.yaml; "
                f"{mend_hint()}"
            )
        file = folder / f"{self.name}.tflite"
        try:
            file.write_bytes(gzip.decompress(packed))
        except (OSError, EOFError, zlib.error) as error:
            raise ModelError(f"{self.packed} cannot be unpacked to {file}: {error}") from None
        return file


def read_skeletons(folder: Path | None = None) -> list[Skeleton]:
    """All that skeletons.yaml in `folder` (default: that of the models) lists.

    Raises ModelError when it is missing or not understood.
    """
    folder = folder or models_dir() / "skeletons"
    path = folder / "skeletons.yaml"
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))["skeletons"]
        return [_skeleton(facts, folder) for facts in listed]
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}; {mend_hint()}") from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not understood ({error}); {mend_hint()}") from None


def _skeleton(facts: dict[str, Any], folder: Path) -> Skeleton:
    return Skeleton(
        name=str(facts["name"]),
        family=str(facts["family"]),
        alpha=float(facts["alpha"]),
        parameters=int(facts["parameters"]),
        packed=folder / str(facts["file"]),
        sha256=str(facts["sha256"]),
    )
