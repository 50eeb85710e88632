"""Convert SSDLite MobileNet v2 (COCO) from a TF.js package into one full-int8 TFLite file.

The file takes any input size through `resize_tensor_input`. Its outputs are raw:

- boxes, int8 (1, N, 4): `ty tx th tw`, not yet applied to anchors;
- class logits, int8 (1, N, 80): index k is line k of the labels file, no sigmoid applied.

N runs over levels (finest first), then rows, columns and the anchors of a cell.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import keras
import write_manifest
from coco_weights import coco_weights
from mobilenet import detector, set_weights
from quantise import calibration_inputs, float_file, int8_file

DEFAULT_HW_PX = (300, 300)
# Sizes the file is used at, taken in turn: at 172 and 236 measured 0.007 mAP above 300 alone.
CALIBRATION_SIZES_PX = (172, 236, 300, 364)
# Score 0.001 to 0.997 in logit steps of 0.05; `t` values of 99.9 % of the detections.
LOGIT_RANGE = (-7.0, 5.75)
BOX_RANGE = (-10.0, 5.5)


def main() -> None:
    """Command line: package and calibration images in, TFLite file and manifest out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, required=True, help="npm tarball, or its folder")
    parser.add_argument("--calibration", type=Path, required=True, help="folder of JPEG images")
    parser.add_argument("--out", type=Path, required=True, help="the models/ folder")
    parser.add_argument("--float-reference", type=Path, help="also write a float32 file here")
    options = parser.parse_args()

    class_ids = write_manifest.read_class_ids(options.out / write_manifest.LABELS)
    with tempfile.TemporaryDirectory() as scratch:
        package = write_manifest.open_package(
            options.package, write_manifest.TARBALL_SHA256, Path(scratch)
        )
        model = read_model(package, class_ids)
    # A box has 4 values; every other last dimension is a row of logits.
    ranges = {4: BOX_RANGE, len(class_ids): LOGIT_RANGE}
    calibration = calibration_inputs(options.calibration, CALIBRATION_SIZES_PX)
    model_file = options.out / write_manifest.FILE
    model_file.write_bytes(int8_file(model, calibration, ranges, DEFAULT_HW_PX))
    if options.float_reference:
        options.float_reference.write_bytes(float_file(model))
    write_manifest.write(options.out)
    print(f"{model_file}: {model_file.stat().st_size} bytes, manifest and NOTICE written")


def read_model(package: Path, class_ids: list[int]) -> keras.Model:
    """The network with the package's weights; ValueError when they are not the known ones."""
    write_manifest.check_source_files(package)
    model = detector("ssdlite_mobilenet_v2", 1.0, len(class_ids))
    set_weights(model, coco_weights(package / write_manifest.GRAPH, class_ids))
    return model


if __name__ == "__main__":
    main()
