"""Anchors equal training's at the training size and stay consistent at every other."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_vision.detect.anchors import AnchorSpec, feature_map_sizes, ssd_anchors

SPEC = AnchorSpec()
SIDES = st.integers(96, 640)


def split_levels(spec: AnchorSpec, input_hw_px: tuple[int, int]) -> list[np.ndarray]:
    """Anchors in pixels as one (rows, columns, anchors, 4) array per level."""
    anchors = ssd_anchors(spec, input_hw_px).astype(np.float64) * np.tile(input_hw_px, 2)
    levels = []
    for (rows, columns), count in zip(
        feature_map_sizes(spec, input_hw_px), spec.anchors_per_cell(), strict=True
    ):
        size = rows * columns * count
        levels.append(anchors[:size].reshape(rows, columns, count, 4))
        anchors = anchors[size:]
    assert len(anchors) == 0
    return levels


def training_anchors(map_sizes: list[int]) -> np.ndarray:
    """The training graph's formula, cell by cell, in plain Python: `cy cx h w`."""
    scales = [0.2 + 0.15 * level for level in range(6)] + [1.0]
    rows = []
    for level, cells in enumerate(map_sizes):
        shapes = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
        if level > 0:
            shapes = [(scales[level], ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333)]
            shapes.append((math.sqrt(scales[level] * scales[level + 1]), 1.0))
        for row, column in itertools.product(range(cells), repeat=2):
            for scale, ratio in shapes:
                height, width = scale / math.sqrt(ratio), scale * math.sqrt(ratio)
                rows.append(((row + 0.5) / cells, (column + 0.5) / cells, height, width))
    return np.array(rows)


def test_training_size_gives_the_training_anchors() -> None:
    anchors = ssd_anchors(SPEC, (300, 300))
    assert anchors.shape == (1917, 4)
    assert anchors.dtype == np.float32
    np.testing.assert_allclose(anchors, training_anchors([19, 10, 5, 3, 2, 1]), atol=1e-6)


def test_first_rows_equal_those_stored_in_the_published_graph() -> None:
    # Postprocessor/ExpandDims of ssdlite_mobilenet_v2_coco: ymin xmin ymax xmax.
    stored = [
        (-0.02368421, -0.02368421, 0.07631579, 0.07631579),
        (-0.04439489, -0.11510557, 0.09702647, 0.16773716),
        (-0.11510557, -0.04439489, 0.16773716, 0.09702647),
    ]
    anchors = ssd_anchors(SPEC, (300, 300))[:3]
    corners = np.hstack([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2])
    np.testing.assert_allclose(corners, stored, atol=2e-7)


def test_mobilenet_v1_at_512() -> None:
    spec = AnchorSpec(training_hw_px=(512, 512))
    assert feature_map_sizes(spec, (512, 512)) == [(side, side) for side in (32, 16, 8, 4, 2, 1)]
    anchors = ssd_anchors(spec, (512, 512))
    assert anchors.shape == (5118, 4)
    np.testing.assert_allclose(anchors, training_anchors([32, 16, 8, 4, 2, 1]), atol=1e-6)


@pytest.mark.parametrize(
    ("side_px", "cells"),
    [
        (96, [6, 3, 2, 1, 1, 1]),
        (172, [11, 6, 3, 2, 1, 1]),
        (236, [15, 8, 4, 2, 1, 1]),
        (364, [23, 12, 6, 3, 2, 1]),
        (384, [24, 12, 6, 3, 2, 1]),
    ],
)
def test_feature_map_sizes(side_px: int, cells: list[int]) -> None:
    assert [rows for rows, _ in feature_map_sizes(SPEC, (side_px, 300))] == cells
    assert [columns for _, columns in feature_map_sizes(SPEC, (300, side_px))] == cells


@pytest.mark.parametrize("side_px", [172, 236, 364, 428])
def test_sizes_with_the_padding_of_training_look_at_the_same_pixels(side_px: int) -> None:
    # 300 +- 64 k halve through the same pattern of odd and even down to level 1, so a cell's
    # view starts at the same pixel as in training: the corner cell's anchors do not move.
    trained, other = split_levels(SPEC, (300, 300)), split_levels(SPEC, (side_px, side_px))
    for level in (0, 1):
        np.testing.assert_allclose(other[level][0, 0], trained[level][0, 0], atol=1e-3)
        # Cells are a whole stride apart, less what the learned difference shrinks by.
        step = other[level][1, 0, 0, 0] - other[level][0, 0, 0, 0]
        assert step == pytest.approx(16 * 2**level, rel=0.15)


def test_padding_parity_moves_the_centres_of_other_sizes() -> None:
    # 320 halves evenly four times, so nothing is padded in front: every step moves the view by
    # its jump. 300 -> 150 -> 75 is odd before the third step, which pads in front and moves none.
    even, trained = (split_levels(SPEC, (side, side))[0][0, 0, 0] for side in (320, 300))
    view_320 = 0.5 + 1 + 2 + 4 + 8
    view_300 = 0.5 + 1 + 2 + 0 + 8
    assert even[0] - trained[0] == pytest.approx(view_320 - view_300, abs=1e-3)


@given(height=SIDES, width=SIDES)
def test_any_size(height: int, width: int) -> None:
    anchors = ssd_anchors(SPEC, (height, width))
    sizes = feature_map_sizes(SPEC, (height, width))
    cells = zip(sizes, SPEC.anchors_per_cell(), strict=True)
    assert len(anchors) == sum(rows * columns * count for (rows, columns), count in cells)
    assert np.isfinite(anchors).all()
    for trained, level in zip(
        split_levels(SPEC, (300, 300)), split_levels(SPEC, (height, width)), strict=True
    ):
        assert (np.diff(level[:, 0, 0, 0]) > 0).all()
        assert (np.diff(level[0, :, 0, 1]) > 0).all()
        # Sizes are the training's in pixels, in every cell.
        expected = np.broadcast_to(trained[0, 0, :, 2:], level[..., 2:].shape)
        np.testing.assert_allclose(level[..., 2:], expected, rtol=1e-5)


@given(height=SIDES, width=SIDES)
def test_axes_are_independent_and_alike(height: int, width: int) -> None:
    for upright, square in zip(
        split_levels(SPEC, (height, width)), split_levels(SPEC, (height, height)), strict=True
    ):
        np.testing.assert_allclose(upright[:, 0, 0, 0], square[:, 0, 0, 0], atol=1e-2)
    swapped = split_levels(SPEC, (width, height))
    for level, other in zip(split_levels(SPEC, (height, width)), swapped, strict=True):
        np.testing.assert_allclose(level[:, 0, 0, 0], other[0, :, 0, 1], atol=1e-2)


def test_level_offsets_move_and_stretch_one_level_only() -> None:
    offsets = [(0.0, 0.0, 0.0, 0.0)] * 5 + [(-18.2, 9.1, math.log(2), 0.0)]
    plain = ssd_anchors(SPEC, (364, 364))
    moved = ssd_anchors(SPEC, (364, 364), offsets)
    np.testing.assert_array_equal(moved[:-6], plain[:-6])
    np.testing.assert_allclose(moved[-6:, 0] - plain[-6:, 0], -0.05, atol=1e-6)
    np.testing.assert_allclose(moved[-6:, 1] - plain[-6:, 1], 0.025, atol=1e-6)
    np.testing.assert_allclose(moved[-6:, 2] / plain[-6:, 2], 2.0, rtol=1e-6)
    np.testing.assert_array_equal(moved[-6:, 3], plain[-6:, 3])


@pytest.mark.parametrize("input_hw_px", [(95, 300), (300, 95), (0, 0), (-300, 300)])
def test_small_inputs_are_refused(input_hw_px: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 96"):
        ssd_anchors(SPEC, input_hw_px)
    with pytest.raises(ValueError, match="at least 96"):
        feature_map_sizes(SPEC, input_hw_px)


@pytest.mark.parametrize(
    "offsets", [[(0.0, 0.0, 0.0, 0.0)] * 5, [(math.nan, 0.0, 0.0, 0.0)] * 6, []]
)
def test_malformed_level_offsets_are_refused(offsets: list[tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match="6 rows of four finite numbers"):
        ssd_anchors(SPEC, (300, 300), offsets)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"training_hw_px": (0, 300)},
        {"min_scale": 0.9, "max_scale": 0.2},
        {"aspect_ratios": ()},
        {"aspect_ratios": (1.0, -2.0)},
        {"downsampling_steps": (5, 4)},
        {"downsampling_steps": ()},
        {"stride": 0},
    ],
)
def test_impossible_specs_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"expected|must be"):
        AnchorSpec(**fields)  # type: ignore[arg-type]
