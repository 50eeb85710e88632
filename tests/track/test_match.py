"""Assignment: against every possible pairing, and against one that is known to be the best."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_vision.track.match import assign, costs, overlaps

GATE = 10.0


def total(cost: NDArray[np.float64], pairs: list[tuple[int, int]]) -> float:
    """What a pairing costs; each row or column left alone where a pair could be costs the gate."""
    return sum(cost[pair] for pair in pairs) - GATE * len(pairs)


def best(cost: NDArray[np.float64]) -> float:
    rows, columns = cost.shape
    if rows > columns:
        return best(cost.T)
    gains = np.minimum(cost - GATE, 0)
    ways = permutations(range(columns), rows)
    return min(sum(gains[i, j] for i, j in enumerate(way)) for way in ways)


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 15), min_size=n, max_size=n), min_size=1, max_size=5
        )
    )
)
def test_no_pairing_is_cheaper(rows: list[list[int]]) -> None:
    cost = np.array(rows, np.float64)
    pairs = assign(cost, GATE)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(cost[pair] < GATE for pair in pairs)
    assert total(cost, pairs) == pytest.approx(best(cost))


@pytest.mark.parametrize(("rows", "columns"), [(80, 80), (50, 90), (90, 50)])
def test_a_large_problem_whose_answer_is_known(rows: int, columns: int) -> None:
    rng = np.random.default_rng(5)
    count = min(rows, columns)
    i, j = rng.permutation(rows)[:count], rng.permutation(columns)[:count]
    # Costs u + v + something, where that is 0 for the pairs: no other pairing can be cheaper.
    # Only the smaller side may have costs of its own, for all of it is paired.
    own = rng.uniform(0, 5, count)
    cost = rng.exponential(1, (rows, columns))
    cost[i, j] = 0
    if rows <= columns:
        cost[i] += own[:, None]
    else:
        cost[:, j] += own
    assert sorted(assign(cost, 1e3)) == sorted(zip(i.tolist(), j.tolist(), strict=True))


def test_nothing_to_assign() -> None:
    assert assign(np.empty((0, 3)), GATE) == []
    assert assign(np.empty((3, 0)), GATE) == []
    assert assign(np.full((3, 3), np.inf), GATE) == []


def test_two_bad_pairs_give_way_to_a_good_one() -> None:
    assert assign(np.array([[1.0, 9.0], [9.0, np.inf]]), GATE) == [(0, 0)]
    assert sorted(assign(np.array([[1.0, 4.0], [4.0, np.inf]]), GATE)) == [(0, 1), (1, 0)]


def test_overlaps() -> None:
    a = np.array([[0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.5, 0.5]])
    b = np.array([[0.2, 0.0, 0.6, 0.4], [0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.5, 0.5]])
    assert overlaps(a, b) == pytest.approx(np.array([[1 / 3, 1, 0], [0, 0, 0]]))
    assert overlaps(a[:0], b).shape == (0, 3)


def test_a_lost_track_does_not_take_what_a_seen_one_expects() -> None:
    expected = np.array([[0.50, 0.5, -1.0, -1.0], [0.52, 0.5, -1.0, -1.0]])
    variance = np.array([[0.04] * 4, [1e-4] * 4])  # the first was lost long ago
    found, noise = np.array([[0.50, 0.5, -1.0, -1.0]]), np.full((1, 4), 1e-4)
    cost = costs(expected, variance, found, noise)
    assert assign(cost, 30.0) == [(1, 0)]
    assert cost[0, 0] < 30  # alone it would have taken it


def test_an_object_does_not_become_another_size() -> None:
    expected = np.array([[0.5, 0.5, -1.0, -1.0]])
    found = expected + np.array([[0.0, 0.0, 1.1, 0.0]])
    assert costs(expected, np.ones((1, 4)), found, np.full((1, 4), 0.05**2))[0, 0] == np.inf
    assert costs(expected, np.ones((1, 4)), found, np.full((1, 4), 0.2**2))[0, 0] < np.inf


def test_what_is_far_off_is_somebody_else_however_wide_the_tails() -> None:
    expected = np.array([[0.3, 0.5, np.log(0.1), np.log(0.2)]])
    found = expected + np.array([[dx, 0.0, 0.0, 0.0] for dx in (0.04, 0.10, 0.20)])
    cost = costs(expected, np.full((1, 4), 1e-4), found, np.full((3, 4), 1e-4))
    assert np.isfinite(cost).tolist() == [[True, True, False]]  # 4 * 0.014 + half of its 0.1
    lost = costs(expected, np.full((1, 4), 1e-2), found, np.full((3, 4), 1e-4))
    assert np.isfinite(lost).all()
