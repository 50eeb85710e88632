"""A Keras detector as a TFLite file of any input size: float32, or int8 inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import keras
import tensorflow as tf
from output_ranges import Range, adjust
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

CALIBRATION_IMAGES = 100


def float_file(model: keras.Model) -> bytes:
    """float32 in and out, any height and width."""
    return _converter(model).convert()


def int8_file(
    model: keras.Model,
    calibration: Iterator[list[tf.Tensor]],
    ranges_by_channels: dict[int, Range],
    default_hw_px: tuple[int, int],
) -> bytes:
    """Full-integer post-training quantisation: uint8 RGB in, int8 heads out.

    ranges_by_channels: what the outputs' 256 steps span, by the output's last dimension.
    default_hw_px: input size of an interpreter that asks for none.
    """
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.int8
    return adjust(converter.convert(), ranges_by_channels, default_hw_px)


def calibration_inputs(folder: Path, sizes_px: Sequence[int]) -> Iterator[list[tf.Tensor]]:
    """The first images of `folder` by name, stretched to squares of `sizes_px` in turn.

    Raises:
        ValueError: the folder holds too few JPEG images.
    """
    files = sorted(folder.glob("*.jpg"))[:CALIBRATION_IMAGES]
    if len(files) < CALIBRATION_IMAGES:
        raise ValueError(f"{folder} holds {len(files)} JPEG images, {CALIBRATION_IMAGES} needed")
    for file, size_px in zip(files, cycle(sizes_px)):
        # The accurate method makes the pixels, and so the file's hash, the same everywhere.
        pixels = tf.io.decode_jpeg(file.read_bytes(), channels=3, dct_method="INTEGER_ACCURATE")
        stretched = tf.image.resize(pixels, (size_px, size_px))
        yield [stretched[tf.newaxis] / 127.5 - 1.0]


def _converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    @tf.function(autograph=False)
    def run(image: tf.Tensor) -> dict[str, tf.Tensor]:
        boxes, logits = model(image, training=False)
        return {"boxes": boxes, "logits": logits}

    image = tf.TensorSpec((1, None, None, 3), tf.float32, name="image")
    # Keras 3's variables are not found by the converter of TensorFlow 2.17: constants are.
    frozen = convert_variables_to_constants_v2(run.get_concrete_function(image))
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen])
