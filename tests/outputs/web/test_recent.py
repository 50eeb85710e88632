"""The history of the last minutes."""

import tracemalloc

from edge_vision.outputs.web.recent import STEPS, Recent

S = 1_000_000_000
START = 1000 * S


def test_the_most_at_once_in_each_step() -> None:
    recent = Recent(START)
    recent.add(["cat", "dog", "cat"], START)
    recent.add(["cat"], START + S)
    recent.add(["dog"], START + 2 * S)
    assert recent.shape(START + 5 * S) == {
        "step_s": 2.0,
        "age_s": [5.0, 3.0, 1.0],
        "classes": {"cat": [2, 0, 0], "dog": [1, 1, 0]},
    }


def test_before_anything() -> None:
    assert Recent(START).shape(START) == {"step_s": 2.0, "age_s": [0.0], "classes": {}}


def test_what_is_too_old_goes() -> None:
    recent = Recent(START)
    recent.add(["cat"], START)
    recent.add(["dog"], START + 2 * S)
    end = START + 2 * S * (STEPS - 1)
    full = recent.shape(end)
    assert len(full["age_s"]) == STEPS
    assert full["age_s"][0] == 598.0
    assert (full["classes"]["cat"][0], full["classes"]["dog"][1]) == (1, 1)
    later = recent.shape(end + 2 * S)
    assert len(later["age_s"]) == STEPS
    assert set(later["classes"]) == {"dog"}
    assert later["classes"]["dog"][0] == 1
    assert recent.shape(end + 4 * S)["classes"] == {}


def test_a_long_silence_leaves_nothing_behind() -> None:
    recent = Recent(START)
    for at_s in range(0, 600, 2):
        recent.add(["cat"], START + at_s * S)
    late = START + 86_400 * S
    recent.add(["dog"], late)
    shape = recent.shape(late)
    assert shape["classes"] == {"dog": [0] * (STEPS - 1) + [1]}


def test_a_late_scene_counts_now_and_breaks_nothing() -> None:
    recent = Recent(START)
    recent.add(["cat"], START + 10 * S)
    recent.add(["dog"], START)
    assert recent.shape(START + 10 * S)["classes"] == {"cat": [0] * 5 + [1], "dog": [0] * 5 + [1]}


def test_its_memory_is_bounded() -> None:
    recent = Recent(START)
    tracemalloc.start()
    try:
        for step in range(3000):
            recent.add([f"class {step % 500}"] * 70_000 if step == 7 else [f"class {step % 500}"],
                       START + step * S)  # fmt: skip
        held_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes < 60_000
    classes = recent.shape(START + 3000 * S)["classes"]
    assert len(classes) == 32
    assert "class 499" in classes


def test_a_count_fits() -> None:
    recent = Recent(START)
    recent.add(["cat"] * 70_000, START)
    assert recent.shape(START)["classes"] == {"cat": [65_535]}
