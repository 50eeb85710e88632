"""Write models/skeletons/: detectors without weights, to measure what a width costs on a board.

Latency depends on shapes, not on weight values. Every weight and bias is zero, so a file of
megabytes compresses to kilobytes. Apart from that the files are as the trained ones: uint8 in, int8
inside, raw heads, any input size.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from mobilenet import cost, detector
from quantise import int8_file
from tensorflow.lite.python.schema_py_generated import TensorType
from tensorflow.lite.tools import flatbuffer_utils

# The published widths of each backbone (Howard et al. 2017, Sandler et al. 2018).
WIDTHS = {
    "ssd_mobilenet_v1": (0.25, 0.5, 0.75, 1.0),
    "ssdlite_mobilenet_v2": (0.35, 0.5, 0.75, 1.0, 1.4),
}
CLASSES = 80
HW_PX = (300, 300)
OUTPUT_RANGE = (-8.0, 8.0)

HEAD = """\
# Detectors without weights, for measuring. Written by models/build/make_skeletons.py: edit that,
# not this. Gzip-compressed TFLite files; parameters and multiply-adds with 80 classes, batch norms
# folded, the latter at 300x300; sha256 is of the compressed file.
skeletons:
"""
ENTRY = """\
  - name: {name}
    family: {family}
    alpha: {alpha}
    file: {file}
    sha256: {sha256}
    parameters: {parameters}
    multiply_adds_300: {multiply_adds}
"""


def main() -> None:
    """Command line: write every skeleton and their list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the models/skeletons/ folder")
    out = parser.parse_args().out
    out.mkdir(exist_ok=True)
    listing = HEAD
    for family, widths in WIDTHS.items():
        for alpha in widths:
            name = f"{family}_{alpha:g}"
            file = out / f"{name}.tflite.gz"
            file.write_bytes(gzip.compress(skeleton(family, alpha), 9, mtime=0))
            counted = cost(detector, family, alpha, CLASSES, HW_PX)
            listing += ENTRY.format(
                name=name,
                family=family,
                alpha=alpha,
                file=file.name,
                sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
                parameters=counted.parameters,
                multiply_adds=counted.multiply_adds,
            )
            print(f"{file}: {file.stat().st_size} bytes")
    (out / "skeletons.yaml").write_text(listing, encoding="utf-8")


def skeleton(family: str, alpha: float) -> bytes:
    """A TFLite file of the network with every weight zero."""
    model = detector(family, alpha, CLASSES)
    for number, layer in enumerate(model.layers):
        if layer.weights:
            # Averages: activations, and so the scales of quantisation, stay in a sane range.  A
            # little different in each layer, or the converter would merge layers that are equal.
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            fan_in = math.prod(layer.kernel.shape[: 2 if depthwise else 3])
            value = (1 + number / 1000) / fan_in
            layer.set_weights([np.full(part.shape, value) for part in layer.weights])
    ranges = {4: OUTPUT_RANGE, CLASSES: OUTPUT_RANGE}
    return without_weights(int8_file(model, _white_and_black(), ranges, HW_PX))


def without_weights(data: bytes) -> bytes:
    """The same TFLite file with zeros for all constants that convolutions have."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(data))
    (graph,) = model.subgraphs
    for tensor in graph.tensors:
        buffer = model.buffers[tensor.buffer]
        # Biases are quantised int32; the shapes that RESHAPE reads are int32 without a scale.
        quantised = tensor.quantization is not None and tensor.quantization.scale is not None
        if buffer.data is None or not quantised:
            continue
        if tensor.type not in (TensorType.INT8, TensorType.INT32):
            raise ValueError(f"{tensor.name}: constant of type {tensor.type}, expected int8")
        buffer.data = np.zeros_like(buffer.data)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _white_and_black() -> Iterator[list[tf.Tensor]]:
    for level in (1.0, -1.0):
        yield [tf.fill((1, 96, 96, 3), level)]


if __name__ == "__main__":
    main()
