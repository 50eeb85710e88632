"""`edge-vision cameras`: what there is to look through."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edge_vision.camera.holders import holders
from edge_vision.camera.pi_stack import LibcameraDevice, be_quiet, list_cameras
from edge_vision.camera.v4l2 import Device, Format, list_devices, no_camera
from edge_vision.cli.options import AsJson, print_json


def command(
    json: AsJson = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also nodes that are no cameras, and why.")
    ] = False,
) -> None:
    """List the Pi cameras (libcamera) and USB cameras (V4L2): sizes, formats, and who uses them."""
    pi_cameras = _libcamera_devices()
    devices = list_devices()
    usable = [device for device in devices if device.usable]
    shown = devices if everything else usable
    held = {device.node: holders([Path(device.node)]) for device in shown}
    if json:
        print_json(
            [{"kind": "pi", **asdict(camera), "usable": True} for camera in pi_cameras]
            + [
                {
                    "kind": "usb",
                    **asdict(device),
                    "usable": device.usable,
                    "held_by": held[device.node],
                }
                for device in shown
            ]
        )
        return
    for camera in pi_cameras:
        _print_pi(camera)
    for device in shown:
        _print(device, held[device.node])
    if not usable and not pi_cameras:
        print(no_camera(devices))
        print("The built-in demo scene needs none: edge-vision run --source demo")


def _libcamera_devices() -> list[LibcameraDevice]:
    """None where libcamera's Python module is not there, as on most computers."""
    be_quiet()
    try:
        import libcamera
    except ImportError:
        return []
    return list_cameras(libcamera)


def _print_pi(camera: LibcameraDevice) -> None:
    print(f"Pi camera {camera.number}  {camera.model}  ({camera.id})")
    if camera.sizes_px:
        print(f"  sizes  {_joined(camera.sizes_px)}")
    _print_holders(camera.held_by)
    choice = f" --set camera.pi.number={camera.number}" if camera.number else ""
    print(f"  use it: edge-vision run --source pi{choice}")


def _print(device: Device, held_by: dict[int, str]) -> None:
    print(f"{device.node}  {device.card}  ({device.driver or 'driver unknown'}, {device.bus})")
    if device.refusal:
        print(f"  not usable: {device.refusal}")
        return
    for link in device.links:
        lasts = "wherever it is plugged in" if "/by-id/" in link else "at this socket"
        print(f"  stays the same {lasts}: {link}")
    for offered in device.formats:
        print(f"  {offered.fourcc}  {_sizes(offered)}")
    _print_holders(held_by)
    print(f"  use it: edge-vision run --source {device.links[0] if device.links else device.node}")


def _print_holders(held_by: dict[int, str]) -> None:
    if held_by:
        who = ", ".join(f"{process} ({name})" for process, name in held_by.items())
        print(f"  in use by process {who}")


def _sizes(offered: Format) -> str:
    if offered.stepwise:
        return " to ".join(f"{width}x{height}" for width, height in offered.sizes_px)
    return _joined(offered.sizes_px) or "sizes unknown"


def _joined(sizes_px: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{width}x{height}" for width, height in sizes_px)
