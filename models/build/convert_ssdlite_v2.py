"""Convert SSDLite MobileNet v2 (COCO) from a TF.js package into one full-int8 TFLite file.

The file takes any input size through `resize_tensor_input`. Its outputs are raw:

- boxes, int8 (1, N, 4): `ty tx th tw`, not yet applied to anchors;
- class logits, int8 (1, N, 80): index k is line k of the labels file, no sigmoid applied.

N runs over levels (finest first), then rows, columns and the anchors of a cell.
"""

from __future__ import annotations

import argparse
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import tensorflow as tf
import write_manifest
from folding import Conv, Input, Layer, Relu6, Sum, fold_graph
from output_ranges import adjust
from tfjs_reader import read_tfjs_graph

DEFAULT_HW_PX = (300, 300)
CALIBRATION_IMAGES = 100
# Sizes the file is used at, taken in turn: at 172 and 236 measured 0.007 mAP above 300 alone.
CALIBRATION_SIZES_PX = (172, 236, 300, 364)
# Score 0.001 to 0.997 in logit steps of 0.05; `t` values of 99.9 % of the detections.
LOGIT_RANGE = (-7.0, 5.75)
BOX_RANGE = (-10.0, 5.5)
LEVELS = 6
COCO_IDS = 91  # 0 is background, 1..90 the COCO ids, 10 of which COCO never used


def main() -> None:
    """Command line: package and calibration images in, TFLite file and manifest out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, required=True, help="npm tarball, or its folder")
    parser.add_argument("--calibration", type=Path, required=True, help="folder of JPEG images")
    parser.add_argument("--out", type=Path, required=True, help="the models/ folder")
    parser.add_argument("--float-reference", type=Path, help="also write a float32 file here")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        package = open_package(options.package, Path(scratch))
        write_manifest.check_source_files(package)
        class_ids = write_manifest.read_class_ids(options.out / write_manifest.LABELS)
        network = Network(package / write_manifest.GRAPH, class_ids)
    model_file = options.out / write_manifest.FILE
    model_file.write_bytes(convert_int8(network, options.calibration))
    if options.float_reference:
        options.float_reference.write_bytes(make_converter(network).convert())
    write_manifest.write(options.out)
    print(f"{model_file}: {model_file.stat().st_size} bytes, manifest and NOTICE written")


def open_package(package: Path, scratch: Path) -> Path:
    """The package's folder; a tarball is checked against its known hash and unpacked."""
    if package.is_dir():
        return package
    write_manifest.check_hash(package, write_manifest.TARBALL_SHA256)
    with tarfile.open(package) as archive:
        archive.extractall(scratch, filter="data")
    return scratch / "package"


class Network(tf.Module):
    """The folded graph as a TensorFlow function with two outputs, boxes and class logits."""

    def __init__(self, model_json: Path, class_ids: list[int]) -> None:
        super().__init__()
        levels = range(LEVELS)
        names = [f"BoxPredictor_{level}/BoxEncodingPredictor/BiasAdd" for level in levels]
        names += [f"BoxPredictor_{level}/ClassPredictor/BiasAdd" for level in levels]
        # The graph before Preprocessor/sub resizes and scales to -1..1; the runtime does that.
        heads = fold_graph(read_tfjs_graph(model_json), "Preprocessor/sub", names)
        self.classes = len(class_ids)
        self.heads = heads[:LEVELS] + [keep_classes(head, class_ids) for head in heads[LEVELS:]]

    @tf.function(autograph=False)  # straight-line code, and autograph cannot read `match`
    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """`image` float32 (1, H, W, 3), RGB in -1..1."""
        built: dict[int, tf.Tensor] = {}
        outputs = [build(head, image, built) for head in self.heads]
        boxes, logits = outputs[:LEVELS], outputs[LEVELS:]
        return {
            "boxes": tf.concat([tf.reshape(box, (1, -1, 4)) for box in boxes], axis=1),
            "logits": tf.concat(
                [tf.reshape(part, (1, -1, self.classes)) for part in logits], axis=1
            ),
        }


def keep_classes(head: Layer, class_ids: list[int]) -> Conv:
    """Drop the output channels of every class not in `class_ids`.

    Scores are independent sigmoids, so the channels that stay keep their values.
    """
    if not isinstance(head, Conv):
        raise ValueError(f"class head ends in {type(head).__name__}, expected a convolution")
    anchors = head.kernel.shape[3] // COCO_IDS
    kept = np.add.outer(np.arange(anchors) * COCO_IDS, class_ids).ravel()
    return replace(head, kernel=head.kernel[..., kept], bias=head.bias[kept])


def build(layer: Layer, image: tf.Tensor, built: dict[int, tf.Tensor]) -> tf.Tensor:
    """Emit TensorFlow operations for `layer`; `built` shares layers used more than once."""
    if id(layer) not in built:
        built[id(layer)] = _build_once(layer, image, built)
    return built[id(layer)]


def _build_once(layer: Layer, image: tf.Tensor, built: dict[int, tf.Tensor]) -> tf.Tensor:
    match layer:
        case Input():
            return image
        case Relu6():
            return tf.nn.relu6(build(layer.source, image, built))
        case Sum():
            return build(layer.branch, image, built) + build(layer.shortcut, image, built)
        case Conv():
            source = build(layer.source, image, built)
            kernel = tf.constant(layer.kernel, tf.float32)
            strides = (1, layer.stride, layer.stride, 1)
            convolve = tf.nn.depthwise_conv2d if layer.depthwise else tf.nn.conv2d
            convolved = convolve(source, kernel, strides=strides, padding="SAME")
            return tf.nn.bias_add(convolved, tf.constant(layer.bias, tf.float32))


def make_converter(network: Network) -> tf.lite.TFLiteConverter:
    """A float32 converter with any height and width as input."""
    image = tf.TensorSpec((1, None, None, 3), tf.float32, name="image")
    function = network.__call__.get_concrete_function(image)
    return tf.lite.TFLiteConverter.from_concrete_functions([function], network)


def convert_int8(network: Network, calibration: Path) -> bytes:
    """Full-integer post-training quantisation: uint8 RGB in, int8 out."""
    converter = make_converter(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: calibration_inputs(calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.int8
    # A box has 4 values; every other last dimension is a row of logits.
    ranges = {4: BOX_RANGE, network.classes: LOGIT_RANGE}
    return adjust(converter.convert(), ranges, DEFAULT_HW_PX)


def calibration_inputs(folder: Path) -> Iterator[list[tf.Tensor]]:
    """The first images of `folder` by name, stretched to the sizes in turn."""
    files = sorted(folder.glob("*.jpg"))[:CALIBRATION_IMAGES]
    if len(files) < CALIBRATION_IMAGES:
        raise ValueError(f"{folder} holds {len(files)} JPEG images, {CALIBRATION_IMAGES} needed")
    for file, size_px in zip(files, cycle(CALIBRATION_SIZES_PX)):
        # The accurate method makes the pixels, and so the file's hash, the same everywhere.
        pixels = tf.io.decode_jpeg(file.read_bytes(), channels=3, dct_method="INTEGER_ACCURATE")
        stretched = tf.image.resize(pixels, (size_px, size_px))
        yield [stretched[tf.newaxis] / 127.5 - 1.0]


if __name__ == "__main__":
    main()
