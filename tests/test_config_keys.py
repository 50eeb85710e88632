"""From pydantic's location of an error to the key in the file."""

import pytest

from edge_vision.config_keys import key_path, known, section_at, suggest


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        (("camera", "fps"), ("camera", "fps")),
        (("camera", "size_px", 1), ("camera", "size_px", 1)),
        (("camera", "source", "list[str]", 2), ("camera", "source")),
        (("camera", "pi", "zoom", 1), ("camera", "pi", "zoom", 1)),
        (("model", "threads", "constrained-int"), ("model", "threads")),
        (("model", "delegate_options", "device", "str"), ("model", "delegate_options", "device")),
        (("overlay", "heights_m", "cat", "[key]"), ("overlay", "heights_m", "cat")),
        (("overlay", "sprites", 0, "scale"), ("overlay", "sprites", 0, "scale")),
        (("overlay", "masks", 0, 2, 1), ("overlay", "masks", 0, 2, 1)),
        (("watch", "zones", "yard", 3, 1), ("watch", "zones", "yard", 3, 1)),
        (("watch", "lines", "door", 0), ("watch", "lines", "door", 0)),
        (("watch", "rules", 1, "scor"), ("watch", "rules", 1, "scor")),
        (("what", "ever"), ("what",)),
        ((), ()),
    ],
)
def test_path(loc: tuple[str | int, ...], path: tuple[str | int, ...]) -> None:
    assert key_path(loc) == path


def test_what_is_known() -> None:
    assert known(("camera", "fps"))
    assert known(("watch", "rules", 0, "zone"))
    assert not known(("camera", "fsp"))
    assert not known(("camera", "fps", "x"))
    assert section_at(("watch", "rules", 0)) is not None
    assert section_at(("watch", "zones", "yard")) is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("camra",), "; did you mean camera?"),
        (("fps",), "; did you mean camera.fps?"),
        (("watch", "rules", 0, "zoen"), "; did you mean zone?"),
        (("log", "zzz"), "; known here: level"),
    ],
)
def test_suggestions(path: tuple[str | int, ...], said: str) -> None:
    assert suggest(path) == said
