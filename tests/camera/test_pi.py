"""The Pi camera on a fake picamera2: what is asked of it, and what is lent out."""

import itertools
import threading
import time

import cv2
import numpy as np
import pytest

from edge_vision.camera.pi_request import BUFFERS, KEPT
from edge_vision.config import CameraConfig, ModelConfig
from edge_vision.config_camera import PiCameraConfig
from edge_vision.detect.detector import build_detector
from edge_vision.errors import CameraUnavailable
from edge_vision.frame import PixelFormat


def read_one(camera):
    for _ in range(10):
        if (frame := camera.read(1.0)) is not None:
            return frame
    raise AssertionError("no frame came")


def test_both_pictures_are_asked_for_in_the_house_s_colours(open_pi, pi_world):
    _, info = open_pi((1280, 720), lores_px=(300, 300))
    asked = pi_world.opened.config
    assert asked["main"] == {"size": (1280, 720), "format": "YUV420"}
    assert asked["lores"] == {"size": (300, 300), "format": "YUV420"}
    # From 1280x720 on picamera2 itself would take BT.709, which Image's YUV420 is not.
    assert asked["colour_space"] == "SMPTE170M"
    assert asked["raw"] is None
    assert asked["buffer_count"] == BUFFERS >= 6
    assert (info.kind, info.name, info.fps) == ("pi", "Pi camera 0 imx219", pytest.approx(30, 1e-3))
    assert info.reconnects
    assert info.notes == ()


@pytest.mark.parametrize(
    ("pi", "hflip", "vflip"),
    [
        ({}, False, False),
        ({"hflip": True}, True, False),
        ({"vflip": True}, False, True),
        ({"rotation": 180}, True, True),
        ({"rotation": 180, "hflip": True}, False, True),
    ],
)
def test_flips_and_rotation_become_one_transform(open_pi, pi_world, pi, hflip, vflip):
    open_pi(**pi)
    assert pi_world.opened.config["transform"] == ("transform", hflip, vflip)


@pytest.mark.parametrize(
    ("size_px", "lores_px", "granted"),
    [
        ((640, 480), (301, 235), (302, 236)),  # even sides only
        ((320, 240), (364, 364), (320, 240)),  # not larger than main
        ((641, 359), (364, 364), (364, 358)),
    ],
)
def test_the_small_picture_fits_what_picamera2_allows(
    open_pi, pi_world, size_px, lores_px, granted
):
    open_pi(size_px, lores_px=lores_px)
    asked = pi_world.opened.config["lores"]
    # One as large as main is left out: the detector reads main.
    assert asked is None if granted == size_px else asked["size"] == granted


def test_the_detector_finds_on_the_small_picture_what_is_in_the_main_one(open_pi, pi_world):
    # 16:9 main, square small picture: both are the whole view, so boxes must agree.
    detector = build_detector(ModelConfig(size="large"))
    width, height = detector.input_hw_px[::-1]
    camera, _ = open_pi((1280, 720), lores_px=(width, height))
    frame = read_one(camera)
    assert (frame.lores.width_px, frame.lores.height_px) == (width, height)
    assert frame.lores.stride_bytes > width, "the fake pads rows, or this shows less"
    small = detector.detect(frame.lores).to_list(detector.labels)[0]
    main = detector.detect(frame.main).to_list(detector.labels)[0]
    frame.release()
    assert small["label"] == main["label"] == "cat"
    assert small["score"] > 0.6
    assert small["box"] == pytest.approx(main["box"], abs=0.03)


@pytest.mark.parametrize(
    ("format", "gives", "found"),
    [
        ("yuv420", None, PixelFormat.YUV420),
        ("rgb", None, PixelFormat.BGR),  # picamera2's RGB888 is B, G, R in memory
        ("rgb", "BGR888", PixelFormat.RGB),
        ("yuv420", "NV12", PixelFormat.BGR),
    ],
)
def test_colours_arrive_whatever_format_is_given(open_pi, pi_world, to_bgr, format, gives, found):
    asked = {"yuv420": "YUV420", "rgb": "RGB888"}[format]
    pi_world.gives = {asked: gives or asked}
    pi_world.picture = np.full((48, 64, 3), (200, 90, 30), np.uint8)  # a blue, in BGR
    camera, _ = open_pi((192, 128), format=format)
    frame = read_one(camera)
    assert frame.main.format is found
    seen = to_bgr(frame) if found is not PixelFormat.RGB else frame.main.data[:, :, ::-1]
    assert np.abs(seen[10:, 10:].mean(axis=(0, 1)) - (200, 90, 30)).max() < 5
    frame.release()


def test_an_unknown_format_is_named(open_pi, pi_world):
    pi_world.gives = {"YUV420": "MJPEG"}
    with pytest.raises(
        CameraUnavailable, match="gives main pictures as MJPEG; expected one of YUV"
    ):
        open_pi()
    assert pi_world.opened is None


def test_a_camera_without_a_second_stream_works_and_says_so(open_pi, pi_world):
    pi_world.second_stream = False
    camera, info = open_pi(lores_px=(300, 300))
    assert info.notes == ("it makes no small picture for the detector, which reads the main one",)
    assert read_one(camera).lores is None


def test_what_is_granted_instead_is_said(open_pi, pi_world):
    pi_world.largest = (640, 480)
    camera, info = open_pi((1280, 720), fps=90.0)
    assert info.notes == (
        "asked for 1280x720 pixels, granted 640x480",
        "asked for 90 fps, granted 47.619",
    )
    assert (info.width_px, info.height_px) == (640, 480)
    read_one(camera).release()


def test_a_released_frame_s_buffer_is_used_again_by_the_camera_s_own_thread(open_pi, pi_world):
    camera, _ = open_pi(lores_px=(96, 96))
    for _ in range(5 * BUFFERS):
        frame = read_one(camera)
        thread = threading.Thread(target=frame.release, name="somebody")
        thread.start()
        thread.join()
    assert pi_world.threads == {"camera the Pi camera 0"}


@pytest.mark.parametrize("buffers", [BUFFERS, 4])
def test_frames_held_for_long_cost_frames_but_never_starve_the_camera(open_pi, pi_world, buffers):
    pi_world.buffers = buffers
    camera, _ = open_pi()
    held = [read_one(camera) for _ in range(buffers - KEPT)]
    copies = [frame.main.data.copy() for frame in held]
    finished = pi_world.finished
    assert camera.read(0.2) is None
    assert pi_world.finished > finished, "the camera runs on"
    assert pi_world.starved == 0
    for frame, copy in zip(held, copies, strict=True):
        assert (frame.main.data == copy).all()
        frame.release()
    later = read_one(camera)
    assert later.seq > held[-1].seq + 1, "a gap tells of the lost frames"
    later.release()


def test_copied_pictures_hold_no_buffer(open_pi, pi_world):
    pi_world.gives = {"YUV420": "NV12"}
    camera, _ = open_pi()
    held = [read_one(camera) for _ in range(2 * BUFFERS)]
    assert pi_world.starved == 0
    for one, other in itertools.pairwise(held):
        assert not np.shares_memory(one.main.data, other.main.data)
        one.release()


def test_frames_outlive_the_camera(open_pi, pi_world):
    camera, _ = open_pi()
    frame = read_one(camera)
    copy = frame.main.data.copy()
    camera.close()
    assert pi_world.opened is None
    assert (frame.main.data == copy).all()
    frame.release()


def test_the_exposure_time_is_the_sensor_s(open_pi, pi_world):
    pi_world.clock_ns = lambda: time.monotonic_ns() - 30_000_000
    camera, _ = open_pi()
    frame = read_one(camera)
    assert frame.stamps.arrived - frame.stamps.exposed >= 30_000_000
    assert not frame.stamps.exposed_is_estimate
    frame.release()


def test_without_a_stamp_the_arrival_is_an_estimate(open_pi, pi_world):
    pi_world.metadata = lambda stamp_ns: {}
    camera, _ = open_pi()
    frame = read_one(camera)
    assert frame.stamps.exposed == frame.stamps.arrived > 0
    assert frame.stamps.exposed_is_estimate
    frame.release()


def test_the_config_s_lores_is_the_model_s_input_unless_given():
    config = CameraConfig(kind="pi")
    assert config.for_input((236, 300)).pi.lores_px == (300, 236)
    given = CameraConfig(kind="pi", pi=PiCameraConfig(lores_px=(128, 96)))
    assert given.for_input((236, 300)).pi.lores_px == (128, 96)


def test_pictures_are_padded_as_the_isp_pads_them(open_pi, pi_world, to_bgr):
    """The fake itself: without padded rows the strides above would prove nothing."""
    camera, _ = open_pi((300, 200), format="rgb")
    frame = read_one(camera)
    assert frame.main.stride_bytes == 960
    cat = cv2.resize(pi_world.picture, (300, 200), interpolation=cv2.INTER_AREA)
    assert (frame.main.data[1:] == cat[1:]).all()
    frame.release()
