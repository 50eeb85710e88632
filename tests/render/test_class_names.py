"""Classes that the configuration names."""

import pytest

from edge_vision.errors import ConfigError
from edge_vision.render.class_names import class_ids

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
