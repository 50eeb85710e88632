"""The V4L2 list against a made kernel: structures as the kernel fills them, and every refusal."""

import errno
import os
import struct
from pathlib import Path

import pytest

from edge_vision import videodev
from edge_vision.camera import v4l2

CAPTURE, META, M2M, STREAMING = 0x1, 0x800000, 0x8000, 0x4000000


class Kernel:
    """Answers the three ioctls for nodes that are empty files under a folder."""

    def __init__(self, root: Path) -> None:
        self.dev = root / "dev"
        self.sys = root / "sys"
        self.dev.mkdir()
        self.nodes = {}

    def add(self, name, driver="uvcvideo", card="C920", bus="usb-0000:00:14.0-1", caps=None, **kw):
        (self.dev / name).touch()
        caps = CAPTURE | STREAMING if caps is None else caps
        self.nodes[name] = {"driver": driver, "card": card, "bus": bus, "caps": caps, **kw}

    def ioctl(self, descriptor, request, data):
        node = self.nodes[Path(os.readlink(f"/proc/self/fd/{descriptor}")).name]
        answer = {
            0x80685600: self._querycap,
            0xC0405602: self._enum_fmt,
            0xC02C564A: self._enum_framesizes,
        }[request]
        answer(node, data)

    def _querycap(self, node, data):
        if "error" in node:
            raise OSError(node["error"], os.strerror(node["error"]))
        # The first number tells of the whole device: all nodes of a UVC camera capture video.
        whole = node["caps"] | CAPTURE | 0x80000000 if node.get("device_caps", True) else 0x4000001
        texts = (node["driver"].encode(), node["card"].encode(), node["bus"].encode())
        data[:92] = struct.pack("<16s32s32sIII", *texts, 0x60100, whole, node["caps"])

    def _enum_fmt(self, node, data):
        index, kind = struct.unpack_from("<II", data)
        assert kind == 1
        formats = node.get("formats", [])
        if index >= len(formats):
            raise OSError(errno.EINVAL, "end")
        fourcc, text, _ = formats[index]
        data[:48] = struct.pack("<III32s4s", index, kind, 0, text.encode(), fourcc.encode())

    def _enum_framesizes(self, node, data):
        index, code = struct.unpack_from("<I4s", data)
        (sizes,) = (s for f, _, s in node["formats"] if f.encode() == code)
        if sizes and sizes[0] == "stepwise":
            struct.pack_into("<I6I", data, 8, 3, *sizes[1:])
        elif index < len(sizes):
            struct.pack_into("<III", data, 8, 1, *sizes[index])
        else:
            raise OSError(errno.EINVAL, "end")

    def devices(self):
        return v4l2.list_devices(self.dev, self.sys, self.ioctl)


@pytest.fixture
def kernel(tmp_path):
    return Kernel(tmp_path)


def test_no_device_is_an_empty_list(tmp_path):
    assert v4l2.list_devices(tmp_path, tmp_path) == []
    assert v4l2.no_camera([]) == "no USB camera: no /dev/video* node"


def test_one_reason_is_given_once():
    nodes = [v4l2.Device(f"/dev/video{n}", "isp", refusal="is no webcam") for n in (20, 21)]
    assert v4l2.no_camera([*nodes, v4l2.Device("/dev/video3", refusal="is busy")]) == (
        "no USB camera: /dev/video20 (isp), /dev/video21 (isp) each is no webcam; "
        "/dev/video3 is busy"
    )


def test_the_ioctl_numbers_are_the_kernels():
    assert videodev.VIDIOC_QUERYCAP == 0x80685600
    assert videodev.VIDIOC_ENUM_FMT == 0xC0405602
    assert v4l2.VIDIOC_ENUM_FRAMESIZES == 0xC02C564A


def test_a_webcam_is_listed_with_all_it_offers(kernel):
    mjpg = ("MJPG", "Motion-JPEG", [(640, 480), (1280, 720)])
    yuyv = ("YUYV", "YUYV 4:2:2", ["stepwise", 48, 1920, 16, 32, 1080, 8])
    kernel.add("video0", formats=[mjpg, yuyv])
    links = kernel.dev / "v4l/by-id"
    links.mkdir(parents=True)
    (links / "usb-046d_C920-video-index0").symlink_to("../../video0")
    (links / "usb-046d_other-video-index0").symlink_to("../../video9")
    (device,) = kernel.devices()
    assert device == v4l2.Device(
        node=str(kernel.dev / "video0"),
        card="C920",
        driver="uvcvideo",
        bus="usb-0000:00:14.0-1",
        links=(str(links / "usb-046d_C920-video-index0"),),
        formats=(
            v4l2.Format("MJPG", "Motion-JPEG", ((640, 480), (1280, 720))),
            v4l2.Format("YUYV", "YUYV 4:2:2", ((48, 32), (1920, 1080)), stepwise=True),
        ),
    )
    assert device.usable


def test_a_link_leads_to_its_node(kernel):
    kernel.add("video4")
    link = kernel.dev / "cam"
    link.symlink_to("video4")
    device = v4l2.query(link, kernel.dev, kernel.sys, kernel.ioctl)
    assert device.node == str(kernel.dev / "video4")


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"caps": META | STREAMING}, "gives only metadata"),
        ({"caps": M2M | STREAMING, "driver": "hantro"}, "converts video (hantro)"),
        ({"driver": "bcm2835-codec", "caps": 0x4208000}, "is a video codec (bcm2835-codec)"),
        ({"driver": "bcm2835-isp"}, "is an image processor (bcm2835-isp), no webcam"),
        ({"driver": "pispbe"}, "is an image processor"),
        ({"driver": "rp1-cfe"}, "needs libcamera"),
        ({"driver": "unicam"}, "needs libcamera"),
        ({"caps": 0x1000 | STREAMING, "driver": "imx"}, "separate planes"),
        ({"caps": 0x2 | STREAMING}, "does not capture"),
        ({"caps": CAPTURE}, "does not stream"),
        ({"error": errno.ENOTTY}, "is no V4L2 device"),
    ],
    ids=str,
)
def test_what_is_no_camera_says_why(kernel, node, reason):
    kernel.add("video0", **node)
    (device,) = kernel.devices()
    assert not device.usable
    assert reason in device.refusal
    assert f"video0 (C920) {device.refusal}" in v4l2.no_camera([device]) or "error" in node


def test_old_drivers_without_device_caps_count_by_their_capabilities(kernel):
    kernel.add("video0", caps=0, device_caps=False)
    assert kernel.devices()[0].usable


def test_usb_comes_first_then_the_number(kernel):
    kernel.add("video10")
    kernel.add("video2")
    kernel.add("video0", driver="vivid", bus="platform:vivid-000")
    kernel.add("video-extra")
    names = [Path(device.node).name for device in kernel.devices()]
    assert names == ["video2", "video10", "video0"]


def test_a_forbidden_device_tells_its_name_and_what_to_do(kernel, monkeypatch):
    kernel.add("video0")
    name = kernel.sys / "class/video4linux/video0/name"
    name.parent.mkdir(parents=True)
    name.write_text("C920 of the kernel\n")

    def forbidden(path, flags):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(v4l2.os, "open", forbidden)
    (device,) = kernel.devices()
    assert device.card == "C920 of the kernel"
    assert "permission denied" in device.refusal
    assert "sudo usermod -aG video " in device.refusal


def test_a_driver_whose_list_never_ends_does_not_hang_us(kernel):
    kernel.add("video0", formats=[(f"{number:04d}", "x", []) for number in range(1000)])
    assert len(kernel.devices()[0].formats) == 256


def test_no_descriptor_is_left_open(kernel):
    kernel.add("video0")
    kernel.add("video1", error=errno.EIO)
    before = len(os.listdir("/proc/self/fd"))
    kernel.devices()
    assert len(os.listdir("/proc/self/fd")) == before
