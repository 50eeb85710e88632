"""`edge-vision bench`: what the pipeline makes of what the interpreter can do."""

import resource
import time
from typing import Annotated

import typer

from edge_vision.app import App, detector_config, prepare_process
from edge_vision.cli.options import (
    AsJson,
    ConfigFile,
    Settings,
    Size,
    Source,
    Threads,
    configuration,
    print_json,
    size_settings,
    source_settings,
)
from edge_vision.config import Config
from edge_vision.config_outputs import NullConfig
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.telemetry import Telemetry


def command(
    config: ConfigFile = None,
    set_: Settings = None,
    source: Source = None,
    size: Size = None,
    threads: Threads = None,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=3600, help="Seconds of pipeline to measure in all.")
    ] = 9.0,
    rounds: Annotated[
        int, typer.Option(min=1, max=20, help="Turns of bare invoke and pipeline.")
    ] = 3,
    json: AsJson = False,
) -> None:
    """Measure the bare invoke() loop, each stage and the whole pipeline, in one run.

    The two are measured in turns, so their ratio holds on a machine whose speed drifts.  The
    source defaults to the demo scene; clips and the demo scene are read at pace: fast, so every
    frame is analysed.  The ratio is of a pipeline that nobody watches; a last turn draws every
    frame and throws it away (pipeline_drawn_per_s, and the stages' times).
    """
    settings = [*(set_ or []), *size_settings(size, threads), *source_settings(source or ["demo"])]
    settings += ["outputs.window.enabled=false", "outputs.null.enabled=false"]
    settings += ["outputs.video.path=null", "outputs.jsonl.path=null"]
    live = ("camera.kind=usb", "camera.kind=pi", "camera.kind=auto")
    if not any(setting.startswith(live) for setting in settings):
        settings += ["camera.pace=fast", "camera.loop=true"]
    loaded = configuration(config, settings)
    prepare_process()
    report = measure(loaded, seconds, rounds)
    if json:
        print_json(report)
        return
    stages = report.pop("stages_ms")
    assert isinstance(stages, dict)
    for name, value in report.items():
        print(f"{name:16} {value}")
    print("stages, p50 ms")
    for name, value in stages.items():
        print(f"  {name:14} {value}")


def measure(config: Config, seconds: float, rounds: int) -> dict[str, object]:
    """Turns of invoke loop and pipeline; see `command` for what the figures mean."""
    invokes = frames = 0
    invoke_s = pipeline_s = 0.0
    detector = build_detector(detector_config(config))
    turn_s = seconds / (rounds + 1)
    for _ in range(rounds):
        count, took_s = _invoke_loop(detector, turn_s / 2)
        invokes, invoke_s = invokes + count, invoke_s + took_s
        analysed = _run(config, turn_s, detector).analysed
        frames += analysed.count - 1
        pipeline_s += (analysed.last_ns - analysed.first_ns) / 1e9
    drawing = config.outputs.model_copy(update={"null": NullConfig(enabled=True)})
    telemetry = _run(config.model_copy(update={"outputs": drawing}), turn_s, detector)
    invoke_per_s = invokes / invoke_s
    pipeline_per_s = frames / pipeline_s if pipeline_s > 0 else 0.0
    passed = [name for name, histogram in telemetry.stages.items() if histogram.count]
    stages = {name: _p50(telemetry, name) for name in passed}
    return {
        "runtime": detector.runtime_name,
        "model": detector.model_name,
        "input_hw_px": list(detector.input_hw_px),
        "delegate": detector.delegate,
        "threads": detector.threads,
        "invoke_per_s": round(invoke_per_s, 1),
        "pipeline_per_s": round(pipeline_per_s, 1),
        "ratio": round(pipeline_per_s / invoke_per_s, 3),
        "pipeline_drawn_per_s": round(telemetry.analysed.overall_per_s(), 1),
        "overhead_cpu_ms": round(telemetry.overhead_cpu.percentile(50), 3),
        "stages_ms": {**stages, "invoke": round(telemetry.invoke.percentile(50), 3)},
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _run(config: Config, duration_s: float, detector: SsdDetector) -> Telemetry:
    app = App(config, duration_s=duration_s, detector=detector)
    app.run()
    return app.pipeline.telemetry


def _invoke_loop(detector: SsdDetector, seconds: float) -> tuple[int, float]:
    for _ in range(5):
        detector.invoke()
    count = 0
    begin = time.perf_counter()
    while (took := time.perf_counter() - begin) < seconds:
        detector.invoke()
        count += 1
    return count, took


def _p50(telemetry: Telemetry, stage: str) -> float:
    return round(telemetry.stages[stage].percentile(50), 3)
