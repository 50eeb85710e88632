"""Any SSD file, without a manifest entry: input, outputs and labels found by looking at it."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge_vision.config import ModelConfig
from edge_vision.detect.anchors import AnchorSpec, feature_map_sizes, ssd_anchors
from edge_vision.detect.delegate import choose_delegate
from edge_vision.detect.labels import LabelTable, label_table, unnamed
from edge_vision.detect.layout import Layout, find_layout, probe_pictures, real_outputs
from edge_vision.detect.postprocessed import PostProcessedDecoder
from edge_vision.detect.preprocess import PixelTable
from edge_vision.detect.runtime import Runtime, TensorInfo, thread_count
from edge_vision.detect.ssd import Quantisation, SsdDecoder
from edge_vision.detect.tflite_file import EDGETPU, POST_PROCESS, TfliteFile, read_tflite
from edge_vision.errors import ModelError

BOX_SCALES = (10.0, 10.0, 5.0, 5.0)
"""Of the TF Object Detection API's faster_rcnn_box_coder, which every published SSD uses."""
_RANGES = {"-1..1": (-1.0, 1.0), "0..1": (0.0, 1.0), "0..255": (0.0, 255.0)}


@dataclass(frozen=True, slots=True, eq=False)
class AnyFile:
    """A file and what was understood of it.

    name: of the file, without its ending.  file: what it holds.  input_hw_px: height and width it
    runs at.  pixel_table: (256,), what the network wants for each pixel value; None = the value
    itself.  pixels_why: reason of that.  background: of raw heads, whether channel 0 is no class,
    and background_why.
    """

    name: str
    file: TfliteFile
    runtime: Runtime
    input_hw_px: tuple[int, int]
    pixel_table: PixelTable | None
    pixels_why: str
    layout: Layout
    labels: LabelTable
    background: bool
    background_why: str


def open_any_file(config: ModelConfig) -> AnyFile:
    """Read, run and understand `config.file`.

    Raises ModelError for what is no SSD detector, is damaged, or has labels that do not fit.
    """
    path = Path(config.file or "")
    file = read_tflite(path)
    hw = _input_hw(path.name, file, config)
    foreign = [op for op in file.custom_ops if op not in (POST_PROCESS, EDGETPU)]
    if foreign:
        raise ModelError(
            f"{path.name} needs the operator {', '.join(foreign)}, which TFLite does not have; "
            f"export it with TFLite's own operators and {POST_PROCESS}"
        )
    runtime = Runtime(path, thread_count(config.threads), hw, choose_delegate(config, path))
    table, why = pixel_table(path.name, runtime.input, file, config.input_range)
    probe = []
    for picture in probe_pictures(hw):
        runtime.write_input(picture if table is None else cv2.LUT(picture, table))
        runtime.invoke()
        raw = tuple(np.empty(info.shape, info.dtype) for info in runtime.outputs)
        for index, array in enumerate(raw):
            runtime.read_output(index, array)
        probe.append(real_outputs(runtime.outputs, raw))
    layout = find_layout(path.name, file, runtime.outputs, probe)
    if layout.kind == "raw":
        _check_anchors(path.name, layout, hw)
    elif hw != _stored_hw(file):
        stored = _stored_hw(file)
        raise ModelError(
            f"{path.name} runs at {stored[1]}x{stored[0]} px only, as the anchors within it belong "
            "to that size; leave model.input_hw_px at null"
        )
    labels, background, background_why = _labels(config, layout)
    return AnyFile(
        path.stem, file, runtime, hw, table, why, layout, labels, background, background_why
    )


def _labels(config: ModelConfig, layout: Layout) -> tuple[LabelTable, bool, str]:
    """The labels, and whether raw heads have a background: their number tells, else the probe."""
    background, why = layout.background, layout.why.get("background", "")
    if config.labels is None:
        raw_classes = layout.channels - background
        classes = raw_classes if layout.kind == "raw" else min(layout.class_counts, default=0)
        return unnamed(classes), background, why
    labels = label_table(Path(config.labels), layout.class_counts)
    if layout.kind == "raw" and labels.classes is not None:
        background = labels.classes < layout.channels
        why = f"{labels.classes} labels for {layout.channels} channels"
    return labels, background, why


def make_decoder(
    found: AnyFile, config: ModelConfig, wanted: frozenset[int] | None
) -> SsdDecoder | PostProcessedDecoder:
    """The decoder of a file's outputs; it takes them in the order of `found.layout.roles`."""
    layout, outputs = found.layout, found.runtime.outputs
    steps = [Quantisation(*outputs[index].quantization) for index in layout.roles.values()]
    if layout.kind == "postprocess":
        return PostProcessedDecoder(
            (steps[0], steps[1], steps[2], steps[3]),
            class_ids=found.labels.class_ids,
            min_score=config.min_score,
            nms_iou=config.nms_iou,
            max_detections=config.max_detections,
            wanted=wanted,
        )
    ids = found.labels.class_ids or range(1, layout.channels + 1 - found.background)
    channels = [*([0] if found.background else []), *ids]
    return SsdDecoder(
        ssd_anchors(AnchorSpec(training_hw_px=_stored_hw(found.file)), found.input_hw_px),
        np.array(channels, np.int32),
        *steps,
        box_scales=BOX_SCALES,
        min_score=config.min_score,
        nms_iou=config.nms_iou,
        max_detections=config.max_detections,
        wanted=frozenset(ids) if wanted is None and found.background else wanted,
        scores_ready=layout.activation != "logits",
    )


def pixel_table(
    name: str, info: TensorInfo, file: TfliteFile, asked: str
) -> tuple[PixelTable | None, str]:
    """What the input wants for each pixel value 0..255, None = itself; and why.

    asked: "auto" or a range of real numbers that black and white stand for ("-1..1", ...).
    Raises ModelError for inputs of other types.
    """
    pixels = np.arange(256, dtype=np.float32)
    scale, zero_point = info.quantization
    if info.dtype == np.uint8:
        return None, "uint8: pixel values as they are"
    if info.dtype == np.int8 and scale == 0:
        return (pixels - 128).astype(np.int8), "int8 without quantisation: pixel value - 128"
    if info.dtype == np.int8:
        chosen, why = _nearest_range(scale, zero_point, -128), "int8: range of its quantisation"
    elif info.dtype == np.float32:
        chosen, why = _range_of_float(file)
    else:
        raise ModelError(f"{name} has an input of {info.dtype}; expected uint8, int8 or float32")
    if asked != "auto":
        chosen, why = asked, "model.input_range"
    low, high = _RANGES[chosen]
    real = low + pixels * np.float32((high - low) / 255)
    why = f"black to white is {chosen} ({why})"
    if info.dtype == np.float32:
        return real.astype(np.float32), why
    return np.clip(np.rint(real / scale) + zero_point, -128, 127).astype(np.int8), why


def _range_of_float(file: TfliteFile) -> tuple[str, str]:
    """A network that quantises its input at once tells the range; others were likely trained so."""
    for operator in file.operators:
        if operator.name == "QUANTIZE" and operator.inputs == file.inputs:
            tensor = file.tensors[operator.outputs[0]]
            least = {"uint8": 0, "int8": -128}.get(tensor.dtype)
            if tensor.scale > 0 and least is not None:
                return (
                    _nearest_range(tensor.scale, tensor.zero_point, least),
                    "float32: range of the quantisation behind it",
                )
    return "-1..1", "float32: assumed, as SSD-MobileNets are trained so; see model.input_range"


def _nearest_range(scale: float, zero_point: int, least: int) -> str:
    low, high = scale * (least - zero_point), scale * (least + 255 - zero_point)
    return min(
        _RANGES, key=lambda name: abs(np.log((high - low) / np.ptp(_RANGES[name]))) + (
            abs(low - _RANGES[name][0]) > 0.5 * np.ptp(_RANGES[name])
        )
    )  # fmt: skip


def _stored_hw(file: TfliteFile) -> tuple[int, int]:
    shape = file.tensors[file.inputs[0]].shape
    return shape[1], shape[2]


def _input_hw(name: str, file: TfliteFile, config: ModelConfig) -> tuple[int, int]:
    shapes = [file.tensors[index].shape for index in file.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][0] not in (1, -1) or shapes[0][3] != 3:
        listed = ", ".join(map(str, shapes)) or "none"
        raise ModelError(
            f"{name} is no detector of colour pictures: its input is {listed}; "
            "expected one of (1, height, width, 3)"
        )
    if min(shapes[0][1:3]) <= 1:
        raise ModelError(f"{name} does not say its input size; export it with a fixed one")
    return config.input_hw_px or _stored_hw(file)


def _check_anchors(name: str, layout: Layout, hw: tuple[int, int]) -> None:
    try:
        maps = feature_map_sizes(AnchorSpec(), hw)
    except ValueError as error:
        raise ModelError(f"{name} cannot be used: {error}") from None
    per_cell = AnchorSpec().anchors_per_cell()
    expected = sum(rows * cols * n for (rows, cols), n in zip(maps, per_cell, strict=True))
    if layout.anchors != expected:
        raise ModelError(
            f"{name} has another number of anchors than its maps give: {layout.anchors}, where "
            f"SSD-MobileNet has {expected} at {hw[1]}x{hw[0]} px; export it with "
            "TFLite_Detection_PostProcess, which carries its anchors"
        )
