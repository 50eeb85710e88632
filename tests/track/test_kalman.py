"""The filter of box motion: against the textbook's matrices, and what it believes of its errors."""

import numpy as np
import pytest

from edge_vision.track.kalman import (
    ACCELERATION,
    FIRST_SPEED,
    BoxFilter,
    camera_shift,
    to_boxes,
    to_state,
)

ALL = np.array([0])
NOT_CLIPPED = np.zeros((1, 2))
SURE = np.zeros((1, 4))
STRONG, WEAK = np.array([True]), np.array([False])


def box_filter(box: tuple[float, ...], variance: float = 1e-4) -> BoxFilter:
    boxes = BoxFilter()
    boxes.add(to_state(np.array([box])), np.full((1, 4), variance), np.zeros((1, 4)))
    return boxes


def test_state_and_boxes_are_inverse() -> None:
    boxes = np.array([[0.1, 0.2, 0.5, 0.9], [-0.2, 0.0, 0.1, 1.3]])
    assert to_boxes(to_state(boxes)) == pytest.approx(boxes, abs=1e-12)
    assert to_state(boxes)[0, :2] == pytest.approx([0.3, 0.55])


def test_a_box_without_area_is_finite() -> None:
    state = to_state(np.array([[0.5, 0.5, 0.5, 0.5]], np.float32))
    assert np.isfinite(state).all()
    assert to_boxes(state)[0] == pytest.approx([0.4995, 0.4995, 0.5005, 0.5005])


def test_it_is_the_textbook_filter() -> None:
    """x of one box, with the matrices of Bar-Shalom et al."""
    rng = np.random.default_rng(3)
    boxes = box_filter((0.1, 0.2, 0.3, 0.6))
    x = np.array([0.2, 0.0])
    cov = np.diag([1e-4, FIRST_SPEED[0] ** 2])
    for _ in range(30):
        dt, noise = rng.uniform(0.05, 0.6), rng.uniform(1e-5, 1e-3)
        move = np.array([[1, dt], [0, 1]])
        drive = ACCELERATION[0] * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        x, cov = move @ x, move @ cov @ move.T + drive
        seen = x[0] + rng.uniform(-1, 1) * np.sqrt(cov[0, 0] + noise)
        gain = cov[:, 0] / (cov[0, 0] + noise)
        x, cov = x + gain * (seen - x[0]), cov - np.outer(gain, cov[0])

        boxes.predict(ALL, dt, None)
        measured = boxes.position.copy()
        measured[0, 0] = seen
        boxes.correct(ALL, measured, np.full((1, 4), noise), NOT_CLIPPED, SURE, WEAK)
        assert boxes.position[0, 0] == pytest.approx(x[0], abs=1e-9)
        assert boxes.velocity[0, 0] == pytest.approx(x[1], abs=1e-9)
        assert boxes.variance[0, 0] == pytest.approx(cov[0, 0], abs=1e-9)


def test_two_steps_are_one() -> None:
    once, twice = box_filter((0.1, 0.2, 0.3, 0.6)), box_filter((0.1, 0.2, 0.3, 0.6))
    once.predict(ALL, 0.4, None)
    twice.predict(ALL, 0.3, None)
    twice.predict(ALL, 0.1, None)
    assert once.variance[0, :2] == pytest.approx(twice.variance[0, :2])


def test_a_camera_that_pans_moves_boxes_and_leaves_their_own_velocity() -> None:
    boxes = box_filter((0.4, 0.4, 0.6, 0.6))
    pan = np.array([[0.05, -0.01, 0.0, 0.0]])
    boxes.predict(ALL, 0.1, pan)
    assert boxes.position[0, :2] == pytest.approx([0.55, 0.49])
    assert boxes.velocity[0, :2] == pytest.approx([0.5, -0.1])
    boxes.predict(ALL, 0.1, None)  # nobody looked: as before
    assert boxes.position[0, :2] == pytest.approx([0.60, 0.48])
    boxes.predict(ALL, 0.1, np.zeros((1, 4)))  # the camera stands
    assert boxes.position[0, :2] == pytest.approx([0.60, 0.48])
    assert boxes.velocity[0] == pytest.approx(np.zeros(4))


def test_camera_shift_is_that_of_the_matrix() -> None:
    motion = np.array([[1.1, 0.0, -0.02], [0.0, 1.1, 0.03]])
    box = np.array([[0.2, 0.4, 0.6, 0.8]])
    shift = camera_shift(motion, to_state(box))
    corners = np.concatenate((box[0].reshape(2, 2), np.ones((2, 1))), axis=1) @ motion.T
    assert to_boxes(to_state(box) + shift)[0] == pytest.approx(corners.ravel())


def test_a_seen_path_moves_the_box_and_measures_its_velocity() -> None:
    boxes = box_filter((0.4, 0.4, 0.6, 0.6))
    path, variance = np.array([[0.06, -0.02, 0.01, 0.01]]), np.full((1, 4), 1e-6)
    before = boxes.variance.copy()
    boxes.follow(ALL, 0.2, path, variance, None)
    assert boxes.position[0, :2] == pytest.approx([0.56, 0.48])
    assert boxes.velocity[0, :2] == pytest.approx([0.3, -0.1], rel=0.1)
    # A path that was seen costs far less certainty than a guess.
    guessed = box_filter((0.4, 0.4, 0.6, 0.6))
    guessed.predict(ALL, 0.2, None)
    assert (boxes.variance > before).all()
    assert (boxes.variance[0, :2] < guessed.variance[0, :2] / 10).all()


def test_at_the_border_the_free_edge_is_what_counts() -> None:
    boxes = box_filter((0.1, 0.2, 0.3, 0.6), 1e-2)
    # Half gone to the left: the detector sees 0..0.1.
    seen = to_state(np.array([[0.0, 0.2, 0.1, 0.6]]))
    variance = np.array([[1e-9, 1e-9, 1e6, 1e-9]])
    boxes.correct(ALL, seen, variance, np.array([[-1.0, 0.0]]), SURE, WEAK)
    assert to_boxes(boxes.position)[0] == pytest.approx([-0.1, 0.2, 0.1, 0.6], abs=1e-4)


def test_where_it_is_in_doubt_it_takes_what_is_measured_and_learns_no_velocity() -> None:
    boxes = box_filter((0.4, 0.4, 0.6, 0.6), 1e-6)
    boxes.predict(ALL, 0.1, None)
    doubt = np.array([[0.0, 0.0, 1.0, 1e-9]])
    before = boxes.position.copy()
    boxes.correct(ALL, before + 0.1, np.full((1, 4), 0.01), NOT_CLIPPED, doubt, WEAK)
    assert (boxes.velocity[0, :2] > 0.01).all()
    assert (boxes.velocity[0, 2:] == 0).all()
    grown = boxes.position - before
    assert grown[0, 2] == pytest.approx(0.1, rel=0.02)
    assert grown[0, 3] < 0.01


def contradicted(off: tuple[float, float, float, float], strong: bool, path: bool) -> BoxFilter:
    """A box that was sure to stand still for 0.1 s, and one measurement that says otherwise."""
    boxes = box_filter((0.4, 0.4, 0.6, 0.6), 1e-6)
    for _ in range(20):  # until it is sure of that
        boxes.predict(ALL, 0.1, None)
        still = to_state(np.array([[0.4, 0.4, 0.6, 0.6]]))
        boxes.correct(ALL, still, np.full((1, 4), 1e-6), NOT_CLIPPED, SURE, WEAK)
    if path:
        boxes.follow(ALL, 0.1, np.zeros((1, 4)), np.full((1, 4), 1e-8), None)
    else:
        boxes.predict(ALL, 0.1, None)
    measured = boxes.position + off
    boxes.correct(ALL, measured, np.full((1, 4), 4e-4), NOT_CLIPPED, SURE, np.array([strong]))
    return boxes


def test_a_strong_measurement_far_off_is_believed_at_once() -> None:
    weak = contradicted((0.2, 0, 0, 0), strong=False, path=False)
    assert weak.position[0, 0] < 0.53
    strong = contradicted((0.2, 0, 0, 0), strong=True, path=False)
    assert strong.position[0, 0] == pytest.approx(0.7, abs=0.005)
    assert strong.position[0, 1:] == pytest.approx(weak.position[0, 1:])
    assert strong.velocity[0, 0] == pytest.approx(0.2 / 0.1, rel=0.05)  # it has started to move


def test_a_path_that_is_contradicted_was_not_the_objects_but_its_speed_stays() -> None:
    boxes = contradicted((0.2, 0, 0, 0), strong=True, path=True)
    assert boxes.position[0, 0] == pytest.approx(0.7, abs=0.005)
    assert abs(boxes.velocity[0, 0]) < 0.05


def test_what_comes_into_sight_has_not_moved() -> None:
    boxes = contradicted((0, 0.2, 0, 0.7), strong=True, path=False)
    assert boxes.position[0, [1, 3]] == pytest.approx([0.7, np.log(0.2) + 0.7], abs=0.01)
    assert abs(boxes.velocity[0, 1]) < 0.05
    assert abs(boxes.velocity[0, 3]) < 0.05


def test_a_velocity_that_may_be_noise_is_taken_for_less() -> None:
    new = box_filter((0.4, 0.4, 0.6, 0.6))
    assert (new.likely_velocity == 0).all()
    unsure = contradicted((0.0, 0.0, 0, 0), strong=False, path=False)
    fast = contradicted((0.2, 0, 0, 0), strong=True, path=False)
    assert 0.8 < fast.likely_velocity[0, 0] / fast.velocity[0, 0] < 0.99
    unsure.predict(ALL, 0.1, np.array([[0.03, 0.0, 0.0, 0.0]]))
    assert unsure.likely_velocity[0, 0] == pytest.approx(0.3, abs=0.01)  # the camera's is all kept


def test_keep_forgets_the_others() -> None:
    boxes = BoxFilter()
    state = to_state(np.array([[0.0, 0.0, 0.1 * i, 0.1] for i in range(1, 5)]))
    boxes.add(state, np.full((4, 4), 1e-4), np.zeros((4, 4)))
    boxes.keep(np.array([1, 3]))
    assert len(boxes) == 2
    assert boxes.position == pytest.approx(state[[1, 3]])


def test_it_knows_how_wrong_it_is() -> None:
    """Squared errors over the variance it gives average to 1, for motion as it assumes it."""
    rng = np.random.default_rng(0)
    count, dt, noise = 2000, 0.1, 1e-4
    rows = np.arange(count)
    x, v = np.full(count, 0.5), rng.normal(0, FIRST_SPEED[0], count)
    boxes = BoxFilter()
    state = np.tile(to_state(np.array([[0.4, 0.4, 0.6, 0.6]])), (count, 1))
    state[:, 0] = x + rng.normal(0, np.sqrt(noise), count)
    boxes.add(state, np.full((count, 4), noise), np.zeros((count, 4)))
    weak = np.zeros(count, np.bool_)
    for _ in range(10):
        pushes = rng.multivariate_normal(
            [0, 0], ACCELERATION[0] * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]]), count
        )
        x, v = x + v * dt + pushes[:, 0], v + pushes[:, 1]
        boxes.predict(rows, dt, None)
        state[:, 0] = x + rng.normal(0, np.sqrt(noise), count)
        measure = np.full((count, 4), noise)
        boxes.correct(rows, state, measure, np.zeros((count, 2)), np.zeros((count, 4)), weak)
    ratio = (boxes.position[:, 0] - x) ** 2 / boxes.variance[:, 0]
    assert 0.9 < ratio.mean() < 1.1


@pytest.mark.parametrize("dt_s", [1e-9, 60.0])
def test_it_stays_finite(dt_s: float) -> None:
    boxes = box_filter((0.0, 0.0, 1.0, 1.0))
    for _ in range(50):
        boxes.predict(ALL, dt_s, np.full((1, 4), 0.4))
        boxes.follow(ALL, dt_s, np.full((1, 4), 5.0), np.zeros((1, 4)), np.full((1, 4), -3.0))
    assert np.isfinite(to_boxes(boxes.position)).all()
    assert np.isfinite(boxes.velocity).all()
    assert (boxes.variance >= 0).all()
