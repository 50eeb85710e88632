"""Asking V4L2 devices: ioctls and structures of the kernel's videodev2.h, nothing else.

The structures used hold only bytes and 32-bit numbers, so they are the same on every architecture;
the ioctl numbers are those of Linux's asm-generic/ioctl.h (x86, ARM, RISC-V).
"""

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

Ioctl = Callable[[int, int, bytearray], object]

CAPABILITY = struct.Struct("=16s32s32sIII12x")  # struct v4l2_capability
FMTDESC = struct.Struct("=III32sI16x")  # struct v4l2_fmtdesc


def request(direction: int, number: int, size: int) -> int:
    """An ioctl number of type 'V'; direction 1 = write, 2 = read, 3 = both; size in bytes."""
    return direction << 30 | size << 16 | ord("V") << 8 | number


VIDIOC_QUERYCAP = request(2, 0, CAPABILITY.size)
VIDIOC_ENUM_FMT = request(3, 2, FMTDESC.size)

CAP_VIDEO_CAPTURE = 0x00000001
CAP_VIDEO_CAPTURE_MPLANE = 0x00001000
CAP_VIDEO_M2M_MPLANE = 0x00004000
CAP_VIDEO_M2M = 0x00008000
CAP_META_CAPTURE = 0x00800000
CAP_STREAMING = 0x04000000
CAP_DEVICE_CAPS = 0x80000000

BUF_TYPE_VIDEO_CAPTURE = 1
BUF_TYPE_VIDEO_OUTPUT = 2
BUF_TYPE_VIDEO_CAPTURE_MPLANE = 9
BUF_TYPE_VIDEO_OUTPUT_MPLANE = 10

MOST_ENTRIES = 256
"""A driver that never ends its list must not hang us."""


def nodes_of(dev: Path) -> list[Path]:
    """The /dev/video* nodes in a folder, by number."""
    nodes = [path for path in dev.glob("video*") if re.fullmatch(r"video[0-9]+", path.name)]
    return sorted(nodes, key=lambda path: int(path.name[5:]))


def plugged(dev: Path = Path("/dev")) -> frozenset[tuple[str, int, int, int]]:
    """What is there now; it changes when a device comes, goes, or is given other rights by udev."""
    stamps = set()
    for node in nodes_of(dev):
        try:
            found = node.stat()
        except OSError:  # just gone
            continue
        stamps.add((node.name, found.st_ctime_ns, found.st_mode, found.st_gid))
    return frozenset(stamps)


def capability(descriptor: int, ioctl: Ioctl) -> tuple[str, str, str, int]:
    """Driver, card and bus of an open node, and its V4L2_CAP_* flags.  Raises OSError."""
    data = bytearray(CAPABILITY.size)
    ioctl(descriptor, VIDIOC_QUERYCAP, data)
    driver, card, bus, _version, capabilities, device_caps = CAPABILITY.unpack(data)
    # `capabilities` is of the whole device with all its nodes; device_caps of this node.
    caps = device_caps if capabilities & CAP_DEVICE_CAPS else capabilities
    return text(driver), text(card), text(bus), caps


def formats(descriptor: int, buffers: int, ioctl: Ioctl) -> Iterator[tuple[int, str]]:
    """Pixel formats of one queue of an open node: FOURCC number and description.

    buffers: which queue, one of BUF_TYPE_*.
    """
    for index in range(MOST_ENTRIES):
        data = bytearray(FMTDESC.pack(index, buffers, 0, b"", 0))
        if not answers(ioctl, descriptor, VIDIOC_ENUM_FMT, data):
            return
        _, _, _, description, code = FMTDESC.unpack(data)
        yield code, text(description)


def answers(ioctl: Ioctl, descriptor: int, number: int, data: bytearray) -> bool:
    """Fill `data`; False at the end of a list (EINVAL), or where there is none (ENOTTY, ...)."""
    try:
        ioctl(descriptor, number, data)
    except OSError:
        return False
    return True


def fourcc_text(code: int) -> str:
    """A FOURCC number as its four characters; bit 31 marks big-endian and is not part of it."""
    return (code & 0x7FFFFFFF).to_bytes(4, "little").decode("latin-1")


def text(data: bytes) -> str:
    """A C string in a field of fixed length."""
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")
