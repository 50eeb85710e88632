"""Settings as libcamera's controls: units, limits, and what a camera cannot do."""

import pytest
from fake_picamera2 import LENS, PI_CONTROLS

from edge_vision.camera.pi_controls import controls_for, zoom_crop
from edge_vision.config_camera import PiCameraConfig
from edge_vision.errors import ConfigError

FULL = (0, 0, 3280, 2464)


def controls(limits=PI_CONTROLS, fps=30.0, size_px=(1280, 720), **pi):
    return controls_for(PiCameraConfig(**pi), fps, size_px, limits, "the camera imx219")


def test_the_default_sets_the_rate_and_leaves_the_rest_to_the_camera():
    assert controls() == {"FrameDurationLimits": (33333, 33333)}


@pytest.mark.parametrize(("fps", "frame_us"), [(10.0, 100_000), (90.0, 21_000), (0.05, 11_767_000)])
def test_a_rate_is_kept_within_what_the_sensor_can(fps, frame_us):
    assert controls(fps=fps)["FrameDurationLimits"] == (frame_us, frame_us)


def test_a_camera_without_any_control_is_left_alone():
    assert controls({}) == {}


@pytest.mark.parametrize(
    ("pi", "found"),
    [
        ({}, {"AfMode": 2}),
        ({"autofocus": "continuous"}, {"AfMode": 2}),
        ({"autofocus": "manual"}, {"AfMode": 0}),
        ({"autofocus": "manual", "lens_position": 2.0}, {"AfMode": 0, "LensPosition": 2.0}),
        ({"autofocus": "none"}, {}),
    ],
)
def test_focus_of_a_lens_that_moves(pi, found):
    assert controls(LENS, **pi) == found


@pytest.mark.parametrize("autofocus", ["continuous", "manual"])
def test_focus_of_a_lens_that_does_not_is_refused_by_name(autofocus):
    said = f"camera.pi.autofocus is {autofocus}, but the camera imx219 cannot focus; set it to auto"
    with pytest.raises(ConfigError, match=said):
        controls(autofocus=autofocus)
    assert "AfMode" not in controls(autofocus="none")


def test_fixed_exposure_and_gain():
    found = controls(exposure_us=5000, gain=2.5)
    assert (found["ExposureTime"], found["AnalogueGain"]) == (5000, 2.5)


@pytest.mark.parametrize(
    ("pi", "limits", "said"),
    [
        ({"gain": 20.0}, PI_CONTROLS, r"camera.pi.gain is 20; the camera imx219 takes 1 to 10.67"),
        ({"exposure_us": 5}, PI_CONTROLS, r"exposure_us is 5; .* takes 75 to 1.17668e\+07"),
        ({"gain": 2.0}, {}, "camera.pi.gain is set, but the camera imx219 has no such control"),
        ({"zoom": (0.0, 0.0, 0.5, 0.5)}, {}, "camera.pi.zoom is set, .* cannot zoom; set it to nu"),
        (
            {"autofocus": "manual", "lens_position": 20.0},
            LENS,
            "camera.pi.lens_position is 20; the camera imx219 takes 0 to 15",
        ),
    ],
)
def test_what_the_camera_cannot_do_is_said(pi, limits, said):
    with pytest.raises(ConfigError, match=said):
        controls(limits, **pi)


def test_zoom_on_boards_with_one_crop_and_with_one_for_each_picture():
    zoom = (0.25, 0.25, 0.5, 0.5)
    crop = zoom_crop(zoom, (1280, 720), FULL)
    assert controls(zoom=zoom)["ScalerCrop"] == crop
    pi_5 = PI_CONTROLS | {"ScalerCrops": ((), (), None)}
    assert controls(pi_5, zoom=zoom)["ScalerCrops"] == [crop, crop]
    assert "ScalerCrop" not in controls(pi_5, zoom=zoom)


@pytest.mark.parametrize(
    ("zoom", "size_px", "full", "found"),
    [
        # 16:9 of a 4:3 sensor: 1845 rows in the middle of 2464.
        ((0.0, 0.0, 1.0, 1.0), (1280, 720), FULL, (0, 310, 3280, 1845)),
        ((0.5, 0.5, 0.5, 0.5), (1280, 720), FULL, (1640, 1232, 1640, 922)),
        ((0.0, 0.0, 1.0, 1.0), (640, 640), FULL, (408, 0, 2464, 2464)),
        ((0.0, 0.0, 0.25, 0.25), (640, 480), (680, 692, 1920, 1080), (920, 692, 360, 270)),
    ],
)
def test_the_crop_has_the_picture_s_proportions(zoom, size_px, full, found):
    crop = zoom_crop(zoom, size_px, full)
    assert crop == found
    assert crop[2] / crop[3] == pytest.approx(size_px[0] / size_px[1], rel=2e-3)
