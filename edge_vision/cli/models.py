"""`edge-vision models`: what can be selected."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from edge_vision.cli.inspect_model import inspect
from edge_vision.cli.options import AsJson, print_json
from edge_vision.detect.zoo import ModelEntry, read_manifest
from edge_vision.errors import ModelError


def command(
    action: Annotated[
        str | None, typer.Argument(metavar="inspect", help="Look at an SSD file.")
    ] = None,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A .tflite file.")] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="inspect: the file's labels.")
    ] = None,
    json: AsJson = False,
) -> None:
    """List the models of models/manifest.yaml, their sizes, and what was measured for each.

    models inspect FILE prints what was understood of any SSD file (for model.file), and why.
    """
    if action is not None:
        if action != "inspect" or file is None:
            raise typer.BadParameter("expected nothing, or: inspect FILE")
        inspect(file, labels, json)
        return
    if labels is not None:
        raise typer.BadParameter("--labels goes with: inspect FILE")
    entries = read_manifest()
    if json:
        print_json([_as_dict(entry) for entry in entries])
        return
    for entry in entries:
        print(
            f"{entry.name}   ({entry.facts['family']}, alpha {entry.alpha:g}, "
            f"{entry.facts['dtype']}, {len(entry.labels)} classes, {entry.facts['license']})"
        )
        print(f"  file    {entry.file}   {_state(entry)}")
        published = entry.facts["published"].get("coco_map")
        source = f"{entry.facts['source']['package']} {entry.facts['source']['version']}"
        trained = f"{entry.training_hw_px[1]}x{entry.training_hw_px[0]}"
        accuracy = f"COCO mAP {published:g} as published" if published else "trained"
        print(f"  source  {source}, {accuracy} at {trained}")
        measured = {tuple(row["input_hw_px"]): row for row in entry.facts["measured"]}
        for size, hw in entry.sizes_hw_px.items():
            print(f"  size    {size:8} {hw[1]}x{hw[0]} px{_accuracy(measured.get(hw, {}))}")
    print(
        "Select with: model.name, model.size, or model.input_hw_px for any size of 96 to 4096 px."
    )


def _accuracy(row: Mapping[str, float]) -> str:
    if "map" in row:
        return f"   mAP {row['map']:.3f} on 128 COCO pictures"
    if "recall" in row:
        return f"   {row['recall']:.0%} of the faces the unquantised network finds at 512x512"
    return ""


def _state(entry: ModelEntry) -> str:
    try:
        entry.check_file()
    except ModelError as error:
        return f"UNUSABLE: {error}"
    return f"{int(entry.facts['size_bytes']) / 1e6:.1f} MB, hash checked"


def _as_dict(entry: ModelEntry) -> dict[str, object]:
    state = _state(entry)
    return {
        "name": entry.name,
        "family": entry.facts["family"],
        "alpha": entry.alpha,
        "dtype": entry.facts["dtype"],
        "file": str(entry.file),
        "usable": not state.startswith("UNUSABLE"),
        "sha256": entry.sha256,
        "classes": len(entry.labels),
        "sizes_hw_px": {name: list(hw) for name, hw in entry.sizes_hw_px.items()},
        "license": entry.facts["license"],
        "source": entry.facts["source"],
        "published": entry.facts["published"],
        "measured": entry.facts["measured"],
    }
