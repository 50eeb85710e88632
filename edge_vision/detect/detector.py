"""SsdDetector: a model of the zoo or any SSD file at one size, from picture to detections."""

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vision.config import SIZES_PX, ModelConfig
from edge_vision.detect.anchors import ssd_anchors
from edge_vision.detect.any_file import AnyFile, make_decoder, open_any_file
from edge_vision.detect.base import InvokeTime, RawOutput
from edge_vision.detect.delegate import DelegateFailed, choose_delegate, without_delegate
from edge_vision.detect.postprocessed import PostProcessedDecoder
from edge_vision.detect.preprocess import Preprocessor
from edge_vision.detect.runtime import Runtime, TensorInfo, runtime_name, thread_count
from edge_vision.detect.ssd import Quantisation, SsdDecoder
from edge_vision.detect.zoo import ModelEntry, find_model
from edge_vision.errors import ConfigError, ModelError
from edge_vision.frame import Image, PixelFormat
from edge_vision.profile import settle_size
from edge_vision.results import Detections

log = logging.getLogger(__name__)


class SsdDetector:
    """An SSD of the zoo or any SSD file.  `detect()` and `infer()` belong to one thread at a time.

    Raises ModelError when the file does not fit its manifest entry, BackendMissing without a
    runtime, ConfigError when a class asked for is not in the label table.
    """

    def __init__(self, model: ModelEntry | AnyFile, config: ModelConfig) -> None:
        self.threads = thread_count(config.threads)
        self._decoder: SsdDecoder | PostProcessedDecoder
        if isinstance(model, AnyFile):
            self._take_file(model, config)
        else:
            self._take_entry(model, config)
        self._raw = self.new_output()

    def _take_entry(self, entry: ModelEntry, config: ModelConfig) -> None:
        entry.check_file()
        self._name, self._labels = entry.name, entry.labels
        hw = (
            config.input_hw_px or entry.sizes_hw_px.get(config.size) or (SIZES_PX[config.size],) * 2
        )
        self.input_hw_px: tuple[int, int] = (hw[0], hw[1])
        self._runtime = Runtime(
            entry.file, self.threads, self.input_hw_px, choose_delegate(config, entry.file)
        )
        self._preprocessor = Preprocessor(self.input_hw_px)
        anchors = ssd_anchors(
            entry.anchors, self.input_hw_px, entry.level_offsets.get(self.input_hw_px)
        )
        outputs = self._runtime.outputs
        self._roles: tuple[int, ...] = _heads(outputs, len(anchors), entry)
        self._decoder = SsdDecoder(
            anchors,
            np.array(list(entry.labels), np.int32),
            *(Quantisation(*outputs[index].quantization) for index in self._roles),
            box_scales=entry.box_scales,
            min_score=config.min_score,
            nms_iou=config.nms_iou,
            max_detections=config.max_detections,
            wanted=_wanted(config.classes, entry.labels) if config.classes else None,
        )

    def _take_file(self, found: AnyFile, config: ModelConfig) -> None:
        self._name, self._labels = found.name, found.labels.names
        self.input_hw_px = found.input_hw_px
        self._runtime = found.runtime
        self._preprocessor = Preprocessor(self.input_hw_px, found.pixel_table)
        self._roles = tuple(found.layout.roles.values())
        wanted = _wanted(config.classes, self._labels) if config.classes else None
        self._decoder = make_decoder(found, config, wanted)

    @property
    def runtime_name(self) -> str:
        """Package and version of the TFLite runtime in use."""
        return self._runtime.name

    @property
    def delegate(self) -> str:
        """What truly runs the network: "XNNPACK", "plain CPU", an external delegate's name."""
        return self._runtime.active

    @property
    def engine(self) -> str:
        """Delegate, threads and runtime, for people."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.delegate}, {threads}, {self.runtime_name}"

    @property
    def model_name(self) -> str:
        """The manifest's name of the model, or its file's."""
        return self._name

    @property
    def description(self) -> str:
        """Model and input size, width first as people say it."""
        height, width = self.input_hw_px
        return f"{self._name} {width}x{height}"

    @property
    def labels(self) -> Mapping[int, str]:
        """Class id -> label."""
        return self._labels

    @property
    def nonfinite(self) -> int:
        """Rows the decoder threw away because they held NaN or infinity."""
        return self._decoder.nonfinite

    def new_input(self) -> NDArray[Any]:
        """An input buffer: (height, width, 3) RGB of the input's dtype, mostly uint8."""
        return np.empty((*self.input_hw_px, 3), self._runtime.input.dtype)

    def new_output(self) -> RawOutput:
        """One array for each output tensor, of its shape and dtype."""
        return tuple(np.empty(info.shape, info.dtype) for info in self._runtime.outputs)

    def prepare(self, image: Image, out: NDArray[Any]) -> None:
        """Write a picture into an input buffer."""
        self._preprocessor.fill(image, out)

    def load(self, prepared: NDArray[Any]) -> None:
        """Copy a prepared input into the network's input tensor."""
        self._runtime.write_input(prepared)

    def infer(self, raw: RawOutput) -> InvokeTime:
        """Run on what was loaded and fill `raw`."""
        wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
        self._runtime.invoke()
        took = InvokeTime(time.perf_counter_ns() - wall, time.thread_time_ns() - cpu)
        for index, array in enumerate(raw):
            self._runtime.read_output(index, array)
        return took

    def invoke(self) -> None:
        """Run the network on whatever its input holds: the bare cost, for measuring."""
        self._runtime.invoke()

    def decode(self, raw: RawOutput) -> Detections:
        """Raw outputs to detections, normalised to the picture."""
        return self._decoder.decode(*(raw[index] for index in self._roles))

    def detect(
        self, image: Image | NDArray[np.uint8], format: PixelFormat = PixelFormat.BGR
    ) -> Detections:
        """Find the objects in one picture; it is written straight into the input tensor.

        image: an Image, or uint8 of (H, W) or (H, W, 1) grey, (H, W, 3) in the order of `format`,
        (H, W, 4) with alpha (ignored), or YUV420 (H * 3 / 2, W).  Raises ValueError for others.
        """
        picture = image if isinstance(image, Image) else as_image(image, format)
        self._preprocessor.fill(picture, self._runtime.input_view())
        self.infer(self._raw)
        return self.decode(self._raw)


def as_image(array: NDArray[np.uint8], format: PixelFormat = PixelFormat.BGR) -> Image:
    """An Image of an array as people have them; see `SsdDetector.detect` for the shapes."""
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        found = f"dtype {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"a picture of {found}; expected a numpy array of uint8")
    if format is not PixelFormat.YUV420 and 0 not in array.shape:
        if array.ndim == 2:
            array = array[:, :, np.newaxis]
        if array.ndim == 3 and array.shape[2] == 1:
            array = np.repeat(array, 3, axis=2)
        elif array.ndim == 3 and array.shape[2] == 4:
            array = array[:, :, :3]
    # A view with gaps between pixels (alpha cut off, every other column) or mirrored is copied:
    # OpenCV takes rows with a stride, but no gaps inside a row.
    plain = array.flags.c_contiguous and min(array.strides, default=0) > 0
    return Image.from_array(array if plain else array.copy(), format)


def build_detector(config: ModelConfig, models: Path | None = None) -> SsdDetector:
    """The detector a configuration describes; see SsdDetector for what is raised.

    A delegate that fails is told and replaced, see `without_delegate`; `model.size: auto` is
    settled first, see `profile.settle_size`.  models: folder with another manifest.yaml.
    """
    if config.size == "auto" and config.file is None and config.input_hw_px is None:
        entry = find_model(config.name, models)
        config = settle_size(config, entry.sha256, lambda: runtime_name(entry.file))
    try:
        detector = _build(config, models)
    except DelegateFailed as failure:
        detector = _build(without_delegate(config, failure), models)
    log.info("%s on %s", detector.description, detector.engine)
    return detector


def _build(config: ModelConfig, models: Path | None) -> SsdDetector:
    if config.file is not None:
        return SsdDetector(open_any_file(config), config)
    return SsdDetector(find_model(config.name, models), config)


def _heads(outputs: tuple[TensorInfo, ...], anchors: int, entry: ModelEntry) -> tuple[int, int]:
    """Which output holds the box codes and which the class logits, found by their shapes."""
    shapes = [info.shape for info in outputs]
    boxes = [i for i, shape in enumerate(shapes) if shape == (1, anchors, 4)]
    logits = [i for i, shape in enumerate(shapes) if shape == (1, anchors, len(entry.labels))]
    if len(outputs) != 2 or not boxes or not logits:
        raise ModelError(
            f"{entry.file.name} has outputs of shapes {shapes}; its manifest entry expects "
            f"(1, {anchors}, 4) and (1, {anchors}, {len(entry.labels)})"
        )
    return boxes[0], logits[-1]


def _wanted(classes: Iterable[str], labels: Mapping[int, str]) -> frozenset[int]:
    by_name = {name: class_id for class_id, name in labels.items()}
    unknown = [name for name in classes if name not in by_name]
    if unknown:
        raise ConfigError(
            f"model.classes names {', '.join(unknown)}, which this model does not know; "
            f"it knows: {', '.join(by_name)}"
        )
    return frozenset(by_name[name] for name in classes)
