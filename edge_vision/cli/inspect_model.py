"""`edge-vision models inspect FILE`: what was understood of a model file, and why."""

from pathlib import Path

from edge_vision.cli.options import print_json
from edge_vision.config import ModelConfig
from edge_vision.detect.any_file import BOX_SCALES, AnyFile, open_any_file
from edge_vision.detect.network_cost import multiply_adds, parameters


def inspect(file: Path, labels: Path | None, json: bool) -> None:
    """Print the report of `report`; raises ModelError for files that cannot be used."""
    config = ModelConfig(file=str(file), labels=str(labels) if labels else None)
    found = report(open_any_file(config))
    if json:
        print_json({"file": str(file), **found})
        return
    print(file)
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"  {name}")
            for key, said in value.items():
                print(f"    {key:14} {said}")
        else:
            print(f"  {name:16} {value}")


def report(found: AnyFile) -> dict[str, object]:
    """Everything that was understood, as plain values; reasons under `why`."""
    layout, runtime = found.layout, found.runtime
    tensors = {
        role: f"output {number}: {runtime.outputs[number].dtype} {runtime.outputs[number].shape}"
        for role, number in layout.roles.items()
    }
    why = {"pixels": found.pixels_why, **layout.why, "labels": found.labels.why}
    facts: dict[str, object] = {"layout": layout.kind, "outputs": tensors}
    if layout.kind == "raw":
        why["background"] = found.background_why
        facts |= {
            "anchors": layout.anchors,
            "activation": layout.activation,
            "background": found.background,
            "box_scales": list(BOX_SCALES),
        }
        why["box_scales"] = "assumed: every published SSD-MobileNet was trained with these"
    height, width = found.input_hw_px
    return {
        "input": f"{runtime.input.dtype} {runtime.input.shape}, RGB",
        **facts,
        "labels": len(found.labels.names),
        "first_labels": list(found.labels.names.values())[:3],
        "custom_ops": found.file.custom_ops,
        "compiled_for_edgetpu": found.file.compiled_for_edgetpu,
        "parameters": parameters(found.file),
        f"multiply_adds_at_{width}x{height}": multiply_adds(found.file, found.input_hw_px),
        "runtime": f"{runtime.name}, {runtime.active}",
        "why": why,
    }
