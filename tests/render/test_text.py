"""Text as masks, and the bounded cache that keeps it."""

import numpy as np
import pytest

from edge_vision.render.text import (
    PictureCache,
    fitted,
    inked,
    line_height_px,
    margin_px,
    number_picture,
    text_mask,
)


@pytest.fixture
def cache() -> PictureCache:
    return PictureCache()


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("cap_px", [7, 9, 15, 20, 83])
def test_capitals_have_the_height_asked_for(cache: PictureCache, cap_px: int, bold: bool) -> None:
    mask = text_mask(cache, "H", cap_px, bold=bold)
    rows = np.flatnonzero(mask.max(axis=1) > 100)
    assert mask.shape[0] == line_height_px(cap_px)
    assert abs(int(rows[0]) - margin_px(cap_px)) <= 1 + cap_px // 20
    assert abs(int(rows[-1]) + 1 - margin_px(cap_px) - cap_px) <= 1 + cap_px // 20


@pytest.mark.parametrize("cap_px", [7, 15, 40])
def test_nothing_is_cut_off(cache: PictureCache, cap_px: int) -> None:
    """Letters with tails and brackets end inside the mask, on all four sides."""
    mask = text_mask(cache, "(gjpqy)|H", cap_px, bold=True)
    assert mask[0].max() < 80
    assert mask[-1].max() < 80
    wider = text_mask(cache, " (gjpqy)|H ", cap_px, bold=True)  # the same ink, more room
    assert mask.sum(dtype=int) == pytest.approx(wider.sum(dtype=int), rel=0.04)


def test_wider_text_is_wider(cache: PictureCache) -> None:
    widths = [text_mask(cache, text, 12).shape[1] for text in ("i", "cat", "traffic", "cat 93 %")]
    assert widths == sorted(widths)
    assert text_mask(cache, "0", 12).shape == text_mask(cache, "1", 12).shape  # no jitter


def test_what_is_not_ascii_becomes_a_question_mark(cache: PictureCache) -> None:
    assert np.array_equal(text_mask(cache, "a\u00e9\n", 12), text_mask(cache, "a??", 12))


def test_no_text_has_no_ink(cache: PictureCache) -> None:
    assert text_mask(cache, "", 12).max() == 0


def test_number_is_made_of_its_digits(cache: PictureCache) -> None:
    picture = number_picture(cache, "41.3", 12, (0, 0, 0), (255, 255, 255))
    digits = [text_mask(cache, letter, 12) for letter in "41.3"]
    assert np.array_equal(picture[:, :, 1], np.concatenate(digits, axis=1))


def test_ink_and_ground(cache: PictureCache) -> None:
    mask = np.array([[0, 255, 128]], np.uint8)
    assert inked(mask, (0, 10, 20), (255, 110, 220)).tolist() == [
        [[0, 10, 20], [255, 110, 220], [128, 60, 120]]
    ]


def test_long_text_is_cut_to_its_room(cache: PictureCache) -> None:
    text = "camera lost: /dev/video0 stopped delivering; trying again in 4 s"
    for room in (40, 90, 200, 300):
        cut = fitted(cache, text, 10, room)
        assert cut.endswith("...")
        assert text.startswith(cut.removesuffix("..."))
        assert text_mask(cache, cut, 10).shape[1] <= room
    assert fitted(cache, text, 10, 5000) == text
    assert fitted(cache, text, 10, 3) == ""


def test_the_cache_keeps_what_is_used_and_stays_bounded() -> None:
    cache = PictureCache(max_bytes=1000)
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
    cache = PictureCache(max_bytes=10)
    assert cache.get("big", lambda: np.ones(100, np.uint8)).sum() == 100
    cache.get("next", lambda: np.ones(5, np.uint8))
    assert cache.bytes == 5
