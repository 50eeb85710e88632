"""Fonts: the one asked for, the system's, Pillow's own; what is said where glyphs are missing."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import features

from edge_vision.errors import ConfigError
from edge_vision.render import fonts
from edge_vision.render.fonts import Face, Fonts, line_height_px

DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
CJK = Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the only one with fonts."""
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    return tmp_path


def _link(folder: Path, file: Path, name: str = "") -> None:
    if not file.exists():
        pytest.skip(f"{file} is not there (Debian: fonts-dejavu-core, fonts-droid-fallback)")
    (folder / (name or file.name)).symlink_to(file)


def test_without_any_font_there_is_pillows_own(folder: Path) -> None:
    [(text, face)] = Fonts().runs("traffic light 93%")
    assert text == "traffic light 93%"
    for cap_px in (7, 15):
        mask = face.draw(text, cap_px)
        assert mask.shape[0] == line_height_px(cap_px)
        assert mask.max() > 150
    bold = Fonts().runs("H", bold=True)[0][1].draw("H", 20)
    rows = np.flatnonzero(bold.max(axis=1) > 100)
    assert len(rows) == pytest.approx(20, abs=1)
    assert bold.mean() > 1.2 * face.draw("H", 20).mean()


def test_a_font_of_the_system_comes_first(folder: Path) -> None:
    _link(folder, DEJAVU / "DejaVuSerif.ttf", "AFirst.ttf")
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    [(_, face)] = Fonts().runs("cat")
    expected = Face(DEJAVU / "DejaVuSans.ttf", bold=False).draw("cat", 15)
    assert np.array_equal(face.draw("cat", 15), expected)


def test_overlay_font_comes_before_the_system(folder: Path) -> None:
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    _link(folder, DEJAVU / "DejaVuSerif.ttf", "own.otf")
    for bold in (False, True):
        [(_, face)] = Fonts(str(folder / "own.otf")).runs("cat", bold=bold)
        serif = Face(DEJAVU / "DejaVuSerif.ttf", bold=bold).draw("cat", 15)
        assert np.array_equal(face.draw("cat", 15), serif)


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"", "no scalable font"), (b"no font at all" * 99, "no scalable")],
)
def test_a_font_that_cannot_be_used_is_refused(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "own.ttf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        ConfigError, match=rf"overlay\.font: .*own.ttf cannot be used: .*{why}"
    ) as it:
        Fonts(str(file))
    assert "expected a TrueType or OpenType file" in str(it.value)
    assert "\n" not in str(it.value)


def test_a_folder_is_no_font(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"overlay\.font: .* Is a directory"):
        Fonts(str(tmp_path))


def test_a_broken_font_of_the_system_is_passed_over(folder: Path) -> None:
    (folder / "NotoSans-Regular.ttf").write_bytes(b"broken" * 100)
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    [(_, face)] = Fonts().runs("é")
    assert face.has("é")


def test_a_text_takes_the_first_font_that_has_all_of_it(folder: Path) -> None:
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    _link(folder, CJK)
    chosen = Fonts()
    [(_, latin)] = chosen.runs("cat")
    [(_, chinese)] = chosen.runs("\u4ea4\u901a\u706f")
    assert chinese is not latin
    assert chinese.draw("\u4ea4", 15).max() > 150
    # No font has both: each part its own, spaces with what stands before them.
    parts = chosen.runs("\u732b (cat)")
    assert parts == [("\u732b ", chinese), ("(cat)", latin)]


def test_what_no_font_has_is_said_once_a_script(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    chosen = Fonts()
    with caplog.at_level(logging.WARNING):
        for text in ("\u732b", "\u4eba \u732b", "\u0936\u093f", "\ud55c", "\U0001faa5"):
            for _ in range(3):
                parts = chosen.runs(text)
                assert "".join(part for part, _ in parts) == text
                assert parts[0][1].draw(text, 15).max() > 100  # boxes, not nothing
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4
    for message, (script, package) in zip(
        said,
        [("CJK", "fonts-noto-cjk"), ("DEVANAGARI", "fonts-noto-core"),
         ("HANGUL", "fonts-noto-cjk"), ("emoji", "fonts-symbola")],
        strict=True,
    ):  # fmt: skip
        assert f"no font here has the {script} character" in message
        assert package in message


@pytest.mark.skipif(not features.check("raqm"), reason="FriBidi is not there")
def test_arabic_letters_are_joined(folder: Path) -> None:
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    [(text, face)] = Fonts().runs("\u0634\u062e\u0635")
    joined = face.draw(text, 20).shape[1]
    assert joined < sum(face.draw(letter, 20).shape[1] for letter in text)


def test_letters_that_cannot_be_joined_are_told_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(features, "check", lambda name: False)
    chosen = Fonts()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            chosen.runs("cat")
            chosen.runs("\u0634\u062e\u0635")
    assert sum("libfribidi0" in record.getMessage() for record in caplog.records) == 1


def test_marks_and_joiners_need_no_glyph(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    with caplog.at_level(logging.WARNING):
        assert len(Fonts().runs("\u2764\ufe0f \u200dcat\u00a0x")) == 1
    assert not caplog.records


def test_a_face_draws_high_scripts_smaller(folder: Path) -> None:
    _link(folder, DEJAVU / "DejaVuSans.ttf")
    [(_, face)] = Fonts().runs("x")
    high = "X" + "\u0302" * 6  # circumflexes upon each other
    mask = face.draw(high, 15)
    assert mask.shape[0] == line_height_px(15)
    assert mask[0].max() < 130
