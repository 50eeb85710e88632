"""Which font has the glyphs of a text: overlay.font, one of the system's, or the one Pillow brings.

Pillow draws with FreeType and, where the system has FriBidi, shapes with Raqm (Arabic, Devanagari).
"""

from __future__ import annotations

import logging
import math
import os
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.errors import ConfigError

if TYPE_CHECKING:
    from PIL import ImageFont

log = logging.getLogger(__name__)

Mask = NDArray[np.uint8]
"""uint8 (height, width): 0 = background, 255 = ink."""

FOLDERS = ("~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts")
# Sans-serifs that can be read when small, each as (regular, bold).
_PREFERRED = (
    ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
    ("DejaVuSansCondensed.ttf", "DejaVuSansCondensed-Bold.ttf"),
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    ("FreeSans.ttf", "FreeSansBold.ttf"),
)
_LATE = ("light", "thin", "black", "medium", "mono", "serif", "condensed")
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC")
_FIRST_EMOJI = "\U0001f000"

_PROBE_PX = 64
_NO_CHARACTER = "\U0010ffff"  # drawn with the font's sign for "no such glyph"
_COMMON_CAP_SHARE = 0.72
_OVERSAMPLING = 4


def margin_px(cap_px: int) -> int:
    """Space above and below the capitals in every mask: enough for descenders."""
    return -(-cap_px * 9 // 20)


def line_height_px(cap_px: int) -> int:
    """Height of every mask of this size."""
    return cap_px + 2 * margin_px(cap_px)


class Face:
    """One font at any size; without a file the one that Pillow brings (little more than ASCII).

    Raises OSError when the file cannot be read or is no scalable font.
    """

    def __init__(self, file: Path | None, bold: bool) -> None:
        from PIL import ImageFont

        self._file = file
        # Pillow's own font has one weight: for bold, its outlines are drawn with a pen.
        self._pen = bold and file is None
        self._probe = self._sized(_PROBE_PX, ImageFont.Layout.BASIC)
        self._unknown = bytes(self._probe.getmask(_NO_CHARACTER))
        self._has: dict[str, bool] = {}
        high = -self._probe.getbbox("H", anchor="ls")[1]
        self._cap_share = high / _PROBE_PX if self.has("H") and high > 0 else _COMMON_CAP_SHARE

    def has(self, letter: str) -> bool:
        """Whether the font has a glyph for a character."""
        if letter not in self._has:
            self._has[letter] = bytes(self._probe.getmask(letter)) != self._unknown
        return self._has[letter]

    def draw(self, text: str, cap_px: int) -> Mask:
        """One line, capitals `cap_px` high: uint8 (line_height_px(cap_px), at least 1).

        A script taller than that is drawn smaller.
        """
        from PIL import Image, ImageDraw

        # A pen has whole pixels; drawn large and scaled down, its lines come out finer.
        times = _OVERSAMPLING if self._pen else 1
        pen = max(1, round(cap_px / 9)) if self._pen else 0
        cap, margin = cap_px * times, margin_px(cap_px) * times
        size = (cap - 2 * pen) / self._cap_share
        font = self._sized(size)
        _, top, _, low = font.getbbox(text, anchor="ls", stroke_width=pen)
        fit = min(1.0, (cap + margin - 1) / max(1, -top), (margin - 1) / max(1, low))
        if fit < 1:
            font = self._sized(size * fit)
        left, _, right, _ = font.getbbox(text, anchor="ls", stroke_width=pen)
        before = max(0, math.ceil(-left))
        width = before + math.ceil(max(font.getlength(text) + pen, right, times))
        image = Image.new("L", (-(-width // times) * times, cap + 2 * margin))
        at = (before, margin + cap - pen)
        ImageDraw.Draw(image).text(at, text, 255, font, anchor="ls", stroke_width=pen)
        mask = np.asarray(image, np.uint8)
        if times == 1:
            return mask
        size_px = (mask.shape[1] // times, mask.shape[0] // times)
        return np.asarray(cv2.resize(mask, size_px, interpolation=cv2.INTER_AREA), np.uint8)

    def _sized(
        self, size_px: float, layout: ImageFont.Layout | None = None
    ) -> ImageFont.FreeTypeFont:
        from PIL import ImageFont

        if self._file is not None:
            return ImageFont.truetype(str(self._file), size_px, layout_engine=layout)
        font = ImageFont.load_default(size_px)
        assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels come with FreeType
        return font


class Fonts:
    """Chooses fonts for texts; used by one thread.

    file: overlay.font, the first choice.  ConfigError where it cannot be used.
    """

    def __init__(self, file: str | None = None) -> None:
        self._opened: dict[bool, list[Face]] = {False: [], True: []}
        self._waiting: dict[bool, Iterator[Path | None]] = {}
        self._warned: set[str] = set()
        if file is not None:
            self._opened = {bold: [_open_own(Path(file), bold)] for bold in (False, True)}

    def runs(self, text: str, *, bold: bool = False) -> list[tuple[str, Face]]:
        """A text cut where the font must change: whole wherever one font has all its glyphs.

        What no font has is drawn as an empty box, and a warning names what to install.
        """
        first = next(self._faces(bold))
        letters = {letter for letter in text if _is_seen(letter)}
        if all(map(first.has, letters)):
            return [(text, first)]
        self._warn_unshaped(text)
        whole = self._face_with(letters, bold)
        if whole is not None:
            return [(text, whole)]
        found = {letter: self._face_with({letter}, bold) for letter in letters}
        self._warn_missing(sorted(letter for letter, face in found.items() if face is None), text)
        faces: list[Face] = []
        for letter in text:
            # Spaces, marks and joiners belong to what stands before them.
            joined = letter not in letters or unicodedata.category(letter)[0] == "M"
            faces.append(faces[-1] if joined and faces else found.get(letter) or first)
        parts = groupby(zip(text, faces, strict=True), key=lambda pair: pair[1])
        return [("".join(letter for letter, _ in part), face) for face, part in parts]

    def _face_with(self, letters: set[str], bold: bool) -> Face | None:
        return next((face for face in self._faces(bold) if all(map(face.has, letters))), None)

    def _faces(self, bold: bool) -> Iterator[Face]:
        """In the order of preference; a file is opened when all before it would not do."""
        yield from self._opened[bold]
        if bold not in self._waiting:
            self._waiting[bold] = iter([*_system_files(bold), None])
        for file in self._waiting[bold]:
            try:
                face = Face(file, bold)
            except OSError:  # broken, or a font of pictures in one size only
                continue
            self._opened[bold].append(face)
            yield face

    def _warn_missing(self, letters: list[str], text: str) -> None:
        for letter in letters:
            script = _script(letter)
            if script not in self._warned:
                self._warned.add(script)
                log.warning(
                    "no font here has the %s character %r of %r: boxes are drawn instead; install "
                    "a font (Debian: %s) or name one in overlay.font",
                    script, letter, text, _package(script),
                )  # fmt: skip

    def _warn_unshaped(self, text: str) -> None:
        from PIL import features

        joins = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
        joins = joins or any(unicodedata.category(letter) == "Mc" for letter in text)
        if joins and "raqm" not in self._warned and not features.check("raqm"):
            self._warned.add("raqm")
            log.warning(
                "the letters of %r cannot be joined and ordered as they should: FriBidi is "
                "missing (Debian: libfribidi0)", text,
            )  # fmt: skip


def _open_own(file: Path, bold: bool) -> Face:
    try:
        file.open("rb").close()  # FreeType does not say why it cannot open one
        return Face(file, bold)
    except OSError as error:
        why = error.strerror if error.errno else f"it is no scalable font ({error})"
        raise ConfigError(
            f"overlay.font: {file} cannot be used: {why}; expected a TrueType or OpenType file, "
            "or null for one of the system's"
        ) from None


def _system_files(bold: bool) -> list[Path]:
    """Font files of the usual folders: those that read well first, the far-fetched last."""
    files: dict[str, Path] = {}
    for folder in FOLDERS:
        for root, _, names in os.walk(Path(folder).expanduser()):
            for name in names:
                if name.lower().endswith((".ttf", ".otf", ".ttc")):
                    files.setdefault(name, Path(root, name))
    preferred = [pair[bold] for pair in _PREFERRED if pair[bold] in files]
    others = [name for name in files if name not in preferred and not _slants(name)]
    others.sort(key=lambda name: (_strangeness(name, bold), name))
    return [files[name] for name in preferred + others]


def _slants(name: str) -> bool:
    return any(word in name.lower() for word in ("italic", "oblique"))


def _strangeness(name: str, bold: bool) -> int:
    late = sum(word in name.lower() for word in _LATE)
    return 2 * late + (("bold" in name.lower()) != bold)


def _is_seen(letter: str) -> bool:
    """Not a space, a control or format character, or a variation selector: those need no glyph."""
    if "\ufe00" <= letter <= "\ufe0f":
        return False
    return not letter.isspace() and unicodedata.category(letter) not in ("Cc", "Cf")


def _script(letter: str) -> str:
    """The writing system as Unicode's character names begin with it: CJK, DEVANAGARI, emoji."""
    if letter >= _FIRST_EMOJI and unicodedata.category(letter)[0] == "S":
        return "emoji"
    return unicodedata.name(letter, "unassigned").split()[0]


def _package(script: str) -> str:
    if script == "emoji":
        return "fonts-symbola"
    return "fonts-noto-cjk" if script in _CJK else "fonts-noto-core"
