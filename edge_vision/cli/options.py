"""Options that several commands share, and the configuration they amount to."""

import json
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_vision.config import Config
from edge_vision.config_load import load_config
from edge_vision.errors import EdgeVisionError
from edge_vision.journal import JournalHandler, goes_to_journal

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        metavar="FILE",
        help="Configuration file; else $EDGE_VISION_CONFIG, else the config.yaml that came along.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Change one key of the configuration; may be given again.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="small, medium, large, xlarge, auto (see tune), or HEIGHTxWIDTH in pixels (236x300).",
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=64, metavar="N", help="Interpreter threads.")
]
Save = Annotated[str | None, typer.Option(metavar="FILE.mp4", help="Save the annotated video.")]
Jsonl = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Append one JSON line per analysed frame; - prints it."),
]
InferenceMs = typer.Option(
    min=0,
    max=10000,
    metavar="MS",
    help="On a virtual clock, with results so late (clips and the demo scene).",
)
Source = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="auto, demo, pi, usb, a USB camera's INDEX or /dev path, a video or picture file, "
        "a folder of pictures, or an http/rtsp URL; several picture files: give it again.",
    ),
]


def default_config_file() -> Path:
    """The config.yaml of the environment, the wheel, or the checkout, in this order."""
    if named := os.environ.get("EDGE_VISION_CONFIG"):
        return Path(named)
    package = Path(__file__).resolve().parent.parent
    packaged = package / "_config.yaml"
    return packaged if packaged.exists() else package.parent / "config.yaml"


def configuration(file: Path | None, settings: Iterable[str]) -> Config:
    """The configuration of a command; also sets up logging as it says."""
    if goes_to_journal():
        logging.basicConfig(format="%(message)s", handlers=[JournalHandler()])
    else:
        text = "%(asctime)s %(levelname)s %(message)s"
        logging.basicConfig(format=text, datefmt="%H:%M:%S", stream=sys.stderr)
    config = load_config(file or default_config_file(), list(settings))
    logging.getLogger().setLevel(config.log.level.upper())
    return config


def size_settings(size: str | None, threads: int | None) -> list[str]:
    """`--size` and `--threads` as settings."""
    settings = []
    if size is not None:
        height, x, width = size.partition("x")
        if x and height.isdigit() and width.isdigit():
            settings.append(f"model.input_hw_px=[{height}, {width}]")
        else:
            settings += [f"model.size={size}", "model.input_hw_px=null"]
    if threads is not None:
        settings.append(f"model.threads={threads}")
    return settings


def output_settings(save: str | None, jsonl: str | None, window: bool | None) -> list[str]:
    """`--save`, `--jsonl` and `--window` as settings."""
    given = (("video.path", save), ("jsonl.path", jsonl), ("window.enabled", window))
    return [f"outputs.{key}={json.dumps(value)}" for key, value in given if value is not None]


def source_settings(sources: list[str]) -> list[str]:
    """`--source` as settings: words, numbers and /dev paths are cameras, the rest are clips."""
    first = sources[0]
    if len(sources) == 1 and first in ("auto", "demo", "pi", "usb"):
        return [f"camera.kind={first}", "camera.source=null"]
    if len(sources) == 1 and (first.isdigit() or first.startswith("/dev/")):
        return [
            "camera.kind=usb",
            f"camera.source={json.dumps(int(first) if first.isdigit() else first)}",
        ]
    value: Any = first if len(sources) == 1 else sources
    return ["camera.kind=clip", f"camera.source={json.dumps(value)}"]


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2))


def tell_faults(faults: list[EdgeVisionError]) -> None:
    """Name each fault and end with the first one's exit code, if there is any."""
    for fault in faults:
        print(f"edge-vision: {fault}", file=sys.stderr)
    if faults:
        raise typer.Exit(faults[0].exit_code)
