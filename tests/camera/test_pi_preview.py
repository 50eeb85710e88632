"""From the Pi camera to the board's display: the whole program, on a fake picamera2."""

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fake_picamera2 import World

from edge_vision.app import App
from edge_vision.camera import pi
from edge_vision.camera.pi_screen import Display, PiScreen
from edge_vision.config_load import parse_config
from edge_vision.errors import BackendMissing, ConfigError

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.fixture
def run(pi_world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """run(overlays, section.key=...): a run with the preview until it showed so many; the App."""
    monkeypatch.setattr(pi, "load", lambda: pi_world)
    display = Display(Path("/dev/dri/card1"), 1920, 1080)
    screen_on = partial(PiScreen, find=lambda: display, check=lambda card: None)
    monkeypatch.setattr(pi, "PiScreen", screen_on)

    def start(overlays: int, outputs: dict[str, Any] | None = None, **overlay: Any) -> App:
        def enough(app: App, _now_ns: int) -> None:
            if sum(fb is not None for _, fb in pi_world.screen.shown) >= overlays:
                app.stop.set()

        config = parse_config(
            {
                "camera": {"kind": "pi", "size_px": [640, 480]},
                "model": {"size": "small", "threads": 1},
                "overlay": overlay,
                "outputs": {
                    "window": {"enabled": False}, "preview": {"enabled": True}, **(outputs or {})
                },
            }
        )  # fmt: skip
        app = App(config, duration_s=60, on_tick=enough)
        app.run()
        return app

    return start


def test_the_overlay_is_on_the_screen(run: Any, pi_world: World, tmp_path: Path) -> None:
    app = run(5)
    (output,) = app.outputs
    assert output.name == "preview"
    assert output.fault() is None
    overlays = [fb for _, fb in pi_world.screen.shown if fb is not None]
    assert len(overlays) >= 5
    last = overlays[-1]
    assert last.shape == (480, 640, 4)
    # The cat's frame and its label, and the panel: a few thousand pixels, the rest transparent.
    drawn = last[:, :, 3] > 0
    assert 0.01 < drawn.mean() < 0.4
    picture = cv2.resize(pi_world.picture, (640, 480), interpolation=cv2.INTER_AREA)
    alpha = last[:, :, 3:] / 255
    shown = (last[:, :, 2::-1] * alpha + picture * (1 - alpha)).astype(np.uint8)
    assert cv2.imwrite(str(tmp_path / "shown.png"), shown)
    assert pi_world.screen.opened == 0, "given back at the end"


def test_other_outputs_get_the_overlay_in_the_picture(
    run: Any, pi_world: World, tmp_path: Path
) -> None:
    path = tmp_path / "out.mp4"
    app = run(1, {"video": {"path": str(path), "encoder": "software"}}, hud=True)
    assert [output.name for output in app.outputs] == ["preview", "video"]
    reader = cv2.VideoCapture(str(path))
    pictures = [picture for ok, picture in iter(reader.read, (False, None)) if ok]
    plain = cv2.resize(pi_world.picture, (640, 480), interpolation=cv2.INTER_AREA)
    assert np.abs(pictures[-1].astype(int) - plain).max() > 100
    assert any(fb is not None for _, fb in pi_world.screen.shown)


@pytest.mark.parametrize(
    ("overlay", "named"),
    [({"blur": ["cat"]}, "overlay.blur"), ({"timing": "exact"}, "overlay.timing: exact")],
)
def test_what_needs_the_picture_is_refused(run: Any, overlay: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=f"no {named} with it"):
        run(1, **overlay)


def test_it_is_refused_while_running_too(run: Any, pi_world: World) -> None:
    """A changed configuration that the preview cannot follow leaves everything as it was."""
    app = run(1)
    config = app.config
    overlay = config.overlay.model_copy(update={"blur": ["cat"]})
    with pytest.raises(ConfigError, match=r"overlay\.blur"):
        app.change(config.model_copy(update={"overlay": overlay}))
    assert app.config == config


def test_a_missing_display_ends_the_start_with_a_sentence(
    run: Any, pi_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> Display:
        raise BackendMissing("outputs.preview needs a screen, and none is connected")

    monkeypatch.setattr(pi, "PiScreen", partial(PiScreen, find=absent))
    with pytest.raises(BackendMissing, match="none is connected"):
        run(1)
    assert pi_world.opened is None
