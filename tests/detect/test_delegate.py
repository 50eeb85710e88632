"""Delegates that work, fail, crash and hang, and how the detector goes on without them."""

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_vision.config import ModelConfig
from edge_vision.config_load import load_config
from edge_vision.detect import delegate as delegate_module
from edge_vision.detect.delegate import (
    EDGETPU_LIBRARY,
    EDGETPU_OP,
    Delegate,
    DelegateFailed,
    choose_delegate,
    probe,
)
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.detect.runtime import Runtime
from edge_vision.detect.zoo import models_dir
from edge_vision.errors import ConfigError, DetectorError, ModelError

Built = Callable[..., Path]
MODEL = models_dir() / "ssdlite_mobilenet_v2_coco_int8.tflite"


def small(**more: object) -> SsdDetector:
    return build_detector(ModelConfig(size="small", threads=1, **more))  # type: ignore[arg-type]


def fastest_ms(detector: SsdDetector) -> float:
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        detector.invoke()
        took.append((time.perf_counter() - begin) * 1e3)
    return min(took)


def test_cpu_switches_xnnpack_off(pictures: Path) -> None:
    fast, plain = small(delegate="xnnpack"), small(delegate="cpu")
    assert (fast.delegate, plain.delegate) == ("XNNPACK", "plain CPU")
    assert small().delegate == "XNNPACK"
    # Measured: 2.7 against 18 ms on x86-64; on any machine the plain kernels are slower.
    assert fastest_ms(plain) > 1.3 * fastest_ms(fast)
    picture = cv2.imread(str(pictures / "cup.jpg"))
    one, other = fast.detect(picture), plain.detect(picture)
    assert one.class_ids[0] == other.class_ids[0]
    assert np.abs(one.boxes[0] - other.boxes[0]).max() < 0.02


def test_the_engine_names_delegate_threads_and_runtime() -> None:
    one, two = small(), build_detector(ModelConfig(size="small", threads=2))
    assert one.engine == f"XNNPACK, 1 thread, {one.runtime_name}"
    assert two.engine.startswith("XNNPACK, 2 threads, ")


def test_a_delegate_that_takes_a_part_is_named_beside_what_runs_the_rest(
    built_delegate: Built, pictures: Path
) -> None:
    detector = small(delegate=str(built_delegate()), delegate_options={"take": "first"})
    assert detector.delegate == "libworks.so + XNNPACK"
    picture = cv2.imread(str(pictures / "cup.jpg"))
    # Its kernel does nothing, so the network does not see the picture: it truly runs there.
    assert 47 not in detector.detect(picture).class_ids
    assert 47 in small().detect(picture).class_ids


def test_a_delegate_that_takes_nothing_is_not_called_active(
    built_delegate: Built, caplog: pytest.LogCaptureFixture
) -> None:
    detector = small(delegate=str(built_delegate()))
    assert detector.delegate == "XNNPACK"
    assert "libworks.so takes no part of this network" in caplog.text


@pytest.mark.parametrize(
    ("variant", "options", "said"),
    [
        ("CREATE_FAILS", {}, "libcreate_fails.so cannot be loaded: no device was found"),
        ("CREATE_CRASHES", {}, "crashed the process that tried it (SIGSEGV): the wrong runtime"),
        ("CREATE_HANGS", {}, "libcreate_hangs.so hangs: no answer within 2 s"),
        ("", {"prepare": "fail"}, "libworks.so cannot run ssdlite_mobilenet_v2_coco_int8.tflite"),
        ("", {"take": "first", "hang_after": 0}, "libworks.so hangs: no answer within 2 s"),
    ],
)
def test_a_bad_delegate_is_a_sentence_and_the_cpu_goes_on(
    variant: str,
    options: dict[str, str | int],
    said: str,
    built_delegate: Built,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(delegate_module.probe, "__defaults__", (2.0,))
    with caplog.at_level(logging.WARNING):
        detector = small(delegate=str(built_delegate(variant)), delegate_options=options)
    (record,) = caplog.records
    assert said in record.message
    assert record.message.endswith("; going on with the CPU (XNNPACK)")
    assert detector.delegate == "XNNPACK"
    assert len(detector.detect(np.zeros((50, 50, 3), np.uint8)).scores) == 0


def test_a_delegate_that_fails_later_is_a_sentence(built_delegate: Built) -> None:
    options: dict[str, str | int | float | bool] = {"take": "first", "fail_after": 3}
    detector = small(delegate=str(built_delegate()), delegate_options=options)
    detector.invoke()
    detector.invoke()
    with pytest.raises(DetectorError, match=r"libworks.so \+ XNNPACK failed in the middle of"):
        detector.invoke()


def test_a_library_that_is_missing_or_no_delegate_says_so(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("no library")
    for library, words in (
        ("/nowhere/libx.so", "cannot be loaded: .*No such file"),
        (str(text), "cannot be loaded: .*(invalid ELF|file too short)"),
        ("libm.so.6", "it is a library, but no TFLite delegate"),
    ):
        with pytest.raises(DelegateFailed, match=words):
            probe(Delegate(library, library=library), MODEL, 1, None)


def test_a_broken_model_is_not_blamed_on_the_delegate(
    tmp_path: Path, built_delegate: Built
) -> None:
    broken = tmp_path / "x.tflite"
    broken.write_bytes(MODEL.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"x\.tflite is not a TFLite file"):
        probe(Delegate("x", library=str(built_delegate())), broken, 1, None)


def test_auto_takes_the_edge_tpu_for_files_compiled_for_it_only(tmp_path: Path) -> None:
    compiled = tmp_path / "x_edgetpu.tflite"
    compiled.write_bytes(b"....TFL3...." + EDGETPU_OP)
    assert choose_delegate(ModelConfig(), compiled).library == EDGETPU_LIBRARY
    assert choose_delegate(ModelConfig(), MODEL) == Delegate()
    assert choose_delegate(ModelConfig(delegate="edgetpu"), MODEL).library == EDGETPU_LIBRARY
    assert choose_delegate(ModelConfig(delegate="cpu"), compiled).xnnpack is False
    assert choose_delegate(ModelConfig(), tmp_path / "missing").library == ""


def test_options_arrive_as_text_and_paths_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(MODEL, tmp_path / "here.so")
    monkeypatch.chdir(tmp_path)
    config = ModelConfig(delegate="here.so", delegate_options={"a": True, "b": 2, "c": "x"})
    chosen = choose_delegate(config, MODEL)
    assert chosen.library == str(tmp_path / "here.so")
    assert chosen.options == {"a": "true", "b": "2", "c": "x"}
    # What is no file here is for the dynamic loader to find.
    assert choose_delegate(ModelConfig(delegate="libvx.so"), MODEL).library == "libvx.so"


def test_the_edge_tpu_without_its_library_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    detector = small(delegate="edgetpu")
    if detector.delegate == "Edge TPU":
        pytest.skip("an Edge TPU is here")
    assert detector.delegate == "XNNPACK"
    assert "libedgetpu.so.1" in caplog.text


def test_the_fallback_file_runs_when_the_delegate_fails(
    tmp_path: Path, built_delegate: Built, caplog: pytest.LogCaptureFixture
) -> None:
    instead = tmp_path / "instead.tflite"
    shutil.copy(MODEL, instead)
    detector = small(delegate=str(built_delegate("CREATE_FAILS")), fallback_file=str(instead))
    assert detector.model_name == "instead"
    assert detector.delegate == "XNNPACK"
    assert f"no device was found; going on with {instead}" in caplog.text
    with pytest.raises(ModelError, match=r"nowhere\.tflite"):
        small(delegate=str(built_delegate("CREATE_FAILS")), fallback_file="nowhere.tflite")


def test_a_file_compiled_for_the_edge_tpu_needs_a_fallback_file(
    tmp_path: Path, shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The official file's custom operation, renamed: what the Edge TPU's compiler leaves behind.
    official = (shared / "models" / "coco_ssd_mobilenet_v1_1.0_quant.tflite").read_bytes()
    name = b"TFLite_Detection_PostProcess"
    lengths = len(name).to_bytes(4, "little"), len(EDGETPU_OP).to_bytes(4, "little")
    renamed = lengths[1] + EDGETPU_OP.ljust(len(name), b"\0")
    compiled = tmp_path / "x_edgetpu.tflite"
    compiled.write_bytes(official.replace(lengths[0] + name, renamed))
    assert EDGETPU_OP in compiled.read_bytes()
    with pytest.raises(ModelError, match=r"x_edgetpu.tflite is compiled for the Edge TPU, which"):
        build_detector(ModelConfig(file=str(compiled), threads=1))
    assert "libedgetpu.so.1" in caplog.text
    detector = build_detector(
        ModelConfig(file=str(compiled), fallback_file=str(MODEL), threads=1, input_hw_px=(300, 300))
    )
    assert detector.model_name == MODEL.stem


def test_an_external_delegate_at_the_size_the_file_has(built_delegate: Built) -> None:
    delegate = Delegate("x", library=str(built_delegate()), options={"take": "first"})
    assert Runtime(MODEL, 1, (300, 300), delegate).active == "x + XNNPACK"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["model.delegate=gpu"], "expected auto, cpu, xnnpack, edgetpu, or the path of"),
        (["model.delegate=cpu", "model.delegate_options={a: 1}"], "model.delegate is cpu"),
        (["model.delegate_options=3"], "model.delegate_options is 3"),
        (["model.delegate_options={a: [1]}"], "model.delegate_options"),
        (["model.deadline_s=0"], "model.deadline_s is 0"),
    ],
)
def test_wrong_settings_are_told(settings: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match="--set") as caught:
        load_config(None, settings)
    assert said in str(caught.value)
