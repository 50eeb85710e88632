"""`edge-vision models`: what can be selected."""

from edge_vision.cli.options import AsJson, print_json
from edge_vision.detect.zoo import ModelEntry, read_manifest
from edge_vision.errors import ModelError


def command(json: AsJson = False) -> None:
    """List the models of models/manifest.yaml, their sizes, and what was measured for each."""
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
        published = entry.facts["published"]
        print(
            f"  source  {entry.facts['source']['package']} {entry.facts['source']['version']}, "
            f"COCO mAP {published['coco_map']:g} as published at "
            f"{entry.training_hw_px[1]}x{entry.training_hw_px[0]}"
        )
        measured = {tuple(row["input_hw_px"]): row["map"] for row in entry.facts["measured"]}
        for size, hw in entry.sizes_hw_px.items():
            note = f"   mAP {measured[hw]:.3f} on 128 COCO pictures" if hw in measured else ""
            print(f"  size    {size:8} {hw[1]}x{hw[0]} px{note}")
    print(
        "Select with: model.name, model.size, or model.input_hw_px for any size of 96 to 4096 px."
    )


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
