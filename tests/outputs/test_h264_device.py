"""Looking for the board's encoder, on kernels made for it: a Pi 4's nodes, a Pi 5's, none."""

import errno
import os
import struct
from pathlib import Path

import pytest

from edge_vision import videodev
from edge_vision.outputs.h264_device import why_no_device

CAPTURE, MPLANE, M2M, STREAMING = 0x1, 0x4000, 0x8000, 0x4000000
TAKES, GIVES = {MPLANE: 10, M2M: 2}, {MPLANE: 9, M2M: 1}


class Kernel:
    """Nodes that are empty files in a folder; each has its flags and what its queues offer."""

    def __init__(self, dev: Path) -> None:
        self.dev = dev
        self.nodes: dict[str, tuple[int, list[str], list[str]]] = {}

    def add(self, name: str, caps: int, takes: list[str], gives: list[str]) -> None:
        (self.dev / name).touch()
        self.nodes[name] = (caps, takes, gives)

    def ioctl(self, descriptor: int, request: int, data: bytearray) -> None:
        node = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        if node not in self.nodes:
            raise OSError(errno.ENOTTY, "no V4L2 device")
        caps, takes, gives = self.nodes[node]
        if request == videodev.VIDIOC_QUERYCAP:
            whole = caps | 0x80000000
            texts = b"bcm2835-codec", b"bcm2835-codec-encode", b"platform:bcm2835-codec"
            data[:] = videodev.CAPABILITY.pack(*texts, 0x60100, whole, caps | STREAMING)
            return
        assert request == videodev.VIDIOC_ENUM_FMT
        index, kind = struct.unpack_from("=II", data)
        queues = {
            where[kind_of]: offered
            for where, offered in ((TAKES, takes), (GIVES, gives))
            for kind_of in (MPLANE, M2M)
            if caps & kind_of
        }
        offered = queues.get(kind, [])
        if index >= len(offered):
            raise OSError(errno.EINVAL, "end of the list")
        code = int.from_bytes(offered[index].encode(), "little")
        data[:] = videodev.FMTDESC.pack(index, kind, 0, b"", code)

    def why_not(self) -> str | None:
        return why_no_device(self.dev, self.ioctl)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """A Pi without an encoder: a decoder, an image processor, a webcam."""
    made = Kernel(tmp_path)
    made.add("video10", MPLANE, ["H264", "MJPG"], ["YU12", "NV12"])
    made.add("video12", MPLANE, ["YU12", "RGB3"], ["YU12", "RGB3"])
    made.add("video0", CAPTURE, [], ["H264"])  # some webcams encode themselves
    (tmp_path / "video-other").touch()
    return made


@pytest.mark.parametrize("kind", [MPLANE, M2M])
def test_an_encoder_is_found_by_what_it_takes_and_gives(kernel: Kernel, kind: int) -> None:
    assert kernel.why_not() == f"no device in {kernel.dev} encodes H.264"
    kernel.add("video11", kind, ["YUYV", "YU12"], ["MJPG", "H264"])
    assert kernel.why_not() is None


def test_an_encoder_that_takes_no_yuv420_is_none(kernel: Kernel) -> None:
    kernel.add("video11", MPLANE, ["NV12"], ["H264"])
    assert kernel.why_not() is not None


def test_what_is_no_v4l2_device_is_passed_over(kernel: Kernel) -> None:
    (kernel.dev / "video1").touch()
    (kernel.dev / "video2").symlink_to("nothing")
    kernel.add("video11", MPLANE, ["YU12"], ["H264"])
    assert kernel.why_not() is None


def test_a_node_that_may_not_be_opened_is_named(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = os.open

    def refuse(path: Path, flags: int) -> int:
        if path.name == "video11":
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, flags)

    kernel.add("video11", MPLANE, ["YU12"], ["H264"])
    monkeypatch.setattr(os, "open", refuse)
    reason = kernel.why_not()
    assert reason is not None
    assert reason.startswith(f"video11 in {kernel.dev} may not be opened (permission denied); add")


def test_no_nodes_at_all(tmp_path: Path) -> None:
    assert why_no_device(tmp_path) == f"no device in {tmp_path} encodes H.264"
