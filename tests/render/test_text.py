"""Text as masks, and the bounded cache that keeps it."""

import numpy as np
import pytest

from edge_vision.render.text import (
    Letters,
    PictureCache,
    inked,
    line_height_px,
    margin_px,
    premultiplied,
)


@pytest.fixture(scope="module")
def letters() -> Letters:
    return Letters()


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("cap_px", [7, 9, 15, 20, 83])
def test_capitals_have_the_height_asked_for(letters: Letters, cap_px: int, bold: bool) -> None:
    mask = letters.mask("H", cap_px, bold=bold)
    rows = np.flatnonzero(mask.max(axis=1) > 100)
    assert mask.dtype == np.uint8
    assert mask.shape[0] == line_height_px(cap_px)
    assert abs(int(rows[0]) - margin_px(cap_px)) <= 1 + cap_px // 20
    assert abs(int(rows[-1]) + 1 - margin_px(cap_px) - cap_px) <= 1 + cap_px // 20


@pytest.mark.parametrize("text", ["(gjpqy)|H", "ÅŘỂj", "Жщ", "شخص"])
@pytest.mark.parametrize("cap_px", [7, 15, 40])
def test_nothing_is_cut_off(letters: Letters, cap_px: int, text: str) -> None:
    """Letters with tails, marks and brackets end inside the mask, on all four sides."""
    mask = letters.mask(text, cap_px, bold=True)
    assert mask[0].max() < 130
    assert mask[-1].max() < 130
    wider = letters.mask(f" {text} ", cap_px, bold=True)  # the same ink, more room
    assert mask.sum(dtype=int) == pytest.approx(wider.sum(dtype=int), rel=0.04)


def test_wider_text_is_wider(letters: Letters) -> None:
    widths = [letters.mask(text, 12).shape[1] for text in ("i", "cat", "traffic", "cat 93 %")]
    assert widths == sorted(widths)


def test_bold_is_bolder(letters: Letters) -> None:
    regular, bold = (letters.mask("HIL", 20, bold=bold).mean() for bold in (False, True))
    assert bold > 1.15 * regular


@pytest.mark.parametrize("text", ["a\n\tb", "a\x00\x1bb", "a\ud800\udfffb"])
def test_control_characters_become_question_marks(letters: Letters, text: str) -> None:
    assert np.array_equal(letters.mask(text, 12), letters.mask("a??b", 12))


def test_no_text_has_no_ink(letters: Letters) -> None:
    assert letters.mask("", 12).shape == (line_height_px(12), 1)
    assert letters.mask("", 12).max() == 0
    assert letters.figures("", 12).max() == 0


def test_a_monstrous_text_is_cut(letters: Letters) -> None:
    assert letters.mask("i" * 10**6, 12).shape[1] < 40_000


def test_figures_are_made_of_their_letters(letters: Letters) -> None:
    picture = letters.figures("41.3", 12)
    one, dot = letters.figures("1", 12), letters.mask(".", 12)
    assert picture.shape[1] == 3 * one.shape[1] + dot.shape[1]
    assert np.array_equal(picture[:, one.shape[1] : 2 * one.shape[1]], one)


def test_figures_do_not_tremble(letters: Letters) -> None:
    for cap_px in (7, 11, 15):
        widths = {letters.figures(digit, cap_px).shape[1] for digit in "0123456789"}
        assert len(widths) == 1


def test_ink_and_ground() -> None:
    mask = np.array([[0, 255, 128]], np.uint8)
    assert inked(mask, (0, 10, 20), (255, 110, 220)).tolist() == [
        [[0, 10, 20], [255, 110, 220], [128, 60, 120]]
    ]


def test_premultiplied() -> None:
    picture = np.full((1, 3, 3), 200, np.uint8)
    alpha = np.array([[0, 255, 51]], np.uint8)
    assert premultiplied(picture, alpha)[0, :, 0].tolist() == [0, 200, 40]


def test_long_text_is_cut_to_its_room(letters: Letters) -> None:
    text = "camera lost: /dev/video0 stopped delivering; trying again in 4 s"
    for room in (40, 90, 200, 300):
        cut = letters.fitted(text, 10, room)
        assert cut.endswith("...")
        assert text.startswith(cut.removesuffix("..."))
        assert letters.mask(cut, 10).shape[1] <= room
    assert letters.fitted(text, 10, 5000) == text
    assert letters.fitted(text, 10, 3) == ""


def test_the_cache_keeps_what_is_used_and_stays_bounded() -> None:
    cache: PictureCache[np.ndarray] = PictureCache(max_bytes=1000)
    made: list[int] = []

    def get(key: int) -> None:
        cache.get(key, lambda: made.append(key) or np.zeros(300, np.uint8))

    for key in (1, 2, 3, 1, 4):  # 4 pushes out 2, the one not used for longest
        get(key)
    assert cache.bytes <= 1000
    made.clear()
    for key in (1, 3, 4):
        get(key)
    assert made == []
    get(2)
    assert made == [2]


def test_what_is_larger_than_the_cache_is_still_given() -> None:
    cache: PictureCache[np.ndarray] = PictureCache(max_bytes=10)
    assert cache.get("big", lambda: np.ones(100, np.uint8)).sum() == 100
    cache.get("next", lambda: np.ones(5, np.uint8))
    assert cache.bytes == 5
