"""Measure how far boxes of each level sit off at sizes the network was not trained at.

The coarse levels have a few cells only, whose view is mostly padding, and sit off by a constant
that no geometry tells. For each size: the median offset of boxes from the ground truth they
match, per level, and whether it helps on images it was not fitted on (repeated split-half
cross-validation). Prints what belongs into write_manifest.LEVEL_OFFSETS.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from evaluate import (
    FloatArray,
    Model,
    RawOutputs,
    Settings,
    analytic_anchors,
    average_precision,
    decode_boxes,
    load_dataset,
    load_model,
    run_dataset,
)
from pycocotools.coco import COCO

from edge_vision.detect.anchors import LevelOffset, feature_map_sizes, ssd_anchors

SIZES_HW_PX = [(172, 172), (236, 236), (236, 300), (364, 364)]
FIRST_MEASURED_LEVEL = 3  # levels 0-2 are within a pixel at every size
MIN_SCORE = 0.15
MIN_IOU = 0.3
MIN_MATCHES = 30
SPLITS = 8
MIN_GAIN = 0.001

Matches = dict[int, list[npt.NDArray[np.float64]]]  # level -> rows (dy_px, dx_px, dlog_h, dlog_w)


def main() -> None:
    """Command line: print offsets per size and what cross-validation says of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="the models/ folder")
    parser.add_argument("--name", default="ssdlite_mobilenet_v2_coco", help="manifest entry")
    parser.add_argument("--data", type=Path, required=True, help="holds train2017/ and its json")
    options = parser.parse_args()
    model = load_model(options.models / "manifest.yaml", options.name)
    truth, files = load_dataset(options.data)
    for input_hw_px in SIZES_HW_PX:
        raw = run_dataset(model, input_hw_px, files)
        matches = {key: match_image(model, truth, key, raw[key], input_hw_px) for key in raw}
        offsets = fit(model, matches, list(raw))
        without, with_offsets = cross_validate(model, truth, raw, matches, input_hw_px)
        verdict = "keep" if with_offsets - without >= MIN_GAIN else "drop"
        print(
            f"{input_hw_px[0]}x{input_hw_px[1]}: other half's mAP {without:.4f} -> "
            f"{with_offsets:.4f}: {verdict}"
        )
        for offset in offsets:
            print("   ", tuple(round(value, 2) for value in offset))


def match_image(
    model: Model, truth: COCO, image_id: int, raw: RawOutputs, input_hw_px: tuple[int, int]
) -> Matches:
    """Offsets of the ground truth from every confident box that overlaps it, by level."""
    anchors = analytic_anchors(model, input_hw_px)
    image = truth.imgs[image_id]
    levels = np.repeat(
        np.arange(len(model.anchor_spec.downsampling_steps)),
        [
            rows * columns * count
            for (rows, columns), count in zip(
                feature_map_sizes(model.anchor_spec, input_hw_px),
                model.anchor_spec.anchors_per_cell(),
                strict=True,
            )
        ],
    )
    confident = raw.logits >= np.log(MIN_SCORE / (1 - MIN_SCORE))
    matches: Matches = {}
    for annotation in truth.imgToAnns[image_id]:
        x, y, width, height = annotation["bbox"]
        side = np.array([image["height"], image["width"]])
        target_centre = np.array([y + height / 2, x + width / 2]) / side
        target_size = np.array([height, width]) / side
        class_index = int(np.flatnonzero(model.coco_ids == annotation["category_id"])[0])
        for row in np.flatnonzero(confident[:, class_index]):
            # Not clipped to the image: that would pull the centres of edge boxes inwards.
            box = decode_boxes(raw.coded[row : row + 1], anchors[row : row + 1])[0]
            centre = np.array([box[1] + box[3], box[0] + box[2]]) / 2
            size = np.array([box[3] - box[1], box[2] - box[0]])
            if size.min() <= 0 or overlap(centre, size, target_centre, target_size) < MIN_IOU:
                continue
            shift_px = (target_centre - centre) * input_hw_px
            offset = np.concatenate([shift_px, np.log(target_size / size)])
            matches.setdefault(int(levels[row]), []).append(offset)
    return matches


def overlap(
    centre: FloatArray, size: FloatArray, other_centre: FloatArray, other_size: FloatArray
) -> float:
    """Intersection over union of two boxes given by centre and size."""
    low = np.maximum(centre - size / 2, other_centre - other_size / 2)
    high = np.minimum(centre + size / 2, other_centre + other_size / 2)
    common = float(np.clip(high - low, 0, None).prod())
    return common / (float(size.prod() + other_size.prod()) - common)


def fit(model: Model, matches: dict[int, Matches], image_ids: list[int]) -> list[LevelOffset]:
    """Median offset per level over `image_ids`; zero where there is too little to go by."""
    offsets: list[LevelOffset] = []
    for level in range(len(model.anchor_spec.downsampling_steps)):
        rows = [row for key in image_ids for row in matches[key].get(level, [])]
        if level < FIRST_MEASURED_LEVEL or len(rows) < MIN_MATCHES:
            offsets.append((0.0, 0.0, 0.0, 0.0))
        else:
            dy_px, dx_px, dlog_h, dlog_w = np.median(rows, axis=0).tolist()
            offsets.append((dy_px, dx_px, dlog_h, dlog_w))
    return offsets


def cross_validate(
    model: Model,
    truth: COCO,
    raw: dict[int, RawOutputs],
    matches: dict[int, Matches],
    input_hw_px: tuple[int, int],
) -> tuple[float, float]:
    """Mean mAP without and with offsets, each half judged with the other half's offsets."""
    random = np.random.default_rng(0)
    plain = analytic_anchors(model, input_hw_px)
    without, with_offsets = [], []
    for _ in range(SPLITS):
        shuffled = random.permutation(list(raw)).tolist()
        middle = len(shuffled) // 2
        halves = shuffled[:middle], shuffled[middle:]
        for fitted, judged in (halves, halves[::-1]):
            offsets = fit(model, matches, fitted)
            moved = ssd_anchors(model.anchor_spec, input_hw_px, offsets)
            outputs = {key: raw[key] for key in judged}
            without.append(average_precision(truth, outputs, model, plain, Settings())[0])
            with_offsets.append(average_precision(truth, outputs, model, moved, Settings())[0])
    return float(np.mean(without)), float(np.mean(with_offsets))


if __name__ == "__main__":
    main()
