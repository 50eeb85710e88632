"""The Pi camera's section: what does not fit together is refused in one sentence."""

import pytest

from edge_vision.config import Config
from edge_vision.config_load import load_config
from edge_vision.errors import ConfigError


def load(*settings: str) -> Config:
    return load_config(None, [f"camera.{setting}" for setting in settings])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["pi.rotation=90"], "camera.pi.rotation is 90; expected 0 or 180"),
        (["pi.autofocus=off"], "camera.pi.autofocus is false; expected 'auto', "),
        (["pi.lens_position=2.0"], "lens_position needs camera.pi.autofocus: manual; it is auto"),
        (["pi.exposure_us=40000"], "longer than a frame at 30 fps (33333 us); lower camera.fps"),
        (
            ["pi.zoom=[0.5, 0.0, 0.6, 0.6]"],
            "camera.pi.zoom is [0.5, 0.0, 0.6, 0.6]; expected x, y,",
        ),
        (["pi.zoom=[0.0, 0.0, 0.01, 0.01]"], "with a width and height of 0.02 or more"),
        (["pi.zoom=[0.0, 0.0, 0.5, 0.4]"], "zoom of 0.5 x 0.4 would stretch the picture; give the"),
        (["pi.zoom=[0.0, 0.0, 0.5]"], "camera.pi.zoom"),
        (["pi.lores_px=[8, 8]"], "camera.pi.lores_px"),
        (["pi.number=-1"], "camera.pi.number is -1; "),
        (["kind=pi", "pace=fast"], "kind pi cannot be made to wait"),
    ],
)
def test_what_is_wrong_is_said(settings: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(*settings)
    assert said in str(caught.value)


def test_what_fits_is_taken() -> None:
    pi = load(
        "pi.autofocus=manual", "pi.lens_position=2", "pi.zoom=[0.25, 0.5, 0.5, 0.5]", "pi.gain=4"
    ).camera.pi
    assert (pi.lens_position, pi.zoom, pi.gain) == (2.0, (0.25, 0.5, 0.5, 0.5), 4.0)
    assert load("pi.exposure_us=40000", "fps=25.0").camera.pi.exposure_us == 40_000
