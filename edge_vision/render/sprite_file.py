"""Pictures for sprites: PNG files with alpha, checked and made ready to be scaled and turned."""

import struct
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import ConfigError

Pixels = NDArray[np.uint8]

_LONGEST_SIDE_PX = 4096
_KEPT_SIDE_PX = 1024
"""Larger ones are scaled down once: no more can be seen of them, and a board's memory is small."""
_HEADER = struct.Struct(">8s4x4sII")
"""Signature, (length), name of the first chunk, width, height: PNG specification, 5.2 and 11.2.2
(w3.org/TR/png-3)."""


def read_sprite(key: str, name: str) -> Pixels:
    """Read a PNG file: uint8 (h, w, 4) BGRA, premultiplied (bgr * alpha / 255), sides to 1024 px.

    key: where it stands in the configuration, for the message.  name: a path, from the current
    folder.  Files of 8 or 16 bits, with a palette, grey with alpha are understood.
    Raises ConfigError when the file is missing, no PNG, damaged, without alpha, or has a side of
    more than 4096 px (looked at before it is decoded).
    """
    path = Path(name)
    try:
        with path.open("rb") as file:
            _check_header(key, path, file.read(_HEADER.size))
        encoded = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise ConfigError(
            f"{key}: there is no file {name} in {Path.cwd()}; expected a PNG picture with alpha"
        ) from None
    except OSError as error:
        raise ConfigError(f"{key}: {name} cannot be read: {error.strerror}") from None
    decoded = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ConfigError(f"{key}: {name} is damaged; expected a whole PNG picture with alpha")
    if decoded.ndim != 3 or decoded.shape[2] != 4:
        raise ConfigError(
            f"{key}: {name} has no alpha, so it would hide a whole rectangle; save it with a "
            "transparent background (PNG, RGBA)"
        )
    if decoded.dtype == np.uint16:
        decoded = cv2.convertScaleAbs(decoded, alpha=1 / 257)
    # Before any scaling: the colour of pixels that are not seen must not shine through at edges.
    alpha = cv2.extractChannel(decoded, 3)
    whole = np.full_like(alpha, 255)
    factors = cv2.merge([alpha, alpha, alpha, whole])
    return _reduced(np.asarray(cv2.multiply(decoded, factors, scale=1 / 255), np.uint8))


def _check_header(key: str, path: Path, header: bytes) -> None:
    if len(header) < _HEADER.size:
        header = header.ljust(_HEADER.size, b"\0")
    signature, chunk, width, height = _HEADER.unpack(header)
    if signature != b"\x89PNG\r\n\x1a\n" or chunk != b"IHDR":
        raise ConfigError(f"{key}: {path} is no PNG file; expected a PNG picture with alpha")
    if not (1 <= width <= _LONGEST_SIDE_PX and 1 <= height <= _LONGEST_SIDE_PX):
        raise ConfigError(
            f"{key}: {path} is {width}x{height} pixels; each side must be 1 to {_LONGEST_SIDE_PX}"
        )


def _reduced(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    share = _KEPT_SIDE_PX / max(height, width)
    if share >= 1:
        return picture
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
