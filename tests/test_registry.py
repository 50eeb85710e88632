"""Tables of names: imported on choice, and a wrong name lists the right ones."""

import sys

import pytest

from edge_vision.errors import ConfigError
from edge_vision.registry import load

TABLE = {"usb": "colorsys:rgb_to_hsv", "clip": "fractions:Fraction", "broken": "no_such_pkg:X"}


def test_gives_the_object_itself() -> None:
    from fractions import Fraction

    assert load(TABLE, "clip", "camera") is Fraction


def test_imports_only_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    load(TABLE, "clip", "camera")
    assert "colorsys" not in sys.modules
    assert load(TABLE, "usb", "camera")(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)
    assert "colorsys" in sys.modules


@pytest.mark.parametrize("name", ["ubs", "", "USB", "usb:"])
def test_a_wrong_name_lists_the_right_ones(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(TABLE, name, "camera")
    said = str(caught.value)
    assert said == f"there is no camera named {name!r}; there are: broken, clip, usb"
    assert caught.value.__suppress_context__


def test_a_part_that_cannot_be_imported_says_so_itself() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_pkg"):
        load(TABLE, "broken", "camera")
