"""SSD anchors for any input size from weights trained at one size.

An SSD network is fully convolutional, so it runs at any height and width. Its anchors are what
ties it to the training size, because a convolution works in pixels:

1. **Sizes.** An object of s pixels excites the same cells at every input size, so anchors keep
   their size in pixels; relative to the input they change by `training size / input size`.
2. **Centres.** A SAME convolution with stride pads by an amount that depends on its input size,
   which moves the place a cell looks at. During training the network learned box offsets against
   the nominal centre `(i + 0.5) / n`, not against that place. The difference of the two at the
   training size is kept at every other size.

Derivation of the centres, along one axis. A SAME convolution of kernel k and stride s over n cells
gives m = ceil(n / s) cells and pads p = max(s (m - 1) + k - n, 0), `p // 2` of it in front (the
TensorFlow definition of SAME). Output cell i therefore looks at input index
`s i + (k - 1) / 2 - p // 2`. Chained from the image to a level, with index j of the image lying
at j + 0.5 pixels, this gives

    centre(i) = jump * i + offset           (pixels)

Training placed the anchors at `(i + 0.5) * T / n_T` (T the training side, n_T its cells) and the
network learned to make up for the difference

    d(i) = centre_T(i) - (i + 0.5) * T / n_T

which runs from one border to the other. At another size the anchors are at `centre(i) - d`, d
being interpolated at the relative position i / (n - 1).

At the training size both corrections vanish and the anchors are those of the TensorFlow object
detection API (`multiple_grid_anchor_generator`, `create_ssd_anchors`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MIN_INPUT_PX = 96

LevelOffset = tuple[float, float, float, float]
"""(dy_px, dx_px, dlog_h, dlog_w): added to the centre and to the log size of a level's anchors."""

_Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnchorSpec:
    """How a model's anchors were laid out when it was trained.

    Attributes:
        training_hw_px: input height and width during training, pixels.
        min_scale: anchor scale of the finest level, relative to the shorter training side.
        max_scale: anchor scale of the coarsest level.
        aspect_ratios: width / height of the anchors of a cell. Every level also gets a square
            anchor of the scale halfway (geometric mean) to the next level. The last one is
            0.3333, not 1/3, because that is what the published training configurations say.
        reduced_lowest: the finest level has 3 anchors only: a square of scale 0.1, then aspect
            ratios 2 and 1/2 at `min_scale`.
        downsampling_steps: per level, finest first, how many strided convolutions lie between
            the input and the level's feature map. The defaults fit SSD on MobileNet v1 and v2.
        kernel_px: side of the strided convolutions' kernels; SAME padding.
        stride: their stride.
    """

    training_hw_px: tuple[int, int] = (300, 300)
    min_scale: float = 0.2
    max_scale: float = 0.95
    aspect_ratios: tuple[float, ...] = (1.0, 2.0, 0.5, 3.0, 0.3333)
    reduced_lowest: bool = True
    downsampling_steps: tuple[int, ...] = (4, 5, 6, 7, 8, 9)
    kernel_px: int = 3
    stride: int = 2

    def __post_init__(self) -> None:
        """Check the fields; raises ValueError."""
        if min(self.training_hw_px) < MIN_INPUT_PX:
            raise ValueError(
                f"training_hw_px is {self.training_hw_px}, at least {MIN_INPUT_PX} expected"
            )
        if not 0.0 < self.min_scale <= self.max_scale:
            raise ValueError(
                f"anchor scales run from {self.min_scale} to {self.max_scale}; "
                "expected 0 < min_scale <= max_scale"
            )
        if not self.aspect_ratios or min(self.aspect_ratios) <= 0.0:
            raise ValueError(f"aspect_ratios are {self.aspect_ratios}, expected positive numbers")
        steps = self.downsampling_steps
        if not steps or min(steps) < 1 or list(steps) != sorted(set(steps)):
            raise ValueError(f"downsampling_steps are {steps}, expected rising counts from 1 up")
        if self.kernel_px < 1 or self.stride < 1:
            raise ValueError(
                f"kernel_px {self.kernel_px} and stride {self.stride} must be 1 or more"
            )

    def anchors_per_cell(self) -> list[int]:
        """Number of anchors in each cell, per level, finest first."""
        full = len(self.aspect_ratios) + 1
        first = 3 if self.reduced_lowest else full
        return [first] + [full] * (len(self.downsampling_steps) - 1)


def feature_map_sizes(spec: AnchorSpec, input_hw_px: tuple[int, int]) -> list[tuple[int, int]]:
    """Rows and columns of each level's feature map, finest level first.

    A SAME convolution of stride s turns n into ceil(n / s).

    Raises:
        ValueError: a side of `input_hw_px` (height, width) is shorter than 96 pixels.
    """
    _check_input_size(input_hw_px)
    rows = [axis.cells for axis in _feature_axes(spec, input_hw_px[0])]
    columns = [axis.cells for axis in _feature_axes(spec, input_hw_px[1])]
    return list(zip(rows, columns, strict=True))


def ssd_anchors(
    spec: AnchorSpec,
    input_hw_px: tuple[int, int],
    level_offsets: Sequence[LevelOffset] | None = None,
) -> npt.NDArray[np.float32]:
    """Anchors of an SSD network run at `input_hw_px`, whatever size it was trained at.

    The module's docstring derives the two corrections; at the training size they vanish.

    Args:
        spec: the layout of the anchors in training.
        input_hw_px: height and width of the network's input in pixels, each at least 96.
        level_offsets: optional correction per level, finest first, measured at this input size:
            (dy_px, dx_px, dlog_h, dlog_w), pixels of the network's input and natural logarithms
            of a size ratio.

    Returns:
        float32 (N, 4), rows `cy cx h w` relative to the input (1.0 is its whole height or width;
        anchors may reach beyond it). Order: level, row, column, anchor of the cell, which is the
        order of the network's outputs.

    Raises:
        ValueError: a side is shorter than 96 pixels, or `level_offsets` has not one row of four
            finite numbers per level.
    """
    _check_input_size(input_hw_px)
    levels = len(spec.downsampling_steps)
    offsets = np.zeros((levels, 4)) if level_offsets is None else np.asarray(level_offsets)
    if offsets.shape != (levels, 4) or not np.isfinite(offsets).all():
        raise ValueError(
            f"level_offsets has shape {offsets.shape}; expected {levels} rows of four finite "
            "numbers (dy_px, dx_px, dlog_h, dlog_w)"
        )
    centres_y = _anchor_centres(spec, input_hw_px[0], spec.training_hw_px[0])
    centres_x = _anchor_centres(spec, input_hw_px[1], spec.training_hw_px[1])
    parts = [
        _level_anchors(y + offset[0], x + offset[1], sizes * np.exp(offset[2:]))
        for y, x, sizes, offset in zip(
            centres_y, centres_x, _anchor_sizes(spec), offsets, strict=True
        )
    ]
    anchors = np.concatenate(parts) / np.tile(np.asarray(input_hw_px, np.float64), 2)
    return anchors.astype(np.float32)


@dataclass(frozen=True, slots=True)
class _FeatureAxis:
    """One axis of a feature map: cell i looks at pixel `jump_px * i + offset_px`."""

    cells: int
    jump_px: int
    offset_px: float

    def centres(self) -> _Float64Array:
        return self.jump_px * np.arange(self.cells, dtype=np.float64) + self.offset_px


def _check_input_size(input_hw_px: tuple[int, int]) -> None:
    if min(input_hw_px) < MIN_INPUT_PX:
        raise ValueError(
            f"input size is {input_hw_px[0]}x{input_hw_px[1]} (height x width) pixels; "
            f"each side must be at least {MIN_INPUT_PX}, smaller inputs are mostly padding"
        )


def _feature_axes(spec: AnchorSpec, input_px: int) -> list[_FeatureAxis]:
    """Walk the strided convolutions along one axis; the axis of every level's feature map."""
    cells, jump, offset = input_px, 1, 0.5
    axes = [_FeatureAxis(cells, jump, offset)]
    for _ in range(spec.downsampling_steps[-1]):
        reduced = math.ceil(cells / spec.stride)
        padding = max(spec.stride * (reduced - 1) + spec.kernel_px - cells, 0)
        offset += jump * ((spec.kernel_px - 1) / 2 - padding // 2)
        cells, jump = reduced, jump * spec.stride
        axes.append(_FeatureAxis(cells, jump, offset))
    return [axes[steps] for steps in spec.downsampling_steps]


def _anchor_centres(spec: AnchorSpec, input_px: int, training_px: int) -> list[_Float64Array]:
    """Anchor centres along one axis in pixels of the input, one array per level."""
    centres = []
    for axis, trained in zip(
        _feature_axes(spec, input_px), _feature_axes(spec, training_px), strict=True
    ):
        nominal = (np.arange(trained.cells) + 0.5) * training_px / trained.cells
        learned = trained.centres() - nominal
        here, there = _relative_positions(axis.cells), _relative_positions(trained.cells)
        centres.append(axis.centres() - np.interp(here, there, learned))
    return centres


def _relative_positions(cells: int) -> _Float64Array:
    """0 at the first cell, 1 at the last; a single cell is in the middle."""
    return np.arange(cells) / (cells - 1) if cells > 1 else np.array([0.5])


def _anchor_sizes(spec: AnchorSpec) -> list[_Float64Array]:
    """Per level: (anchors of a cell, 2) heights and widths in pixels.

    Liu et al. 2016, "SSD", section 2.2: scales evenly spaced between min_scale and max_scale,
    width and height `scale * sqrt(ratio)` and `scale / sqrt(ratio)`. The order within a cell is
    the TensorFlow object detection API's: the extra square last.
    """
    levels = len(spec.downsampling_steps)
    scales = [*np.linspace(spec.min_scale, spec.max_scale, levels).tolist(), 1.0]
    shorter_px = min(spec.training_hw_px)
    sizes = []
    for level in range(levels):
        scale, next_scale = scales[level], scales[level + 1]
        if level == 0 and spec.reduced_lowest:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            shapes = [(scale, ratio) for ratio in spec.aspect_ratios]
            shapes.append((math.sqrt(scale * next_scale), 1.0))
        relative = [(size / math.sqrt(ratio), size * math.sqrt(ratio)) for size, ratio in shapes]
        sizes.append(np.array(relative) * shorter_px)
    return sizes


def _level_anchors(
    centres_y: _Float64Array, centres_x: _Float64Array, sizes: _Float64Array
) -> _Float64Array:
    """(rows * columns * anchors, 4) of `cy cx h w` in pixels: every size at every cell."""
    anchors = np.empty((len(centres_y), len(centres_x), len(sizes), 4))
    anchors[..., 0] = centres_y[:, None, None]
    anchors[..., 1] = centres_x[None, :, None]
    anchors[..., 2:] = sizes
    return anchors.reshape(-1, 4)
