"""Labels that change a few times a second."""

from edge_vision.render.figures import SteadyLabels
from edge_vision.render.label import Part

FRAME_NS = 33_333_333


def _seen(frames: int, ids: list[int], label: str = "cat") -> dict[int, list[int]]:
    """For each id the frame of which its figures were, in every one of so many frames."""
    labels, seen = SteadyLabels(), {track_id: [] for track_id in ids}  # type: ignore[var-annotated]
    for frame in range(frames):
        labels.begin()
        for track_id in ids:
            parts = labels.of(
                track_id, label, frame * FRAME_NS, lambda f=frame: (Part(str(f), "figure"),)
            )
            seen[track_id].append(int(parts[0].text))
    return seen


def test_figures_change_five_times_a_second() -> None:
    of = _seen(90, [4])[4]
    assert of[0] == 0
    assert 14 <= len(set(of)) <= 16
    assert max(frame - told for frame, told in enumerate(of)) <= 6


def test_they_do_not_all_change_in_one_picture() -> None:
    seen = _seen(60, list(range(1, 13)))
    changes = [sum(of[frame] == frame for of in seen.values()) for frame in range(1, 60)]
    assert max(changes) <= 4


def test_what_nobody_follows_is_always_new() -> None:
    assert _seen(10, [0])[0] == list(range(10))


def test_another_class_is_told_at_once() -> None:
    labels = SteadyLabels()
    for number, label in enumerate(("cat", "dog", "dog")):
        labels.begin()
        parts = labels.of(1, label, 0, lambda n=number: (Part(str(n), "figure"),))
        assert parts[0].text == str(min(number, 1))


def test_who_is_gone_is_forgotten() -> None:
    labels = SteadyLabels()
    for number in range(1, 400):
        labels.begin()
        labels.of(number, "cat", number, lambda: ())
    assert len(labels._now) + len(labels._before) == 2


def test_time_that_jumps_back_makes_new_ones() -> None:
    labels = SteadyLabels()
    for number, at_ns in enumerate((10**10, 10**9)):
        labels.begin()
        assert labels.of(1, "cat", at_ns, lambda n=number: (Part(str(n), "figure"),))[
            0
        ].text == str(number)
