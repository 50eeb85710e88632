"""PNG files of every kind that people have, and what is refused."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.errors import ConfigError
from edge_vision.render.sprite_file import read_sprite

KEY = "overlay.sprites.0.picture"
ALPHAS = (0, 51, 255)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, depth: int, kind: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG put together by hand; rows: with a filter byte before each."""
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = _chunk(b"IHDR", head) + b"".join(more) + _chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IEND", b"")


def _three(kind: str) -> tuple[bytes, tuple[int, int, int]]:
    """Three pixels of one colour with alpha 0, 51 and 255, and this colour, BGR."""
    if kind == "rgba":
        row = b"".join(bytes((200, 100, 50, alpha)) for alpha in ALPHAS)
        return _png(3, 1, 8, 6, b"\0" + row), (50, 100, 200)
    if kind == "rgba 16 bit":
        values = (v * 257 for alpha in ALPHAS for v in (200, 100, 50, alpha))
        return _png(3, 1, 16, 6, b"\0" + struct.pack(">12H", *values)), (50, 100, 200)
    if kind == "grey and alpha":
        row = b"".join(bytes((120, alpha)) for alpha in ALPHAS)
        return _png(3, 1, 8, 4, b"\0" + row), (120, 120, 120)
    palette = (_chunk(b"PLTE", bytes((200, 100, 50)) * 3), _chunk(b"tRNS", bytes(ALPHAS)))
    return _png(3, 1, 8, 3, b"\0\0\1\2", *palette), (50, 100, 200)


@pytest.mark.parametrize("kind", ["rgba", "rgba 16 bit", "grey and alpha", "palette"])
def test_every_kind_of_alpha_becomes_premultiplied_bgra(tmp_path: Path, kind: str) -> None:
    data, (blue, green, red) = _three(kind)
    (tmp_path / "three.png").write_bytes(data)
    picture = read_sprite(KEY, str(tmp_path / "three.png"))
    assert picture.dtype == np.uint8
    expected = [[0, 0, 0, 0], [blue // 5, green // 5, red // 5, 51], [blue, green, red, 255]]
    assert picture.tolist() == [expected]


@pytest.mark.parametrize(
    ("hw", "kept"), [((1, 1), (1, 1)), ((3000, 1500), (1024, 512)), ((2, 4096), (1, 1024))]
)
def test_large_ones_are_reduced_once(
    tmp_path: Path, hw: tuple[int, int], kept: tuple[int, int]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((*hw, 4), 128, np.uint8))
    picture = read_sprite(KEY, str(tmp_path / "a.png"))
    assert picture.shape == (*kept, 4)
    assert picture[0, 0].tolist() == [64, 64, 64, 128]


def _written(path: Path, picture: NDArray[np.uint8]) -> bytes:
    cv2.imwrite(str(path), picture)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "there is no file hat.png in "),
        ("a folder", "hat.png cannot be read: Is a directory"),
        ("empty", "hat.png is no PNG file"),
        ("text", "hat.png is no PNG file"),
        ("jpeg", "hat.png is no PNG file"),
        ("no alpha", "hat.png has no alpha, so it would hide a whole rectangle"),
        ("grey", "hat.png has no alpha"),
        ("cut off", "hat.png is damaged"),
        ("only a header", "hat.png is damaged"),
        ("no width", "hat.png is 0x5 pixels; each side must be 1 to 4096"),
        ("huge", "hat.png is 2000000000x2000000000 pixels; each side must be 1 to 4096"),
        ("a little too wide", "hat.png is 4097x1 pixels; each side must be 1 to 4096"),
    ],
)
def test_what_is_no_sprite_is_refused_with_its_key(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8)
    whole = _written(tmp_path / "whole.png", noise)
    data = {
        "empty": b"",
        "text": b"a hat" * 20,
        "jpeg": _written(tmp_path / "a.jpg", noise[..., :3]),
        "no alpha": _written(tmp_path / "a.png", noise[..., :3]),
        "grey": _written(tmp_path / "a.png", noise[..., 0]),
        "cut off": whole[: len(whole) // 2],
        "only a header": whole[:24],
        "no width": _png(0, 5, 8, 6, b""),
        "huge": _png(2_000_000_000, 2_000_000_000, 8, 6, b""),
        "a little too wide": _png(4097, 1, 8, 6, b"\0" + bytes(4097 * 4)),
    }
    if what == "a folder":
        (tmp_path / "hat.png").mkdir()
    elif what != "missing":
        (tmp_path / "hat.png").write_bytes(data[what])
    with pytest.raises(ConfigError) as caught:
        read_sprite(KEY, "hat.png")
    assert str(caught.value).startswith(f"{KEY}: {said}")
    assert "\n" not in str(caught.value)
