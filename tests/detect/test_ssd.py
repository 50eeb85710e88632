"""The decoder against a slow reference in plain Python that anybody can read through."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_vision.detect.ssd import Quantisation, SsdDecoder, suppress
from edge_vision.results import Detections

FUZZ = settings(max_examples=120)
SCALES = (10.0, 10.0, 5.0, 5.0)
REAL = Quantisation(0, 0)
Row = tuple[float, int, int, list[float]]
"""Logit, anchor, channel, corners."""


def _score(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _iou(a: list[float], b: list[float]) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def _corners(code: list[float], anchor: list[float]) -> list[float]:
    """The formulas of the SSD paper, one number at a time, clipped to the picture."""
    cy = code[0] / SCALES[0] * anchor[2] + anchor[0]
    cx = code[1] / SCALES[1] * anchor[3] + anchor[1]
    height = math.exp(min(code[2] / SCALES[2], 10)) * anchor[2]
    width = math.exp(min(code[3] / SCALES[3], 10)) * anchor[3]
    ends = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
    return [min(max(end, 0.0), 1.0) for end in ends]


def _greedy(rows: list[Row], iou: float, most: int) -> list[Row]:
    """Best first; a row is kept when no kept row of its channel overlaps it by more than `iou`."""
    kept: list[Row] = []
    for row in sorted(rows, key=lambda r: (-r[0], r[1], r[2])):
        if all(k[2] != row[2] or _iou(k[3], row[3]) <= iou for k in kept):
            kept.append(row)
    return kept[:most]


def _reference(
    boxes: Any, logits: Any, anchors: Any, least: float, iou: float, most: int, wanted: set[int]
) -> tuple[list[Row], bool]:
    """Rows to expect, and whether some comparison is too close for float32 to decide."""
    rows: list[Row] = []
    for a, line in enumerate(np.asarray(logits, np.float64).tolist()):
        for c, logit in enumerate(line):
            if c in wanted and _score(logit) >= least - 1e-9:
                code = np.asarray(boxes, np.float64)[a].tolist()
                rows.append((logit, a, c, _corners(code, anchors[a].tolist())))
    close = any(
        min(r[3][2] - r[3][0], r[3][3] - r[3][1]) < 1e-5
        or any(q[2] == r[2] and abs(_iou(q[3], r[3]) - iou) < 1e-4 for q in rows)
        for r in rows
    )
    return _greedy(rows, iou, most), close


def _decoder(anchors: Any, channels: int, boxes: Quantisation, logits: Quantisation, **more: Any):  # type: ignore[no-untyped-def]
    settings = {"min_score": 0.4, "nms_iou": 0.6, "max_detections": 50} | more
    ids = np.arange(channels, dtype=np.int32) * 3 + 1
    return SsdDecoder(np.float32(anchors), ids, boxes, logits, box_scales=SCALES, **settings)


def _agree(found: Detections, expected: list[Row]) -> None:
    assert len(found) == len(expected)
    assert found.class_ids.tolist() == [row[2] * 3 + 1 for row in expected]
    np.testing.assert_allclose(found.scores, [_score(row[0]) for row in expected], rtol=1e-5)
    if expected:
        np.testing.assert_allclose(found.boxes, [row[3] for row in expected], atol=2e-6)


@st.composite
def _heads(draw: st.DrawFn) -> dict[str, Any]:
    """Raw heads of a small network: int8, uint8 or float32, few values, so that scores tie."""
    count, channels = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    dtype = draw(st.sampled_from([np.int8, np.uint8, np.float32]))
    near = st.floats(0.125, 0.875, width=16)
    sides = st.floats(0.0625, 0.625, width=16)
    anchors = np.array(
        [[draw(near), draw(near), draw(sides), draw(sides)] for _ in range(count)], np.float32
    )
    if dtype is np.float32:
        quantised = (REAL, REAL)
        codes = draw(hnp.arrays(dtype, (1, count, 4), elements=st.floats(-12, 12, width=32)))
        logits = draw(hnp.arrays(dtype, (1, count, channels), elements=st.floats(-9, 9, width=32)))
    else:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        zero = st.integers(low, high)
        quantised = (
            Quantisation(draw(st.sampled_from([0.03, 0.0625, 0.11])), draw(zero)),
            Quantisation(draw(st.sampled_from([0.02, 0.05, 0.1437])), draw(zero)),
        )
        values = st.integers(low, high)
        codes = draw(hnp.arrays(dtype, (1, count, 4), elements=values))
        logits = draw(hnp.arrays(dtype, (1, count, channels), elements=values))
    return {
        "anchors": anchors, "codes": codes, "logits": logits, "quantised": quantised,
        "min_score": draw(st.sampled_from([0.01, 0.3, 0.5, 0.77, 0.999])),
        "nms_iou": draw(st.sampled_from([0.2, 0.45, 0.6, 1.0])),
        "max_detections": draw(st.sampled_from([1, 3, 50])),
        "wanted": draw(st.none() | st.sets(st.integers(0, channels - 1), max_size=channels)),
    }  # fmt: skip


@FUZZ
@given(_heads())
def test_decoder_agrees_with_the_reference(heads: dict[str, Any]) -> None:
    codes, logits, wanted = heads["codes"], heads["logits"], heads["wanted"]
    channels = logits.shape[2]
    limits = {name: heads[name] for name in ("min_score", "nms_iou", "max_detections")}
    ids = None if wanted is None else frozenset(c * 3 + 1 for c in wanted)
    decoder = _decoder(heads["anchors"], channels, *heads["quantised"], wanted=ids, **limits)
    before = (codes.copy(), logits.copy())
    found = decoder.decode(codes, logits)
    # Whatever comes in: valid (Detections checks itself), best first, no more than asked for.
    assert len(found) <= limits["max_detections"]
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores >= limits["min_score"] - 1e-6).all()
    np.testing.assert_array_equal(codes, before[0])
    np.testing.assert_array_equal(logits, before[1])
    again = decoder.decode(codes, logits)
    np.testing.assert_array_equal(again.boxes, found.boxes)
    assert decoder.nonfinite == 0

    real = [
        (x.astype(np.float64) - q.zero_point) * q.scale if q.scale else x.astype(np.float64)
        for x, q in zip((codes[0], logits[0]), heads["quantised"], strict=True)
    ]
    chosen = set(range(channels)) if wanted is None else wanted
    expected, close = _reference(*real, heads["anchors"], *limits.values(), chosen)
    least_logit = math.log(limits["min_score"] / (1 - limits["min_score"]))
    border = heads["quantised"][1].scale == 0 and (abs(real[1] - least_logit) < 1e-5).any()
    if not close and not border:
        _agree(found, expected)


@FUZZ
@given(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 150), st.just(4)),
               elements=st.floats(0, 1, width=16)),
    st.sampled_from([0.1, 0.5, 0.6, 1.0]),
    st.integers(1, 90),
    st.sampled_from([1, 7, 1000]),
)  # fmt: skip
def test_suppression_agrees_with_the_reference(
    points: Any, iou: float, classes: int, most: int
) -> None:
    corners = np.concatenate([points[:, :2], points[:, :2] + points[:, 2:]], 1).clip(0, 1)
    kinds = np.arange(len(corners)) * 7 % classes
    rows = [(-float(k), k, int(kinds[k]), box) for k, box in enumerate(corners.tolist())]
    same = [(a[3], b[3]) for a in rows for b in rows if a[1] < b[1] and a[2] == b[2]]
    kept = suppress(np.ascontiguousarray(corners.T), kinds, iou, most)
    assert len(kept) <= most
    if not any(iou < 1 and abs(_iou(a, b) - iou) < 1e-9 for a, b in same):
        assert kept.tolist() == [row[1] for row in _greedy(rows, iou, most)]


ANCHORS = [[0.25, 0.25, 0.2, 0.2], [0.75, 0.75, 0.2, 0.2]]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
@pytest.mark.parametrize("min_score", [0.05, 0.37, 0.5, 0.6, 0.9])
@pytest.mark.parametrize("scale", [0.0123, 0.0470, 0.125])
def test_threshold_is_exact_for_every_stored_value(
    dtype: Any, min_score: float, scale: float
) -> None:
    info = np.iinfo(dtype)
    zero_point = (info.min + info.max) // 2
    decoder = _decoder(ANCHORS[:1], 1, REAL, Quantisation(scale, zero_point), min_score=min_score)
    codes = np.zeros((1, 1, 4), np.float32)
    for stored in range(zero_point - 127, zero_point + 128):
        logits = np.array([[[stored]]], dtype)
        score = _score(scale * (stored - zero_point))
        passes = score > min_score or math.isclose(score, min_score, rel_tol=1e-9)
        assert len(decoder.decode(codes, logits)) == passes, (stored, score)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize(
    ("scale", "zero", "count"), [(0.001, 0, 2), (0.03, -100, 2), (0.001, 0, 0)]
)
def test_threshold_outside_what_the_type_can_hold(
    dtype: Any, scale: float, zero: int, count: int
) -> None:
    # Everything passes, or nothing does; neither may wrap around.
    decoder = _decoder(
        ANCHORS, 1, REAL, Quantisation(scale, zero), min_score=0.01 if count else 0.99
    )
    lowest, highest = np.iinfo(dtype).min, np.iinfo(dtype).max
    logits = np.array([[[lowest], [highest]]], dtype)
    assert len(decoder.decode(np.zeros((1, 2, 4), np.float32), logits)) == count


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.float32])
def test_min_score_of_one_finds_nothing(dtype: Any) -> None:
    quantised = REAL if dtype is np.float32 else Quantisation(0.5, 0)
    decoder = _decoder(ANCHORS, 2, REAL, quantised, min_score=1.0)
    logits = np.full((1, 2, 2), 100, dtype)
    assert len(decoder.decode(np.zeros((1, 2, 4), np.float32), logits)) == 0
    assert decoder.nonfinite == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_code_that_is_no_number_is_dropped_and_counted(bad: float, place: int) -> None:
    decoder = _decoder(ANCHORS, 2, REAL, REAL)
    codes = np.zeros((1, 2, 4), np.float32)
    codes[0, 0, place] = bad
    logits = np.full((1, 2, 2), 3, np.float32)
    found = decoder.decode(codes, logits)
    assert found.class_ids.tolist() == [1, 4]
    np.testing.assert_allclose(found.boxes, [[0.65, 0.65, 0.85, 0.85]] * 2, atol=1e-6)
    assert decoder.nonfinite == 1, "one anchor, whatever its number of classes"
    decoder.decode(codes, logits)
    assert decoder.nonfinite == 2
    decoder.decode(codes, np.full((1, 2, 2), -9, np.float32))
    assert decoder.nonfinite == 2, "what is below the threshold is not decoded"


@pytest.mark.parametrize(("bad", "counted"), [(np.nan, 1), (np.inf, 1), (-np.inf, 0)])
@pytest.mark.parametrize("min_score", [0.4, 1.0])
def test_a_logit_that_is_no_number_is_dropped_and_counted(
    bad: float, counted: int, min_score: float
) -> None:
    decoder = _decoder(ANCHORS, 1, REAL, REAL, min_score=min_score)
    logits = np.array([[[bad], [2.0]]], np.float32)
    found = decoder.decode(np.zeros((1, 2, 4), np.float32), logits)
    assert len(found) == (min_score < 1)
    assert decoder.nonfinite == counted


def test_nothing_but_nan_is_empty_and_counted() -> None:
    anchors = np.full((1917, 4), 0.5)
    decoder = _decoder(anchors, 80, REAL, REAL)
    nan = np.full((1, 1917, 80), np.nan, np.float32)
    assert len(decoder.decode(nan[:, :, :4], nan)) == 0
    assert decoder.nonfinite == 1917


def test_huge_finite_codes_give_valid_boxes() -> None:
    decoder = _decoder(ANCHORS, 1, REAL, REAL)
    most = np.finfo(np.float32).max
    codes = np.array([[[0, 0, most, most], [0, 0, -most, -most]]], np.float32)
    found = decoder.decode(codes, np.full((1, 2, 1), 3, np.float32))
    assert found.boxes.tolist() == [[0, 0, 1, 1]]
    codes[0, :, :2] = [[most, -most], [-most, most]]
    assert len(decoder.decode(codes, np.full((1, 2, 1), 3, np.float32))) in (0, 1)


def test_a_box_beside_the_picture_is_no_detection() -> None:
    decoder = _decoder(ANCHORS, 1, REAL, REAL)
    codes = np.array([[[0, -500, 0, 0], [0, 10, 0, 0]]], np.float32)
    found = decoder.decode(codes, np.full((1, 2, 1), 3, np.float32))
    np.testing.assert_allclose(found.boxes, [[0.85, 0.65, 1, 0.85]], atol=1e-6)


def test_ties_go_to_the_lower_anchor_and_channel() -> None:
    decoder = _decoder(ANCHORS * 2, 2, REAL, Quantisation(0.1, 0), nms_iou=0.5)
    logits = np.full((1, 4, 2), 50, np.int8)
    found = decoder.decode(np.zeros((1, 4, 4), np.int8), logits)
    assert found.class_ids.tolist() == [1, 4, 1, 4]
    assert found.boxes[:, 0] == pytest.approx([0.15, 0.15, 0.65, 0.65])


def test_only_wanted_classes_and_none_of_them() -> None:
    logits = np.full((1, 2, 3), 3, np.float32)
    codes = np.zeros((1, 2, 4), np.float32)
    for wanted in ({4}, {1, 7}, set()):
        decoder = _decoder(ANCHORS, 3, REAL, REAL, wanted=frozenset(wanted))
        assert set(decoder.decode(codes, logits).class_ids.tolist()) == wanted


def test_the_best_thousand_enter_suppression() -> None:
    rng = np.random.default_rng(3)
    anchors = np.column_stack([rng.random((1917, 2)), np.full((1917, 2), 0.02)])
    decoder = _decoder(anchors, 80, REAL, REAL, min_score=0.01, max_detections=1000)
    logits = rng.normal(0, 1, (1, 1917, 80)).astype(np.float32)
    found = decoder.decode(np.zeros((1, 1917, 4), np.float32), logits)
    best = np.sort(logits.ravel())[::-1][:1000]
    assert 900 < len(found) <= 1000
    assert found.scores.min() >= _score(best[-1]) - 1e-6
    assert found.scores[0] == pytest.approx(_score(best[0]))
