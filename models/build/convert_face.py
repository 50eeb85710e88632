"""Convert face-api's face detector (SSD MobileNet v1, 512x512) into one full-int8 TFLite file.

Input and outputs are those of convert_ssdlite_v2.py, with one class: boxes int8 (1, N, 4) `ty tx
th tw`, logits int8 (1, N, 1).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import face_entry
import keras
import write_manifest
from face_weights import face_weights, read_packed
from mobilenet import detector, set_weights
from quantise import calibration_inputs, float_file, int8_file

DEFAULT_HW_PX = (512, 512)
CALIBRATION_SIZES_PX = (256, 384, 512, 640)
# Score 0.001 to 0.997 in logit steps of 0.05; all `t` values of faces in COCO pictures: most faces
# are much smaller than the smallest anchor.
LOGIT_RANGE = (-7.0, 5.75)
BOX_RANGE = (-12.0, 4.0)


def main() -> None:
    """Command line: package and calibration images in, TFLite file and manifest out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, required=True, help="npm tarball, or its folder")
    parser.add_argument("--calibration", type=Path, required=True, help="folder of JPEG images")
    parser.add_argument("--out", type=Path, required=True, help="the models/ folder")
    parser.add_argument("--float-reference", type=Path, help="also write a float32 file here")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        package = write_manifest.open_package(
            options.package, face_entry.TARBALL_SHA256, Path(scratch)
        )
        model = read_model(package)
    ranges = {4: BOX_RANGE, 1: LOGIT_RANGE}
    calibration = calibration_inputs(options.calibration, CALIBRATION_SIZES_PX)
    file = options.out / face_entry.FILE
    file.write_bytes(int8_file(model, calibration, ranges, DEFAULT_HW_PX))
    if options.float_reference:
        options.float_reference.write_bytes(float_file(model))
    write_manifest.write(options.out)
    print(f"{file}: {file.stat().st_size} bytes, manifest and NOTICE written")


def read_model(package: Path) -> keras.Model:
    """The network with the package's weights; ValueError when they are not the known ones."""
    folder = package / face_entry.SOURCE_FOLDER
    for name, expected in face_entry.SOURCE_SHA256.items():
        write_manifest.check_hash(folder / name, expected)
    model = detector("ssd_mobilenet_v1", 1.0, 1)
    set_weights(model, face_weights(read_packed(folder / face_entry.WEIGHTS)))
    return model


if __name__ == "__main__":
    main()
