"""COCO accuracy of a raw-head SSD TFLite file at several input sizes.

A plain reference decoder on purpose: nothing is tuned for speed, so the product's decoder can be
checked against it (`--product`).
"""

import argparse
import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from ai_edge_litert.interpreter import Interpreter
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from edge_vision.detect.anchors import AnchorSpec, LevelOffset, feature_map_sizes, ssd_anchors

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Settings:
    """How detections are made from the network's outputs."""

    min_score: float = 0.05
    nms_iou: float = 0.6
    max_detections: int = 100


@dataclass(frozen=True, slots=True)
class Model:
    """One manifest entry, its file and its labels."""

    name: str
    file: Path
    anchor_spec: AnchorSpec
    coco_ids: npt.NDArray[np.int64]
    level_offsets: dict[str, list[LevelOffset]]
    sizes: dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class RawOutputs:
    """Dequantised outputs for one image: `coded` (N, 4) `ty tx th tw`, `logits` (N, classes)."""

    coded: FloatArray
    logits: FloatArray


def load_model(manifest: Path, name: str, file: Path | None = None) -> Model:
    """Read entry `name` of the manifest; `file` replaces the entry's TFLite file."""
    entries = {entry["name"]: entry for entry in yaml.safe_load(manifest.read_text())["models"]}
    entry = entries[name]
    anchors = {k: tuple(v) if isinstance(v, list) else v for k, v in entry["anchors"].items()}
    labels = (manifest.parent / entry["labels"]).read_text(encoding="utf-8").splitlines()
    return Model(
        name,
        file or manifest.parent / entry["file"],
        AnchorSpec(**anchors),
        np.array([int(line.split(maxsplit=1)[0]) for line in labels]),
        {size: [tuple(row) for row in rows] for size, rows in entry["level_offsets"].items()},
        {size: (hw[0], hw[1]) for size, hw in entry["sizes"].items()},
    )


class Runner:
    """The interpreter at one input size."""

    def __init__(self, file: Path, input_hw_px: tuple[int, int]) -> None:
        self._interpreter = Interpreter(str(file), num_threads=2)
        self._input = self._interpreter.get_input_details()[0]
        self._interpreter.resize_tensor_input(self._input["index"], (1, *input_hw_px, 3))
        self._interpreter.allocate_tensors()
        outputs = self._interpreter.get_output_details()
        # The outputs' order depends on the converter; the last dimension tells them apart.
        self._boxes = next(output for output in outputs if output["shape"][-1] == 4)
        self._logits = next(output for output in outputs if output["shape"][-1] != 4)
        self._input_hw_px = input_hw_px

    def run(self, image_bgr: npt.NDArray[np.uint8]) -> RawOutputs:
        """Stretch the image to the input size and run the network."""
        size = (self._input_hw_px[1], self._input_hw_px[0])
        stretched = cv2.resize(image_bgr, size)
        rgb = cv2.cvtColor(stretched, cv2.COLOR_BGR2RGB)
        if self._input["dtype"] == np.float32:
            rgb = rgb.astype(np.float32) / 127.5 - 1.0
        self._interpreter.set_tensor(self._input["index"], rgb[np.newaxis])
        self._interpreter.invoke()
        return RawOutputs(self._dequantised(self._boxes), self._dequantised(self._logits))

    def _dequantised(self, output: dict[str, Any]) -> FloatArray:
        values = self._interpreter.get_tensor(output["index"])[0].astype(np.float32)
        scale, zero_point = output["quantization"]
        return (values - zero_point) * scale if scale else values


def corrected_anchors(model: Model, input_hw_px: tuple[int, int]) -> FloatArray:
    """Anchors `cy cx h w` (N, 4) as the product uses them, with measured level offsets."""
    offsets = model.level_offsets.get(f"{input_hw_px[0]}x{input_hw_px[1]}")
    return ssd_anchors(model.anchor_spec, input_hw_px, offsets)


def analytic_anchors(model: Model, input_hw_px: tuple[int, int]) -> FloatArray:
    """Anchors (N, 4) without the measured level offsets."""
    return ssd_anchors(model.anchor_spec, input_hw_px)


def naive_anchors(model: Model, input_hw_px: tuple[int, int]) -> FloatArray:
    """Anchors with cells spread evenly and no receptive field correction, for comparison.

    Centres at `(i + 0.5) / n`, sizes still in training pixels.
    """
    anchors = ssd_anchors(model.anchor_spec, input_hw_px)
    per_cell = model.anchor_spec.anchors_per_cell()
    start = 0
    for (rows, columns), count in zip(
        feature_map_sizes(model.anchor_spec, input_hw_px), per_cell, strict=True
    ):
        cells = anchors[start : start + rows * columns * count].reshape(rows, columns, count, 4)
        cells[..., 0] = ((np.arange(rows) + 0.5) / rows)[:, None, None]
        cells[..., 1] = ((np.arange(columns) + 0.5) / columns)[None, :, None]
        start += rows * columns * count
    return anchors


ANCHORS = {
    "corrected": corrected_anchors,
    "analytic": analytic_anchors,
    "naive": naive_anchors,
}


def decode_boxes(coded: FloatArray, anchors: FloatArray) -> FloatArray:
    """Boxes `x0 y0 x1 y1` relative to the image, not clipped to it, from `ty tx th tw` and anchors.

    Faster R-CNN coding (Ren et al. 2015, equation 2) with the detection API's scales 10 and 5.
    """
    cy, cx = (coded[:, axis] / 10 * anchors[:, axis + 2] + anchors[:, axis] for axis in (0, 1))
    h, w = (np.exp(coded[:, axis] / 5) * anchors[:, axis] for axis in (2, 3))
    return np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)


def suppress(boxes: FloatArray, scores: FloatArray, nms_iou: float) -> npt.NDArray[np.int64]:
    """Greedy non-maximum suppression of one class; indices kept, best score first."""
    order = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    kept: list[int] = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(int(best))
        top_left = np.maximum(boxes[best, :2], boxes[order, :2])
        bottom_right = np.minimum(boxes[best, 2:], boxes[order, 2:])
        overlap = np.clip(bottom_right - top_left, 0.0, None).prod(axis=1)
        union = areas[best] + areas[order] - overlap
        order = order[overlap <= nms_iou * union]
    return np.array(kept, np.int64)


def detections(
    raw: RawOutputs, anchors: FloatArray, settings: Settings
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """Boxes `x0 y0 x1 y1` (M, 4), scores (M,), class indices (M,), best score first."""
    scores = 1.0 / (1.0 + np.exp(-raw.logits))
    rows, classes = np.nonzero(scores >= settings.min_score)
    found = scores[rows, classes]
    boxes = np.clip(decode_boxes(raw.coded[rows], anchors[rows]), 0.0, 1.0)
    kept: list[int] = []
    for class_index in np.unique(classes):
        members = np.flatnonzero(classes == class_index)
        kept += members[suppress(boxes[members], found[members], settings.nms_iou)].tolist()
    best = np.array(sorted(kept, key=lambda index: -found[index])[: settings.max_detections], int)
    return boxes[best], found[best], classes[best]


def load_dataset(data: Path) -> tuple[COCO, dict[int, Path]]:
    """COCO annotations and image files of `data`, which holds train2017/ and train2017.json."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(data / "train2017.json"))
    files = {key: data / "train2017" / image["file_name"] for key, image in truth.imgs.items()}
    return truth, files


def run_dataset(
    model: Model, input_hw_px: tuple[int, int], files: dict[int, Path]
) -> dict[int, RawOutputs]:
    """The network's outputs for every image."""
    runner = Runner(model.file, input_hw_px)
    return {key: runner.run(cv2.imread(str(file))) for key, file in files.items()}


def average_precision(
    truth: COCO, raw: dict[int, RawOutputs], model: Model, anchors: FloatArray, settings: Settings
) -> npt.NDArray[np.float64]:
    """mAP, AP50, AP75, AP small, AP medium, AP large, as COCO defines them, over `raw`'s images."""
    results = []
    for image_id, outputs in raw.items():
        boxes, scores, classes = detections(outputs, anchors, settings)
        image = truth.imgs[image_id]
        image_hw_px = image["height"], image["width"]
        results += coco_results(image_id, image_hw_px, boxes, scores, model.coco_ids[classes])
    return coco_stats(truth, results, list(raw))


def coco_results(
    image_id: int,
    image_hw_px: tuple[int, int],
    boxes: FloatArray,
    scores: FloatArray,
    coco_ids: npt.NDArray[np.integer[Any]],
) -> list[dict[str, Any]]:
    """One image's detections in COCO's result format; `boxes` are normalised `x0 y0 x1 y1`."""
    height, width = image_hw_px
    pixels = boxes * np.array([width, height, width, height])
    sides = pixels[:, 2:] - pixels[:, :2]
    return [
        {"image_id": image_id, "category_id": int(coco_id), "bbox": bbox, "score": float(score)}
        for coco_id, bbox, score in zip(
            coco_ids, np.hstack([pixels[:, :2], sides]).tolist(), scores, strict=True
        )
    ]


def coco_stats(
    truth: COCO, results: list[dict[str, Any]], image_ids: list[int]
) -> npt.NDArray[np.float64]:
    """The first six numbers of the COCO summary for `results` on `image_ids`."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.params.imgIds = image_ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.asarray(evaluation.stats[:6])


def product_results(
    model: Model, input_hw_px: tuple[int, int], settings: Settings, files: dict[int, Path]
) -> list[dict[str, Any]]:
    """COCO results of the product's own detector, with its own resize and decoder."""
    from edge_vision.config import ModelConfig
    from edge_vision.detect.detector import SsdDetector
    from edge_vision.detect.zoo import find_model

    config = ModelConfig(
        input_hw_px=input_hw_px,
        min_score=settings.min_score,
        nms_iou=settings.nms_iou,
        max_detections=settings.max_detections,
    )
    detector = SsdDetector(find_model(model.name, model.file.parent), config)
    results = []
    for image_id, file in files.items():
        image = cv2.imread(str(file))
        found = detector.detect(image)
        results += coco_results(
            image_id, image.shape[:2], found.boxes, found.scores, found.class_ids
        )
    return results


def main() -> None:
    """Command line: one line of accuracy figures per input size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="the models/ folder")
    parser.add_argument("--name", default="ssdlite_mobilenet_v2_coco", help="manifest entry")
    parser.add_argument("--file", type=Path, help="another TFLite file, such as the float32 one")
    parser.add_argument("--data", type=Path, required=True, help="holds train2017/ and its json")
    parser.add_argument("--sizes", default="172x172,236x236,236x300,300x300,364x364", help="HxW,..")
    parser.add_argument("--min-score", type=float, default=Settings().min_score)
    parser.add_argument("--nms-iou", type=float, default=Settings().nms_iou)
    parser.add_argument("--max-detections", type=int, default=Settings().max_detections)
    parser.add_argument("--anchors", choices=ANCHORS, default="corrected")
    parser.add_argument("--product", action="store_true", help="the product's detector instead")
    options = parser.parse_args()

    model = load_model(options.models / "manifest.yaml", options.name, options.file)
    settings = Settings(options.min_score, options.nms_iou, options.max_detections)
    truth, files = load_dataset(options.data)
    print("size      mAP    AP50   AP75   small  medium large")
    for size in options.sizes.split(","):
        height, width = size.split("x")
        input_hw_px = int(height), int(width)
        if options.product:
            results = product_results(model, input_hw_px, settings, files)
            stats = coco_stats(truth, results, list(files))
        else:
            raw = run_dataset(model, input_hw_px, files)
            anchors = ANCHORS[options.anchors](model, input_hw_px)
            stats = average_precision(truth, raw, model, anchors, settings)
        print(f"{size:9}", " ".join(f"{value:.4f}" for value in stats), flush=True)


if __name__ == "__main__":
    main()
