"""How well the int8 face model at several input sizes agrees with the float32 one at 512x512.

There are no pictures with marked faces here, so the published network is the measure: its faces in
the pictures of the COCO folder that show persons, at face-api's own score 0.5 and NMS IoU 0.5.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from evaluate import (
    FloatArray,
    Model,
    Runner,
    Settings,
    corrected_anchors,
    detections,
    load_dataset,
    load_model,
)

REFERENCE_HW_PX = (512, 512)
SAME_IOU = 0.5
LEAST_SIDE = 1 / 16  # a face's longer side, as a share of the picture's: 32 pixels at 512
PERSON = 1


def faces(model: Model, input_hw_px: tuple[int, int], files: list[Path]) -> list[FloatArray]:
    """Per picture: boxes `x0 y0 x1 y1` (M, 4), 0..1, best score first."""
    runner, anchors = Runner(model.file, input_hw_px), corrected_anchors(model, input_hw_px)
    settings = Settings(min_score=0.5, nms_iou=0.5)
    return [detections(runner.run(cv2.imread(str(f))), anchors, settings)[0] for f in files]


def overlaps(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of every pair, (len(one), len(other))."""
    low = np.maximum(one[:, None, :2], other[:, :2])
    high = np.minimum(one[:, None, 2:], other[:, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    return both / (areas[0][:, None] + areas[1] - both)


def agreement(
    reference: list[FloatArray], found: list[FloatArray]
) -> tuple[int, int, float, float, float]:
    """Faces of the reference, faces found, recall, precision, mean IoU of the recalled.

    Faces with sides shorter than LEAST_SIDE count as partners only: whether the reference has a
    face of a few pixels or not is chance, and crowds would outweigh all else.
    """
    recalled, confirmed = [], []
    for truth, boxes in zip(reference, found, strict=True):
        pairs = overlaps(truth, boxes)
        recalled += pairs.max(axis=1, initial=0)[is_large(truth)].tolist()
        confirmed += pairs.max(axis=0, initial=0)[is_large(boxes)].tolist()
    same = [iou for iou in recalled if iou >= SAME_IOU]
    precision = np.mean(np.array(confirmed) >= SAME_IOU)
    return (
        len(recalled),
        len(confirmed),
        len(same) / len(recalled),
        float(precision),
        float(np.mean(same)),
    )


def is_large(boxes: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of the boxes have a side of LEAST_SIDE or more."""
    return (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) >= LEAST_SIDE


def main() -> None:
    """Command line: one line of figures per input size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="the models/ folder")
    parser.add_argument("--float-file", type=Path, required=True, help="from convert_face.py")
    parser.add_argument("--data", type=Path, required=True, help="holds train2017/ and its json")
    parser.add_argument("--sizes", default="256x256,384x384,512x512,640x640", help="HxW,..")
    options = parser.parse_args()

    model = load_model(options.models / "manifest.yaml", "face")
    truth, pictures = load_dataset(options.data)
    files = [pictures[key] for key in sorted(truth.getImgIds(catIds=[PERSON]))]
    reference = faces(replace(model, file=options.float_file), REFERENCE_HW_PX, files)
    print(f"{len(files)} pictures with persons\nsize      truth  found  recall precision IoU")
    for size in options.sizes.split(","):
        height, _, width = size.partition("x")
        found = faces(model, (int(height), int(width)), files)
        print(f"{size:9} {{:5}}  {{:5}}  {{:.3f}}  {{:.3f}}     {{:.3f}}".format(
            *agreement(reference, found)
        ), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
