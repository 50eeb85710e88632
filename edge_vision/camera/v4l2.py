"""Lists V4L2 capture devices."""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_vision.account import join_groups
from edge_vision.videodev import (
    BUF_TYPE_VIDEO_CAPTURE,
    CAP_META_CAPTURE,
    CAP_STREAMING,
    CAP_VIDEO_CAPTURE,
    CAP_VIDEO_CAPTURE_MPLANE,
    CAP_VIDEO_M2M,
    CAP_VIDEO_M2M_MPLANE,
    MOST_ENTRIES,
    Ioctl,
    answers,
    capability,
    formats,
    fourcc_text,
    nodes_of,
    request,
)

_FRMSIZE = struct.Struct("=III6I8x")  # struct v4l2_frmsizeenum
VIDIOC_ENUM_FRAMESIZES = request(3, 74, _FRMSIZE.size)
_FRMSIZE_DISCRETE = 1

NO_WEBCAM = {
    "bcm2835-codec": "a video codec",
    "bcm2835-isp": "an image processor",
    "pispbe": "an image processor",
    "rpi-hevc-dec": "a video decoder",
    "rpivid": "a video decoder",
    "rp1-cfe": "a raw sensor interface, which needs libcamera",
    "unicam": "a raw sensor interface, which needs libcamera",
    "bcm2835-unicam": "a raw sensor interface, which needs libcamera",
}
"""Drivers of capture nodes on Raspberry Pi boards that are no webcams."""


@dataclass(frozen=True, slots=True)
class Format:
    """A pixel format a device offers.

    fourcc: four characters, as in CameraConfig.pixel_format.  sizes_px: (width, height) each; with
    `stepwise` the smallest and the largest of a range.
    """

    fourcc: str
    description: str
    sizes_px: tuple[tuple[int, int], ...] = ()
    stepwise: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """A /dev/video* node.

    links: /dev/v4l/by-id and by-path names of it.  refusal: why it is no camera to use, or empty.
    """

    node: str
    card: str = ""
    driver: str = ""
    bus: str = ""
    links: tuple[str, ...] = ()
    formats: tuple[Format, ...] = ()
    refusal: str = ""

    @property
    def usable(self) -> bool:
        """It can be opened and captures pictures."""
        return not self.refusal


def list_devices(
    dev: Path = Path("/dev"), sys: Path = Path("/sys"), ioctl: Ioctl = fcntl.ioctl
) -> list[Device]:
    """All /dev/video* nodes, USB first, then by number; also those that are no cameras.

    Never raises for a device: what is wrong with one stands in its `refusal`.
    """
    devices = [query(node, dev=dev, sys=sys, ioctl=ioctl) for node in nodes_of(dev)]
    return sorted(devices, key=lambda device: not device.bus.startswith("usb"))


def query(
    node: Path, dev: Path = Path("/dev"), sys: Path = Path("/sys"), ioctl: Ioctl = fcntl.ioctl
) -> Device:
    """One device.  node: its path, or a link to it."""
    links = _links(node, dev)
    node = node.resolve()
    try:
        # Not blocking: some drivers wait in open() for a device that is busy.
        descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        name = _sys_name(node, sys)
        return Device(str(node), name, links=links, refusal=_refusal_of(node, error))
    try:
        return _query(str(node), descriptor, links, ioctl)
    except OSError as error:
        refusal = f"is no V4L2 device ({os.strerror(error.errno or 0).lower()})"
        return Device(str(node), _sys_name(node, sys), links=links, refusal=refusal)
    finally:
        os.close(descriptor)


def _query(node: str, descriptor: int, links: tuple[str, ...], ioctl: Ioctl) -> Device:
    driver, card, bus, caps = capability(descriptor, ioctl)
    offered: tuple[Format, ...] = ()
    refusal = _not_a_camera(driver, caps)
    if not refusal:
        offered = tuple(_formats(descriptor, ioctl))
    return Device(node, card, driver, bus, links, offered, refusal)


def _not_a_camera(driver: str, caps: int) -> str:
    if driver in NO_WEBCAM:
        return f"is {NO_WEBCAM[driver]} ({driver}), no webcam"
    if caps & (CAP_VIDEO_M2M | CAP_VIDEO_M2M_MPLANE):
        return f"converts video ({driver}), and is no camera"
    if caps & CAP_META_CAPTURE and not caps & CAP_VIDEO_CAPTURE:
        return "gives only metadata of a camera, no pictures"
    if caps & CAP_VIDEO_CAPTURE_MPLANE and not caps & CAP_VIDEO_CAPTURE:
        return f"gives pictures in separate planes only ({driver}), as no webcam does"
    if not caps & CAP_VIDEO_CAPTURE:
        return "does not capture pictures"
    if not caps & CAP_STREAMING:
        return "does not stream"
    return ""


def _formats(descriptor: int, ioctl: Ioctl) -> Iterator[Format]:
    for code, description in formats(descriptor, BUF_TYPE_VIDEO_CAPTURE, ioctl):
        sizes, stepwise = _sizes(descriptor, code, ioctl)
        yield Format(fourcc_text(code), description, sizes, stepwise)


def _sizes(descriptor: int, code: int, ioctl: Ioctl) -> tuple[tuple[tuple[int, int], ...], bool]:
    sizes: list[tuple[int, int]] = []
    for index in range(MOST_ENTRIES):
        data = bytearray(_FRMSIZE.pack(index, code, 0, *(0,) * 6))
        if not answers(ioctl, descriptor, VIDIOC_ENUM_FRAMESIZES, data):
            break
        _, _, kind, *numbers = _FRMSIZE.unpack(data)
        if kind != _FRMSIZE_DISCRETE:  # min, max, step of the width, then of the height
            return ((numbers[0], numbers[3]), (numbers[1], numbers[4])), True
        sizes.append((numbers[0], numbers[1]))
    return tuple(sizes), False


def no_camera(devices: list[Device]) -> str:
    """Why none of the devices is a camera to use, in one sentence."""
    if not devices:
        return "no USB camera: no /dev/video* node"
    refused: dict[str, list[str]] = {}  # boards have a dozen nodes of one kind
    for device in devices:
        card = f" ({device.card})" if device.card else ""
        refused.setdefault(device.refusal, []).append(f"{device.node}{card}")
    reasons = (
        f"{', '.join(names)}{' each' if len(names) > 1 else ''} {refusal}"
        for refusal, names in refused.items()
    )
    return f"no USB camera: {'; '.join(reasons)}"


def _links(node: Path, dev: Path) -> tuple[str, ...]:
    """The udev names that lead to the node; by-id, which names the camera itself, comes first."""
    found = [*(dev / "v4l/by-id").glob("*"), *(dev / "v4l/by-path").glob("*")]
    target = node.resolve()
    return tuple(sorted(str(link) for link in found if link.resolve() == target))


def _sys_name(node: Path, sys: Path) -> str:
    try:
        return (sys / "class/video4linux" / node.name / "name").read_text("utf-8").strip()
    except OSError:
        return ""


def _refusal_of(node: Path, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            "may not be opened (permission denied); that is for the group video: "
            f"{join_groups('video')}"
        )
    if error.errno == errno.ENOENT:
        return "does not exist"
    return f"cannot be opened ({os.strerror(error.errno or 0).lower()})"
