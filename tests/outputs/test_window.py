"""The window: why there is none, and, where a display can be had, keys and closing."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_vision.config_outputs import OutputsConfig, WindowConfig
from edge_vision.errors import BackendMissing
from edge_vision.frame import Image, Stamps
from edge_vision.outputs import make_outputs, window
from edge_vision.outputs.base import Picture
from edge_vision.outputs.window import WindowOutput

HEADLESS = window._no_gui() is not None


class FakeGui:
    """OpenCV's window functions, as far as WindowOutput uses them."""

    error = cv2.error
    WINDOW_NORMAL = WINDOW_KEEPRATIO = WINDOW_GUI_NORMAL = WND_PROP_VISIBLE = 0
    WND_PROP_FULLSCREEN, WINDOW_FULLSCREEN = 0, 1

    def __init__(self) -> None:
        self.key = -1
        self.visible = 1.0
        self.shown: list[int] = []
        self.calls: list[str] = []
        self.threads: set[int] = set()

    def imshow(self, title: str, picture: np.ndarray) -> None:
        self.shown.append(int(picture[0, 0, 0]))

    def waitKey(self, delay_ms: int) -> int:  # noqa: N802
        return self.key

    def getWindowProperty(self, title: str, what: int) -> float:  # noqa: N802
        if self.visible < 0:
            raise cv2.error("NULL guiReceiver")
        return self.visible

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            self.threads.add(threading.get_ident())
            self.calls.append(name)

        return call


@pytest.fixture
def gui(monkeypatch: pytest.MonkeyPatch) -> FakeGui:
    fake = FakeGui()
    monkeypatch.setattr(window, "cv2", fake)
    monkeypatch.setattr(WindowOutput, "why_not", lambda self: None)
    return fake


@pytest.fixture
def opened(gui: FakeGui) -> Iterator[WindowOutput]:
    output = WindowOutput(WindowConfig())
    output.start()
    yield output
    output.close(1)


def test_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    output = WindowOutput(WindowConfig(enabled=True))
    with pytest.raises(BackendMissing, match="neither DISPLAY nor WAYLAND_DISPLAY is set"):
        output.start()
    assert not output.active()


@pytest.mark.skipif(not HEADLESS, reason="this OpenCV can open windows")
def test_with_the_headless_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    reason = WindowOutput(WindowConfig()).why_not()
    assert reason is not None
    assert "pip uninstall opencv-python-headless, then pip install opencv-python" in reason


@pytest.mark.skipif(HEADLESS, reason="needs an OpenCV that can open windows")
def test_a_display_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qt would end the process: the probe's child ends instead, and its words are passed on."""
    monkeypatch.setenv("DISPLAY", ":4711")
    reason = WindowOutput(WindowConfig()).why_not()
    assert reason is not None
    assert reason.startswith("the display :4711 cannot be used (")


def test_auto_leaves_it_out_and_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    caplog.set_level("INFO")
    assert make_outputs(OutputsConfig()) == []
    assert [record.getMessage()[:20] for record in caplog.records] == ["no window: neither D"]
    forced = make_outputs(OutputsConfig(window=WindowConfig(enabled=True)))
    assert [output.name for output in forced] == ["window"]


def test_the_newest_picture_is_shown(
    opened: WindowOutput, gui: FakeGui, picture: Callable[..., Picture]
) -> None:
    assert opened.pump(0)
    assert gui.shown == []
    assert gui.calls == []  # no window before there is a picture
    for number in (1, 2, 3):
        assert opened.offer(picture(number))
    assert opened.pump(1)
    assert opened.pump(0)
    assert gui.shown == [50]  # number 3
    assert opened.offer(picture(4, size=(640, 480)))
    assert opened.pump(1)
    assert gui.shown == [50, 60]
    assert gui.calls.count("namedWindow") == 1


def test_the_canvas_may_change_right_after_the_offer(opened: WindowOutput, gui: FakeGui) -> None:
    canvas = np.full((4, 4, 3), 9, np.uint8)
    opened.offer(Picture(Image.from_array(canvas), 0, 0, Stamps()))
    canvas[:] = 1
    opened.pump(1)
    assert gui.shown == [9]


@pytest.mark.parametrize(
    ("key", "visible", "goes_on"),
    [(ord("q"), 1, False), (27, 1, False), (ord("Q"), 1, False), (27 + 256, 1, False),
     (ord("x"), 1, True), (-1, 0, False), (-1, -1, False), (-1, 1, True)],
)  # fmt: skip
def test_keys_and_closing(
    opened: WindowOutput,
    gui: FakeGui,
    picture: Callable[..., Picture],
    key: int,
    visible: float,
    goes_on: bool,
) -> None:
    opened.offer(picture(0))
    gui.key, gui.visible = key, visible
    assert opened.pump(1) is goes_on
    assert opened.active() is goes_on
    assert opened.offer(picture(1)) is goes_on
    assert opened.fault() is None


def test_only_the_pumping_thread_touches_the_window(
    opened: WindowOutput, gui: FakeGui, picture: Callable[..., Picture]
) -> None:
    giver = threading.Thread(target=lambda: opened.offer(picture(0)))
    giver.start()
    assert opened.pump(5)
    giver.join(5)
    closer = threading.Thread(target=lambda: opened.close(1))
    closer.start()
    closer.join(5)
    assert gui.threads == {threading.get_ident()}
    assert "destroyWindow" not in gui.calls
    assert opened.pump(0) is False


REAL = """
import sys
sys.path[:0] = {path!r}
import subprocess
import cv2
import numpy as np
from edge_vision.config_outputs import WindowConfig
from edge_vision.frame import Image, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.outputs.window import WindowOutput
output = WindowOutput(WindowConfig(enabled=True))
output.start()
canvas = np.full((240, 320, 3), (40, 160, 220), np.uint8)
seen = 0
for number in range(1, 2000):
    output.offer(Picture(Image.from_array(canvas), number, 0, Stamps()))
    if not output.pump(0.05):
        break
    if not seen and number % 20 == 0:
        subprocess.run(["import", "-window", "root", sys.argv[1]], check=True)
        seen = int((cv2.imread(sys.argv[1]) == canvas[0, 0]).all(axis=-1).sum())
    elif seen and number % 20 == 0:
        subprocess.run(["xdotool", "search", "--name", "edge-vision", "windowfocus"], check=True)
        subprocess.run(["xdotool", "key", "q"], check=True)
else:
    raise SystemExit("the key q does not end it")
output.close(1)
print(seen)
"""


@pytest.mark.skipif(HEADLESS, reason="needs an OpenCV that can open windows")
@pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("xvfb-run", "xdotool", "import")),
    reason="needs xvfb, xdotool and imagemagick",
)
def test_on_a_real_display(tmp_path: Path) -> None:
    """The picture is on the screen, and the key q ends it."""
    code = REAL.format(path=[entry for entry in sys.path if entry])
    done = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 640x480x24", sys.executable, "-c", code,
         str(tmp_path / "screen.png")],
        capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 300 * 200, "the picture is not on the screen"
