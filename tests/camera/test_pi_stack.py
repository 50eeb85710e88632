"""picamera2 that is missing, old or broken; and libcamera's list of cameras."""

import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from edge_vision.camera import pi_stack
from edge_vision.camera.pi_stack import is_webcam, list_cameras, load, model_of
from edge_vision.errors import BackendMissing, CameraUnavailable

BROKEN_BY_NUMPY = (
    "numpy.dtype size changed, may indicate binary incompatibility. "
    "Expected 96 from C header, got 88 from PyObject"
)


@pytest.fixture
def system(tmp_path, monkeypatch):
    """system(picamera2=SOURCE, version=...): modules of an operating system, to be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("LIBCAMERA_LOG_LEVELS", raising=False)
    names = ("picamera2", "libcamera")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)

    def make(picamera2="", libcamera="", version=None):
        for name, source in zip(names, (picamera2, libcamera), strict=True):
            if source is not None:
                (tmp_path / f"{name}.py").write_text(source)
        if version is not None:
            info = tmp_path / f"picamera2-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: picamera2\nVersion: {version}\n"
            )

    yield make
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("version", [None, "0.3.18", "0.3.38", "1.0"])
def test_what_is_there_is_taken_and_kept_quiet(system, version):
    system("Picamera2 = 7", version=version)
    assert load().picamera2.Picamera2 == 7
    assert os.environ["LIBCAMERA_LOG_LEVELS"] == "*:WARN"


def test_the_user_s_own_log_level_stays(system, monkeypatch):
    monkeypatch.setenv("LIBCAMERA_LOG_LEVELS", "*:DEBUG")
    system()
    load()
    assert os.environ["LIBCAMERA_LOG_LEVELS"] == "*:DEBUG"


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        (
            {"picamera2": None},
            "needs picamera2, which .* sudo apt install -y python3-picamera2 .*",
        ),
        ({"libcamera": None}, "needs libcamera, .* python3 -m venv --system-site-packages"),
        ({"picamera2": "import pykms_gone"}, "needs pykms_gone, which"),
        ({"picamera2": f"raise ValueError({BROKEN_BY_NUMPY!r})"}, "another numpy .* 'numpy<2' 'op"),
        ({"picamera2": "raise ImportError('numpy.core.multiarray failed')"}, "for another numpy"),
        ({"libcamera": "raise ImportError('undefined symbol: x')"}, "undefined .* --reinstall"),
        ({"version": "0.3.12"}, "picamera2 0.3.12 is too old; edge-vision needs 0.3.18 or newer"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_mend(system, modules, said):
    system(**modules)
    with pytest.raises(BackendMissing, match=said) as caught:
        load()
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class ControlId:
    name: str


class Camera:
    """libcamera's Camera, as far as a list asks."""

    def __init__(self, id, model, sensor=True, sizes=((640, 480), (3280, 2464), (1640, 1232))):
        self.id = id
        self.sensor = sensor
        self.sizes = sizes
        names = ("Model", "ColorFilterArrangement") if sensor else ("Model",)
        self.properties = {ControlId(name): model for name in names}

    def generate_configuration(self, roles):
        if (roles == ["raw"]) is not self.sensor:
            return None
        sizes = [SimpleNamespace(width=width, height=height) for width, height in self.sizes]
        formats = SimpleNamespace(pixel_formats=["A", "B"], sizes=lambda _format: sizes)
        return SimpleNamespace(at=lambda _index: SimpleNamespace(formats=formats))


def libcamera_with(*cameras):
    manager = SimpleNamespace(cameras=cameras)
    return SimpleNamespace(
        CameraManager=SimpleNamespace(singleton=lambda: manager),
        StreamRole=SimpleNamespace(Raw="raw", Viewfinder="viewfinder"),
    )


def test_cameras_are_numbered_as_picamera2_does_and_webcams_left_out(tmp_path):
    found = list_cameras(
        libcamera_with(
            Camera("/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a", "imx708"),
            Camera("/base/axi/pcie@120000/rp1/usb@200000-1:1.0-046d:0825", "C270"),
            Camera("/base/axi/pcie@120000/rp1/i2c@88000/imx219@10", "imx219"),
            Camera("VirtualBars", "imx219", sensor=False, sizes=((640, 480),)),
        ),
        tmp_path,
    )
    assert [(camera.number, camera.model) for camera in found] == [
        (0, "imx219"),  # the virtual one: V sorts after /
        (1, "imx219"),
        (2, "imx708"),
    ]
    assert found[0].sizes_px == ((640, 480),)
    assert found[1].sizes_px == ((640, 480), (1640, 1232), (3280, 2464))
    assert found[1].held_by == {}


def test_webcams_are_told_by_their_id():
    assert is_webcam("/base/soc/usb@7e980000/usb1@1-1.3:1.0-046d:0825")
    assert is_webcam(r"\_SB_.PCI0.S20_-1:1.0-1d6b:0104")
    assert not is_webcam("/base/soc/i2c0mux/i2c@1/imx219@10")
    assert not is_webcam("VirtualBars")


def test_cameras_that_may_not_be_opened(tmp_path, monkeypatch):
    (tmp_path / "media0").touch()
    monkeypatch.setattr(pi_stack.os, "access", lambda *_: False)
    with pytest.raises(CameraUnavailable, match=r"permission denied.*usermod -aG video "):
        model_of([], 0, tmp_path)


def test_memory_for_pictures_that_may_not_be_had_is_no_loose_cable(tmp_path, monkeypatch):
    (tmp_path / "media0").touch()
    (tmp_path / "dma_heap").mkdir()
    with pytest.raises(CameraUnavailable, match="ribbon cable"):
        model_of([], 0, tmp_path)
    (tmp_path / "dma_heap/system").touch()
    monkeypatch.setattr(pi_stack.os, "access", lambda path, _: "dma_heap" not in str(path))
    with pytest.raises(CameraUnavailable, match=r"/dev/dma_heap\); .* sudo chgrp video /dev/dma"):
        model_of([], 0, tmp_path)
