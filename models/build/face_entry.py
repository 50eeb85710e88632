"""The face model in models/manifest.yaml and models/NOTICE: where it is from, what was measured."""

from __future__ import annotations

FILE = "ssd_mobilenet_v1_face_int8.tflite"
LABELS = "labels/face.txt"
PACKAGE = "@vladmandic/face-api"
PACKAGE_VERSION = "1.7.15"
TARBALL_SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
SOURCE_FOLDER = "model"
WEIGHTS = "ssd_mobilenetv1_model-weights_manifest.json"
SOURCE_SHA256 = {
    WEIGHTS: "888f744dffbc84f5f060d1f8427d9742341943a2dfaaf9205d10029b7e7a2955",
    "ssd_mobilenetv1_model.bin": "2835640602d53718aa6ae9a42896327eaa21beefed056c218d32ca7d79e1e2f8",
}

# Output of evaluate_faces.py: (height, width), recall, precision, mean IoU, note.
MEASURED: list[tuple[tuple[int, int], float, float, float, str]] = [
    ((256, 256), 0.675, 0.771, 0.727, "for large faces"),
    ((384, 384), 0.900, 0.900, 0.808, "median anchor offset below 1.5 px"),
    ((512, 512), 1.000, 1.000, 0.953, "the training size"),
    ((640, 640), 0.800, 0.872, 0.847, "median anchor offset below 1.5 px"),
]
MEASURED_ON = "2026-11-22"

MANIFEST = """\

  - name: face                       # config: model.name
    family: ssd_mobilenet_v1
    alpha: 1.0                       # width multiplier
    training_hw_px: [512, 512]       # height, width the weights were trained at
    dtype: int8                      # arithmetic of the network
    file: {file}
    sha256: {file_sha256}
    size_bytes: {size_bytes}
    labels: {labels}          # line k: class id and name of class index k
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
        classes: 1
    anchors:                         # fields of edge_vision.detect.anchors.AnchorSpec
      training_hw_px: [512, 512]
      min_scale: 0.2
      max_scale: 0.95
      aspect_ratios: [1.0, 2.0, 0.5, 3.0, 0.3333]
      reduced_lowest: true
      downsampling_steps: [4, 5, 6, 7, 8, 9]
      kernel_px: 3
      stride: 2
    sizes:                           # config: model.size; input height, width
      small: [256, 256]
      medium: [384, 384]
      large: [512, 512]
      xlarge: [640, 640]
    level_offsets: {{}}
    source:
      registry: npm
      package: "{package}"
      version: {version}
      sha256: {tarball_sha256}  # of the tarball
      folder: package/{source_folder}  # inside the tarball
      files:                         # name: SHA-256
{source_files}
    license: MIT
    attribution: >-
      Weights: face-api, ssd_mobilenetv1_model, copyright Vladimir Mandic. See NOTICE.
    published: {{}}                    # the package publishes no accuracy
    # Agreement of this file with the float32 network at 512x512, both at score 0.5 and NMS IoU 0.5
    # (models/build/evaluate_faces.py): recall is the share of the reference's faces found with
    # IoU 0.5 or more, precision the share of found faces that the reference has too; faces with a
    # side of at least 1/16 of the picture's, of which the reference has 40. Stretched pictures.
    measured:
{measured}
"""

NOTICE = """\

{file}

Made from the neural network weights "ssd_mobilenetv1_model" (faces) in the npm package
{package} {version}, under this licence:

  MIT License

  Copyright (c) Vladimir Mandic

  Permission is hereby granted, free of charge, to any person obtaining a copy of this software
  and associated documentation files (the "Software"), to deal in the Software without
  restriction, including without limitation the rights to use, copy, modify, merge, publish,
  distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
  Software is furnished to do so, subject to the following conditions:

  The above copyright notice and this permission notice shall be included in all copies or
  substantial portions of the Software.

  THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
  BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
  NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
  DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
  OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

Changes made for edge-vision: batch normalisation folded into the convolutions; pre- and
post-processing removed; outputs of all classes but "face" removed and the anchors of a cell put
into another order; quantised to 8-bit integers. models/build/ holds the programs that did it.
"""


def fields() -> dict[str, str]:
    """What the templates need beside the hashes of the files."""
    return {
        "file": FILE,
        "labels": LABELS,
        "package": PACKAGE,
        "version": PACKAGE_VERSION,
        "tarball_sha256": TARBALL_SHA256,
        "source_folder": SOURCE_FOLDER,
        "source_files": "\n".join(f"        {name}: {key}" for name, key in SOURCE_SHA256.items()),
        "measured": "\n".join(_measured()),
    }


def _measured() -> list[str]:
    lines = []
    for (height, width), recall, precision, iou, note in MEASURED:
        lines += [
            f"      - input_hw_px: [{height}, {width}]",
            f"        recall: {recall:.3f}",
            f"        precision: {precision:.3f}",
            f"        mean_iou: {iou:.3f}",
            f'        note: "{note}"',
            "        dataset: pictures with persons among the first 128 of COCO train2017",
            f'        date: "{MEASURED_ON}"',
        ]
    return lines or ["      []"]
