"""The output that throws away."""

from collections.abc import Callable

from edge_vision.outputs.base import Picture
from edge_vision.outputs.null import NullOutput


def test_it_counts(picture: Callable[..., Picture]) -> None:
    output = NullOutput()
    output.offer(picture())
    assert output.count == 0
    output.start()
    assert [output.offer(picture(number)) for number in range(5)] == [True] * 5
    assert output.count == 5
    assert output.wants == "pictures"
