"""`edge-vision cameras`: what there is to look through."""

from dataclasses import asdict
from typing import Annotated

import typer

from edge_vision.camera.v4l2 import Device, Format, list_devices, no_camera
from edge_vision.cli.options import AsJson, print_json


def command(
    json: AsJson = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also nodes that are no cameras, and why.")
    ] = False,
) -> None:
    """List the V4L2 cameras of this computer, with the sizes and formats they offer."""
    devices = list_devices()
    usable = [device for device in devices if device.usable]
    shown = devices if everything else usable
    if json:
        print_json([{**asdict(device), "usable": device.usable} for device in shown])
        return
    for device in shown:
        _print(device)
    if not usable:
        print(no_camera(devices))
        print("The built-in demo scene needs none: edge-vision run --source demo")


def _print(device: Device) -> None:
    print(f"{device.node}  {device.card}  ({device.driver or 'driver unknown'}, {device.bus})")
    if device.refusal:
        print(f"  not usable: {device.refusal}")
        return
    for link in device.links:
        lasts = "wherever it is plugged in" if "/by-id/" in link else "at this socket"
        print(f"  stays the same {lasts}: {link}")
    for offered in device.formats:
        print(f"  {offered.fourcc}  {_sizes(offered)}")
    print(f"  use it: edge-vision run --source {device.links[0] if device.links else device.node}")


def _sizes(offered: Format) -> str:
    sizes = [f"{width}x{height}" for width, height in offered.sizes_px]
    if offered.stepwise:
        return " to ".join(sizes)
    return ", ".join(sizes) or "sizes unknown"
