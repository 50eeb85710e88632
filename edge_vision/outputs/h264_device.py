"""Looks for the board's own H.264 encoder: a V4L2 device that takes YUV420 and gives H.264.

On a Raspberry Pi 3, 4 and Zero 2 that is /dev/video11 of the driver bcm2835-codec; a Pi 5 has none.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from edge_vision.videodev import (
    BUF_TYPE_VIDEO_CAPTURE,
    BUF_TYPE_VIDEO_CAPTURE_MPLANE,
    BUF_TYPE_VIDEO_OUTPUT,
    BUF_TYPE_VIDEO_OUTPUT_MPLANE,
    CAP_VIDEO_M2M,
    CAP_VIDEO_M2M_MPLANE,
    Ioctl,
    capability,
    formats,
    fourcc_text,
    nodes_of,
)


def why_no_device(dev: Path = Path("/dev"), ioctl: Ioctl = fcntl.ioctl) -> str | None:
    """Why there is no encoder to use, in a few words; None where there is one.

    Never raises for a device; nodes that cannot be asked are none.
    """
    refused = []
    for node in nodes_of(dev):
        try:
            # Not blocking: some drivers wait in open() for a device that is busy.
            descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                refused.append(node.name)
            continue
        try:
            if _encodes(descriptor, ioctl):
                return None
        except OSError:
            continue
        finally:
            os.close(descriptor)
    if refused:
        return (
            f"{', '.join(refused)} in {dev} may not be opened (permission denied); add yourself "
            "to the group video: sudo usermod -aG video $USER, then log in again"
        )
    return f"no device in {dev} encodes H.264"


def _encodes(descriptor: int, ioctl: Ioctl) -> bool:
    """Raises OSError for what is no V4L2 device."""
    _driver, _card, _bus, caps = capability(descriptor, ioctl)
    if caps & CAP_VIDEO_M2M_MPLANE:
        takes, gives = BUF_TYPE_VIDEO_OUTPUT_MPLANE, BUF_TYPE_VIDEO_CAPTURE_MPLANE
    elif caps & CAP_VIDEO_M2M:
        takes, gives = BUF_TYPE_VIDEO_OUTPUT, BUF_TYPE_VIDEO_CAPTURE
    else:
        return False

    def offered(buffers: int) -> Iterator[str]:
        return (fourcc_text(code) for code, _ in formats(descriptor, buffers, ioctl))

    # V4L2 names the queues from the program's side: "output" goes into the device.  A decoder has
    # the same two formats the other way round.
    return "YU12" in offered(takes) and "H264" in offered(gives)
