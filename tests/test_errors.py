"""The exception tree: the drawing in errors.py is the truth, and the classes are held to it."""

import inspect
import re

import pytest

from edge_vision import errors
from edge_vision.errors import EdgeVisionError

_LINE = re.compile(r"^    ([│ ]*)(?:[├└]── )?([A-Z]\w+)\s+exit (\d+)", re.MULTILINE)


def _drawn() -> dict[str, tuple[str, int]]:
    """Name -> (name of the base, exit code), read off the drawing in the module's docstring."""
    rows: dict[str, tuple[str, int]] = {}
    above: list[str] = ["Exception"]
    for match in _LINE.finditer(errors.__doc__ or ""):
        indent = match.start(2) - match.start(1)
        depth = indent // 4 + 1
        del above[depth:]
        rows[match[2]] = (above[-1], int(match[3]))
        above.append(match[2])
    return rows


def _classes() -> dict[str, type[EdgeVisionError]]:
    return {
        name: value
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if value.__module__ == errors.__name__
    }


def test_drawing_and_classes_agree() -> None:
    defined = {
        name: (value.__bases__[0].__name__, value.exit_code) for name, value in _classes().items()
    }
    assert _drawn() == defined
    assert len(defined) == 12


@pytest.mark.parametrize("error", _classes().values())
def test_each_is_an_edge_vision_error_with_one_base(error: type[EdgeVisionError]) -> None:
    assert len(error.__bases__) == 1
    assert issubclass(error, EdgeVisionError)
    assert str(error("a sentence")) == "a sentence"


@pytest.mark.parametrize("error", _classes().values())
def test_exit_codes_are_those_of_sysexits(error: type[EdgeVisionError]) -> None:
    # 64..78 of sysexits.h; never 0 (success), 1 (a traceback) or 2 (wrong usage).
    assert 64 <= error.exit_code <= 78


def test_catching_a_camera_error_catches_every_kind_of_it() -> None:
    kinds = [c for c in _classes().values() if c.__name__.startswith(("Camera", "Source"))]
    assert len(kinds) == 5
    assert all(issubclass(kind, errors.CameraError) for kind in kinds)
    assert not issubclass(errors.OutputError, errors.CameraError)
