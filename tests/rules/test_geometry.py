"""Depths and sides against the definition, worked out the slow way."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge_vision.config_watch import wrong_polygon
from edge_vision.rules.geometry import ON_THE_EDGE, Places

SQUARE = [(0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)]
ONE = np.ones((1, 2))


def depth(zone: list[tuple[float, float]], x: float, y: float, size: tuple[float, float]) -> float:
    places = Places({"other": [(0.9, 0.9), (1.0, 0.9), (1.0, 1.0)], "z": zone}, {})
    return float(places.depths(np.array([[x, y]]), np.array([size]))[0, 1])


@pytest.mark.parametrize(
    ("x", "y", "deep"),
    [(0.4, 0.4, 0.2), (0.3, 0.4, 0.1), (0.1, 0.4, -0.1), (0.9, 1.0, -0.5), (0.2, 0.4, 0.0)],
)
def test_depth_in_a_square(x: float, y: float, deep: float) -> None:
    assert depth(SQUARE, x, y, (1.0, 1.0)) == pytest.approx(deep, abs=1e-9)


def test_depth_is_in_box_sizes() -> None:
    assert depth(SQUARE, 0.3, 0.4, (0.1, 0.3)) == pytest.approx(0.2 / 0.3)
    assert depth(SQUARE, 0.3, 0.4, (0.2, 0.1)) == pytest.approx(0.5)


def test_the_picture_s_border_belongs_to_a_zone_that_reaches_it() -> None:
    whole = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    assert all(depth(whole, x, y, (1, 1)) >= -ON_THE_EDGE for x in (0, 0.5, 1) for y in (0, 1))


def test_the_right_hand_is_positive() -> None:
    """Looking up from below, and looking down from above."""
    places = Places({}, {"up": ((0.5, 0.9), (0.5, 0.1)), "down": ((0.5, 0.1), (0.5, 0.9))})
    right_of_picture = places.sides(np.array([[0.7, 0.5]]), np.array([[0.1, 0.5]]))[0]
    assert right_of_picture.tolist() == [pytest.approx(2.0), pytest.approx(-2.0)]


def test_a_way_through_a_line_or_past_its_end() -> None:
    places = Places({}, {"up": ((0.5, 0.9), (0.5, 0.4))})
    assert places.passed(0, (0.4, 0.5), (0.6, 0.6), 0.0)
    assert not places.passed(0, (0.4, 0.2), (0.6, 0.3), 0.0)
    assert not places.passed(0, (0.4, 0.395), (0.6, 0.395), 0.0)
    assert places.passed(0, (0.4, 0.395), (0.6, 0.395), 0.02)
    assert places.passed(0, (0.5, 0.5), (0.5, 0.5), 0.0)  # not from side to side: no matter


def test_nothing_to_measure_from() -> None:
    places = Places({}, {})
    two = np.full((2, 2), 0.5)
    assert places.depths(two, two).shape == places.sides(two, two).shape == (2, 0)


unit = st.floats(0, 1)


@settings(max_examples=100)
@given(st.lists(st.tuples(unit, unit), min_size=3, max_size=8), unit, unit)
def test_any_polygon(points: list[tuple[float, float]], x: float, y: float) -> None:
    """Inside where the edges go round the point; as deep as the nearest one is far."""
    assume(not wrong_polygon(points))
    edges = list(zip(points, [*points[1:], points[0]], strict=True))
    far = min(_far(x, y, a, b) for a, b in edges)
    assume(far > 1e-6)
    turns = sum(
        math.atan2(
            (a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x),
            (a[0] - x) * (b[0] - x) + (a[1] - y) * (b[1] - y),
        )
        for a, b in edges
    )
    wanted = far if abs(turns) > 3 else -far
    assert depth(points, x, y, (1.0, 1.0)) == pytest.approx(wanted, abs=1e-6)


def _far(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    share = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)
    share = min(max(share, 0.0), 1.0)
    return math.hypot(x - a[0] - share * dx, y - a[1] - share * dy)
