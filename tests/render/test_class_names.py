"""Classes that the configuration names."""

import logging

import pytest

from edge_vision.errors import ConfigError
from edge_vision.render.class_names import class_ids, warn_of_unknown

LABELS = {1: "person", 17: "cat", 18: "dog", 90: "cat"}


def test_every_id_of_a_label() -> None:
    assert class_ids("overlay.blur", "person", LABELS) == {1}
    assert class_ids("overlay.blur", "cat", LABELS) == {17, 90}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Person", "did you mean person?"),
        ("cats", "did you mean cat?"),
        ("face", "it knows: person, cat, dog"),
        ("", "it knows: person, cat, dog"),
    ],
)
def test_an_unknown_one_is_refused_with_what_there_is(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        class_ids("overlay.sprites.2.label", name, LABELS)
    assert str(caught.value) == (
        f"overlay.sprites.2.label names {name}, which this model does not know; {hint}"
    )


def test_one_warning_for_all_names_that_are_no_class(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of_unknown("overlay.colours", ["cat", "persn", "class 7", "lorry"], LABELS)
    assert [record.getMessage() for record in caplog.records] == [
        "overlay.colours names lorry, persn (did you mean person?), which this model does not know"
    ]


def test_no_warning_of_what_is_known(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_unknown("overlay.colours", ["cat", "dog"], LABELS)
    warn_of_unknown("overlay.colours", [], {})
    assert caplog.records == []
